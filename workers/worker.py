"""A worker process: RQ's own, one job after the other in this very process, with signs of life beside it."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Sequence
from random import Random

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker

from routing.app.clock import Clock
from routing.core.errors import StoreError
from routing.engine.backoff import Backoff
from routing.store.signs import EVERY_S, Signs
from workers.jobs import queue_name

log = structlog.get_logger()


class _RqLines(logging.Handler):
    """What RQ says, as lines like all others. Once it has a handler, RQ writes no text of its own to standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        log.warning("rq_said", text=record.getMessage(), exc_info=record.exc_info or None)


class _RqWorker(SimpleWorker):
    max_connection_wait_time = 5.0  # rq waits for a minute
    told = threading.Event()

    def _install_signal_handlers(self) -> None:
        """What came before rq listens counts, too."""
        super()._install_signal_handlers()  # type: ignore[no-untyped-call]
        if self.told.is_set():
            self._stop_requested = True


class Worker:
    """Of one tenant, for these of the `QUEUES`. `redis` is its own: RQ changes the client's time-outs."""

    def __init__(self, name: str, redis: Redis, signs: Signs, tenant: str, queues: Sequence[str], clock: Clock) -> None:
        self._name, self._redis, self._signs, self._clock = name, redis, signs, clock
        self._queues = [queue_name(tenant, queue) for queue in queues]
        self._stop = threading.Event()

    def run(self) -> None:
        """Until SIGTERM or SIGINT; RQ handles them in the main thread and ends the job first."""
        self._listen()
        pulse = threading.Thread(target=self._beat, name="signs", daemon=True)
        pulse.start()
        backoff = Backoff(Random(), first_s=0.2, most_s=5.0)  # noqa: S311 - spreads reconnects, guards nothing
        try:
            while not self._stop.is_set() and not self._work_until_told():
                self._listen()
                self._stop.wait(backoff.next_s())
        finally:
            self._stop.set()
            pulse.join()
            self._say_end()

    def _listen(self) -> None:
        """While RQ does not: at the start, and while Redis is away."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: self._stop.set())

    def _work_until_told(self) -> bool:
        """False: Redis went away."""
        said = logging.getLogger("rq")
        said.setLevel(logging.ERROR)
        said.handlers, said.propagate = [_RqLines()], False
        try:
            queues = [Queue(name, connection=self._redis) for name in self._queues]
            _RqWorker.told = self._stop
            worker = _RqWorker(queues, name=f"{self._name}:{os.urandom(3).hex()}", connection=self._redis)
            worker.work(logging_level="ERROR")
        except (RedisError, OSError) as error:
            log.warning("worker_lost_redis", reason=str(error))
            return False
        return True

    def _beat(self) -> None:
        is_failing = False
        while not self._stop.is_set():
            try:
                self._signs.give("worker", self._name, self._clock.now_ms())
                is_failing = False
            except StoreError as error:
                (log.debug if is_failing else log.warning)("worker_sign_not_given", code=error.code)
                is_failing = True
            self._stop.wait(EVERY_S)

    def _say_end(self) -> None:
        try:
            self._signs.end("worker", self._name)
        except StoreError as error:
            log.debug("worker_sign_stays", code=error.code)
