"""This tenant's share of the live calls that all tenants of the store may have together (reason code 26).

The share is reserved before it is needed, in one atomic step of the store, and enters the core as an input of its own:
so the core stays pure, a replay knows what was granted, and two engines never let in more than the limit between them.
"""

from __future__ import annotations

import time

from routing.core.orders import CapacityGranted
from routing.store.port import Store

# Spares the store a question for each call; given only while a hundred times as many are left to the others.
SPARE_CALLS = 8
INTERVAL_S = 1.0


class CallShare:
    """`limit`: live calls of all tenants together, None = no limit."""

    def __init__(self, store: Store, limit: int | None) -> None:
        self._store, self._limit = store, limit
        self._next_s = 0.0
        self._spare = 0

    async def cover(self, granted: int | None, needed: int) -> list[CapacityGranted]:
        """What to tell the core before the next inputs: room for the live calls and for all that may begin with these
        inputs, `needed` together, as far as there is. `granted`: what it was told last.

        Where calls are scarce, what is idle goes back with the next batch. Asked once a second in any case, also so
        that the share does not expire; the first time after a takeover, when the engine before may have reserved
        another one than it told the core.
        """
        if self._limit is None:
            return [CapacityGranted(calls=None)] if granted is not None else []
        now_s = time.monotonic()
        if now_s < self._next_s and granted is not None and 0 <= granted - needed <= 2 * self._spare:
            return []
        self._next_s = now_s + INTERVAL_S
        calls = await self._store.reserve_calls(needed, SPARE_CALLS, self._limit)
        self._spare = max(0, calls - needed)
        return [CapacityGranted(calls=calls)] if calls != granted else []
