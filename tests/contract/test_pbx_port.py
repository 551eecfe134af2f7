"""The PBX contract: dialling and hanging up. Every port runs it (see conftest)."""

from __future__ import annotations

import pytest

from routing.core.commands import MarkLeg
from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    DialFailed,
    DialOutcome,
    EndedBy,
    LegAnswered,
    LegEnded,
    LegRinging,
)
from tests.contract.conftest import InLab
from tests.contract.pbx_lab import (
    Answers,
    IsDead,
    PartyState,
    PbxLab,
    PhonePolicy,
    Rejection,
    Rejects,
    RingsForEver,
)
from tests.contract.pbx_suite import connect, dial, dial_ends, ended, hang_up, in_lab_with, new_id, of

UNREACHED = (DialOutcome.UNREACHABLE, DialOutcome.NO_ANSWER)
FAILURES = [
    pytest.param(Rejects(Rejection.BUSY), (DialOutcome.BUSY,), id="busy"),
    pytest.param(Rejects(Rejection.REJECTED), (DialOutcome.REJECTED,), id="rejected"),
    pytest.param(Rejects(Rejection.UNAVAILABLE), UNREACHED, id="unavailable"),
    pytest.param(Rejects(Rejection.NOT_FOUND), (DialOutcome.INVALID,), id="not found"),
    pytest.param(RingsForEver(), (DialOutcome.NO_ANSWER,), id="rings out"),
    pytest.param(IsDead(), UNREACHED, id="dead"),
]


@in_lab_with("1001")
async def test_a_phone_that_is_picked_up_rings_and_is_answered_once(lab: PbxLab) -> None:
    lab.phone("1001").behave(Answers(0.1))
    order = dial(lab, lab.phone("1001"))
    await lab.wait_fact(LegAnswered, leg_id=order.leg_id)
    await ended(lab, order)
    ring, answer = of(lab, LegRinging, LegAnswered, DialFailed, LegEnded, leg_id=order.leg_id)
    assert isinstance(ring, LegRinging)
    assert isinstance(answer, LegAnswered)
    assert lab.phone("1001").rings == 1
    await lab.hears(lab.phone("1001"))


@pytest.mark.parametrize(("policy", "outcomes"), FAILURES)
@pytest.mark.req("ROUTE-07")
def test_each_way_a_phone_can_fail_gives_its_own_outcome_once(
    in_lab: InLab, policy: PhonePolicy, outcomes: tuple[DialOutcome, ...]
) -> None:
    async def scenario(lab: PbxLab) -> None:
        lab.phone("1001").behave(policy)
        order = dial(lab, lab.phone("1001"), timeout_s=1)
        failed = await lab.wait_fact(DialFailed, leg_id=order.leg_id)
        assert failed.outcome in outcomes
        await ended(lab, order)
        assert dial_ends(lab, order.leg_id) == [failed]
        assert of(lab, LegEnded, leg_id=order.leg_id) == []
        assert await lab.channels() == 0

    in_lab(scenario, ["1001"])


@in_lab_with("1001")
async def test_a_dead_phone_is_never_said_to_ring(lab: PbxLab) -> None:
    lab.phone("1001").behave(IsDead())
    order = dial(lab, lab.phone("1001"), timeout_s=1)
    await lab.wait_fact(DialFailed, leg_id=order.leg_id)
    assert of(lab, LegRinging, leg_id=order.leg_id) == []


@in_lab_with("1001")
async def test_an_unregistered_phone_is_unreachable_at_once(lab: PbxLab) -> None:
    await lab.phone("1001").unregister()
    order = dial(lab, lab.phone("1001"), timeout_s=15)
    failed = await lab.wait_fact(DialFailed, within_s=2.0, leg_id=order.leg_id)
    assert failed.outcome is DialOutcome.UNREACHABLE
    await ended(lab, order, CommandOutcome.SUCCEEDED, CommandOutcome.REFUSED)


@in_lab_with("1001")
async def test_a_phone_that_does_not_exist_fails_at_once(lab: PbxLab) -> None:
    order = dial(lab, lab.phone("1001").address.replace("1001", "9999"), timeout_s=15)
    failed = await lab.wait_fact(DialFailed, within_s=2.0, leg_id=order.leg_id)
    assert failed.outcome in (DialOutcome.INVALID, DialOutcome.UNREACHABLE)
    await ended(lab, order, CommandOutcome.SUCCEEDED, CommandOutcome.REFUSED)


@pytest.mark.req("SAFE-03", "ROUTE-07")
@in_lab_with("1001")
async def test_a_malformed_phone_address_is_invalid_and_no_refusal_of_the_pbx(lab: PbxLab) -> None:
    order = dial(lab, lab.phone("1001").address + "\r\nAction: Logoff", timeout_s=15)
    await ended(lab, order, CommandOutcome.SUCCEEDED)
    failed = await lab.wait_fact(DialFailed, within_s=2.0, leg_id=order.leg_id)
    assert failed.outcome is DialOutcome.INVALID


@in_lab_with("1001")
async def test_the_same_leg_is_never_dialled_twice(lab: PbxLab) -> None:
    leg_id = await connect(lab, lab.phone("1001"))
    again = dial(lab, lab.phone("1001"), leg_id)
    await ended(lab, again, CommandOutcome.REFUSED, CommandOutcome.SUCCEEDED)
    assert len(dial_ends(lab, leg_id)) == 1
    assert of(lab, LegEnded, leg_id=leg_id) == []
    assert lab.phone("1001").rings == 1
    assert lab.phone("1001").state is PartyState.UP


