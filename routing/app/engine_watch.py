"""Whether an engine leads, for connectors: without one their PBX gets no sign of life, and its callers go back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from routing.core.commands import Command
from routing.core.errors import StoreError
from routing.store.port import Store
from telephony.port import PbxPort, Sink

log = structlog.get_logger()


class EngineWatch:
    """Looks at the lease again and again. A store that does not answer counts as no engine."""

    def __init__(self, open_store: Callable[[], Store], interval_s: float = 2.0) -> None:
        self._open_store, self._interval_s = open_store, interval_s
        self._is_led = False

    def is_serving(self) -> bool:
        """As of the last look; no before the first."""
        return self._is_led

    async def run(self) -> None:
        """Until it is cancelled."""
        store = self._open_store()
        try:
            while True:
                self._note(await self._look(store))
                await asyncio.sleep(self._interval_s)
        finally:
            self._is_led = False
            await store.close()

    async def _look(self, store: Store) -> bool:
        try:
            return (await store.health()).owner is not None
        except StoreError:
            return False

    def _note(self, is_led: bool) -> None:
        if self._is_led and not is_led:
            log.warning("engine_missed")
        elif is_led and not self._is_led:
            log.info("engine_seen")
        self._is_led = is_led


class WatchedPort:
    """A port with the watch that its sign of life depends on: both run together."""

    def __init__(self, port: PbxPort, watch: EngineWatch) -> None:
        self._port, self._watch = port, watch
        self._watching: asyncio.Task[None] | None = None

    async def start(self, sink: Sink) -> None:
        """As PbxPort."""
        self._watching = asyncio.create_task(self._watch.run(), name="engine_watch")
        await self._port.start(sink)

    def submit(self, command: Command) -> None:
        """As PbxPort."""
        self._port.submit(command)

    async def stop(self, drain_s: float = 0.0) -> None:
        """As PbxPort."""
        await self._port.stop(drain_s)
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
