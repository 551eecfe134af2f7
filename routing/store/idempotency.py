"""Idempotency keys in Redis: who works on a request, and what it was answered."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from enum import StrEnum

from redis import Redis
from redis.exceptions import RedisError

from routing.store.keys import Keys
from routing.store.redis_link import script_source, translated

LEASE_MS = 15_000  # an attempt that was not answered for so long has died; longer than any request takes
KEPT_MS = 24 * 3600 * 1000


_source = functools.cache(script_source)


class Reserved(StrEnum):
    """TAKEN: work on it. DONE: here is the answer. RUNNING: another attempt works on it. OTHER: another request's."""

    TAKEN = "taken"
    DONE = "done"
    RUNNING = "running"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """`wait_ms`: until an attempt that died could be taken over."""

    outcome: Reserved
    answer: bytes = b""
    wait_ms: int = 0


class KeyRecord:
    """What is known of one key. `key` is unique within its tenant; Redis gets only its hash. Raises StoreError."""

    def __init__(self, redis: Redis, tenant: str, key: str) -> None:
        digest = hashlib.sha256(key.encode()).hexdigest()
        keys = Keys(tenant)
        self._keys = [keys("idempotency", digest), keys("idempotency", digest, "lease")]
        self._reserve = redis.register_script(_source("reserve_key"))
        self._settle = redis.register_script(_source("settle_key"))

    def reserve(self, fingerprint: str, attempt: str) -> Reservation:
        """Of a request with this fingerprint, for this attempt."""
        try:
            found = self._reserve(self._keys, [fingerprint, attempt, LEASE_MS, KEPT_MS])
        except (RedisError, OSError) as error:
            raise translated(error) from error
        outcome = Reserved(found[0].decode())
        if outcome is Reserved.DONE:
            return Reservation(outcome=outcome, answer=found[1])
        return Reservation(outcome=outcome, wait_ms=found[1] if outcome is Reserved.RUNNING else 0)

    def settle(self, attempt: str, answer: bytes) -> None:
        """End the attempt; an empty answer leaves the key to a retry."""
        try:
            self._settle(self._keys, [attempt, KEPT_MS, answer])
        except (RedisError, OSError) as error:
            raise translated(error) from error
