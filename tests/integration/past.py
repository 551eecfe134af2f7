"""A tenant's events in a private Redis, and a recorder that writes them into a database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Table, func, select

from deploy.lab.redis import RedisServer
from routing.app.clock import ManualClock
from routing.core.events import Event
from routing.store.codec import PLAIN
from routing.store.front import Front, connect
from routing.store.sql.database import Database
from workers.recorder import OnEvents, Recorder, RecorderSettings


class Past:
    """`tell` does what a commit of the engine does with its events; `record` brings the database up to them."""

    def __init__(self, server: RedisServer, database: Database, tenant: str) -> None:
        self.front = Front(connect(server.url), tenant)
        self.database, self.tenant = database, tenant
        self.clock = ManualClock()
        self.recorder = self.new_recorder()

    def new_recorder(self, on_events: Sequence[OnEvents] = (), **settings: int) -> Recorder:
        chosen = RecorderSettings(**{"wait_ms": 1, **settings})
        return Recorder(self.front, self.database, self.clock, chosen, on_events)

    def tell(self, events: Iterable[Event | bytes], limit: int | None = None) -> None:
        """Append them; the stream keeps `limit` of them, exactly (None: all)."""
        key = self.front.keys("events")
        with self.front.redis.pipeline(transaction=True) as pipe:
            for event in events:
                data = event if isinstance(event, bytes) else PLAIN.encode(event)
                pipe.xadd(key, {"d": data}, maxlen=limit, approximate=False)
            pipe.execute()

    def record(self, recorder: Recorder | None = None) -> int:
        """Until there are no more; how many were recorded."""
        total = 0
        while done := (recorder or self.recorder).turn():
            total += done
        return total

    def rows(self, table: Table) -> list[dict[str, Any]]:
        return rows_of(self.database, table, self.tenant)

    def count(self, table: Table) -> int:
        with self.database.read() as connection:
            query = select(func.count()).select_from(table).where(table.c.tenant == self.tenant)
            return connection.scalar(query) or 0


def rows_of(database: Database, table: Table, tenant: str) -> list[dict[str, Any]]:
    with database.read() as connection:
        query = select(table).where(table.c.tenant == tenant)
        return [dict(row) for row in connection.execute(query).mappings()]
