"""The recorder: a tenant's events from Redis into SQL, each exactly once.

Rows and the position behind the last event are one transaction. Whatever is killed, and whenever: the position says
what is done, and what was not committed is read again. Of several recorders only that one commits which moves the
position on from where it found it; the others stand by.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

import structlog
from sqlalchemy import Connection, select, update
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError

from routing.app.clock import Clock
from routing.core.config import Numbers
from routing.core.errors import StoreError
from routing.engine.backoff import Backoff
from routing.store.errors import StoreCorrupt
from routing.store.event_tail import EventTail, Place, Portion
from routing.store.front import Front
from routing.store.port import StoredEvent
from routing.store.sql import migrate
from routing.store.sql.database import Database
from routing.store.sql.history_tables import recorder_positions
from routing.store.sql.inserting import insert_once
from routing.store.sql.projection import Projection

log = structlog.get_logger()

BATCH = 500
WAIT_MS = 1000


class OnEvents(Protocol):
    def __call__(self, connection: Connection, tenant: str, events: Sequence[StoredEvent], /) -> None:
        """Called in the transaction that records `events`, in order, each exactly once as far as it is committed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderSettings:
    """`batch`: events per transaction at most. `wait_ms`: how long it waits for an event before it looks around."""

    batch: int = BATCH
    wait_ms: int = WAIT_MS


class Overtaken(Exception):
    """Another recorder has moved the position on; nothing was written."""


