"""The PBX contract: who hears whom."""

from __future__ import annotations

import pytest

from routing.core.commands import MarkLeg, ReturnLeg
from routing.core.config import Result
from routing.core.facts import CommandOutcome, EndedBy, LegEnded, LegRinging, RoomsReached, RoomsRefused
from tests.contract.pbx_lab import IncomingCall, PartyState, PbxLab, RingsForEver
from tests.contract.pbx_suite import (
    connect,
    dial,
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


@in_lab_with()
async def test_a_caller_taken_over_hears_music_alone(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    interaction_id = new_id("int")
    order = await reach(lab, interaction_id, 1, room("main", caller.leg_id, music="default"))
    await lab.hears_music(caller)
    await ended(lab, order)
    assert len(of(lab, RoomsReached)) == 1


@in_lab_with("1001")
async def test_caller_and_agent_in_one_room_hear_each_other(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    interaction_id = await take(lab, caller)
    agent = await connect(lab, lab.phone("1001"), interaction_id=interaction_id)
    await lab.hears(lab.phone("1001"))
    await reach(lab, interaction_id, 2, room("main", caller.leg_id, agent))
    await lab.hears(caller, lab.phone("1001"))
    await lab.hears(lab.phone("1001"), caller)


@in_lab_with("1001")
async def test_a_caller_can_be_joined_with_an_agent_at_once_without_waiting_first(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    agent = await connect(lab, lab.phone("1001"))
    await reach(lab, new_id("int"), 1, room("main", caller.leg_id, agent))
    await lab.hears(caller, lab.phone("1001"))
    await lab.hears(lab.phone("1001"), caller)


@pytest.mark.req("HOLD-02", "HOLD-03")
@in_lab_with("1001")
async def test_on_hold_neither_hears_the_other_and_after_it_both_do(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    interaction_id = await take(lab, caller)
    agent = await connect(lab, lab.phone("1001"), interaction_id=interaction_id)
    await reach(lab, interaction_id, 2, room("main", caller.leg_id, agent))
    held = (room("main", caller.leg_id, music="default"), room("agent", agent))
    await reach(lab, interaction_id, 3, *held)
    await lab.hears_music(caller)
    await lab.hears(lab.phone("1001"))
    await reach(lab, interaction_id, 4, room("main", caller.leg_id, agent))
    await lab.hears(caller, lab.phone("1001"))
    await lab.hears(lab.phone("1001"), caller)


@in_lab_with("1001", "1002")
async def test_three_in_one_room_all_hear_each_other(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    one, two = lab.phone("1001"), lab.phone("1002")
    interaction_id = await take(lab, caller)
    legs = [await connect(lab, phone, interaction_id=interaction_id) for phone in (one, two)]
    await reach(lab, interaction_id, 2, room("main", caller.leg_id, legs[0]))
    await reach(lab, interaction_id, 3, room("main", caller.leg_id, *legs))
    await lab.hears(caller, one, two)
    await lab.hears(one, caller, two)
    await lab.hears(two, caller, one)


@in_lab_with("1001", "1002")
async def test_legs_move_from_conference_to_consult_and_to_another_agent(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    one, two = lab.phone("1001"), lab.phone("1002")
    interaction_id = await take(lab, caller)
    first, second = [await connect(lab, phone, interaction_id=interaction_id) for phone in (one, two)]
    await reach(lab, interaction_id, 2, room("main", caller.leg_id, first, second))
    waiting = room("main", caller.leg_id, music="default")
    await reach(lab, interaction_id, 3, waiting, room("consult", first, second))
    await lab.hears_music(caller)
    await lab.hears(one, two)
    await lab.hears(two, one)
    await reach(lab, interaction_id, 4, room("main", caller.leg_id, second), room("consult", first))
    await lab.hears(caller, two)
    await lab.hears(two, caller)
    await lab.hears(one)
    await ended(lab, hang_up(lab, first))
    await lab.hears(caller, two)


@in_lab_with("1001")
async def test_the_newest_version_wins_when_several_come_at_once(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    interaction_id = await take(lab, caller)
    agent = await connect(lab, lab.phone("1001"), interaction_id=interaction_id)
    together = room("main", caller.leg_id, agent)
    apart = (room("main", caller.leg_id, music="default"), room("agent", agent))
    orders = [
        rooms(lab, interaction_id, 2, together),
        rooms(lab, interaction_id, 3, *apart),
        rooms(lab, interaction_id, 4, together),
    ]
    await lab.wait_fact(RoomsReached, interaction_id=interaction_id, version=4)
    for order in orders:
        await ended(lab, order, CommandOutcome.SUCCEEDED, CommandOutcome.REFUSED)
    await lab.hears(caller, lab.phone("1001"))
    await lab.hears(lab.phone("1001"), caller)
    assert [f.version for f in of(lab, RoomsReached) if f.version == 4] == [4]


@in_lab_with("1001")
async def test_an_older_version_that_comes_late_changes_nothing(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    interaction_id = await take(lab, caller)
    agent = await connect(lab, lab.phone("1001"), interaction_id=interaction_id)
    await reach(lab, interaction_id, 5, room("main", caller.leg_id, agent))
    await lab.settle()
    moves = lab.moves
    late = rooms(lab, interaction_id, 4, room("main", caller.leg_id, music="default"), room("agent", agent))
    await ended(lab, late, CommandOutcome.SUCCEEDED, CommandOutcome.REFUSED)
    assert lab.moves == moves
    await lab.hears(caller, lab.phone("1001"))
    assert 4 not in [f.version for f in of(lab, RoomsReached)]


@in_lab_with("1001")
async def test_the_same_version_again_is_confirmed_again_without_a_break(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    interaction_id = await take(lab, caller)
    agent = await connect(lab, lab.phone("1001"), interaction_id=interaction_id)
    together = room("main", caller.leg_id, agent)
    await reach(lab, interaction_id, 2, together)
    await lab.hears(caller, lab.phone("1001"))
    await lab.settle()
    moves = lab.moves
    await ended(lab, await reach(lab, interaction_id, 2, together))
    assert lab.moves == moves
    await lab.hears(caller, lab.phone("1001"))


@in_lab_with("1001")
async def test_rooms_with_a_leg_that_is_gone_are_refused_and_move_nobody(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    interaction_id = await take(lab, caller)
    order = rooms(lab, interaction_id, 2, room("main", caller.leg_id, new_id("leg")))
    await lab.wait_fact(RoomsRefused, interaction_id=interaction_id, version=2)
    await ended(lab, order, CommandOutcome.SUCCEEDED, CommandOutcome.REFUSED)
    assert 2 not in [f.version for f in of(lab, RoomsReached)]
    assert caller.state is PartyState.UP
    await lab.hears_music(caller)


@in_lab_with("1001")
async def test_a_leg_that_still_rings_cannot_be_put_into_a_room(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    interaction_id = await take(lab, caller)
    lab.phone("1001").behave(RingsForEver())
    order = dial(lab, lab.phone("1001"), interaction_id=interaction_id)
    await lab.wait_fact(LegRinging, leg_id=order.leg_id)
    rooms(lab, interaction_id, 2, room("main", caller.leg_id, order.leg_id))
    await lab.wait_fact(RoomsRefused, interaction_id=interaction_id, version=2)
    await lab.phone("1001").has_state(PartyState.RINGING)
    await lab.hears_music(caller)


@in_lab_with("1001")
async def test_one_who_hangs_up_leaves_the_other_up(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    interaction_id = await take(lab, caller)
    agent = await connect(lab, lab.phone("1001"), interaction_id=interaction_id)
    await reach(lab, interaction_id, 2, room("main", caller.leg_id, agent))
    await lab.phone("1001").hang_up()
    await lab.wait_fact(LegEnded, leg_id=agent)
    await lab.settle()
    assert caller.state is PartyState.UP
    assert of(lab, LegEnded, leg_id=caller.leg_id) == []
    await reach(lab, interaction_id, 3, room("main", caller.leg_id, music="default"))
    await lab.hears_music(caller)


@in_lab_with("1001", "1002")
async def test_interactions_with_rooms_of_the_same_name_do_not_hear_each_other(lab: PbxLab) -> None:
    callers = [await lab.call_in(IncomingCall(ani=f"49170000000{n}")) for n in (1, 2)]
    phones = [lab.phone("1001"), lab.phone("1002")]
    for caller, phone in zip(callers, phones, strict=True):
        agent = await connect(lab, phone)
        await reach(lab, new_id("int"), 1, room("main", caller.leg_id, agent))
    for caller, phone in zip(callers, phones, strict=True):
        await lab.hears(caller, phone)
        await lab.hears(phone, caller)


@in_lab_with()
async def test_a_leg_can_be_moved_a_hundred_times(lab: PbxLab) -> None:
    """A PBX that counts the transfers of a call, against loops, hangs it up after 70 unless told otherwise."""
    caller = await lab.call_in(IncomingCall())
    interaction_id = await take(lab, caller)
    for version in range(2, 102):
        await reach(lab, interaction_id, version, room("main", caller.leg_id, music="default" if version % 2 else ""))
    await lab.hears_music(caller)


# ---------------------------------------------------------------------- variables and the way back


@pytest.mark.req("FLOW-03")
@in_lab_with()
async def test_a_returned_call_is_back_in_the_dialplan_with_its_result(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    interaction_id = await take(lab, caller)
    order = ReturnLeg(
        id=new_id("cmd"),
        pbx=lab.pbx,
        leg_id=caller.leg_id,
        result=Result.TIMEOUT,
        variables={"SR_INTERACTION": interaction_id, "SR_CAD_note": "a,b & c=d; ${EXTEN} \U0001f600"},
    )
    lab.port.submit(order)
    await caller.is_back_in_dialplan()
    assert await caller.variable("SR_RESULT") == "timeout"
    assert await caller.variable("SR_INTERACTION") == interaction_id
    assert await caller.variable("SR_CAD_note") == "a,b & c=d; ${EXTEN} \U0001f600"
    await ended(lab, order)
    assert caller.state is PartyState.UP


@in_lab_with("1001")
async def test_a_caller_can_be_returned_from_a_conversation(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    interaction_id = await take(lab, caller)
    agent = await connect(lab, lab.phone("1001"), interaction_id=interaction_id)
    await reach(lab, interaction_id, 2, room("main", caller.leg_id, agent))
    order = ReturnLeg(id=new_id("cmd"), pbx=lab.pbx, leg_id=caller.leg_id, result=Result.ANSWERED)
    lab.port.submit(order)
    await caller.is_back_in_dialplan()
    assert await caller.variable("SR_RESULT") == "answered"
    await ended(lab, order)
    await lab.hears(lab.phone("1001"))


@in_lab_with()
async def test_a_call_that_nobody_took_can_be_returned_at_once(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    order = ReturnLeg(id=new_id("cmd"), pbx=lab.pbx, leg_id=caller.leg_id, result=Result.FULL)
    lab.port.submit(order)
    await caller.is_back_in_dialplan()
    assert await caller.variable("SR_RESULT") == "full"


@pytest.mark.req("SAFE-01")
@in_lab_with()
async def test_a_leg_that_was_given_back_is_told_to_have_left(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    lab.port.submit(ReturnLeg(id=new_id("cmd"), pbx=lab.pbx, leg_id=caller.leg_id, result=Result.FULL))
    left = await lab.wait_fact(LegEnded, leg_id=caller.leg_id)
    assert left.ended_by is EndedBy.DIALPLAN
    await lab.settle()
    assert len(of(lab, LegEnded, leg_id=caller.leg_id)) == 1


@in_lab_with()
async def test_returning_a_call_that_is_gone_is_refused(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    await caller.hang_up()
    await lab.wait_fact(LegEnded, leg_id=caller.leg_id)
    order = ReturnLeg(id=new_id("cmd"), pbx=lab.pbx, leg_id=caller.leg_id, result=Result.TIMEOUT)
    lab.port.submit(order)
    await ended(lab, order, CommandOutcome.REFUSED)


@in_lab_with()
async def test_a_mark_is_on_the_live_leg_and_disturbs_nothing(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    await take(lab, caller)
    await lab.settle()
    moves = lab.moves
    order = MarkLeg(
        id=new_id("cmd"),
        pbx=lab.pbx,
        leg_id=caller.leg_id,
        variables={"SR_RESULT": "answered", "SR_AGENT": "agt_a,b=c"},
    )
    lab.port.submit(order)
    await ended(lab, order)
    assert await caller.variable("SR_RESULT") == "answered"
    assert await caller.variable("SR_AGENT") == "agt_a,b=c"
    assert lab.moves == moves
