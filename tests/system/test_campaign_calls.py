"""Calls of campaigns on each PBX, by ear: seats, drops with their message, machines, previews, inbound callers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from itertools import count
from typing import Any

import pytest

from deploy.lab.call import Call
from deploy.lab.people import order
from deploy.lab.phone import Phone
from deploy.lab.policies import Answer, Policy
from deploy.lab.site import center
from deploy.lab.voices import MACHINE, PERSON, Voice, pcmu
from routing.core.campaign import CampaignTrigger
from routing.core.events import Event, EventType
from routing.core.orders import (
    AcceptRecord,
    AddRecords,
    ControlCampaign,
    GetRecord,
    JoinCampaign,
    LeaveCampaign,
    MarkDone,
    PaceCampaign,
    SignOut,
)
from routing.core.record import RecordCard, RecordNumber
from tests.system.center import CALLER_HZ, Center, gist, tone_of
from tests.system.flow_site import PromptSite
from tests.waiting import run

NUMBERS = ["1001", "1002"]
CUSTOMER_HZ, SORRY_HZ, MESSAGE_HZ = 2500, 860, 1030
SHOWN = "12015550100"
TONES = {"sorry": (SORRY_HZ, 1.5), "message": (MESSAGE_HZ, 1.5)}
PROMPTS = '[prompts.sorry]\nfiles.en = "sorry"\n[prompts.message]\nfiles.en = "message"\n'
CAMPAIGN = """
[campaigns.{id}]
mode = "{mode}"
queue = "general"
teams = ["floor"]
ani = "+{shown}"
dial = {{ allowed = ["+1"], international = true }}
hours = "always"
ring_timeout_s = 15
pacing = {{ message = "sorry", min_agents = 1, max_wait_ms = {wait_ms} }}
{more}
"""
MODES = {
    "seats": ("predictive", ""),
    "rung": ("predictive", "seize_agents = false"),
    "machines": (
        "predictive",
        'machines = { detect = true, deadline_ms = 2600, on_machine = "leave_message", message = "message" }',
    ),
    "alone": ("preview", ""),
}
HOURS = '[hours.always]\ntime_zone = "UTC"\n' + "".join(
    f'{days} = ["00:00-24:00"]\n' for days in ("mon_fri", "sat", "sun")
)


def files() -> dict[str, str]:
    declared = "".join(
        CAMPAIGN.format(id=id_, mode=mode, shown=SHOWN, more=more, wait_ms=3000 if id_ == "machines" else 2000)
        for id_, (mode, more) in MODES.items()
    )
    return {
        **center(NUMBERS, wrap_up='{ timeout_s = 0, default_reason = "Done" }'),
        "out.toml": declared + HOURS + PROMPTS,
    }


@pytest.fixture(scope="module")
def site(pbx: str) -> Iterator[PromptSite]:
    with PromptSite(NUMBERS, files(), TONES, pbx=pbx) as running:
        yield running


# One for each record: who was dropped in one scene is called by no other one without an agent.
_numbers = count(3000)


class Outside:
    """The telephone behind the trunk, and the campaign that calls it."""

    def __init__(self, c: Center, phone: Phone, campaign: str) -> None:
        self.c, self.phone, self.campaign = c, phone, campaign
        self.rung: list[Call] = []
        self.behave(Answer(after=0.3))

    def behave(self, policy: Policy, voice: Voice | None = None) -> None:
        async def take(call: Call) -> None:
            self.rung.append(call)
            if voice:
                call.media.voice = pcmu(voice)
            await policy(call)

        self.phone.on_invite = take

    async def called(self, times: int = 1, within: float = 10.0) -> Call:
        async with asyncio.timeout(within):
            while len(self.rung) < times:
                await asyncio.sleep(0.02)
        return self.rung[times - 1]

    async def paced(self, times: int) -> Call:
        """The one record there is called, by orders that come every second, as those of the pacing job do."""
        for _ in range(20):
            await self.pace(1)
            with suppress(TimeoutError):
                return await self.called(times, within=1.0)
        state = await self.c.state()
        raise AssertionError(f"nobody is called: {state.campaigns[self.campaign]}, {gist(state)}")

    async def give(self, kind: type, **fields: Any) -> Any:
        reply = await order(self.c.store, kind, **fields)
        assert reply.code == "ok", reply
        return reply.values

    async def staff(self, *numbers: str, policy: Policy | None = None) -> None:
        """These agents are signed in and have joined; the campaign runs."""
        for number in numbers:
            await self.c.agent(number, policy or Answer(after=0.05))
        await self.c.when_free(numbers)
        for action in (CampaignTrigger.LOAD, CampaignTrigger.START):
            await self.give(ControlCampaign, campaign=self.campaign, action=action)
        for number in numbers:
            await self.give(JoinCampaign, campaign=self.campaign, agent_id=f"a{number}")

    async def seated(self, *numbers: str) -> None:
        for number in numbers:
            await self.c.when_agent(number, "seated")

    async def records(self, count: int, first: int = 0) -> list[str]:
        """So many in the hopper; their ids."""
        cards = tuple(
            RecordCard(
                id=f"rec_{self.campaign}_{time.time_ns()}_{first + n}",
                campaign=self.campaign,
                claim=1,
                name=f"Customer {first + n}",
                numbers=(RecordNumber(number=f"+1201555{next(_numbers):04}", zone="UTC"),),
            )
            for n in range(count)
        )
        await self.give(AddRecords, campaign=self.campaign, records=cards)
        return [card.id for card in cards]

    async def pace(self, calls: int) -> None:
        tick = (await self.c.state()).campaigns[self.campaign].tick + 1
        await self.give(PaceCampaign, campaign=self.campaign, tick=tick, at_ms=int(time.time() * 1000), calls=calls)

    async def told(self, type_: EventType, record_id: str, within: float = 15.0) -> Event:
        """The event about that record, as soon as it is told."""
        async with asyncio.timeout(within):
            while True:
                for event in await self.c.events(type_):
                    if event.values.get("record_id") == record_id:
                        return event
                await asyncio.sleep(0.1)

    async def leave(self) -> None:
        """What a scene leaves behind is nobody's in the next one."""
        await order(self.c.store, ControlCampaign, campaign=self.campaign, action=CampaignTrigger.STOP)
        for number in self.c.agents:
            await self.c.when(lambda s, n=number: not s.agents[f"a{n}"].engagements, 15)  # type: ignore[misc]
            await order(self.c.store, SignOut, agent_id=f"a{number}")


