"""The PBX contract: orders that come faster than a PBX can follow cost nobody his call, and the last ones hold."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from routing.core.commands import ReturnLeg, Room
from routing.core.config import Result
from routing.core.facts import DialFailed, LegAnswered, LegEnded, LegTransferred, RoomsReached, RoomsRefused
from tests.contract.conftest import InLab
from tests.contract.pbx_lab import Answers, IncomingCall, LabParty, PartyState, PbxLab, PhonePolicy, Rejection, Rejects
from tests.contract.pbx_suite import (
    connect,
    dial,
    dial_ends,
    ended,
    hang_up,
    in_lab_with,
    new_id,
    of,
    reach,
    room,
    rooms,
    take,
)

PAUSES_S = (0.0, 0.0, 0.005, 0.02, 0.04, 0.06, 0.1, 0.2)

# The caller's leg and two agents' legs -> their rooms; indexes of who hears whom then, None: music.
Layout = tuple[Callable[[str, str, str], list[Room]], dict[int, tuple[int, ...] | None]]
LAYOUTS: list[Layout] = [
    (lambda c, a, b: [room("main", c, a), room("side", b)], {0: (1,), 1: (0,), 2: ()}),
    (lambda c, a, b: [room("main", c, b), room("side", a)], {0: (2,), 1: (), 2: (0,)}),
    (lambda c, a, b: [room("main", c, music="default"), room("side", a, b)], {0: None, 1: (2,), 2: (1,)}),
    (lambda c, a, b: [room("main", c, a, b)], {0: (1, 2), 1: (0, 2), 2: (0, 1)}),
    (
        lambda c, a, b: [room("main", c, music="default"), room("one", a), room("two", b)],
        {0: None, 1: (), 2: ()},
    ),
]


@pytest.mark.parametrize("seed", range(6))
def test_rooms_that_change_faster_than_the_pbx_follows_end_as_they_were_wanted_last(in_lab: InLab, seed: int) -> None:
    async def scenario(lab: PbxLab) -> None:
        chance = random.Random(seed)
        caller, phones = await lab.call_in(IncomingCall()), [lab.phone("1001"), lab.phone("1002")]
        interaction_id = await take(lab, caller)
        legs = [await connect(lab, phone, interaction_id=interaction_id) for phone in phones]
        wanted = LAYOUTS[0]
        for version in range(2, 8):
            wanted = chance.choice([layout for layout in LAYOUTS if layout is not wanted])
            rooms(lab, interaction_id, version, *wanted[0](caller.leg_id, *legs))
            await lab.pass_time(chance.choice(PAUSES_S))
        await lab.wait_fact(RoomsReached, interaction_id=interaction_id, version=7)
        await hears_as_wanted(lab, [caller, *phones], wanted)
        assert of(lab, LegEnded, RoomsRefused) == []

    in_lab(scenario, ["1001", "1002"])


async def hears_as_wanted(lab: PbxLab, parties: list[LabParty], wanted: Layout) -> None:
    for listener, speakers in wanted[1].items():
        if speakers is None:
            await lab.hears_music(parties[listener])
        else:
            await lab.hears(parties[listener], *(parties[speaker] for speaker in speakers))


@pytest.mark.req("SAFE-01")
@in_lab_with("1001")
async def test_an_agent_whose_caller_is_given_back_in_the_moment_of_joining_keeps_his_leg(lab: PbxLab) -> None:
    for _ in range(5):
        caller = await lab.call_in(IncomingCall())
        interaction_id = await take(lab, caller)
        agent = await connect(lab, lab.phone("1001"), interaction_id=interaction_id)
        await reach(lab, interaction_id, 2, room("main", caller.leg_id, agent))
        lab.port.submit(ReturnLeg(id=new_id("cmd"), pbx=lab.pbx, leg_id=caller.leg_id, result=Result.ANSWERED))
        await caller.is_back_in_dialplan()
        await lab.settle()
        assert (caller.state, lab.phone("1001").state) == (PartyState.UP, PartyState.UP)
        assert of(lab, LegEnded, leg_id=agent) == []
        await lab.hears(lab.phone("1001"))
        await ended(lab, hang_up(lab, agent))
        await caller.hang_up()


@pytest.mark.req("SAFE-01", "FLOW-03")
@pytest.mark.parametrize("policy", [Answers(), Answers(0.1), Rejects(Rejection.BUSY)])
def test_a_call_given_back_in_the_moment_a_telephone_is_rung_for_it_is_left_in_peace(
    in_lab: InLab, policy: PhonePolicy
) -> None:
    async def scenario(lab: PbxLab) -> None:
        lab.phone("1001").behave(policy)
        caller = await lab.call_in(IncomingCall())
        interaction_id = await take(lab, caller)
        await lab.hears_music(caller)
        order = dial(lab, lab.phone("1001"), interaction_id=interaction_id, joins=caller.leg_id)
        lab.port.submit(ReturnLeg(id=new_id("cmd"), pbx=lab.pbx, leg_id=caller.leg_id, result=Result.TIMEOUT))
        await caller.is_back_in_dialplan()
        await lab.settle()
        await ended(lab, hang_up(lab, order.leg_id))
        (end,) = dial_ends(lab, order.leg_id)
        assert isinstance(end, (LegAnswered, DialFailed))
        assert of(lab, LegTransferred) == []
        assert (caller.state, await lab.channels()) == (PartyState.UP, 1)
        await lab.hears(caller)

    in_lab(scenario, ["1001"])
