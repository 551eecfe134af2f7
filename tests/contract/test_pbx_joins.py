"""The PBX contract: a dial that says whom the answered leg will join, which a connector may do at the answer."""

from __future__ import annotations

import pytest

from routing.core.commands import DialLeg, Room, SetRooms
from routing.core.facts import DialFailed, DialOutcome, LegAnswered, LegEnded, LegRinging, LegState, SnapshotLeg
from tests.contract.conftest import InLab
from tests.contract.pbx_lab import (
    Answers,
    IncomingCall,
    LabCaller,
    PartyState,
    PbxLab,
    PhonePolicy,
    Rejection,
    Rejects,
    RingsForEver,
)
from tests.contract.pbx_link import lose, restore
from tests.contract.pbx_suite import dial, dial_ends, ended, hang_up, in_lab_with, of, reach, room, take


async def ring_for(lab: PbxLab, caller: LabCaller, interaction_id: str, phone: str, policy: PhonePolicy) -> DialLeg:
    lab.phone(phone).behave(policy)
    return dial(lab, lab.phone(phone), interaction_id=interaction_id, joins=caller.leg_id)


async def waits(lab: PbxLab) -> tuple[LabCaller, str]:
    """A caller who has been hearing music for a while."""
    caller = await lab.call_in(IncomingCall())
    interaction_id = await take(lab, caller)
    await lab.hears_music(caller)
    return caller, interaction_id


@pytest.mark.req("OFFER-01")
@in_lab_with("1001")
async def test_who_answers_talks_with_whom_he_was_dialled_for(lab: PbxLab) -> None:
    caller, interaction_id = await waits(lab)
    order = await ring_for(lab, caller, interaction_id, "1001", Answers(after_s=2.0))
    await lab.wait_fact(LegRinging, leg_id=order.leg_id)
    await lab.hears_music(caller)
    await lab.wait_fact(LegAnswered, leg_id=order.leg_id)
    await reach(lab, interaction_id, 2, room("main", caller.leg_id, order.leg_id))
    await lab.hears(caller, lab.phone("1001"))
    await lab.hears(lab.phone("1001"), caller)
    assert len(dial_ends(lab, order.leg_id)) == 1
    await lab.phone("1001").hang_up()
    await lab.wait_fact(LegEnded, leg_id=order.leg_id)
    await reach(lab, interaction_id, 3, room("main", caller.leg_id, music="default"))
    await lab.hears_music(caller)


@in_lab_with("1001")
async def test_the_agents_leg_outlives_the_caller_and_can_be_moved(lab: PbxLab) -> None:
    caller, interaction_id = await waits(lab)
    order = await ring_for(lab, caller, interaction_id, "1001", Answers())
    await lab.wait_fact(LegAnswered, leg_id=order.leg_id)
    await reach(lab, interaction_id, 2, room("main", caller.leg_id, order.leg_id))
    held: tuple[Room, ...] = (room("main", caller.leg_id, music="default"), room("agent", order.leg_id))
    await reach(lab, interaction_id, 3, *held)
    await lab.hears_music(caller)
    await lab.hears(lab.phone("1001"))
    await reach(lab, interaction_id, 4, room("main", caller.leg_id, order.leg_id))
    await lab.hears(caller, lab.phone("1001"))
    await caller.hang_up()
    await lab.wait_fact(LegEnded, leg_id=caller.leg_id)
    await lab.phone("1001").has_state(PartyState.UP)
    await ended(lab, hang_up(lab, order.leg_id))
    await lab.wait_fact(LegEnded, leg_id=order.leg_id)


FAILURES = {
    "busy": (Rejects(Rejection.BUSY), DialOutcome.BUSY),
    "rejected": (Rejects(Rejection.REJECTED), DialOutcome.REJECTED),
    "not found": (Rejects(Rejection.NOT_FOUND), DialOutcome.INVALID),
    "rings out": (RingsForEver(), DialOutcome.NO_ANSWER),
}


@pytest.mark.req("OFFER-05")
@pytest.mark.parametrize(("policy", "outcome"), FAILURES.values(), ids=FAILURES.keys())
def test_a_caller_for_whom_somebody_was_rung_in_vain_goes_on_hearing_music(
    in_lab: InLab, policy: PhonePolicy, outcome: DialOutcome
) -> None:
    async def scenario(lab: PbxLab) -> None:
        caller, interaction_id = await waits(lab)
        lab.phone("1001").behave(policy)
        order = dial(lab, lab.phone("1001"), interaction_id=interaction_id, joins=caller.leg_id, timeout_s=1)
        failed = await lab.wait_fact(DialFailed, leg_id=order.leg_id)
        assert failed.outcome is outcome
        await lab.settle()
        assert len(dial_ends(lab, order.leg_id)) == 1
        await lab.hears_music(caller)
        again = await ring_for(lab, caller, interaction_id, "1002", Answers())
        await lab.wait_fact(LegAnswered, leg_id=again.leg_id)
        await reach(lab, interaction_id, 2, room("main", caller.leg_id, again.leg_id))
        await lab.hears(caller, lab.phone("1002"))

    in_lab(scenario, ("1001", "1002"))


@in_lab_with("1001")
async def test_a_phone_that_is_not_there_fails_at_once_and_the_caller_hears_music(lab: PbxLab) -> None:
    caller, interaction_id = await waits(lab)
    await lab.phone("1001").unregister()
    order = await ring_for(lab, caller, interaction_id, "1001", Answers())
    failed = await lab.wait_fact(DialFailed, leg_id=order.leg_id, within_s=2.0)
    assert failed.outcome is DialOutcome.UNREACHABLE
    await lab.hears_music(caller)