Scene = Callable[[Outside], Coroutine[Any, Any, None]]


def play(site: PromptSite, campaign: str, scene: Scene, within: float = 60.0) -> None:
    async def whole() -> None:
        c = Center(site)
        pbx = site.node.pbx
        phone = await Phone.create("carrier", pbx.sip, "", tone=CUSTOMER_HZ, port=pbx.carrier_port)
        outside = Outside(c, phone, campaign)
        try:
            await scene(outside)
        finally:
            for call in outside.rung:
                if call.state == "answered":
                    await call.hangup()
            await outside.leave()
            await phone.close()
            await c.close()

    run(whole(), within=within)


async def talk(customer: Call, agent: Call) -> None:
    await asyncio.gather(customer.hears(tone_of(agent)), agent.hears(CUSTOMER_HZ))


@pytest.mark.req("PROG-07", "PROG-09", "DIALER-01", "DIALER-08")
def test_a_seated_agent_hears_his_contact_at_once_and_sits_again_after_the_talk(site: PromptSite) -> None:
    async def scene(out: Outside) -> None:
        await out.staff("1001")
        await out.seated("1001")
        seat = out.c.calls_of["1001"]
        shown = [e for e in await out.c.events(EventType.RECORD_SHOWN) if e.values["campaign"] == "seats"]
        assert shown == [], "an empty record comes first"
        (record,) = await out.records(1)
        await out.pace(1)
        customer = await out.called()
        await customer.answered()
        await talk(customer, seat)
        assert SHOWN in customer.remote_uri
        assert (await out.told(EventType.RECORD_SHOWN, record)).values["name"] == "Customer 0"
        ended = await out.told(EventType.ATTEMPT_ENDED, record)
        assert (ended.values["result"], ended.values["is_dropped"], ended.agent_id) == ("answered", False, "a1001")
        assert int(str(ended.values["wait_ms"])) < 2000
        await customer.hangup()
        assert (await out.told(EventType.RECORD_RELEASED, record)).values["cause"] == "done"
        await out.seated("1001")

    play(site, "seats", scene)


@pytest.mark.req("DIALER-01", "DIALER-06")
def test_without_a_seat_the_agents_telephone_is_rung_when_the_contact_has_answered(site: PromptSite) -> None:
    async def scene(out: Outside) -> None:
        await out.staff("1001")
        assert not out.c.calls_of
        (record,) = await out.records(1)
        await out.pace(1)
        customer = await out.called()
        await customer.answered()
        async with asyncio.timeout(5):
            while "1001" not in out.c.calls_of:
                await asyncio.sleep(0.02)
        await talk(customer, out.c.calls_of["1001"])
        ended = await out.told(EventType.ATTEMPT_ENDED, record)
        assert (ended.values["result"], ended.values["is_dropped"]) == ("answered", False)

    play(site, "rung", scene)


