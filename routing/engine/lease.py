"""Keeping the lease from a thread of its own, so that a busy event loop does not lose it, and a hung one does."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import structlog

from routing.core.errors import StoreError
from routing.store.port import Store

log = structlog.get_logger()


class LeaseKeeper:
    """Renews one token until it is stopped or lost. `open_store` is called in the thread: a connection of its own.

    Renewing ends when `alive` was not called for `stall_s` seconds: an engine that hangs must lose the lease.
    `is_lost`: nothing renews it any more, for whatever reason.
    """

    def __init__(
        self, open_store: Callable[[], Store], owner: str, token: int, ttl_ms: int, stall_s: float = 10.0
    ) -> None:
        self._open_store, self._owner, self._token, self._ttl_ms = open_store, owner, token, ttl_ms
        self._stall_s = stall_s
        self._stopped = threading.Event()
        self._alive_at_s = time.monotonic()
        self.is_lost = False
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def alive(self) -> None:
        """The engine makes progress."""
        self._alive_at_s = time.monotonic()

    async def stop(self) -> None:
        """Returns when the thread has ended: it does not renew any more."""
        self._stopped.set()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        try:
            asyncio.run(self._keep())
        finally:
            self.is_lost = True

    async def _keep(self) -> None:
        store = self._open_store()
        interval_s = self._ttl_ms / 1000 / 4
        try:
            while not self._stopped.wait(interval_s):
                if time.monotonic() - self._alive_at_s > self._stall_s:
                    log.error("engine_stalled", owner=self._owner, stall_s=self._stall_s)
                    return
                if not await self._renew(store):
                    return
        finally:
            await store.close()

    async def _renew(self, store: Store) -> bool:
        """False only when somebody else has the lease; a store that does not answer is tried again."""
        try:
            return await store.renew(self._owner, self._token, self._ttl_ms)
        except StoreError as error:
            log.debug("lease_not_renewed", owner=self._owner, reason=str(error))
            return True
