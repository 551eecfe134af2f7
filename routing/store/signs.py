"""Signs of life of processes beside the engine, for `/readyz` and `doctor`: workers, the ticker, look-ups."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from redis import Redis
from redis.exceptions import RedisError

from routing.store.keys import Keys
from routing.store.redis_link import translated

KINDS = ("worker", "ticker", "lookups")
EVERY_S = 5.0
FRESH_MS = 20_000
_KEPT_MS = 60_000


class Signs:
    """Of one tenant. Each method raises StoreUnavailable, StoreRefused. Times in ms UTC, by the callers' clocks."""

    def __init__(self, redis: Redis, tenant: str) -> None:
        self._redis, self._keys = redis, Keys(tenant)

    def give(self, kind: str, name: str, now_ms: int) -> None:
        """`name` is alive."""
        key = self._keys("signs", kind)
        with _translation(), self._redis.pipeline(transaction=True) as pipe:
            pipe.zadd(key, {name: now_ms})
            pipe.zremrangebyscore(key, "-inf", now_ms - _KEPT_MS)
            pipe.execute()

    def end(self, kind: str, name: str) -> None:
        """`name` ends in good order."""
        with _translation():
            self._redis.zrem(self._keys("signs", kind), name)

    def alive(self, kind: str, now_ms: int) -> list[str]:
        """Names with a fresh sign."""
        with _translation():
            found = self._redis.zrangebyscore(self._keys("signs", kind), now_ms - FRESH_MS, "+inf")
        return [name.decode() for name in cast("list[Any]", found)]


@contextmanager
def _translation() -> Iterator[None]:
    """The driver's exceptions end here."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise translated(error) from error
