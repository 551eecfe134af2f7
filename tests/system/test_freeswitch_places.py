"""Legs on a real FreeSWITCH: from place to place, joined and parted, and what becomes of the one that is left."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import permutations

import pytest

from deploy.lab.freeswitch import MUSIC_HZ, FreeSwitch
from deploy.lab.policies import Answer, Reject
from tests.system.freeswitch_calls import CALLER_HZ, VOICES, Lines, freeswitch, needs_freeswitch, play
from tests.waiting import until

pytestmark = needs_freeswitch
PLACES = (
    "moh switchroom-wait",
    "ringback switchroom-wait",
    "s switchroom-idle",
    "s switchroom-agent",
    "abc switchroom-room",
    "12345 switchroom-none",
)
WAITING = PLACES[:4]
ONE_HZ, TWO_HZ = VOICES["1001"], VOICES["1002"]


@pytest.fixture(scope="module")
def pbx() -> Iterator[FreeSwitch]:
    yield from freeswitch()


def test_a_leg_goes_from_every_place_to_every_other_and_says_where_it_is(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        _, arrived = await lines.call_in()
        for one, other in permutations(PLACES, 2):
            for place in (one, other):
                at = await lines.move(arrived.uuid, place)
                assert " ".join(reversed(at.place)) == place
                assert at["variable_SR_LEG"] == f"leg_{arrived.uuid}"

    play(pbx, scenario)


def test_two_hundred_moves_cost_a_call_nothing(pbx: FreeSwitch) -> None:
    """FreeSWITCH ends a call at its seventieth transfer, and writes each into a variable, unless told otherwise."""

    async def scenario(lines: Lines) -> None:
        call, arrived = await lines.call_in()
        for number in range(200):
            at = await lines.move(arrived.uuid, "moh switchroom-wait" if number % 2 else "s switchroom-idle")
        assert int(at["variable_max_forwards"]) > 60
        assert at["variable_transfer_history"] == ""
        await call.hears(MUSIC_HZ)

    play(pbx, scenario)


def test_what_is_heard_in_each_place(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        call, arrived = await lines.call_in()
        await lines.move(arrived.uuid, "moh switchroom-wait")
        await call.hears(MUSIC_HZ)
        await lines.move(arrived.uuid, "s switchroom-idle")
        await call.quiet()
        await lines.move(arrived.uuid, "no-such.class switchroom-wait")
        await call.hears(MUSIC_HZ)
        await lines.move(arrived.uuid, "ringback switchroom-wait")
        await call.hears(440, 480)
        await lines.move(arrived.uuid, "12345 switchroom-none")
        await call.quiet()

    play(pbx, scenario)


def test_two_legs_are_joined_from_wherever_they_stand_and_leave_for_music_and_silence(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        caller, arrived = await lines.call_in()
        agent, leg, _ = await lines.ring()
        for place in WAITING:
            for other in WAITING:
                await lines.move(arrived.uuid, place)
                await lines.move(leg, other)
                assert await lines.bridge(arrived.uuid, leg) < 500
                since = len(lines.esl.seen)
                await lines.move(arrived.uuid, place)
                await lines.at(leg, since=since)
        await lines.move(leg, "s switchroom-idle")
        await lines.bridge(arrived.uuid, leg)
        await caller.hears(ONE_HZ)
        await agent.hears(CALLER_HZ)
        since = len(lines.esl.seen)
        await lines.move(arrived.uuid, "moh switchroom-wait")
        await lines.at(leg, "switchroom-idle", since)
        await caller.hears(MUSIC_HZ)
        await agent.quiet()

    play(pbx, scenario)


@pytest.mark.req("FLOW-04", "SAFE-01")
@pytest.mark.parametrize("first", ["caller", "agent"])
@pytest.mark.parametrize("how", ["hangs up", "is hung up", "is moved", "is joined elsewhere"])
def test_the_one_who_is_left_alone_falls_back_to_a_place_of_ours(pbx: FreeSwitch, first: str, how: str) -> None:
    async def scenario(lines: Lines) -> None:
        caller, arrived = await lines.call_in()
        for _ in range(2):  # FreeSWITCH forgets where to send it when it has done so once
            agent, leg, phone = await lines.ring()
            other_caller, other = await lines.call_in()
            pair = (arrived.uuid, leg) if first == "caller" else (leg, arrived.uuid)
            await lines.bridge(*pair)
            await caller.hears(ONE_HZ)
            since = len(lines.esl.seen)
            if how == "hangs up":
                await agent.hangup()
            elif how == "is hung up":
                await lines.esl.api(f"uuid_kill {leg}")
            elif how == "is moved":
                await lines.move(leg, "s switchroom-idle")
            else:
                await lines.bridge(other.uuid, leg)
            await lines.at(arrived.uuid, since=since)
            await caller.hears_not(ONE_HZ)
            await lines.esl.api(f"uuid_kill {leg}")
            await other_caller.hangup()
            await phone.close()

    play(pbx, scenario)


@pytest.mark.req("FLOW-04")
def test_who_falls_out_of_a_talk_is_not_forgotten_before_a_whole_look(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        _, arrived = await lines.call_in()
        agent, leg, _ = await lines.ring()
        await lines.bridge(arrived.uuid, leg)
        await lines.beat(age_s=600)  # a talk goes on without a server
        await agent.hears(CALLER_HZ)
        since = len(lines.esl.seen)
        await agent.hangup()
        fell = await lines.at(arrived.uuid, "switchroom-idle", since)
        back = await lines.esl.wait(lambda e: e.name == "lab::back", 6.0, since)
        assert 2.5 < back.at - fell.at < 4.5
        assert back["variable_SR_RESULT"] == "unavailable"

    play(pbx, scenario, SR_DEAD_S=4, SR_CHECK_S=3)


def test_nothing_is_left_over_when_a_caller_hangs_up(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        caller, arrived = await lines.call_in()
        agent, leg, _ = await lines.ring()
        await lines.bridge(arrived.uuid, leg)
        since = len(lines.esl.seen)
        await caller.hangup()
        await lines.at(leg, "switchroom-idle", since)
        await agent.quiet()
        assert not await lines.exists(arrived.uuid)
        await lines.esl.api(f"uuid_kill {leg}")
        await agent.ended()
        assert "0 total." in await lines.esl.api("show calls") or not await lines.exists(leg)

    play(pbx, scenario)


@pytest.mark.req("SAFE-01")
@pytest.mark.parametrize("delay_ms", [0, 5, 10, 15, 20, 25, 30, 40])
def test_an_agent_who_hangs_up_in_the_moment_of_joining_never_costs_the_caller_his_call(
    pbx: FreeSwitch, delay_ms: int
) -> None:
    """FreeSWITCH would hang the caller up with ORIGINATOR_CANCEL."""

    async def scenario(lines: Lines) -> None:
        caller, arrived = await lines.call_in()
        for _ in range(2):
            await lines.move(arrived.uuid, "moh switchroom-wait")
            _, leg, phone = await lines.ring()
            await lines.esl.api(f"uuid_bridge {arrived.uuid} {leg}")
            await asyncio.sleep(delay_ms / 1000)
            await lines.esl.api(f"uuid_kill {leg}")
            await lines.gone(leg)
            await phone.close()
            assert await lines.exists(arrived.uuid)
            await lines.move(arrived.uuid, "ringback switchroom-wait")
            await caller.hears(480)

    play(pbx, scenario)


def test_three_meet_in_a_room_and_two_are_joined_out_of_it(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        caller, arrived = await lines.call_in()
        one, leg_one, _ = await lines.ring("1001")
        two, leg_two, _ = await lines.ring("1002")
        await lines.bridge(arrived.uuid, leg_one)
        await lines.move(arrived.uuid, "abc switchroom-room", both=leg_one)
        await lines.move(leg_two, "abc switchroom-room")
        await caller.hears(ONE_HZ, TWO_HZ)
        await one.hears(CALLER_HZ, TWO_HZ)
        await two.hears(CALLER_HZ, ONE_HZ)
        await caller.dtmf("0#")  # would mute or hang up with FreeSWITCH's own controls
        await one.has_digits("0#")
        await two.hears(CALLER_HZ, ONE_HZ)
        await lines.bridge(arrived.uuid, leg_two)
        await caller.hears_not(ONE_HZ)
        await caller.hears(TWO_HZ)
        await two.hears(CALLER_HZ)
        await one.quiet()
        await lines.move(leg_one, "s switchroom-idle")
        while "abc" in await lines.esl.api("conference list"):
            await asyncio.sleep(0.05)

    play(pbx, scenario)


@pytest.mark.req("SAFE-01")
def test_an_offer_by_bridge_on_a_waiting_leg_leaves_it_with_us_however_it_ends(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        caller, arrived = await lines.call_in()
        phone = await lines.phones.agent("1001", ONE_HZ)
        await lines.move(arrived.uuid, "moh switchroom-wait")
        await lines.mark(arrived.uuid, transfer_ringback="local_stream://moh")
        phone.on_invite = Reject(486)
        await lines.esl.execute(arrived.uuid, "bridge", "user/1001")
        await (await phone.next_call()).ended()
        await caller.hears(MUSIC_HZ)
        phone.on_invite = Answer()
        since = len(lines.esl.seen)
        await lines.esl.execute(arrived.uuid, "bridge", "user/1001")
        agent = await phone.next_call()
        await caller.hears(ONE_HZ)
        await agent.hangup()
        await lines.at(arrived.uuid, since=since)
        await lines.move(arrived.uuid, "moh switchroom-wait")
        await caller.hears(MUSIC_HZ)

    play(pbx, scenario)


def test_a_caller_put_on_hold_by_the_telephone_hears_music_for_as_long_as_it_lasts(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        caller, arrived = await lines.call_in()
        agent, leg, _ = await lines.ring()
        await lines.move(arrived.uuid, "moh switchroom-wait")
        await lines.bridge(arrived.uuid, leg)
        await agent.hold()
        await caller.hears(MUSIC_HZ)
        await asyncio.sleep(3.0)  # longer than a piece of the waiting music
        await caller.hears(MUSIC_HZ, within=0.3)
        await agent.unhold()
        await caller.hears(ONE_HZ)

    play(pbx, scenario, SR_CHECK_S=2)


@pytest.mark.req("SAFE-01")
@pytest.mark.parametrize("to", ["1002", "7001", "*63"])
def test_a_telephones_own_transfer_leaves_the_caller_with_us_and_is_told(pbx: FreeSwitch, to: str) -> None:
    async def scenario(lines: Lines) -> None:
        caller, arrived = await lines.call_in()
        agent, leg, _ = await lines.ring()
        await lines.bridge(arrived.uuid, leg)
        since = len(lines.esl.seen)
        await agent.refer(to)
        at = await lines.at(arrived.uuid, "switchroom-none", since)
        assert at.place == ("switchroom-none", to)
        assert at["variable_SR_LEG"] == f"leg_{arrived.uuid}"
        await caller.quiet()
        await lines.move(arrived.uuid, "moh switchroom-wait")
        await caller.hears(MUSIC_HZ)

    play(pbx, scenario)


def test_a_break_from_outside_does_not_end_a_wait(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        caller, arrived = await lines.call_in()
        await lines.move(arrived.uuid, "moh switchroom-wait")
        for _ in range(150):
            await lines.esl.api(f"uuid_break {arrived.uuid} all")
            await asyncio.sleep(0.025)
        assert await lines.exists(arrived.uuid)
        await caller.hears(MUSIC_HZ)
        await until(lambda: not [e for e in lines.esl.seen if e.name == "lab::back"])

    play(pbx, scenario)


def test_a_caller_hears_music_without_a_gap_for_as_long_as_the_server_could_be_away(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        call, arrived = await lines.call_in()
        await lines.move(arrived.uuid, "moh switchroom-wait")
        await call.hears(MUSIC_HZ)
        for _ in range(80):
            await asyncio.sleep(0.1)
            await call.hears(MUSIC_HZ, within=0.05)

    play(pbx, scenario, SR_CHECK_S=2)