@pytest.mark.req("DIALER-06", "DIALER-07")
def test_who_gets_no_agent_in_two_seconds_hears_the_message_and_is_not_called_for_three_days(site: PromptSite) -> None:
    async def scene(out: Outside) -> None:
        await out.staff("1001")
        await out.seated("1001")
        first, second = await out.records(2)
        await out.pace(2)
        one, two = await out.called(1), await out.called(2)
        await asyncio.gather(one.answered(), two.answered())
        results = {r: await out.told(EventType.ATTEMPT_ENDED, r) for r in (first, second)}
        dropped = [event for event in results.values() if event.values["result"] == "dropped"]
        assert [event.values["is_dropped"] for event in dropped] == [True]
        lost = one if dropped[0].values["record_id"] == first else two
        await lost.hears(SORRY_HZ)
        await lost.ended(within=6)
        released = await out.told(EventType.RECORD_RELEASED, str(dropped[0].values["record_id"]))
        rest_ms = int(str(released.values["reserve_until_ms"])) - released.at_ms
        assert 71 * 3600_000 < rest_ms <= 72 * 3600_000
        assert int(str(released.values["next_at_ms"])) >= int(str(released.values["reserve_until_ms"])) - 5000
        days = (await out.c.state()).campaigns["seats"].days
        assert sum(day.dropped for day in days.values()) >= 1

    play(site, "seats", scene)


@pytest.mark.timeout(120)
@pytest.mark.req("DIALER-09")
def test_a_machine_gets_the_message_after_its_greeting_and_a_person_an_agent(site: PromptSite) -> None:
    async def scene(out: Outside) -> None:
        await out.staff("1001")
        await out.seated("1001")
        out.behave(Answer(after=0.3), MACHINE)
        (record,) = await out.records(1)
        machine = await out.paced(1)
        await machine.answered()
        answered_s = time.monotonic()
        await machine.hears(MESSAGE_HZ, within=20)
        assert time.monotonic() - answered_s > MACHINE.seconds - 0.5, "not into its greeting"
        ended = await out.told(EventType.ATTEMPT_ENDED, record)
        assert (ended.values["result"], ended.values["verdict"]) == ("machine", "machine")
        await machine.ended(within=10)
        out.behave(Answer(after=0.3), PERSON)
        (record,) = await out.records(1, first=1)
        person = await out.paced(2)
        await person.answered()
        await person.hears(tone_of(out.c.calls_of["1001"]))
        ended = await out.told(EventType.ATTEMPT_ENDED, record)
        assert (ended.values["result"], ended.values["verdict"], ended.values["is_dropped"]) == (
            "answered",
            "human",
            False,
        )

    play(site, "machines", scene, within=110.0)


@pytest.mark.req("PREV-01", "PREV-07", "PREV-15", "PREV-16", "PREV-19", "PREV-20")
def test_an_agent_gets_a_record_calls_it_marks_it_done_and_has_the_next_before_him(site: PromptSite) -> None:
    async def scene(out: Outside) -> None:
        await out.staff("1001")
        first, second = await out.records(2)
        got = await out.give(GetRecord, agent_id="a1001", campaign="alone")
        assert got["record_id"] == first
        assert not out.rung
        await out.give(AcceptRecord, agent_id="a1001", interaction_id=got["interaction_id"])
        customer = await out.called()
        await customer.answered()
        await talk(customer, out.c.calls_of["1001"])
        await out.give(MarkDone, agent_id="a1001", interaction_id=got["interaction_id"])
        await customer.ended()
        shown = await out.told(EventType.RECORD_SHOWN, second)
        assert (shown.agent_id, len(out.rung)) == ("a1001", 1)
        await out.c.when_agent("1001", "preview")
        await out.c.when_free(["1001"])
        await out.give(AcceptRecord, agent_id="a1001", interaction_id=shown.interaction_id)
        customer = await out.called(2)
        await customer.answered()
        await talk(customer, out.c.calls_of["1001"])
        await out.give(MarkDone, agent_id="a1001", interaction_id=shown.interaction_id, stop=True)
        await customer.ended()
        assert {(await out.told(EventType.RECORD_RELEASED, r)).values["cause"] for r in (first, second)} == {"done"}

    play(site, "alone", scene)


@pytest.mark.req("DIALER-10")
def test_a_caller_who_waits_gets_an_agent_who_only_sits(site: PromptSite) -> None:
    async def scene(out: Outside) -> None:
        await out.staff("1001")
        await out.seated("1001")
        caller = await out.c.caller("7001")
        pair = await out.c.pair(caller)
        await pair.hear_each_other()
        assert tone_of(caller) == CALLER_HZ
        await caller.hangup()
        await out.seated("1001")
        await out.give(LeaveCampaign, agent_id="a1001", campaign="seats")
        await out.c.when_agent("1001", "available")

    play(site, "seats", scene)
