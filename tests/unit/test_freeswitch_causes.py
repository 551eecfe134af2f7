"""Outcomes of dialling, as FreeSWITCH 1.10 tells them (ROUTE-07)."""

from __future__ import annotations

import pytest

from routing.core.facts import DialOutcome
from telephony.freeswitch.causes import BY_NAME, Q850, outcome, sip_code

O = DialOutcome  # noqa: E741


@pytest.mark.req("ROUTE-07")
@pytest.mark.parametrize(
    ("name", "sip", "has_rung", "expected"),
    [
        ("USER_BUSY", 486, False, O.BUSY),
        ("USER_BUSY", None, True, O.BUSY),
        ("USER_BUSY", 600, False, O.BUSY),
        ("CALL_REJECTED", 603, True, O.REJECTED),
        ("CALL_REJECTED", None, True, O.REJECTED),
        ("NO_USER_RESPONSE", 480, False, O.UNREACHABLE),
        ("NO_USER_RESPONSE", None, False, O.UNREACHABLE),
        ("UNALLOCATED_NUMBER", 404, False, O.INVALID),
        ("INVALID_NUMBER_FORMAT", 484, False, O.INVALID),
        ("NORMAL_TEMPORARY_FAILURE", 503, False, O.CONGESTION),
        ("NORMAL_TEMPORARY_FAILURE", None, False, O.CONGESTION),
        ("INCOMPATIBLE_DESTINATION", 488, False, O.CONGESTION),
        ("NO_ANSWER", None, True, O.NO_ANSWER),
        ("NO_ANSWER", None, False, O.UNREACHABLE),
        ("NO_ANSWER", 487, True, O.NO_ANSWER),
        ("ORIGINATOR_CANCEL", 487, True, O.CANCELLED),
        ("LOSE_RACE", None, True, O.CANCELLED),
        ("SUBSCRIBER_ABSENT", None, False, O.UNREACHABLE),
        ("USER_NOT_REGISTERED", None, False, O.UNREACHABLE),
        ("PROGRESS_TIMEOUT", None, False, O.UNREACHABLE),
        ("GATEWAY_DOWN", None, False, O.UNREACHABLE),
        ("CHAN_NOT_IMPLEMENTED", None, False, O.INVALID),
        ("NORMAL_CLEARING", None, True, O.REJECTED),
        ("REDIRECTION_TO_NEW_DESTINATION", 302, False, O.REJECTED),
        ("SOMETHING_NEW", None, True, O.CONGESTION),
        ("", None, False, O.CONGESTION),
        ("USER_BUSY", 404, False, O.INVALID),  # what SIP says goes before its translation
    ],
)
def test_a_dial_that_came_to_nothing_has_this_outcome(
    name: str, sip: int | None, has_rung: bool, expected: DialOutcome
) -> None:
    assert outcome(name, sip, has_rung=has_rung) is expected


@pytest.mark.parametrize(
    ("text", "code"),
    [("486", 486), ("sip:486", 486), ("", None), ("48", None), ("4860", None), ("q850:17", None), ("486 Busy", None)],
)
def test_the_answer_of_sip_is_read_from_either_form_and_from_no_other(text: str, code: int | None) -> None:
    assert sip_code(text) == code


def test_causes_with_a_number_are_those_of_q850() -> None:
    numbers = {"USER_BUSY": 17, "NO_USER_RESPONSE": 18, "NO_ANSWER": 19, "CALL_REJECTED": 21, "UNALLOCATED_NUMBER": 1}
    assert numbers.items() <= Q850.items()
    assert {O.NO_ANSWER, O.CONGESTION}.isdisjoint(BY_NAME.values())
