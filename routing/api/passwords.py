"""Passwords: argon2id with the parameters of RFC 9106 for little memory, computed beside the event loop."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

T = TypeVar("T")
MIN_LENGTH, MAX_LENGTH = 10, 200

_hasher = functools.cache(PasswordHasher)


def hash_password(password: str) -> str:
    """What is kept of it."""
    return _hasher().hash(password)


def is_password(kept: str, password: str) -> bool:
    """Whether this is it. An empty `kept` costs as much time, and is nobody's."""
    return _beside(lambda: _verified(kept or _nobodys(), password)) and bool(kept)


def _verified(kept: str, password: str) -> bool:
    try:
        return _hasher().verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


@functools.cache
def _nobodys() -> str:
    return _hasher().hash("nobody has this password")


def _beside(work: Callable[[], T]) -> T:
    """In a real thread where gevent runs this process: 50 ms of computing would hold up every other request."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("socket"):
        return work()
    from gevent import get_hub

    done: T = get_hub().threadpool.apply(work)
    return done
