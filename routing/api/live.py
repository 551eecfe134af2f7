"""The whole live state for lists: loaded once for requests that come together, never per request on its own."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from routing.core.world import World
from routing.store.front import Front

STALE_MS = 250


@dataclass(slots=True)
class LiveWorld:
    """One tenant's world as of the last load. Safe for threads and greenlets."""

    front: Front
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _world: World | None = None
    _loaded_at_ms: int = 0

    def world(self, now_ms: int, *, is_fresh: bool = False) -> World:
        """At most 250 ms old, or with `is_fresh` not older than this call. To be read only. Raises StoreError."""
        with self._turn:
            age_ms = now_ms - self._loaded_at_ms
            if self._world is None or is_fresh or not 0 <= age_ms < STALE_MS:
                self._world, self._loaded_at_ms = World(self.front.load()), now_ms
            return self._world
