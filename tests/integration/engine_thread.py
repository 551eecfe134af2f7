"""An engine in a thread of the test, where it is not the point that it is a process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from routing.app.clock import SystemClock
from routing.engine.core import RoutingCore
from routing.engine.loop import Engine, EngineSettings
from routing.store.front import connect
from routing.store.keys import Keys
from routing.store.redis_store import RedisStore
from tests.waiting import wait_until


@contextmanager
def leading(redis_url: str, tenant: str) -> Iterator[None]:
    """One that leads."""
    begun: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    ready = threading.Event()

    async def main() -> None:
        stop = asyncio.Event()
        begun.append((asyncio.get_running_loop(), stop))
        ready.set()
        settings = EngineSettings(tenant=tenant, owner="e1")
        await Engine(lambda: RedisStore(redis_url, tenant), RoutingCore(), SystemClock(), settings).run(stop)

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert ready.wait(5.0)
    loop, stop = begun[0]
    try:
        _await_lease(redis_url, tenant)
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10.0)


def _await_lease(redis_url: str, tenant: str) -> None:
    redis = connect(redis_url)
    try:
        wait_until(lambda: redis.exists(Keys(tenant)("lease")), 10)
    finally:
        redis.close()
