"""Queues as people see them: who waits, and for how long."""

from __future__ import annotations

import pytest

from routing.app.live.queues import QueueRow, queue_rows
from routing.core.facts import DialOutcome
from tests.unit.callback_line import WAITED_S, Owed


def sales(owed: Owed) -> QueueRow:
    return next(row for row in queue_rows(owed.d.world, owed.d.now_ms) if row.id == "sales")


@pytest.mark.req("CBQ-09")
def test_a_callback_waits_with_the_time_of_its_caller_and_not_while_it_rests() -> None:
    owed = Owed()
    assert (sales(owed).waiting, sales(owed).longest_wait_s) == (1, WAITED_S)
    since_ms = sales(owed).waiting_since_ms
    assert since_ms is not None
    assert (owed.d.now_ms - since_ms) // 1000 == WAITED_S
    owed.dials().fails(DialOutcome.NO_ANSWER)
    assert (sales(owed).waiting, sales(owed).longest_wait_s) == (0, 0)
    assert sales(owed).waiting_since_ms is None
