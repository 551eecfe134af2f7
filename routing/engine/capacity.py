"""This tenant's share of the live calls that all tenants of the store may have together (reason code 26).

The share is reserved before it is needed, in one atomic step of the store, and enters the core as an input of its own:
so the core stays pure, a replay knows what was granted, and two engines never let in more than the limit between them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from routing.core.facts import LegArrived
from routing.core.orders import CapacityGranted, StartOutdial
from routing.core.world import WorldState
from routing.store.port import Input, Store

# Spares the store a question for each call; given only while ten times as many are free (see `Store.reserve_calls`).
SPARE_CALLS = 8
INTERVAL_S = 1.0


class CallShare:
    """`limit`: live calls of all tenants together, None = no limit."""

    def __init__(self, store: Store, limit: int | None) -> None:
        self._store, self._limit = store, limit
        self._next_s = 0.0

    async def cover(self, state: WorldState, inputs: Sequence[Input]) -> list[CapacityGranted]:
        """What to tell the core before these inputs: room for all calls that may begin with them, as far as there is.

        Once a second at least the share is asked for anew: what is idle goes back, and it does not expire. The first
        time also after a takeover, when the engine before may have reserved another one than it told the core.
        """
        if self._limit is None:
            return [CapacityGranted(calls=None)] if state.calls_granted is not None else []
        begins = sum(isinstance(entry.item, LegArrived | StartOutdial) for entry in inputs)
        needed, now_s = len(state.interactions) + begins, time.monotonic()
        if now_s < self._next_s and state.calls_granted is not None and needed <= state.calls_granted:
            return []
        self._next_s = now_s + INTERVAL_S
        calls = await self._store.reserve_calls(needed, SPARE_CALLS, self._limit)
        return [CapacityGranted(calls=calls)] if calls != state.calls_granted else []
