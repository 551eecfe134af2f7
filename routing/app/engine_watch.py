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

# How long a connector that starts together with its engine waits for it, before it opens the link all the same.
PATIENCE_S = 5.0


class EngineWatch:
    """Looks at the lease again and again, quickly while there is none. A store that does not answer is no engine."""

    def __init__(
        self, open_store: Callable[[], Store], interval_s: float = 2.0, missed_interval_s: float = 0.2
    ) -> None:
        self._open_store, self._interval_s, self._missed_interval_s = open_store, interval_s, missed_interval_s
        self._is_led = False
        self._seen = asyncio.Event()

    def is_serving(self) -> bool:
        """As of the last look; no before the first."""
        return self._is_led

    async def wait_seen(self, within_s: float) -> bool:
        """Whether an engine leads, waiting so long for one at most."""
        try:
            async with asyncio.timeout(within_s):
                await self._seen.wait()
        except TimeoutError:
            return False
        return True

    async def run(self, has_looked: asyncio.Event) -> None:
        """Until it is cancelled. `has_looked` is set after the first look."""
        store = self._open_store()
        try:
            while True:
                self._note(await self._look(store))
                has_looked.set()
                await asyncio.sleep(self._interval_s if self._is_led else self._missed_interval_s)
        finally:
            self._is_led = False
            self._seen.clear()
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
        if is_led:
            self._seen.set()
        else:
            self._seen.clear()


class WatchedPort:
    """A port with the watch that its sign of life depends on: both run together.

    The link is opened when an engine leads, so that the first sign of life comes with it: to a PBX that has never had
    one, a leg that leaves a conversation would look abandoned. Without an engine it is opened after `patience_s`.
    """

    def __init__(self, port: PbxPort, watch: EngineWatch, patience_s: float = PATIENCE_S) -> None:
        self._port, self._watch, self._patience_s = port, watch, patience_s
        self._watching: asyncio.Task[None] | None = None

    async def start(self, sink: Sink) -> None:
        """As PbxPort. The first look comes first: the PBX's first sign of life of a new link depends on it."""
        has_looked = asyncio.Event()
        self._watching = asyncio.create_task(self._watch.run(has_looked), name="engine_watch")
        await self._watch.wait_seen(self._patience_s)
        await has_looked.wait()
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
