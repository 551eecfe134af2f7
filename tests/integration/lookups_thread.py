"""Look-ups in SQL for the engine of a test, in a thread of their own instead of a process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from routing.app.clock import SystemClock
from routing.core.commands import LookUpKind
from routing.store.front import Front, connect
from routing.store.redis_store import RedisStore
from routing.store.signs import Signs
from routing.store.sql.database import Database
from workers.lookup_records import RecordsAsker
from workers.lookups import Asker, Lookups, LookupSettings


@contextmanager
def looking_up(redis_url: str, tenant: str, database_url: str) -> Iterator[None]:
    """As `switchroom lookups`, but for look-ups over HTTP."""
    begun: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    ready = threading.Event()

    async def main() -> None:
        stop = asyncio.Event()
        begun.append((asyncio.get_running_loop(), stop))
        ready.set()
        await _answer(redis_url, tenant, database_url, stop)

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert ready.wait(5.0)
    loop, stop = begun[0]
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10.0)


async def _answer(redis_url: str, tenant: str, database_url: str, stop: asyncio.Event) -> None:
    store, redis, database = RedisStore(redis_url, tenant), connect(redis_url), Database.at(database_url)
    front = Front(redis, tenant)
    records = RecordsAsker(database, tenant, lambda: front.config().numbers)
    askers: dict[LookUpKind, Asker] = dict.fromkeys((LookUpKind.LAST_AGENT, LookUpKind.DO_NOT_CALL), records)
    settings = LookupSettings(block_ms=50)
    try:
        await Lookups("lookups@test", store, askers, SystemClock(), Signs(redis, tenant), settings).run(stop)
    finally:
        await store.close()
        redis.close()
        database.close()
