"""Facts on their way from a PBX to the input stream: in order, none twice, none lost while memory lasts."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import uuid4

import structlog

from routing.core.errors import StoreError
from routing.core.facts import Fact, LegRinging, PhoneChanged
from routing.engine.backoff import Backoff
from routing.store.port import Store

log = structlog.get_logger()

# What the next snapshot of the PBX tells again in any case.
_EXPENDABLE = (PhoneChanged, LegRinging)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxLimits:
    """`waiting`: facts held while the store is away. `batch`: facts per append.

    `kept_s`, `kept`: how long and how many stored facts are held, to be sent again after a store that was restarted
    from its append-only file turns out to have forgotten the last ones (with `appendfsync everysec` Redis may put
    off a write by up to 2 s).
    """

    waiting: int = 50_000
    batch: int = 200
    kept_s: float = 10.0
    kept: int = 20_000


class FactOutbox:
    """`put` is the sink of a port. `on_gap`: facts were lost here or in the store, so the PBX must be asked anew."""

    def __init__(
        self, store: Store, name: str, backoff: Backoff, on_gap: Callable[[], None], limits: OutboxLimits | None = None
    ) -> None:
        self._store, self._name, self._backoff, self._on_gap = store, name, backoff, on_gap
        self._limits = limits or OutboxLimits()
        self._waiting: deque[Fact] = deque()
        self._wake = asyncio.Event()
        self._is_full = False
        self._start_incarnation()

    def _start_incarnation(self) -> None:
        """Count from 1 again, under a name of its own."""
        self._producer = f"{self._name}:{uuid4().hex}"
        self._sent: deque[tuple[int, float, Fact]] = deque()
        self._next = 1
        self._stored = 0
        self._must_check = False

    def put(self, fact: Fact) -> None:
        """Take a fact; never blocks, never fails."""
        if len(self._waiting) >= self._limits.waiting:
            self._make_room()
        self._waiting.append(fact)
        self._wake.set()

    def _make_room(self) -> None:
        if not self._is_full:
            log.warning("facts_dropped", pbx=self._name, waiting=len(self._waiting))
        self._is_full = True
        essential = [fact for fact in self._waiting if not isinstance(fact, _EXPENDABLE)]
        if len(essential) == len(self._waiting):
            # The snapshot that is asked for replaces them all; so do not do this again for the very next fact.
            essential = essential[len(essential) // 2 :]
        self._waiting = deque(essential)

    def check(self) -> None:
        """The store was away: look whether it still has everything."""
        self._must_check = True
        self._wake.set()

    @property
    def unsent(self) -> int:
        """Facts that the store has not confirmed."""
        return len(self._waiting) + self._next - 1 - self._stored

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set and everything was sent that the store takes at once."""
        while not stop.is_set():
            await self._wake.wait()
            self._wake.clear()
            while not stop.is_set() and not self._is_done():
                await self._try_once(stop)

    async def flush(self) -> None:
        """One last attempt at what is left. Raises StoreError."""
        while not self._is_done():
            await self._send()

    def wake(self) -> None:
        """Let `run` notice that it is to stop."""
        self._wake.set()

    def _is_done(self) -> bool:
        return not self.unsent and not self._must_check

    async def _try_once(self, stop: asyncio.Event) -> None:
        try:
            await self._send()
        except StoreError as error:
            log.warning("facts_not_stored", pbx=self._name, code=error.code, unsent=self.unsent)
            await self._backoff.wait(stop)
        else:
            self._backoff.reset()

    async def _send(self) -> None:
        """One append: what is not confirmed yet, else what waits."""
        first, batch = self._unconfirmed() or self._number_waiting()
        stored = await self._store.append_facts(self._producer, first, batch)
        self._must_check = False
        if stored < first - 1:
            self._rewind(stored)
            return
        self._stored = stored
        if self._is_full:
            self._is_full = False
            self._on_gap()
        self._forget_old()

    def _unconfirmed(self) -> tuple[int, Sequence[Fact]] | None:
        """The oldest facts that were numbered and not confirmed; an empty batch only asks what is stored."""
        count = self._next - 1 - self._stored
        if not count:
            return (self._next, []) if self._must_check else None
        start = len(self._sent) - count
        end = min(start + self._limits.batch, len(self._sent))
        return self._stored + 1, [self._sent[i][2] for i in range(start, end)]

    def _number_waiting(self) -> tuple[int, Sequence[Fact]]:
        first, now_s = self._next, time.monotonic()
        batch = [self._waiting.popleft() for _ in range(min(self._limits.batch, len(self._waiting)))]
        self._sent.extend((first + i, now_s, fact) for i, fact in enumerate(batch))
        self._next += len(batch)
        return first, batch

    def _rewind(self, stored: int) -> None:
        """The store knows less than it once confirmed: send the rest again, and ask the PBX what is true now."""
        oldest = self._sent[0][0] if self._sent else self._next
        log.warning("facts_forgotten_by_store", pbx=self._name, stored=stored, sent=self._next - 1, kept_from=oldest)
        if stored + 1 >= oldest:
            self._stored = stored
        else:
            kept = [fact for _, _, fact in self._sent]
            self._start_incarnation()
            self._waiting.extendleft(reversed(kept))
        self._on_gap()

    def _forget_old(self) -> None:
        limit_s = time.monotonic() - self._limits.kept_s
        while self._sent and self._sent[0][0] <= self._stored:
            if self._sent[0][1] > limit_s and len(self._sent) <= self._limits.kept:
                return
            self._sent.popleft()
