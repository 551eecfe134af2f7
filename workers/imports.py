"""Imports of lists: a file becomes records, a portion of rows per transaction, together with how far it is.

RQ's job only wakes this process's threads; what there is to do stands in SQL. A thread takes the oldest import that
waits, or whose worker is gone, and holds it by a lease that each portion renews. So whatever is killed, another one
goes on exactly behind the last portion: no row twice, none lost.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy import Connection

from routing.app.clock import Clock
from routing.app.lists.columns import MappingRefused
from routing.app.settings import ListSettings
from routing.core.config import Config
from routing.core.errors import StoreError
from routing.store.errors import StoreRefused
from routing.store.sql import import_expiry, import_jobs
from routing.store.sql.database import Database
from routing.store.sql.import_jobs import Import, ImportState, Lease
from workers.import_files import BadFile, Portion, opened
from workers.import_portions import Counts, Where, put

log = structlog.get_logger()

LEASE_MS = 30_000
THREADS = 2
_TRIES = 6  # in a row without progress; then the lease runs out, and the ticker brings it again
_DAY_MS = 24 * 3600 * 1000
_UPLOAD_MS = 3600 * 1000  # so long after its last piece an upload is given up
_CHANGING = (
    *("bytes_done", "next_line", "rows_read", "added", "updated", "duplicate", "refused", "reported", "worked_ms"),
    *("columns", "order_base"),
)
_REFUSALS = 3  # by the database, of one portion: it will not take it

_COUNTED = ("added", "updated", "duplicate", "refused")


class _LostError(Exception):
    """It was cancelled, or another worker has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImporterSettings:
    """`retry_s`: before a portion is tried again, doubled each time. `portion_rows`: in one transaction, at most.

    `on_portion`: told what became of the rows of each portion that is written down.
    """

    lists: ListSettings = field(default_factory=ListSettings)
    lease_ms: int = LEASE_MS
    retry_s: float = 0.5
    portion_rows: int = 2000
    on_portion: Callable[[Mapping[str, int]], None] = lambda _rows: None