@pytest.mark.req("SAFE-02")
@in_lab_with("1001")
async def test_taking_a_ringing_phone_back_leaves_the_caller_where_he_was(lab: PbxLab) -> None:
    caller, interaction_id = await waits(lab)
    order = await ring_for(lab, caller, interaction_id, "1001", RingsForEver())
    await lab.wait_fact(LegRinging, leg_id=order.leg_id)
    await ended(lab, hang_up(lab, order.leg_id, answered_elsewhere=True))
    failed = await lab.wait_fact(DialFailed, leg_id=order.leg_id)
    assert failed.outcome is DialOutcome.CANCELLED
    await lab.phone("1001").has_state(PartyState.ENDED)
    await lab.hears_music(caller)
    assert of(lab, LegEnded, leg_id=caller.leg_id) == []


@in_lab_with("1001")
async def test_a_phone_taken_back_before_it_can_ring_does_not_ring_in_the_end(lab: PbxLab) -> None:
    caller, interaction_id = await waits(lab)
    order = await ring_for(lab, caller, interaction_id, "1001", RingsForEver())
    hang_up(lab, order.leg_id)
    await lab.wait_fact(DialFailed, leg_id=order.leg_id)
    await lab.settle()
    assert lab.phone("1001").state in (PartyState.NONE, PartyState.ENDED)
    assert len(dial_ends(lab, order.leg_id)) == 1
    await lab.hears_music(caller)


@in_lab_with("1001")
async def test_a_caller_who_gives_up_while_a_phone_rings_for_him_leaves_nothing_behind(lab: PbxLab) -> None:
    caller, interaction_id = await waits(lab)
    order = await ring_for(lab, caller, interaction_id, "1001", RingsForEver())
    await lab.wait_fact(LegRinging, leg_id=order.leg_id)
    await caller.hang_up()
    await lab.wait_fact(LegEnded, leg_id=caller.leg_id)
    hang_up(lab, order.leg_id)
    await lab.wait_fact(DialFailed, leg_id=order.leg_id)
    await lab.phone("1001").has_state(PartyState.ENDED)
    await lab.settle()
    assert len(dial_ends(lab, order.leg_id)) == 1
    assert await lab.channels() == 0


@pytest.mark.req("OFFER-04")
@in_lab_with("1001", "1002")
async def test_of_two_phones_that_ring_for_one_caller_either_can_win(lab: PbxLab) -> None:
    caller, interaction_id = await waits(lab)
    first = await ring_for(lab, caller, interaction_id, "1001", RingsForEver())
    second = await ring_for(lab, caller, interaction_id, "1002", RingsForEver())
    for order in (first, second):
        await lab.wait_fact(LegRinging, leg_id=order.leg_id)
    third = await ring_for(lab, caller, interaction_id, "1002", Answers())
    hang_up(lab, second.leg_id)
    await lab.wait_fact(LegAnswered, leg_id=third.leg_id)
    await reach(lab, interaction_id, 2, room("main", caller.leg_id, third.leg_id))
    hang_up(lab, first.leg_id)
    await lab.hears(caller, lab.phone("1002"))
    await lab.wait_fact(DialFailed, leg_id=first.leg_id)
    await lab.settle()
    await lab.hears(caller, lab.phone("1002"))


@in_lab_with("1001")
async def test_a_caller_who_is_moved_while_a_phone_rings_for_him_is_joined_all_the_same(lab: PbxLab) -> None:
    caller, interaction_id = await waits(lab)
    order = await ring_for(lab, caller, interaction_id, "1001", Answers(after_s=1.0))
    await lab.wait_fact(LegRinging, leg_id=order.leg_id)
    await reach(lab, interaction_id, 2, room("main", caller.leg_id))
    (end,) = [await _dial_end(lab, order)]
    if isinstance(end, LegAnswered):
        await reach(lab, interaction_id, 3, room("main", caller.leg_id, order.leg_id))
        await lab.hears(caller, lab.phone("1001"))
    else:
        assert end.outcome is DialOutcome.CANCELLED
        await lab.phone("1001").has_state(PartyState.ENDED)


async def _dial_end(lab: PbxLab, order: DialLeg) -> LegAnswered | DialFailed:
    for kind in (LegAnswered, DialFailed):
        try:
            return await lab.wait_fact(kind, leg_id=order.leg_id, within_s=3.0)
        except AssertionError:
            continue
    raise AssertionError("the dial has not ended")


@pytest.mark.req("SAFE-01")
@in_lab_with("1001")
async def test_a_phone_that_answers_while_the_link_is_down_is_in_the_snapshot(lab: PbxLab) -> None:
    caller, interaction_id = await waits(lab)
    order = await ring_for(lab, caller, interaction_id, "1001", Answers(after_s=0.8))
    await lab.wait_fact(LegRinging, leg_id=order.leg_id)
    await lose(lab)
    await lab.phone("1001").has_state(PartyState.UP)
    restored = await restore(lab)
    assert set(restored.legs) == {
        SnapshotLeg(leg_id=leg_id, interaction_id=interaction_id, state=LegState.UP)
        for leg_id in (caller.leg_id, order.leg_id)
    }
    wanted: SetRooms = await reach(lab, interaction_id, 2, room("main", caller.leg_id, order.leg_id))
    assert wanted.version == 2
    await lab.hears(caller, lab.phone("1001"))
