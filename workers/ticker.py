"""The ticker: once a second it looks what is due and makes jobs of it. Several may run; one works, by a lease.

It is what keeps promises when a job got lost with a worker or with Redis: rows in SQL tell what there is to do.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import structlog
from redis import Redis
from redis.exceptions import RedisError

from routing.app.clock import Clock
from routing.core.errors import StoreError, SwitchroomError
from routing.store.keys import Keys
from routing.store.redis_link import translated
from routing.store.signs import EVERY_S, Signs
from routing.store.sql.database import Database
from routing.store.sql.deliveries import has_due, take_due
from routing.store.sql.import_jobs import has_free
from routing.store.sql.import_jobs import take_due as take_due_imports
from workers.jobs import Jobs
from workers.reports import mark_changed

log = structlog.get_logger()

LEASE_MS = 10_000
HOUR_MS = 3600 * 1000
# A job that was made is not made again for so long; and none while so many wait that no worker seems to run.
QUEUED_MS = 30_000
_MOST_WAITING = 5000
_AT_ONCE = 500
_SLOTS_WAITING, _SLOTS_AT_ONCE = 1000, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TickerSettings:
    tick_s: float = 1.0
    queued_ms: int = QUEUED_MS


class Ticker:
    """Of one tenant. `each_tick`, `hourly`: called with the time, in order; what one raises keeps no other waiting.

    Those of each tick return how many jobs they made.
    """

    def __init__(
        self,
        name: str,
        redis: Redis,
        jobs: Jobs,
        database: Database,
        clock: Clock,
        hourly: Sequence[Callable[[int], object]] = (),
        settings: TickerSettings | None = None,
        each_tick: Sequence[Callable[[int], int]] = (),
    ) -> None:
        self._name, self._redis, self._jobs, self._database, self._clock = name, redis, jobs, database, clock
        self._tenant = jobs.tenant
        self._keys, self._signs = Keys(self._tenant), Signs(redis, self._tenant)
        self._hourly, self._settings = tuple(hourly), settings or TickerSettings()
        self._each_tick = tuple(each_tick)
        self._next_hourly_ms = 0
        self._next_sign_ms = 0

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set."""
        is_failing = False
        while not stop.is_set():
            try:
                self.tick()
            except StoreError as error:
                level = log.debug if is_failing else log.warning
                level("tick_failed", tenant=self._tenant, code=error.code, reason=str(error))
                is_failing = True
            else:
                is_failing = False
            stop.wait(self._settings.tick_s)
        self._end()

    def tick(self) -> int:
        """One look; how many jobs were made. Raises StoreError."""
        now_ms = self._clock.now_ms()
        if now_ms >= self._next_sign_ms:
            self._signs.give("ticker", self._name, now_ms)
            self._next_sign_ms = now_ms + int(EVERY_S * 1000)
        if not self._leads():
            return 0
        made = sum(self._run(work, now_ms) for work in self._each_tick)
        made += self._enqueue_due(now_ms)
        if now_ms >= self._next_hourly_ms:
            self._next_hourly_ms = now_ms + HOUR_MS
            for hourly in self._hourly:
                self._run(hourly, now_ms)
        return made + self._enqueue_slots(now_ms) + self._enqueue_imports(now_ms)

    def _leads(self) -> bool:
        key = self._keys("ticker")
        try:
            if self._redis.set(key, self._name, nx=True, px=LEASE_MS):
                return True
            if cast("bytes | None", self._redis.get(key)) != self._name.encode():
                return False
            return bool(self._redis.pexpire(key, LEASE_MS))
        except (RedisError, OSError) as error:
            raise translated(error) from error

    def _enqueue_due(self, now_ms: int) -> int:
        try:
            if self._jobs.waiting() > _MOST_WAITING:
                return 0
        except (RedisError, OSError) as error:
            raise translated(error) from error
        with self._database.read() as connection:
            if not has_due(connection, self._tenant, now_ms):
                return 0
        with self._database.begin() as connection:
            due = take_due(connection, self._tenant, now_ms, self._settings.queued_ms, _AT_ONCE)
        self._jobs.deliver(due)
        return len(due)

    def _enqueue_slots(self, now_ms: int) -> int:
        """Intervals of reports that have changed."""
        try:
            if self._jobs.waiting_slots() > _SLOTS_WAITING:
                return 0
        except (RedisError, OSError) as error:
            raise translated(error) from error
        slots = mark_changed(self._database, self._tenant, now_ms, self._settings.queued_ms, _SLOTS_AT_ONCE)
        self._jobs.compute(slots)
        return len(slots)

    def _enqueue_imports(self, now_ms: int) -> int:
        """Files that wait for a worker, also those whose worker is gone."""
        with self._database.read() as connection:
            if not has_free(connection, self._tenant, now_ms):
                return 0
        with self._database.begin() as connection:
            due = take_due_imports(connection, self._tenant, now_ms, self._settings.queued_ms, _AT_ONCE)
        self._jobs.run_imports(due)
        return len(due)

    def _run(self, work: Callable[[int], object], now_ms: int) -> int:
        try:
            made = work(now_ms)
        except SwitchroomError as error:
            log.warning("ticker_work_failed", tenant=self._tenant, code=error.code, reason=str(error))
        except Exception as error:
            log.error("ticker_work_failed", tenant=self._tenant, exc_info=error)
        else:
            return made if isinstance(made, int) else 0
        return 0

    def _end(self) -> None:
        """Let another one take over at once."""
        try:
            if cast("bytes | None", self._redis.get(self._keys("ticker"))) == self._name.encode():
                self._redis.delete(self._keys("ticker"))
            self._signs.end("ticker", self._name)
        except (RedisError, OSError, StoreError) as error:
            log.debug("ticker_lease_kept", reason=str(error))
