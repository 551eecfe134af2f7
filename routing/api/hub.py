"""One reader of a tenant's event stream per process, and any number of subscribers.

Each event is decoded and serialized once. It runs on plain threads and locks; in an API process gevent has replaced
them by greenlets. A subscriber's queue is bounded: who does not keep up is cut off and can resume from its last
position, and nobody waits for him.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Iterable
from random import Random
from types import TracebackType
from typing import Self

import structlog

from routing.api.event_filter import EventFilter, Participants
from routing.api.public_event import PublicEvent, gap, published
from routing.core.errors import StoreError
from routing.engine.backoff import Backoff
from routing.store.front import Front
from routing.store.port import START, StoredEvent

log = structlog.get_logger()

QUEUED = 1000  # events that may wait for one subscriber
_PAGE = 500
_BLOCK_MS = 1000
_LINGER_S = 10.0  # the reader goes on so long without a subscriber: waits for one reply come one after another

Place = tuple[int, int]


class SubscriptionLost(Exception):
    """The subscriber did not keep up, or the hub was closed; what is missed can be had from the last position."""


def place(position: str) -> Place:
    """A position as something that compares. Raises ValueError."""
    ms, _, number = position.partition("-")
    if not (ms.isascii() and ms.isdigit() and (not number or (number.isascii() and number.isdigit()))):
        raise ValueError(f"{position!r} is no position of the event stream")
    return int(ms), int(number or 0)


class EventHub:
    """Events of one tenant for this process. Safe for threads and greenlets."""

    def __init__(self, front: Front, queued: int = QUEUED) -> None:
        self.front, self.queued = front, queued
        self._lock = threading.Lock()
        self._groups: dict[EventFilter, set[Subscription]] = {}
        self._participants = Participants(front.call)
        self._cursor = START
        self._reader: threading.Thread | None = None
        self._closed = threading.Event()
        self._is_lost = False

    @property
    def is_lost(self) -> bool:
        """The events cannot be read now; those of meanwhile come when they can."""
        return self._is_lost

    def subscribe(self, wanted: EventFilter | None = None, after: str | None = None) -> Subscription:
        """From now on, or from behind position `after`.

        Effective at return: an event committed afterwards is never missed. Raises StoreError, and ValueError
        for a position that makes no sense.
        """
        subscription = Subscription(self, wanted or EventFilter(), self.queued)
        if after is None:
            subscription.start_at(self.attach(subscription))
        else:
            subscription.start_behind(after)
        return subscription

    def attach(self, subscription: Subscription) -> str:
        """Hand over every event behind the position returned. Raises StoreError."""
        with self._lock:
            if self._closed.is_set():
                raise SubscriptionLost("the hub is closed")
            if self._reader is None:
                self._cursor = self.front.events_end()
                self._participants.forget()
                self._reader = threading.Thread(target=self._read, name=f"events-{self.front.tenant}", daemon=True)
                self._reader.start()
            self._groups.setdefault(subscription.filter, set()).add(subscription)
            return self._cursor

    def detach(self, subscription: Subscription) -> None:
        """Without effect when it is not attached."""
        with self._lock:
            self._drop(subscription)

    def _drop(self, subscription: Subscription) -> None:
        if group := self._groups.get(subscription.filter):
            group.discard(subscription)
            if not group:
                del self._groups[subscription.filter]

    @property
    def subscribers(self) -> int:
        with self._lock:
            return sum(len(group) for group in self._groups.values())

    def close(self) -> None:
        """End the reader and cut everybody off."""
        self._closed.set()
        with self._lock:
            reader = self._reader
            for subscription in [s for group in self._groups.values() for s in group]:
                subscription.cut()
                self._drop(subscription)
        if reader:
            reader.join()

    # ------------------------------------------------------------------ the reader

    def _read(self) -> None:
        backoff = Backoff(Random(), first_s=0.1)  # noqa: S311 - spreads reconnects, guards nothing
        is_anew, wanted_s = False, time.monotonic()
        while not self._closed.is_set():
            try:
                if is_anew:
                    self._tell_gap()
                self._pass_on()
            except Exception as error:  # noqa: BLE001 - whoever listens must not wait for a dead reader
                self._log_failure(error, is_anew)
                is_anew = self._is_lost = True
                self._closed.wait(backoff.next_s())
            else:
                is_anew = self._is_lost = False
                backoff.reset()
            with self._lock:
                if self._groups:
                    wanted_s = time.monotonic()
                elif time.monotonic() - wanted_s > _LINGER_S:
                    self._reader = None
                    return

    def _log_failure(self, error: Exception, is_repeated: bool) -> None:
        if not isinstance(error, StoreError):
            log.error("event_reader_failed", tenant=self.front.tenant, exc_info=error)
        elif is_repeated:
            log.debug("event_stream_lost", tenant=self.front.tenant, error=str(error))
        else:
            log.warning("event_stream_lost", tenant=self.front.tenant, error=str(error))

    def _pass_on(self) -> None:
        found = self.front.read_events(self._cursor, _PAGE, _BLOCK_MS)
        if not found:
            return
        with self._lock:
            is_limited = any(wanted.only_for for wanted in self._groups)
            if not is_limited:
                self._participants.forget()
            events = [event for event in map(published, found) if event]
            nobody: frozenset[str] = frozenset()
            members = [self._participants.of(e.event) if is_limited and e.event else nobody for e in events]
            for event, who in zip(events, members, strict=True):
                self._hand_out(event, who)
            self._cursor = found[-1].position

    def _tell_gap(self) -> None:
        oldest = self.front.events_begin()
        if self._cursor != START and place(oldest) > place(self._cursor):
            with self._lock:
                self._participants.forget()
                self._put(gap(self._cursor, oldest), [s for group in self._groups.values() for s in group])

    def _hand_out(self, event: PublicEvent, members: frozenset[str]) -> None:
        if event.event:
            for wanted, group in list(self._groups.items()):
                if wanted.matches(event.event, members):
                    self._put(event, group)

    def _put(self, event: PublicEvent, subscriptions: Iterable[Subscription]) -> None:
        slow = [subscription for subscription in subscriptions if not subscription.put(event)]
        for subscription in slow:
            log.warning("event_subscriber_cut_off", tenant=self.front.tenant, queued=self.queued)
            subscription.cut()
            self._drop(subscription)


class Subscription:
    """One subscriber's events in order, each once; for one thread or greenlet."""

    def __init__(self, hub: EventHub, wanted: EventFilter, queued: int) -> None:
        self.filter = wanted
        self._hub, self._queued = hub, queued
        self._queue: queue.SimpleQueue[PublicEvent | None] = queue.SimpleQueue()
        self._ready: deque[PublicEvent] = deque()
        self._behind: str | None = None
        self._until: Place | None = None
        self._read_up_to: Place = (0, 0)
        self._position = START
        self._participants = Participants(hub.front.call)

    @property
    def position(self) -> str:
        """Behind it nothing was handed out yet; everything before was, or is not wanted."""
        return self._position

    @property
    def is_lost(self) -> bool:
        """As of its hub."""
        return self._hub.is_lost

    def get(self, timeout_s: float) -> PublicEvent | None:
        """The next event; None when none came in time. Raises SubscriptionLost, StoreError."""
        while not self._ready and self._behind is not None:
            self._catch_up(self._behind)
        if self._ready:
            return self._noted(self._ready.popleft())
        if self._read_up_to > place(self._position):
            self._position = "{}-{}".format(*self._read_up_to)
        deadline_s = time.monotonic() + timeout_s
        while (left_s := deadline_s - time.monotonic()) > 0 or not self._queue.empty():
            try:
                event = self._queue.get(timeout=max(left_s, 0.001))
            except queue.Empty:
                return None
            if event is None:
                self._queue.put(None)
                raise SubscriptionLost("the subscriber did not keep up")
            if event.event is None or place(event.position) > self._read_up_to:
                return self._noted(event)
        return None

    def _noted(self, event: PublicEvent) -> PublicEvent:
        if event.event:
            self._position = event.position
        return event

    # ------------------------------------------------------------------ for the hub

    def put(self, event: PublicEvent) -> bool:
        """Whether there was room."""
        if self._queue.qsize() >= self._queued:
            return False
        self._queue.put(event)
        return True

    def cut(self) -> None:
        """What is queued can still be had, then SubscriptionLost."""
        self._queue.put(None)

    # ------------------------------------------------------------------ what was before

    def start_at(self, position: str) -> None:
        """Everything up to there is not wanted."""
        self._position = position

    def start_behind(self, after: str) -> None:
        """Raises ValueError, StoreError."""
        at = place(after)
        oldest, newest = self._hub.front.events_begin(), self._hub.front.events_end()
        if (at > (0, 0) and at < place(oldest)) or at > place(newest):
            # Also a position that the stream has not reached: a Redis that lost its last second, or all of it.
            self._ready.append(gap(after, oldest))
            after = after if at < place(oldest) else newest
        self._behind = self._position = after

    def _catch_up(self, behind: str) -> None:
        """Read a page by ourselves; close to the end go over to the hub's reader without a seam."""
        found = self._hub.front.read_events(behind, _PAGE)
        until = self._until
        for stored in found:
            if until is None or place(stored.position) <= until:
                self._take(stored)
                self._read_up_to = place(stored.position)
        self._behind = found[-1].position if found else behind
        if until is None:
            if len(found) < _PAGE:
                self._until = place(self._hub.attach(self))
        elif not found or place(self._behind) >= until:
            self._behind = None

    def _take(self, stored: StoredEvent) -> None:
        event = published(stored)
        if event and event.event:
            members = self._participants.of(event.event) if self.filter.only_for else frozenset()
            if self.filter.matches(event.event, members):
                self._ready.append(event)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hub.detach(self)
