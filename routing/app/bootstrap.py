"""The one place that builds processes out of parts."""

from __future__ import annotations

import asyncio
import os
import socket
from uuid import uuid4

import uvloop

from routing.app import logging
from routing.app.cad_keys import codecs_of, lenient_codecs_of
from routing.app.clock import SystemClock
from routing.app.connector import Connector, ConnectorSettings
from routing.app.settings import ServerSettings
from routing.app.supervisor import ChildSpec, Supervisor, stop_on_signals
from routing.engine.core import RoutingCore
from routing.engine.loop import Engine, EngineSettings
from routing.store.port import Store
from routing.store.redis_store import RedisStore
from telephony.port import PbxPort

# An engine that waits longer for an answer would rather lose the lease; see EngineSettings.lease_ttl_ms.
_STORE_TIMEOUT_S = 3.0


def open_store(server: ServerSettings) -> Store:
    """Connects on first use. Raises StoreUnavailable for an address that makes no sense, CadKeyUnreadable."""
    return RedisStore(server.redis_url, server.tenant, timeout_s=_STORE_TIMEOUT_S, codecs=codecs_of(server))


def open_store_to_look(server: ServerSettings) -> Store:
    """As `open_store`, for commands that need no key: CAD without its key is masked."""
    return RedisStore(server.redis_url, server.tenant, timeout_s=_STORE_TIMEOUT_S, codecs=lenient_codecs_of(server))


def process_name(kind: str) -> str:
    """Unique in the world and readable, e.g. `engine@host:4711:9f0c`."""
    return f"{kind}@{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:4]}"


def run_engine(server: ServerSettings) -> None:
    """The engine process: leads or stands by until SIGTERM."""
    logging.configure(server.log_level.value)

    async def main() -> None:
        stop = asyncio.Event()
        stop_on_signals(stop)
        settings = EngineSettings(
            tenant=server.tenant, owner=process_name("engine"), data_centre_calls=server.data_centre_calls
        )
        await Engine(lambda: open_store(server), RoutingCore(), SystemClock(), settings).run(stop)

    uvloop.run(main())


def run_connector(server: ServerSettings, pbx: str, port: PbxPort) -> None:
    """The connector process of one PBX: carries commands and facts until SIGTERM. Calls go on without it."""
    logging.configure(server.log_level.value)

    async def main() -> None:
        stop = asyncio.Event()
        stop_on_signals(stop)
        store = open_store(server)
        try:
            await Connector(store, port, SystemClock(), ConnectorSettings(pbx=pbx)).run(stop)
        finally:
            await store.close()

    uvloop.run(main())


def run_supervisor(server: ServerSettings, children: list[ChildSpec]) -> None:
    """`switchroom up`: keeps the children running until SIGTERM."""
    logging.configure(server.log_level.value)

    async def main() -> None:
        stop = asyncio.Event()
        stop_on_signals(stop)
        await Supervisor(children).run(stop)

    uvloop.run(main())
