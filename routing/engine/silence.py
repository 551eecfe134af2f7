"""A connector that died cannot say that its link is lost: the engine notices its silence and says it."""

from __future__ import annotations

import time
from collections.abc import Mapping

import structlog

from routing.core.facts import LinkLost
from routing.store.errors import StoreFull
from routing.store.port import Store

log = structlog.get_logger()
INTERVAL_S = 1.0


class SilenceWatch:
    """Looks once a second at the signs of life of the connectors whose links count as up."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._next_s = 0.0

    async def lost(self, links: Mapping[str, bool]) -> list[LinkLost]:
        """For each that is silent now."""
        self._next_s = time.monotonic() + INTERVAL_S
        silent = await self._store.silent([pbx for pbx, is_up in links.items() if is_up])
        for pbx in silent:
            log.warning("connector_silent", pbx=pbx)
        return [LinkLost(pbx=pbx, reason="no sign of life from its connector") for pbx in silent]

    async def look(self, links: Mapping[str, bool]) -> None:
        """Append a LinkLost for each that is silent; it takes effect, and is journaled, as any other input."""
        if time.monotonic() < self._next_s:
            return
        for fact in await self.lost(links):
            try:
                await self._store.append_input(fact)
            except StoreFull:
                return  # said again when there is room; who makes it is the engine, by going on
