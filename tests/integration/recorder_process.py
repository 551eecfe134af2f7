"""A recorder with an outbox, as a process of its own.

python -m tests.integration.recorder_process REDIS_URL TENANT DATABASE_URL
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Sequence

from sqlalchemy import Connection

from routing.app.clock import SystemClock
from routing.app.logging import configure
from routing.store.front import Front, connect
from routing.store.port import StoredEvent
from routing.store.sql.database import Database
from routing.store.sql.webhook_tables import webhook_deliveries
from workers.recorder import Recorder, RecorderSettings


def outbox(connection: Connection, tenant: str, events: Sequence[StoredEvent]) -> None:
    """A delivery per event; one that is there already fails the transaction."""
    rows = [{"tenant": tenant, "id": stored.position, "body": ""} for stored in events]
    connection.execute(webhook_deliveries.insert(), rows)


def main(redis_url: str, tenant: str, database_url: str) -> None:
    configure("info")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    front = Front(connect(redis_url), tenant)
    Recorder(front, Database.at(database_url), SystemClock(), RecorderSettings(batch=50, wait_ms=50), [outbox]).run(
        stop
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
