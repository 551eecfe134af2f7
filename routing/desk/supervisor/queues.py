"""Queues with their figures, asked for once by what shows them."""

from __future__ import annotations

from routing.desk.door import person
from routing.desk.supervisor.sharing import THROTTLE_S, Shared
from routing.desk.supervisor.sorting import Row


def _queue_rows() -> list[Row]:
    """Each with its figures of the day and of the quarter of an hour; both None of one that is not configured."""
    figures = {item["id"]: item for item in person().api.get("figures", subject="queue")["items"]}
    nothing = {"day": None, "quarter": None}
    return [queue | _of(figures.get(queue["id"], nothing)) for queue in person().api.get("queues")["items"]]


def _of(figures: Row) -> Row:
    return {"day": figures["day"], "quarter": figures["quarter"]}


queue_rows = Shared(_queue_rows, THROTTLE_S / 2)