class Recorder:
    """Of one tenant. `on_events` are called after the rows of their events, in the same transaction.

    `on_commit` are called when it is committed, and not at all when the process dies in between.
    """

    def __init__(
        self,
        front: Front,
        database: Database,
        clock: Clock,
        settings: RecorderSettings | None = None,
        on_events: Sequence[OnEvents] = (),
        on_commit: Sequence[Callable[[], None]] = (),
    ) -> None:
        self._front, self._database, self._clock = front, database, clock
        self._settings = settings or RecorderSettings()
        self._on_events, self._on_commit = tuple(on_events), tuple(on_commit)
        self._tail = EventTail(front)
        self._place: Place | None = None
        self._rules = Numbers()

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set. Redis or the database may come and go: what fails is tried again, ever more slowly."""
        backoff = Backoff(Random(), first_s=0.1, most_s=5.0)  # noqa: S311 - spreads attempts, guards nothing
        is_failing = was_overtaken = False
        while not stop.is_set():
            try:
                self.turn()
            except StoreError as error:
                level = log.debug if is_failing else log.warning
                level("recorder_failed", tenant=self._front.tenant, code=error.code, reason=str(error))
                is_failing = True
                self._place = None
                stop.wait(backoff.next_s())
            except Overtaken:
                # Where several machines run everything, one records and the others come to this now and then.
                level = log.debug if was_overtaken else log.info
                level("recorder_overtaken", tenant=self._front.tenant)
                was_overtaken = True
                self._place = None
                stop.wait(backoff.next_s())
            else:
                if is_failing:
                    log.info("recorder_recovered", tenant=self._front.tenant)
                is_failing = False
                backoff.reset()

    def turn(self) -> int:
        """Record one portion, or wait a while for the next event; how many were recorded.

        Raises StoreError, Overtaken; then nothing was recorded, or it is not known.
        """
        place = self._place or self._stored_place()
        portion = self._tail.read(place, self._settings.batch)
        if not portion.events:
            self._place = place
            self._tail.wait(place, self._settings.wait_ms)
            return 0
        rules = self._number_rules()
        self._place = None  # until it is known to be committed
        self._record(place, portion, rules)
        self._place = portion.end
        if portion.lost:
            log.error("events_lost", tenant=self._front.tenant, lost=portion.lost, after=place.position)
        return len(portion.events)

    def _number_rules(self) -> Numbers:
        """For look-ups by number only: a configuration that this version cannot read does not stop the history."""
        try:
            self._rules = self._front.config().numbers
        except StoreCorrupt as error:
            log.warning("config_unreadable", tenant=self._front.tenant, reason=str(error))
        return self._rules

    def _stored_place(self) -> Place:
        """Where the database stands; a row for a tenant that has none."""
        table, tenant = recorder_positions, self._front.tenant
        query = select(table.c.position, table.c.ordinal).where(table.c.tenant == tenant)
        with self._database.begin() as connection:
            found = connection.execute(query).one_or_none()
            if found is None:
                insert_once(connection, table, {"tenant": tenant, "position": Place().position})
                found = connection.execute(query).one()
        return Place(position=found.position, ordinal=found.ordinal)

    def _record(self, place: Place, portion: Portion, rules: Numbers) -> None:
        with self._database.begin() as connection:
            self._move(connection, place, portion)
            self._write(connection, portion.events, rules)
            for handler in self._on_events:
                self._hand_over(connection, portion.events, handler)
        for told in self._on_commit:
            told()

    def _hand_over(self, connection: Connection, events: Sequence[StoredEvent], handler: OnEvents) -> None:
        """A fault of the handler costs it the one event that it cannot take; a database that is gone, everything."""
        try:
            with connection.begin_nested():
                handler(connection, self._front.tenant, events)
        except (OperationalError, InterfaceError, StoreError):
            raise
        except Exception:
            if len(events) > 1:
                for stored in events:
                    self._hand_over(connection, [stored], handler)
            else:
                log.exception("event_not_taken", tenant=self._front.tenant, position=events[0].position)

    def _move(self, connection: Connection, place: Place, portion: Portion) -> None:
        """First of all: whoever else wants to write waits here for our commit, and then finds that he is too late."""
        table = recorder_positions
        move = update(table).where(table.c.tenant == self._front.tenant, table.c.position == place.position)
        done = connection.execute(
            move.values(
                position=portion.end.position,
                ordinal=portion.end.ordinal,
                recorded_events=table.c.recorded_events + len(portion.events),
                lost_events=table.c.lost_events + portion.lost,
                updated_at_ms=self._clock.now_ms(),
            )
        )
        if done.rowcount != 1:
            raise Overtaken

    def _write(self, connection: Connection, events: Sequence[StoredEvent], rules: Numbers) -> None:
        """All at once; where the database refuses a value, one by one, so that one bad event stops no other."""
        try:
            with connection.begin_nested():
                self._project(connection, events, rules)
        except (DataError, IntegrityError) as error:
            log.error("events_refused", tenant=self._front.tenant, count=len(events), reason=str(error.orig)[:200])
            for stored in events:
                self._write_one(connection, stored, rules)

    def _write_one(self, connection: Connection, stored: StoredEvent, rules: Numbers) -> None:
        try:
            with connection.begin_nested():
                self._project(connection, [stored], rules)
        except (DataError, IntegrityError) as error:
            projection = Projection(self._front.tenant, rules, self._clock.now_ms())
            projection.keep(stored, "refused", str(error.orig)[:200])
            projection.rows.write(connection)

    def _project(self, connection: Connection, events: Sequence[StoredEvent], rules: Numbers) -> None:
        projection = Projection(self._front.tenant, rules, self._clock.now_ms())
        for stored in events:
            if why := projection.add(stored):
                log.error("event_unreadable", tenant=self._front.tenant, position=stored.position, reason=why)
        projection.rows.write(connection)


def prepare(url: str, stop: threading.Event) -> bool:
    """Bring the tables to what this version needs, as soon as the database can be reached; False: stopped meanwhile."""
    backoff = Backoff(Random(), first_s=0.2, most_s=5.0)  # noqa: S311 - as above
    while not stop.is_set():
        try:
            before, after = migrate.upgrade(url)
        except StoreError as error:
            log.warning("database_not_ready", code=error.code, reason=str(error))
            stop.wait(backoff.next_s())
        else:
            if before != after:
                log.info("database_upgraded", before=before, after=after)
            return True
    return False