@in_lab_with("1001", "1002")
async def test_two_phones_ring_at_the_same_time(lab: PbxLab) -> None:
    for name in ("1001", "1002"):
        lab.phone(name).behave(RingsForEver())
    orders = [dial(lab, lab.phone(name)) for name in ("1001", "1002")]
    for order in orders:
        await lab.wait_fact(LegRinging, leg_id=order.leg_id)
    for order in orders:
        hang_up(lab, order.leg_id)
        await lab.wait_fact(DialFailed, leg_id=order.leg_id)


@pytest.mark.req("SAFE-03")
@in_lab_with("1001")
async def test_a_hostile_caller_name_reaches_the_phone_as_text_only(lab: PbxLab) -> None:
    name = "Eve\"\r\nAction: Hangup\r\nChannel: /.*/\r\n\r\n<9>,A=1&B={2}|'%0d%0a;\\ \U0001f600" + "x" * 65_536
    lab.phone("1001").behave(Answers(0.1))
    order = dial(lab, lab.phone("1001"), caller_number='49170"\r\nX: y,1', caller_name=name)
    await lab.wait_fact(LegAnswered, leg_id=order.leg_id)
    await ended(lab, order)
    assert len(dial_ends(lab, order.leg_id)) == 1
    assert lab.phone("1001").rings == 1
    assert [f for f in of(lab, CommandEnded) if f.outcome is not CommandOutcome.SUCCEEDED] == []


# ---------------------------------------------------------------------- hanging up


@in_lab_with("1001")
async def test_a_phone_hung_up_before_it_can_ring_does_not_ring_in_the_end(lab: PbxLab) -> None:
    lab.phone("1001").behave(RingsForEver())
    order = dial(lab, lab.phone("1001"))
    stop = hang_up(lab, order.leg_id)
    failed = await lab.wait_fact(DialFailed, leg_id=order.leg_id)
    assert failed.outcome is DialOutcome.CANCELLED
    await ended(lab, order)
    await ended(lab, stop)
    assert dial_ends(lab, order.leg_id) == [failed]
    assert lab.phone("1001").state in (PartyState.NONE, PartyState.ENDED)
    assert await lab.channels() == 0


@in_lab_with("1001")
async def test_hanging_up_a_ringing_phone_cancels_it_once(lab: PbxLab) -> None:
    lab.phone("1001").behave(RingsForEver())
    order = dial(lab, lab.phone("1001"))
    await lab.wait_fact(LegRinging, leg_id=order.leg_id)
    await lab.phone("1001").has_state(PartyState.RINGING)
    stop = hang_up(lab, order.leg_id, answered_elsewhere=True)
    failed = await lab.wait_fact(DialFailed, leg_id=order.leg_id)
    assert failed.outcome is DialOutcome.CANCELLED
    await lab.phone("1001").has_state(PartyState.ENDED)
    await ended(lab, stop)
    assert dial_ends(lab, order.leg_id) == [failed]


@in_lab_with("1001")
async def test_hanging_up_a_leg_that_is_up_ends_it_once_by_us(lab: PbxLab) -> None:
    leg_id = await connect(lab, lab.phone("1001"))
    stop = hang_up(lab, leg_id)
    gone = await lab.wait_fact(LegEnded, leg_id=leg_id)
    assert gone.ended_by is EndedBy.SERVER
    await lab.phone("1001").has_state(PartyState.ENDED)
    await ended(lab, stop)
    assert of(lab, LegEnded, DialFailed, leg_id=leg_id) == [gone]


@in_lab_with("1001")
async def test_hanging_up_twice_is_the_same_as_once(lab: PbxLab) -> None:
    leg_id = await connect(lab, lab.phone("1001"))
    stops = [hang_up(lab, leg_id), hang_up(lab, leg_id)]
    await lab.wait_fact(LegEnded, leg_id=leg_id)
    for stop in stops:
        await ended(lab, stop)
    await ended(lab, hang_up(lab, leg_id))
    assert len(of(lab, LegEnded, leg_id=leg_id)) == 1


@in_lab_with()
async def test_hanging_up_a_leg_that_never_was_succeeds_quietly(lab: PbxLab) -> None:
    await lab.settle()
    before = len(lab.facts)
    stop = hang_up(lab, new_id("leg"))
    end = await ended(lab, stop)
    assert lab.facts[before:] == [end]


@in_lab_with("1001")
async def test_an_answer_and_a_hang_up_in_the_same_moment_leave_nothing_behind(lab: PbxLab) -> None:
    lab.phone("1001").behave(Answers(0.0))
    order = dial(lab, lab.phone("1001"))
    await lab.wait_fact(LegRinging, leg_id=order.leg_id)
    await ended(lab, hang_up(lab, order.leg_id))
    ends = dial_ends(lab, order.leg_id)
    assert len(ends) == 1
    gone = of(lab, LegEnded, leg_id=order.leg_id)
    assert len(gone) == (1 if isinstance(ends[0], LegAnswered) else 0)
    assert await lab.channels() == 0


@in_lab_with("1001")
async def test_a_phone_that_hangs_up_ends_its_leg_by_itself(lab: PbxLab) -> None:
    leg_id = await connect(lab, lab.phone("1001"))
    await lab.phone("1001").hang_up()
    gone = await lab.wait_fact(LegEnded, leg_id=leg_id)
    assert gone.ended_by is EndedBy.REMOTE
    await lab.settle()
    assert of(lab, LegEnded, DialFailed, leg_id=leg_id) == [gone]


@in_lab_with()
async def test_marking_a_leg_that_is_gone_is_refused(lab: PbxLab) -> None:
    order = MarkLeg(id=new_id("cmd"), pbx=lab.pbx, leg_id=new_id("leg"), variables={"SR_RESULT": "answered"})
    lab.port.submit(order)
    await ended(lab, order, CommandOutcome.REFUSED)
