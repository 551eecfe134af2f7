"""The whole live state for lists: loaded once for requests that come together, never per request on its own."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Protocol

from routing.core.world import World, WorldState

STALE_MS = 250


class Source(Protocol):
    def load(self) -> WorldState:
        """The whole live state as of the last commit. Raises StoreError."""


@dataclass(slots=True)
class LiveWorld:
    """One tenant's world as of the last load. Safe for threads and greenlets."""

    front: Source
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _world: World | None = None
    _loaded_at_ms: int = 0
    _began_ns: int = 0

    def world(self, now_ms: int, *, is_fresh: bool = False) -> World:
        """At most 250 ms old, or with `is_fresh` not older than this call. To be read only. Raises StoreError.

        Those who wait while somebody loads share the load that comes next: it begins after all of them have asked.
        """
        asked_ns = time.monotonic_ns()
        with self._turn:
            if self._world is None or not self._is_good(asked_ns, now_ms, is_fresh):
                began_ns = time.monotonic_ns()
                self._world = World(self.front.load())
                self._loaded_at_ms, self._began_ns = now_ms, began_ns
            return self._world

    def _is_good(self, asked_ns: int, now_ms: int, is_fresh: bool) -> bool:
        if self._began_ns >= asked_ns:
            return True
        return not is_fresh and 0 <= now_ms - self._loaded_at_ms < STALE_MS
