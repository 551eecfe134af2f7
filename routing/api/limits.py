"""How often a key may ask, and how often somebody may fail to prove who he is: windows counted in Redis.

One script of ours instead of a library of limits: one round trip per request, and keys in the tenant's hash slot.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from typing import Any, cast

import structlog
from flask import g, request
from redis.exceptions import RedisError

from routing.api.principal import Principal
from routing.api.problems import Problem
from routing.api.services import services
from routing.store.keys import Keys, shared_key
from routing.store.redis_link import script_source, translated

log = structlog.get_logger()

WINDOW_MS = 60_000
FAILURES_OF_ONE = 10  # of one key or name, a minute
FAILURES_OF_ADDRESS = 30

_source = functools.cache(script_source)


def count_request(principal: Principal) -> None:
    """Raises Problem too-many-requests."""
    limit = principal.rate_limit or services().api.requests_per_minute
    count, left_ms = _count(Keys(principal.tenant)("rate", _hashed(principal.actor)), 1)
    wait_s = max(1, -(-left_ms // 1000))
    # draft-ietf-httpapi-ratelimit-headers
    g.limit_headers = {
        "RateLimit-Policy": f'"minute";q={limit};w={WINDOW_MS // 1000}',
        "RateLimit": f'"minute";r={max(0, limit - count)};t={wait_s}',
    }
    if count > limit:
        raise Problem("too-many-requests", f"{limit} requests a minute are allowed", retry_after_s=wait_s)


def bearer_of(token: str) -> str:
    """What a token that may be wrong claims to be: the id of a key, else nothing that is worth counting."""
    return f"key:{token.split('_')[1][:64]}" if token.startswith("sr_") and token.count("_") >= 2 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Failed attempts from one address, and for one key or name (empty: none)."""

    address: str
    whose: str

    @classmethod
    def of_request(cls, whose: str) -> Failures:
        return cls(address=request.remote_addr or "", whose=whose)

    def check(self) -> None:
        """Before something that is costly or can be guessed. Raises Problem too-many-failures."""
        self._judge(0)

    def add(self) -> None:
        """It failed. Raises Problem too-many-failures."""
        log.warning("authentication_failed", remote=self.address, claimed=self.whose)
        self._judge(1)

    def _judge(self, added: int) -> None:
        counted = [("address", self.address, FAILURES_OF_ADDRESS)]
        if self.whose:
            counted.append(("one", self.whose, FAILURES_OF_ONE))
        waits_ms = [
            left_ms
            for kind, what, limit in counted
            for count, left_ms in [_count(shared_key("failures", kind, _hashed(what)), added)]
            if count >= limit + added
        ]
        if waits_ms:
            wait_s = max(1, -(-max(waits_ms) // 1000))
            raise Problem("too-many-failures", "too many attempts failed; wait", retry_after_s=wait_s)


def _count(key: str, added: int) -> tuple[int, int]:
    try:
        script = services().redis.register_script(_source("count"))
        count, left_ms = cast("Any", script([key], [WINDOW_MS, added]))
    except (RedisError, OSError) as error:
        raise translated(error) from error
    return count, left_ms


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
