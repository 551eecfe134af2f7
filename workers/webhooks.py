"""Sends webhooks: many at a time, but few to one endpoint, so that none waits for another's slow one.

RQ's worker takes one job after the other; a job only hands its delivery over to these threads. What is killed on
its way is found by the ticker once the row's lease has run out, and sent again with the same webhook-id.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random

import structlog

from routing.app.clock import Clock
from routing.app.settings import WebhookSettings
from routing.core.errors import StoreError, SwitchroomError
from routing.store.sealing import Sealer
from routing.store.sql import deliveries
from routing.store.sql.audit import AuditEntry, record
from routing.store.sql.database import Database
from routing.store.sql.deliveries import Attempt, Delivery
from routing.store.sql.ids import new_id
from routing.store.sql.webhooks import Endpoint, disable_endpoint, get_endpoint
from workers.webhook_attempt import Attempts, Outcome

log = structlog.get_logger()

THREADS = 32
PER_ENDPOINT = 4
_WAITING = 2000  # per endpoint in memory; the ticker brings the others later
_LEASE_SLACK_S = 45.0


@dataclass(slots=True)
class _Line:
    """What is to be sent to one endpoint. One at a time until an attempt has succeeded."""

    waiting: deque[str] = field(default_factory=deque)
    running: set[str] = field(default_factory=set)
    is_healthy: bool = False

    @property
    def has_room(self) -> bool:
        return len(self.running) < (PER_ENDPOINT if self.is_healthy else 1)


class Sender:
    """Of one tenant; one per worker process. `owner`: unique in the world. `count`: told the result of each attempt."""

    def __init__(
        self,
        tenant: str,
        database: Database,
        clock: Clock,
        settings: WebhookSettings,
        sealer: Sealer,
        owner: str,
        count: Callable[[str], object] | None = None,
    ) -> None:
        self._tenant, self._database, self._clock, self._owner = tenant, database, clock, owner
        self._lease_ms = int((settings.timeout_s + _LEASE_SLACK_S) * 1000)
        self._attempts = Attempts(settings, sealer, Random())  # noqa: S311 - spreads attempts, guards nothing
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="webhook")
        self._lock = threading.Lock()
        self._count = count
        self._lines: dict[str, _Line] = {}
        self._is_stopping = False

    def submit(self, endpoint_id: str, delivery_id: str) -> None:
        """Send it when its turn comes; once more is harmless."""
        with self._lock:
            line = self._lines.setdefault(endpoint_id, _Line())
            known = delivery_id in line.running or delivery_id in line.waiting
            if self._is_stopping or known or len(line.waiting) >= _WAITING:
                return
            line.waiting.append(delivery_id)
            self._start(endpoint_id, line)

    def _start(self, endpoint_id: str, line: _Line) -> None:
        while line.waiting and line.has_room and not self._is_stopping:
            delivery_id = line.waiting.popleft()
            line.running.add(delivery_id)
            self._pool.submit(self._run, endpoint_id, delivery_id)
        if not line.waiting and not line.running and not line.is_healthy:
            self._lines.pop(endpoint_id, None)

    def _run(self, endpoint_id: str, delivery_id: str) -> None:
        is_healthy = False
        try:
            is_healthy = self.send(endpoint_id, delivery_id)
        except SwitchroomError as error:
            log.warning("webhook_not_sent", delivery=delivery_id, code=error.code, reason=str(error))
        except Exception as error:  # the line goes on; the ticker brings this one again
            log.error("webhook_failed", delivery=delivery_id, exc_info=error)
        finally:
            with self._lock:
                line = self._lines[endpoint_id]
                line.running.discard(delivery_id)
                line.is_healthy = is_healthy
                self._start(endpoint_id, line)

    def send(self, endpoint_id: str, delivery_id: str) -> bool:
        """One attempt, if it is due and nobody else's. Whether the endpoint took it. Raises StoreError."""
        now_ms = self._clock.now_ms()
        span = (now_ms, now_ms + self._lease_ms)
        with self._database.begin() as connection:
            # One process may hold a row only once: what its own lost lease left behind is not its own any more.
            owner = f"{self._owner}:{new_id('try', now_ms)}"
            delivery = deliveries.claim(connection, self._tenant, delivery_id, owner, span)
            endpoint = get_endpoint(connection, self._tenant, endpoint_id) if delivery else None
        if delivery is None or endpoint is None:
            return False
        claim = Attempt(owner=owner, at_ms=now_ms, is_delivered=False, next_at_ms=None, status=None, error="")
        outcome = self._attempts.make(endpoint, delivery, claim)
        self._settle(endpoint, delivery, outcome)
        return outcome.attempt.is_delivered

    def _settle(self, endpoint: Endpoint, delivery: Delivery, outcome: Outcome) -> None:
        attempt, now_ms = outcome.attempt, self._clock.now_ms()
        with self._database.begin() as connection:
            if not deliveries.settle(connection, self._tenant, delivery.id, attempt):
                return
            if outcome.put_off_until_ms:
                deliveries.put_off(connection, self._tenant, endpoint.id, outcome.put_off_until_ms)
            is_disabled = bool(outcome.disables) and disable_endpoint(
                connection, self._tenant, endpoint.id, outcome.disables, now_ms
            )
            if is_disabled:
                record(connection, self._tenant, _disabled(endpoint, outcome, now_ms))
        if is_disabled:
            log.error("webhook_disabled", endpoint=endpoint.id, reason=outcome.disables)
        result = "delivered" if attempt.is_delivered else "failed"
        if self._count:
            self._count(result)
        log.debug("webhook_attempted", delivery=delivery.id, result=result, status=attempt.status, error=attempt.error)

    def stop(self, patience_s: float) -> None:
        """Begin nothing more, and let what is on its way end; not longer than `patience_s`."""
        with self._lock:
            self._is_stopping = True
        done = threading.Thread(target=self._pool.shutdown, kwargs={"cancel_futures": True}, daemon=True)
        done.start()
        done.join(patience_s)


def _disabled(endpoint: Endpoint, outcome: Outcome, now_ms: int) -> AuditEntry:
    return AuditEntry(
        id=new_id("aud", now_ms),
        at_ms=now_ms,
        actor="server",
        action="webhook.disabled",
        subject=f"webhook:{endpoint.id}",
        details={"reason": outcome.disables},
    )


# ------------------------------------------------------------------ the job

Submit = Callable[[str, str], None]
_sender: list[Submit] = []


def employ(submit: Submit) -> None:
    """To be called once in a worker process, before its first job."""
    _sender[:] = [submit]


def deliver(endpoint_id: str, delivery_id: str) -> None:
    """The job. Raises StoreError in a process that is no worker of ours."""
    if not _sender:
        raise StoreError
    _sender[0](endpoint_id, delivery_id)
