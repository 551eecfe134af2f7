"""An engine on the tally core as a process of its own: python -m tests.integration.engine_process URL TENANT OWNER."""

from __future__ import annotations

import asyncio
import sys

import uvloop

from routing.app.clock import SystemClock
from routing.app.logging import configure
from routing.app.supervisor import stop_on_signals
from routing.engine.loop import Engine, EngineSettings
from routing.store.redis_store import RedisStore
from tests.engine_core import TallyCore

NEVER_MS = 3_600_000


async def main(url: str, tenant: str, owner: str) -> None:
    configure("info")
    stop = asyncio.Event()
    stop_on_signals(stop)
    settings = EngineSettings(tenant=tenant, owner=owner)
    await Engine(lambda: RedisStore(url, tenant), TallyCore(NEVER_MS), SystemClock(), settings).run(stop)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
