"""Counters of a tenant in one Redis hash, so that any API process answers for the whole system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from redis import Redis
from redis.exceptions import RedisError

from routing.store.keys import Keys
from routing.store.redis_link import translated


class Counters:
    """Each method raises StoreUnavailable, StoreRefused."""

    def __init__(self, redis: Redis, tenant: str) -> None:
        self._redis, self._key = redis, Keys(tenant)("metrics")

    def add(self, increments: Mapping[str, int]) -> None:
        """All of them or none."""
        if not increments:
            return
        try:
            with self._redis.pipeline(transaction=True) as pipe:
                for field, number in increments.items():
                    pipe.hincrby(self._key, field, number)
                pipe.execute()
        except (RedisError, OSError) as error:
            raise translated(error) from error

    def all(self) -> dict[str, int]:
        try:
            found = cast("dict[Any, Any]", self._redis.hgetall(self._key))
        except (RedisError, OSError) as error:
            raise translated(error) from error
        return {name.decode(): int(value) for name, value in found.items()}
