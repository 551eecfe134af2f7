"""When hoppers are to be filled, and when claims are to be swept: looked at on every tick of the ticker."""

from __future__ import annotations

from typing import cast

from redis.exceptions import RedisError

from routing.store.front import Front
from routing.store.redis_link import translated
from workers.campaigns import is_filled
from workers.jobs import Jobs

SWEEP_MS = 60_000
_MOST_WAITING = 100  # jobs; so many wait only while no worker runs


class HopperTicks:
    """Of one tenant, in its ticker."""

    def __init__(self, front: Front, jobs: Jobs) -> None:
        self._front, self._jobs = front, jobs
        self._next_sweep_ms = 0

    def __call__(self, now_ms: int) -> int:
        """Make the jobs that are due; how many. Raises StoreError."""
        try:
            if self._jobs.waiting_hoppers() > _MOST_WAITING:
                return 0
            made = self._sweep(now_ms)
            low = self._low()
        except (RedisError, OSError) as error:
            raise translated(error) from error
        return made + len(low) if self._jobs.fill(low) else made

    def _sweep(self, now_ms: int) -> int:
        if now_ms < self._next_sweep_ms:
            return 0
        self._next_sweep_ms = now_ms + SWEEP_MS
        return int(self._jobs.sweep())

    def _low(self) -> list[str]:
        """Campaigns whose hopper is not full and whose list had records the last time somebody looked."""
        filled = sorted(id_ for id_, live in self._front.campaigns().items() if is_filled(live))
        if not filled:
            return []
        declared, ready = self._front.config().campaigns, self._front.hopper_counts()
        low = [id_ for id_ in filled if id_ in declared and ready[id_] < declared[id_].hopper]
        dry = self._front.redis.mget([self._front.keys("dry", id_) for id_ in low]) if low else []
        return [id_ for id_, is_dry in zip(low, cast("list[bytes | None]", dry), strict=True) if not is_dry]
