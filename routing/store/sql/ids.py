"""Ids of rows that people and programs create: prefixed and opaque, sortable by time or derived from a key."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from hashlib import sha256

from routing.core.ids import encode

_OF_CHANCE = 16  # characters
_LETTERS = [encode(value)[-1] for value in range(32)]


def new_id(prefix: str, now_ms: int) -> str:
    """E.g. `con_01JD...`: 48 bits of time, 80 of chance (layout of github.com/ulid/spec)."""
    return f"{prefix}_{encode(((now_ms & (1 << 48) - 1) << 80) | secrets.randbits(80))}"


def new_ids(prefix: str, now_ms: int) -> Callable[[], str]:
    """Makes many of that moment, each as `new_id` would, in a tenth of its time."""
    first = new_id(prefix, now_ms)[:-_OF_CHANCE]

    def made() -> str:
        chance = secrets.token_bytes(_OF_CHANCE)
        return first + "".join([_LETTERS[byte & 31] for byte in chance])

    return made


def id_for(prefix: str, tenant: str, idempotency_key: str) -> str:
    """Always the same id for the same key of a tenant: what is created twice with it is created once."""
    digest = sha256(f"{prefix}\0{tenant}\0{idempotency_key}".encode()).digest()
    return f"{prefix}_{encode(int.from_bytes(digest[:16]))}"
