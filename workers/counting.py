"""The recorder's second hook: counts what it has recorded.

After the commit, not in it: counters are in Redis. A recorder killed between the two leaves that portion uncounted, one
that records it again after a rollback counts it once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import structlog
from sqlalchemy import Connection

from routing.app import metrics_table
from routing.app.metrics_counting import field, tally
from routing.core.errors import StoreError
from routing.core.events import Event
from routing.store.counters import Counters
from routing.store.port import StoredEvent

log = structlog.get_logger()


class Counting:
    """`committed` is to be called once the recorder's transaction is committed."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._waiting: Counter[str] = Counter()
        # By position: what is recorded again after a rollback, or handed over one by one, counts once.
        self._portion: dict[str, Counter[str]] = {}

    def __call__(self, _connection: Connection, _tenant: str, events: Sequence[StoredEvent]) -> None:
        """Counted in memory until the commit."""
        for stored in events:
            if isinstance(stored.event, Event):
                self._portion[stored.position] = tally([stored.event])

    def committed(self) -> None:
        """What Redis does not take now goes with the next portion."""
        for increments in self._portion.values():
            self._waiting.update(increments)
        self._portion = {}
        try:
            self._counters.add(self._waiting)
            self._waiting = Counter()
        except StoreError as error:
            log.debug("counters_wait", code=error.code)


def count_delivery(counters: Counters) -> Callable[[str], None]:
    """For a worker: counts an attempt by its result. Without Redis it is not counted."""

    def count(result: str) -> None:
        try:
            counters.add({field(metrics_table.DELIVERIES, result): 1})
        except StoreError as error:
            log.debug("delivery_not_counted", code=error.code)

    return count


def count_rows(counters: Counters) -> Callable[[Mapping[str, int]], None]:
    """For a worker: counts rows of imports by what became of them. Without Redis they are not counted."""

    def count(rows: Mapping[str, int]) -> None:
        try:
            counters.add(
                {field(metrics_table.IMPORT_ROWS, result): number for result, number in rows.items() if number}
            )
        except StoreError as error:
            log.debug("rows_not_counted", code=error.code)

    return count
