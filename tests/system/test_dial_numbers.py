"""Transfer and consult to a number outside, over the trunk of a real PBX: who hears whom, judged by ear."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any
from urllib.parse import unquote

import pytest

from deploy.lab.call import Call
from deploy.lab.people import order
from deploy.lab.phone import Phone
from deploy.lab.policies import Answer, Policy, Reject, Ring
from deploy.lab.site import Site, center
from routing.core.events import EventType
from routing.core.interaction import InteractionState
from routing.core.orders import Resume, StartConsult, Transfer
from tests.system.center import MUSIC_HZ, tone_of
from tests.system.trio import Trio, play

NUMBERS = ["1001", "1002"]
OUTSIDE_HZ = 2500
TYPED, DIALED = "+1 (201) 553-2447", "+12015532447"
RIGHTS = """[profiles.default]
dial = { allowed = ["+1", "*7"] }
[numbers]
country = "1"
ring_timeout_s = 2
"""
S = InteractionState


@pytest.fixture(scope="module")
def site(pbx: str) -> Iterator[Site]:
    files = center(NUMBERS, ring_timeout_s=5)
    assert "[profiles.default]\n" in files["floor.toml"]
    files["floor.toml"] = files["floor.toml"].replace("[profiles.default]\n", RIGHTS)
    with Site(NUMBERS, files, pbx=pbx) as running:
        yield running


class Outside:
    """The far end of the trunk."""

    def __init__(self, trio: Trio, phone: Phone) -> None:
        self.trio, self.phone = trio, phone
        self.calls: list[Call] = []

    def does(self, policy: Policy) -> None:
        async def invited(call: Call) -> None:
            self.calls.append(call)
            await policy(call)

        self.phone.on_invite = invited

    async def rung(self, count: int = 1) -> Call:
        await self.trio.c.when(lambda _: len(self.calls) >= count)
        return self.calls[count - 1]

    async def talks_with(self, *calls: Call) -> None:
        """The external party and these, all together and without music."""
        everybody = (*calls, await self.rung())
        for call in everybody:
            await call.hears(*({tone_of(other) for other in everybody} - {tone_of(call)}))
            await call.hears_not(MUSIC_HZ)


def number_of(call: Call) -> str:
    """What the trunk was asked for."""
    assert call.invite is not None
    user = call.invite.start.split()[1].removeprefix("sip:").split("@")[0]
    return unquote(user)


def with_outside(site: Site, policy: Policy, scene: Callable[[Trio, Outside], Coroutine[Any, Any, None]]) -> None:
    async def whole(trio: Trio) -> None:
        phone = await Phone.create("carrier", site.pbx.sip, "", OUTSIDE_HZ, site.pbx.carrier_port)
        outside = Outside(trio, phone)
        outside.does(policy)
        try:
            await scene(trio, outside)
        finally:
            await phone.close()

    play(site, whole)


@pytest.mark.req("CONS-02", "DIAL-02", "DIAL-03", "XFER-02")
@pytest.mark.timeout(90)
def test_a_consult_to_a_number_is_toggled_made_a_conference_and_handed_over(site: Site) -> None:
    async def scene(t: Trio, out: Outside) -> None:
        await t.do(StartConsult, to_number=TYPED)
        await t.reaches(S.CONSULTING)
        assert number_of(await out.rung()) == DIALED
        await out.talks_with(t.one)
        await t.alone(t.caller, music=True)
        await t.do(Resume)
        await t.reaches(S.CONSULT_HELD)
        await t.caller.hears(tone_of(t.one))
        await t.alone(await out.rung(), music=True)
        await t.act("resume_consult")
        await t.reaches(S.CONSULTING)
        await t.act("conference")
        await t.reaches(S.CONFERENCE)
        await out.talks_with(t.one, t.caller)
        await t.act("complete_transfer")
        await t.one.ended()
        await t.reaches(S.CONNECTED)
        await out.talks_with(t.caller)
        await t.c.when_agent("1001", "available")
        await (await out.rung()).hangup()
        await t.caller.ended()

    with_outside(site, Answer(after=0.2), scene)


@pytest.mark.req("CONS-02", "CONF-07")
def test_an_outside_party_is_invited_leaves_and_the_call_goes_on(site: Site) -> None:
    async def scene(t: Trio, out: Outside) -> None:
        await asyncio.to_thread(site.switchroom, "call", "invite", "a1001", "--number", TYPED)
        await t.reaches(S.CONFERENCE)
        await out.talks_with(t.one, t.caller)
        await (await out.rung()).hangup()
        await t.reaches(S.CONNECTED)
        await t.caller.hears(tone_of(t.one))
        await t.one.hears(tone_of(t.caller))

    with_outside(site, Answer(after=0.2), scene)


@pytest.mark.req("XFER-02", "XFER-10", "XFER-11")
def test_a_blind_transfer_to_a_number_is_answered_there(site: Site) -> None:
    async def scene(t: Trio, out: Outside) -> None:
        await t.do(Transfer, to_number=TYPED)
        await t.one.ended()
        await t.caller.hears(MUSIC_HZ)
        await t.reaches(S.CONNECTED)
        await out.talks_with(t.caller)
        await t.caller.hangup()
        await (await out.rung()).ended()

    with_outside(site, Answer(after=1.0), scene)


@pytest.mark.req("XFER-08", "XFER-10")
@pytest.mark.parametrize(
    ("policy", "outcome"),
    [(Reject(486), "busy"), (Reject(603), "rejected"), (Reject(404), "invalid"), (Ring(), "no_answer")],
    ids=["busy", "rejected", "invalid", "no_answer"],
)
def test_a_blind_transfer_to_a_number_that_fails_drops_the_call_and_says_why(
    site: Site, policy: Policy, outcome: str
) -> None:
    async def scene(t: Trio, out: Outside) -> None:
        await t.do(Transfer, to_number=TYPED)
        await t.caller.ended(within=8)
        (told,) = [e for e in await t.c.events(EventType.DIAL_ENDED) if e.interaction_id == t.id]
        assert (told.values["number"], told.values["outcome"]) == (DIALED, outcome)
        if outcome == "no_answer":
            await (await out.rung()).ended()

    with_outside(site, policy, scene)


@pytest.mark.req("SAFE-04", "DIAL-06", "A4")
def test_what_the_profile_forbids_never_reaches_the_trunk_and_what_it_allows_arrives_mapped(site: Site) -> None:
    async def scene(t: Trio, out: Outside) -> None:
        for forbidden in (
            "+44 20 7946 0000",
            "011442079460000",
            "+19005550100",
            "5550100",
            "7001",
            "+1201\r\nAction: x",
        ):
            reply = await order(t.c.store, StartConsult, agent_id="a1001", interaction_id=t.id, to_number=forbidden)
            assert reply.code == "number-refused", (forbidden, reply)
        await t.do(StartConsult, to_number="*7#1:23")
        await t.reaches(S.CONSULTING)
        (call,) = out.calls
        assert number_of(call) == "*7#123"
        await out.talks_with(t.one)

    with_outside(site, Answer(after=0.1), scene)


@pytest.mark.req("SAFE-01", "XFER-02")
def test_customer_and_external_party_survive_the_death_of_engine_and_connector(site: Site) -> None:
    async def scene(t: Trio, out: Outside) -> None:
        await t.do(Transfer, to_number=TYPED)
        await t.reaches(S.CONNECTED)
        site.kill("connector")
        site.kill("engine")
        await out.talks_with(t.caller)
        site.start_process("connector")
        site.start_process("engine")
        await t.c.when(lambda s: s.links.get(site.node.id))
        await out.talks_with(t.caller)
        assert len(out.calls) == 1, "no number is dialed twice"
        await (await out.rung()).hangup()
        await t.caller.ended()

    with_outside(site, Answer(after=0.1), scene)
