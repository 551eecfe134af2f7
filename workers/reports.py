"""Reports: rows of a quarter of an hour, made from the history by jobs that may run twice, late, or not at all.

The ticker marks what has changed and makes a job per marked slot. A job reads the mark, then what the rows are made
from, then replaces the rows and takes the mark away in one transaction, if it is still the one that it read. Whatever
is killed: either the mark is still there and the ticker makes another job, or the rows are right.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import structlog

from routing.app.clock import Clock
from routing.app.reports.figures import Figures, Member
from routing.app.reports.slot import Rows, rows_of
from routing.app.reports.story import story_of
from routing.core.errors import StoreError
from routing.store.sql import report_marks, report_rows
from routing.store.sql.database import Database

log = structlog.get_logger()

_PORTIONS = 20  # of one tick: a recorder that catches up after hours is followed without keeping the ticker


def mark_changed(database: Database, tenant: str, now_ms: int, queued_ms: int, most: int) -> list[int]:
    """Mark what has changed since the last time, and take up to `most` slots that are due. Raises StoreError."""
    with database.read() as connection:
        has_news = report_marks.has_news(connection, tenant, now_ms)
    for _ in range(_PORTIONS if has_news else 0):
        with database.begin() as connection:
            if not report_marks.advance(connection, tenant, now_ms):
                break
    with database.read() as connection:
        if not report_marks.has_due(connection, tenant, now_ms):
            return []
    with database.begin() as connection:
        return report_marks.take_due(connection, tenant, now_ms, queued_ms, most)


def compute_slot(database: Database, tenant: str, slot_ms: int, clock: Clock) -> bool:
    """Make the rows of a marked slot; False: there was nothing to do, or it changed meanwhile. Raises StoreError."""
    with database.read() as connection:
        token = report_marks.token_of(connection, tenant, slot_ms)
        if token is None or report_marks.is_frozen(connection, tenant, slot_ms):
            return False
        # The clock before the rows: what happens while they are read is marked again.
        now_ms = clock.now_ms()
        changes = report_rows.changes_of_slot(connection, tenant, slot_ms)
        stories = (story_of(steps) for steps in report_rows.steps_of_slot(connection, tenant, slot_ms))
        rows = rows_of(slot_ms, stories, changes, now_ms)
    with database.begin() as connection:
        is_mine = not report_marks.is_frozen(connection, tenant, slot_ms)
        if not is_mine or not report_marks.settle(connection, tenant, slot_ms, token):
            return False
        report_rows.replace_rows(connection, tenant, slot_ms, _stored(rows))
    return True


def _stored(rows: Rows) -> list[dict[str, Any]]:
    return [_row(member, figures) for member, figures in rows.items()]


def _row(member: Member, figures: Figures) -> dict[str, Any]:
    about = {"subject": member.subject.value, "member": member.id, "team": member.team, "kind": member.kind}
    counters = {name: dict(getattr(figures, name)) for name in ("outcomes", "misses", "states")}
    return {**asdict(figures), **counters, **about}


class Computer:
    """Of one tenant; one per worker process. A thread of its own: a large slot must not delay a webhook."""

    def __init__(self, tenant: str, database: Database, clock: Clock) -> None:
        self._tenant, self._database, self._clock = tenant, database, clock
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="reports")
        self._lock = threading.Lock()
        self._waiting: set[int] = set()

    def submit(self, slot_ms: int) -> None:
        """Compute it when its turn comes; once more is harmless."""
        with self._lock:
            if slot_ms in self._waiting:
                return
            self._waiting.add(slot_ms)
        self._pool.submit(self._run, slot_ms)

    def _run(self, slot_ms: int) -> None:
        with self._lock:
            self._waiting.discard(slot_ms)
        try:
            done = compute_slot(self._database, self._tenant, slot_ms, self._clock)
        except StoreError as error:
            log.warning("slot_not_computed", tenant=self._tenant, slot_ms=slot_ms, code=error.code, reason=str(error))
        except Exception as error:  # the others go on; the ticker brings this one again
            log.error("slot_failed", tenant=self._tenant, slot_ms=slot_ms, exc_info=error)
        else:
            log.debug("slot_computed", tenant=self._tenant, slot_ms=slot_ms, done=done)

    def stop(self) -> None:
        """Begin nothing more. The one that runs may be cut off: its mark stays."""
        self._pool.shutdown(wait=False, cancel_futures=True)


# ------------------------------------------------------------------ the job

Submit = Callable[[int], None]
_computer: list[Submit] = []


def employ(submit: Submit) -> None:
    """To be called once in a worker process, before its first job."""
    _computer[:] = [submit]


def compute(slot_ms: int) -> None:
    """The job. Raises StoreError in a process that is no worker of ours."""
    if not _computer:
        raise StoreError
    _computer[0](slot_ms)
