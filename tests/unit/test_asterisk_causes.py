"""Outcomes of dialling, as Asterisk 22 (with TechCause) and 16 (without) tell them."""

from __future__ import annotations

import pytest

from routing.core.facts import DialOutcome
from telephony.asterisk.causes import BY_CAUSE, outcome

O = DialOutcome  # noqa: E741


@pytest.mark.req("ROUTE-07")
@pytest.mark.parametrize(
    ("reason", "cause", "tech_cause", "has_rung", "expected"),
    [
        (0, 17, 486, False, O.BUSY),
        (0, 17, None, True, O.BUSY),
        (0, 17, 600, False, O.BUSY),
        (0, 21, 603, True, O.REJECTED),
        (0, 21, None, True, O.REJECTED),
        (0, 21, 403, False, O.REJECTED),
        (0, 1, 404, False, O.INVALID),
        (0, 1, None, False, O.INVALID),
        (0, 19, 480, False, O.UNREACHABLE),
        (0, 18, 408, False, O.UNREACHABLE),
        (0, 34, 503, False, O.CONGESTION),
        (0, 38, 500, False, O.CONGESTION),
        (0, 23, 302, False, O.REJECTED),
        (0, 16, None, False, O.REJECTED),
        (3, 19, None, True, O.NO_ANSWER),
        (3, 19, None, False, O.UNREACHABLE),
        (3, 0, None, False, O.UNREACHABLE),
        (0, None, None, False, O.UNREACHABLE),
        (None, 17, 486, False, O.BUSY),
        (0, 125, None, False, O.CONGESTION),
    ],
)
def test_each_refusal_has_its_outcome(
    reason: int | None, cause: int | None, tech_cause: int | None, has_rung: bool, expected: DialOutcome
) -> None:
    assert outcome(reason, cause, tech_cause, has_rung=has_rung) is expected


def test_every_cause_that_asterisk_knows_is_in_the_table() -> None:
    known = {1, 2, 3, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23, 26, 27, 28, 29, 30, 31, 34, 38, 41, 42, 43, 44, 47}
    known |= {50, 55, 57, 58, 65, 66, 69, 79, 81, 88, 95, 96, 97, 98, 99, 100, 101, 102, 103, 111, 127}
    assert known - set(BY_CAUSE) == set()