class Importer:
    """Of one tenant; one per worker process. `owner`: unique in the world. `config`: the running configuration."""

    def __init__(
        self, tenant: str, database: Database, clock: Clock, config: Callable[[], Config], settings: ImporterSettings
    ) -> None:
        self._tenant, self._database, self._clock, self._config = tenant, database, clock, config
        self._settings = settings
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="import")
        self._lock, self._busy, self._is_asked, self._stop = threading.Lock(), 0, False, threading.Event()

    def submit(self, _import_id: str = "") -> None:
        """Something waits; more often than it does is harmless."""
        with self._lock:
            self._is_asked = True
            if self._busy >= THREADS or self._stop.is_set():
                return
            self._busy += 1
        self._pool.submit(self._work)

    def stop(self) -> None:
        """Take no more, and leave what runs behind its portion; it waits for another worker."""
        self._stop.set()
        self._pool.shutdown(wait=False)

    def wait(self, patience_s: float) -> None:
        """Until what runs is left, at most so long."""
        deadline = time.monotonic() + patience_s
        while self._busy and time.monotonic() < deadline:
            time.sleep(0.02)

    def _work(self) -> None:
        try:
            while self._goes_on():
                while not self._stop.is_set() and self.run_one():
                    pass
            return
        except StoreError as error:
            log.warning("imports_not_taken", tenant=self._tenant, code=error.code, reason=str(error))
        except Exception as error:
            log.error("imports_failed", tenant=self._tenant, exc_info=error)
        with self._lock:
            self._busy -= 1

    def _goes_on(self) -> bool:
        """Whether somebody has asked since the last look: of what came after it nobody else would tell."""
        with self._lock:
            if self._is_asked and not self._stop.is_set():
                self._is_asked = False
                return True
            self._busy -= 1
            return False

    def run_one(self) -> bool:
        """Do the oldest import that waits; False: there is none. Raises StoreError."""
        owner, settings = uuid4().hex, self._settings
        with self._database.read() as connection:
            if not import_jobs.has_free(connection, self._tenant, self._clock.now_ms()):
                return False
        with self._database.begin() as connection:
            found = import_jobs.take_import(connection, self._tenant, owner, settings.lease_ms, self._clock.now_ms())
        if found is None:
            return False
        log.info("import_taken", tenant=self._tenant, import_id=found.id, at=found.bytes_done, of=found.bytes_total)
        try:
            self._all(found)
        except _LostError:
            log.info("import_left", tenant=self._tenant, import_id=found.id)
        return True

    def _all(self, found: Import) -> None:
        """To its end, through failures of the database. Raises _LostError."""
        tries = refusals = 0
        while True:
            try:
                self._portions(found)
                return
            except (BadFile, MappingRefused) as error:
                self._end(found, ImportState.FAILED, str(error))
                return
            except StoreError as error:
                log.warning("import_interrupted", import_id=found.id, code=error.code, reason=str(error))
                tries, refusals = tries + 1, refusals + isinstance(error, StoreRefused)
                again = self._again(found, tries)
            if again and again.bytes_done > found.bytes_done:
                tries = refusals = 0
            found = again or found
            if refusals >= _REFUSALS:
                self._end(found, ImportState.FAILED, f"the database refuses the rows behind line {found.next_line - 1}")
                return

    def _again(self, found: Import, tries: int) -> Import | None:
        """How far it is, once the database answers; None: it does not. Raises _LostError."""
        if tries > _TRIES or self._stop.wait(self._settings.retry_s * 2 ** (tries - 1)):
            raise _LostError
        try:
            with self._database.read() as connection:
                again = import_jobs.get_import(connection, self._tenant, found.id)
        except StoreError:
            return None
        if again.owner != found.owner:
            raise _LostError
        return again

    def _portions(self, found: Import) -> None:
        """From where it is to its end. Raises StoreError, BadFile, MappingRefused, _LostError."""
        file = opened(self._database, self._tenant, found, self._config())
        is_first, began_s = found.columns is None, time.monotonic()
        for portion in file.portions(self._settings.portion_rows):
            with self._database.begin() as connection:
                if is_first:
                    found = replace(found, columns=file.columns, order_base=file.order_base(connection))
                where = Where(tenant=self._tenant, found=found, rules=file.rules, now_ms=self._clock.now_ms())
                counts = put(connection, where, portion)
                found = self._advanced(connection, found, counts, portion, time.monotonic() - began_s)
            is_first, began_s = False, time.monotonic()
            self._settings.on_portion({name: getattr(counts, name) for name in _COUNTED})
            if self._stop.is_set():
                self._leave(found)
        self._end(found, ImportState.DONE)

    def _advanced(
        self, connection: Connection, found: Import, counts: Counts, portion: Portion, took_s: float
    ) -> Import:
        """With this portion written down, in its transaction. Raises _LostError."""
        room = max(0, self._settings.lists.report_rows - found.reported)
        import_jobs.add_report(connection, self._tenant, found.id, found.reported, counts.report[:room])
        after = replace(
            found,
            bytes_done=portion.end.offset,
            next_line=portion.end.line,
            rows_read=found.rows_read + portion.rows,
            added=found.added + counts.added,
            updated=found.updated + counts.updated,
            duplicate=found.duplicate + counts.duplicate,
            refused=found.refused + counts.refused,
            reported=found.reported + len(counts.report[:room]),
            worked_ms=found.worked_ms + round(took_s * 1000),
        )
        self._write(connection, found, {name: getattr(after, name) for name in _CHANGING})
        return after

    def _write(self, connection: Connection, found: Import, values: dict[str, Any]) -> None:
        """Raises _LostError, which takes the whole portion back."""
        until_ms = self._clock.now_ms() + self._settings.lease_ms
        if not import_jobs.advance(connection, self._tenant, Lease(found.id, found.owner, until_ms), values):
            raise _LostError

    def _leave(self, found: Import) -> None:
        """For another worker, at once. Raises _LostError."""
        with self._database.begin() as connection:
            self._write(connection, found, {"state": ImportState.WAITING.value, "owner": "", "queued_at_ms": 0})
        raise _LostError

    def _end(self, found: Import, state: ImportState, reason: str = "") -> None:
        """Raises StoreError, _LostError."""
        values = {"state": state.value, "reason": reason, "ended_at_ms": self._clock.now_ms(), "owner": ""}
        if state is ImportState.DONE:
            values["bytes_done"] = found.bytes_total
        with self._database.begin() as connection:
            self._write(connection, found, values)
        with self._database.begin() as connection:
            import_jobs.drop_parts(connection, self._tenant, found.id)
        about = {"rows": found.rows_read, "added": found.added, "refused": found.refused, "reason": reason}
        log.info("import_ended", tenant=self._tenant, import_id=found.id, state=state.value, **about)


def clear_away(database: Database, tenant: str, settings: ListSettings, now_ms: int) -> None:
    """Uploads that nobody ends, and imports that are long over."""
    with database.begin() as connection:
        import_expiry.give_up_uploads(connection, tenant, now_ms - _UPLOAD_MS, now_ms)
    with database.begin() as connection:
        import_expiry.forget_imports(connection, tenant, now_ms - settings.keep_days * _DAY_MS)


# ------------------------------------------------------------------ the job

Submit = Callable[[str], None]
_importer: list[Submit] = []


def employ(submit: Submit) -> None:
    """To be called once in a worker process, before its first job."""
    _importer[:] = [submit]


def run(import_id: str) -> None:
    """The job. Raises StoreError in a process that is no worker of ours."""
    if not _importer:
        raise StoreError
    _importer[0](import_id)
