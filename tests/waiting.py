"""Run a coroutine, wait for a fact; the two things tests need instead of an asyncio plugin and of sleep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

POLL_S = 0.02
# For what takes no time but that of the machine, which may be busy. What has to be there in time is told how much.
BUSY_S = 10.0
T = TypeVar("T")


def run(work: Coroutine[Any, Any, T], within: float = 20.0) -> T:
    """The result of `work` in an event loop of its own; TimeoutError after `within` seconds."""

    async def limited() -> T:
        return await asyncio.wait_for(work, within)

    return asyncio.run(limited())


def wait_until(predicate: Callable[[], object], within: float = BUSY_S) -> None:
    """Poll until the predicate is true; AssertionError after `within` seconds."""
    deadline = time.monotonic() + within
    while not predicate():
        if time.monotonic() > deadline:
            raise AssertionError(f"not so after {within} s: {predicate}")
        time.sleep(POLL_S)


async def until(predicate: Callable[[], object], within: float = BUSY_S) -> None:
    """As wait_until, inside an event loop."""
    deadline = time.monotonic() + within
    while not predicate():
        if time.monotonic() > deadline:
            raise AssertionError(f"not so after {within} s: {predicate}")
        await asyncio.sleep(POLL_S)
