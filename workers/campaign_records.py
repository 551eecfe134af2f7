"""The recorder's hook of campaigns: what events make of records, attempts and marks, in the recorder's transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog
from sqlalchemy import Connection

from routing.app.clock import Clock
from routing.core.config import Config, Numbers
from routing.store.errors import StoreCorrupt
from routing.store.port import StoredEvent
from routing.store.sql.campaign_projection import project

log = structlog.get_logger()


class CampaignRecords:
    """`config`: the running one, for how numbers are written; where it cannot be read, the last one holds."""

    def __init__(self, config: Callable[[], Config], clock: Clock) -> None:
        self._config, self._clock = config, clock
        self._rules = Numbers()

    def __call__(self, connection: Connection, tenant: str, events: Sequence[StoredEvent]) -> None:
        project(connection, tenant, events, self._number_rules(), self._clock.now_ms())

    def _number_rules(self) -> Numbers:
        try:
            self._rules = self._config().numbers
        except StoreCorrupt as error:
            log.debug("config_unreadable", reason=str(error))
        return self._rules
