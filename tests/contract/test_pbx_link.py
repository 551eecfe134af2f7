"""The PBX contract: links that break, stall and come back."""

from __future__ import annotations

import pytest

from routing.core.commands import Command, ReturnLeg
from routing.core.config import Result
from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    LegAnswered,
    LegArrived,
    LegEnded,
    LegRinging,
    LegState,
    LinkLost,
    LinkRestored,
    PhoneChanged,
    PhoneState,
    SnapshotLeg,
)
from tests.contract.pbx_lab import Answers, IncomingCall, PartyState, PbxLab, RingsForEver
from tests.contract.pbx_link import lose, restore, talk, up
from tests.contract.pbx_suite import (
    arrivals,
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

NOT_DONE = (CommandOutcome.UNKNOWN, CommandOutcome.REFUSED)


@pytest.mark.req("SAFE-01", "SAFE-02")
@in_lab_with("1001")
async def test_a_conversation_outlives_a_cut_and_is_in_the_snapshot(lab: PbxLab) -> None:
    call = await talk(lab)
    await lab.settle()
    moves = lab.moves
    await lose(lab)
    await lab.hears(call.phone, call.caller)
    restored = await restore(lab)
    assert set(restored.legs) == call.legs
    await lab.settle()
    assert lab.moves == moves
    assert of(lab, LegEnded) == []


@pytest.mark.req("SAFE-01")
@in_lab_with("1001")
async def test_the_rooms_are_confirmed_after_a_cut_without_a_break(lab: PbxLab) -> None:
    call = await talk(lab)
    await lab.settle()
    moves = lab.moves
    await lose(lab)
    await restore(lab)
    await reach(lab, call.interaction_id, 2, room("main", call.caller.leg_id, call.agent_leg))
    await lab.settle()
    assert lab.moves == moves


@pytest.mark.req("SAFE-02")
@in_lab_with("1001")
async def test_legs_that_end_during_a_cut_are_missing_from_the_snapshot(lab: PbxLab) -> None:
    call = await talk(lab)
    await lose(lab)
    await call.caller.hang_up()
    restored = await restore(lab)
    assert set(restored.legs) == {up(call.agent_leg, call.interaction_id)}
    await ended(lab, hang_up(lab, call.agent_leg))
    assert await lab.channels() == 0


@pytest.mark.req("SAFE-02")
@in_lab_with("1001", "1002")
async def test_the_snapshot_tells_ringing_legs_from_answered_ones(lab: PbxLab) -> None:
    for name, policy in (("1001", RingsForEver()), ("1002", Answers(0.5))):
        lab.phone(name).behave(policy)
    ringing, answering = (dial(lab, lab.phone(n), interaction_id="int_x") for n in ("1001", "1002"))
    for order in (ringing, answering):
        await lab.wait_fact(LegRinging, leg_id=order.leg_id)
    await lose(lab)
    await lab.phone("1002").has_state(PartyState.UP)
    restored = await restore(lab)
    assert set(restored.legs) == {
        SnapshotLeg(leg_id=ringing.leg_id, interaction_id="int_x", state=LegState.RINGING),
        up(answering.leg_id, "int_x"),
    }
    await ended(lab, hang_up(lab, ringing.leg_id))
    await lab.phone("1001").has_state(PartyState.ENDED)


@pytest.mark.req("SAFE-02")
@in_lab_with("1001")
async def test_legs_adopted_from_a_snapshot_still_report_their_end(lab: PbxLab) -> None:
    call = await talk(lab)
    await lose(lab)
    await restore(lab)
    await call.phone.hang_up()
    await lab.wait_fact(LegEnded, leg_id=call.agent_leg)
    await call.caller.hang_up()
    await lab.wait_fact(LegEnded, leg_id=call.caller.leg_id)


@pytest.mark.req("SAFE-02")
@in_lab_with("1001")
async def test_a_command_given_while_the_link_is_down_is_not_done_later(lab: PbxLab) -> None:
    await lose(lab)
    since = len(lab.facts)
    order = dial(lab, lab.phone("1001"))
    end = await ended(lab, order, *NOT_DONE)
    if end.outcome is CommandOutcome.REFUSED:
        (failed,) = dial_ends(lab, order.leg_id)
        assert lab.facts[since:] == [end, failed], "the refusal is told first: it is not the phone's fault"
    await restore(lab)
    await lab.settle()
    assert lab.phone("1001").rings == 0
    assert of(lab, LegRinging, LegAnswered, leg_id=order.leg_id) == []


@pytest.mark.req("SAFE-02")
@in_lab_with("1001")
async def test_commands_just_before_a_cut_end_once_each(lab: PbxLab) -> None:
    call = await talk(lab)
    held = (room("main", call.caller.leg_id, music="default"), room("agent", call.agent_leg))
    orders: list[Command] = [
        rooms(lab, call.interaction_id, 3, *held),
        hang_up(lab, new_id("leg")),
    ]
    await lose(lab)
    restored = await restore(lab)
    for order in orders:
        await ended(lab, order, CommandOutcome.SUCCEEDED, CommandOutcome.UNKNOWN)
    assert set(restored.legs) == call.legs


@pytest.mark.req("SAFE-02")
@in_lab_with()
async def test_a_link_can_be_lost_again_and_again(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    interaction_id = await take(lab, caller)
    for _ in range(3):
        await lose(lab)
        restored = await restore(lab)
        assert restored.legs == (up(caller.leg_id, interaction_id),)
    kinds = [type(f) for f in of(lab, LinkLost, LinkRestored)]
    assert kinds == [LinkRestored, *(LinkLost, LinkRestored) * 3]


@in_lab_with("1001", "1002")
async def test_the_snapshot_has_the_present_state_of_every_watched_phone(lab: PbxLab) -> None:
    await lose(lab)
    await lab.phone("1001").unregister()
    await lab.phone("1002").private_call()
    restored = await restore(lab)
    assert restored.phones == {
        lab.phone("1001").address: PhoneState.UNREACHABLE,
        lab.phone("1002").address: PhoneState.BUSY,
    }
    assert restored.legs == ()
    since = len(lab.facts)
    await lab.phone("1002").hang_up()
    await lab.wait_fact(PhoneChanged, since=since, phone=lab.phone("1002").address, state=PhoneState.FREE)


# ---------------------------------------------------------------------- stall


@pytest.mark.req("SAFE-02")
@in_lab_with("1001")
async def test_a_silently_stalled_link_is_noticed_and_what_is_outstanding_is_unknown(lab: PbxLab) -> None:
    call = await talk(lab)
    await lab.settle()
    await lab.stall_link()
    order, stop = dial(lab, call.phone), hang_up(lab, call.agent_leg)
    await lab.wait_fact(LinkLost, within_s=lab.stall_deadline_s + 1)
    for command in (order, stop):
        await lab.wait_fact(CommandEnded, within_s=0.5, command_id=command.id)
        await ended(lab, command, CommandOutcome.UNKNOWN)
    kinds = [type(f) for f in of(lab, LinkLost, CommandEnded)]
    assert kinds[-3:] == [LinkLost, CommandEnded, CommandEnded], "nothing new may be decided for a dead link"
    await lab.hears(call.caller, call.phone)


@pytest.mark.req("SAFE-02")
@in_lab_with("1001")
async def test_a_dial_that_became_unknown_is_never_sent_again(lab: PbxLab) -> None:
    await lab.stall_link()
    order = dial(lab, lab.phone("1001"))
    await lab.wait_fact(LinkLost, within_s=lab.stall_deadline_s + 1)
    restored = await restore(lab)
    await ended(lab, order, CommandOutcome.UNKNOWN)
    assert restored.legs == ()
    assert lab.phone("1001").rings == 0
    assert dial_ends(lab, order.leg_id) == []


@in_lab_with()
async def test_an_idle_link_is_not_taken_for_a_stalled_one(lab: PbxLab) -> None:
    with pytest.raises(AssertionError):
        await lab.wait_fact(LinkLost, within_s=lab.stall_deadline_s + 1)


# ---------------------------------------------------------------------- calls that nobody took


@pytest.mark.req("SAFE-01")
@in_lab_with()
async def test_a_call_that_came_during_a_cut_arrives_when_the_link_is_back(lab: PbxLab) -> None:
    await lose(lab)
    caller = await lab.call_in(IncomingCall(cad={"note": "a,b \U0001f600"}))
    await restore(lab)
    fact = await lab.wait_fact(LegArrived, leg_id=caller.leg_id)
    assert fact.cad["note"] == "a,b \U0001f600"
    await take(lab, caller)
    await lab.hears_music(caller)


@pytest.mark.req("SAFE-01")
@in_lab_with()
async def test_an_untaken_call_arrives_again_after_a_cut_and_is_listed_without_an_interaction(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall(cad={"note": "x"}))
    (first,) = arrivals(lab, caller.leg_id)
    await lose(lab)
    since = len(lab.facts)
    restored = await restore(lab)
    again = await lab.wait_fact(LegArrived, since=since, leg_id=caller.leg_id)
    assert again == first
    assert restored.legs == (up(caller.leg_id, ""),)
    assert lab.facts.index(restored) < len(lab.facts) - lab.facts[::-1].index(again) - 1


@in_lab_with()
async def test_a_taken_call_does_not_arrive_again(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    await take(lab, caller)
    await lose(lab)
    await restore(lab)
    await lab.settle()
    assert len(arrivals(lab, caller.leg_id)) == 1


@in_lab_with()
async def test_a_returned_call_is_not_in_the_snapshot_any_more(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    await take(lab, caller)
    order = ReturnLeg(id=new_id("cmd"), pbx=lab.pbx, leg_id=caller.leg_id, result=Result.TIMEOUT)
    lab.port.submit(order)
    await caller.is_back_in_dialplan()
    await lose(lab)
    restored = await restore(lab)
    await lab.settle()
    assert restored.legs == ()
    assert len(arrivals(lab, caller.leg_id)) == 1
    assert caller.state is PartyState.UP
