"""`recorder`: the process that writes history."""

from __future__ import annotations

import signal
import threading

from routing.app import logging
from routing.app.cad_keys import lenient_codecs_of
from routing.app.clock import SystemClock
from routing.app.settings import ServerSettings
from routing.cli.db_commands import DatabaseOption, database_url
from routing.cli.session import Session, command


@command
def recorder_command(session: Session, database: DatabaseOption = None) -> None:
    """Write what happens into the SQL database, each event exactly once; upgrades the database first."""
    run_recorder(session.server, database_url(session.server, database))


def run_recorder(server: ServerSettings, url: str) -> None:
    """The recorder process: until SIGTERM."""
    from routing.store.counters import Counters
    from routing.store.front import Front, connect
    from routing.store.sql.database import Database, PoolSize
    from workers.campaign_records import CampaignRecords
    from workers.counting import Counting
    from workers.jobs import Jobs
    from workers.outbox import Outbox
    from workers.recorder import Recorder, prepare

    logging.configure(server.log_level.value)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    front = Front(connect(server.redis_url), server.tenant, codecs=lenient_codecs_of(server))
    database = Database.at(url, PoolSize(size=1, overflow=0))
    try:
        if prepare(url, stop):
            outbox = Outbox(Jobs(front.redis, server.tenant), SystemClock())
            counting = Counting(Counters(front.redis, server.tenant))
            hooks = (CampaignRecords(front.config, SystemClock()), outbox, counting)
            told = (outbox.committed, counting.committed)
            Recorder(front, database, SystemClock(), on_events=hooks, on_commit=told).run(stop)
    finally:
        database.close()
