"""The PBX contract: a customer whom we call sees a number, and his telephone rings for as long as it shall."""

from __future__ import annotations

import pytest

from routing.core.facts import DialFailed, DialOutcome, LegAnswered
from tests.contract.pbx_lab import Answers, PbxLab, RingsForEver
from tests.contract.pbx_suite import connect, dial, dial_ends, in_lab_with

SHORTEST_S, LONG_S = 15, 17


@pytest.mark.req("DIALER-08")
@in_lab_with("1001")
async def test_the_telephone_shows_the_number_that_is_given_with_or_without_a_name(lab: PbxLab) -> None:
    phone = lab.phone("1001")
    await connect(lab, phone, caller_number="12015550100", caller_name="Switchroom")
    assert phone.shown_caller == "12015550100|Switchroom"
    await phone.hang_up()
    await connect(lab, phone, caller_number="+12015550101")
    assert phone.shown_caller.partition("|")[0] == "+12015550101"


@pytest.mark.req("DIALER-08")
@in_lab_with("1001", "1002")
async def test_it_rings_for_no_less_than_it_shall_and_who_comes_late_has_answered(lab: PbxLab) -> None:
    late, never = lab.phone("1001"), lab.phone("1002")
    late.behave(Answers(after_s=LONG_S))
    never.behave(RingsForEver())
    begun_s = lab.now_s
    answered, failed = dial(lab, late, timeout_s=LONG_S + 10), dial(lab, never, timeout_s=SHORTEST_S)
    end = await lab.wait_fact(DialFailed, within_s=SHORTEST_S + 5.0, leg_id=failed.leg_id)
    assert SHORTEST_S - 0.05 < lab.now_s - begun_s < SHORTEST_S + 4.0
    assert end.outcome is DialOutcome.NO_ANSWER
    await lab.wait_fact(LegAnswered, within_s=LONG_S, leg_id=answered.leg_id)
    assert lab.now_s - begun_s > LONG_S
    assert len(dial_ends(lab, answered.leg_id)) == len(dial_ends(lab, failed.leg_id)) == 1
