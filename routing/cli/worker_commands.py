"""`worker`, `ticker`: the processes that do what need not be done at once."""

from __future__ import annotations

import os
import signal
import threading
from typing import Annotated

import typer

from routing.app import bootstrap, logging
from routing.app.cad_keys import lenient_codecs_of
from routing.app.clock import SystemClock
from routing.app.config import Settings, load_settings
from routing.cli.db_commands import DatabaseOption, database_url
from routing.cli.session import Session, command
from routing.core.errors import ConfigError

_PATIENCE_S = 8.0  # the supervisor's is 10

QueuesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[QUEUE]...", help="Queues to work for; default: all (webhooks).")
]


class UnknownQueue(ConfigError):
    code = "queue-of-jobs-unknown"
    template = "there is no queue of jobs {queue}; there are: {known}"


@command
def worker_command(session: Session, queues: QueuesArgument = None, database: DatabaseOption = None) -> None:
    """Run jobs: deliver webhooks. Several may run, on any machine; ends with SIGTERM, what is on its way first."""
    from workers.jobs import QUEUES

    chosen = queues or list(QUEUES)
    if unknown := [queue for queue in chosen if queue not in QUEUES]:
        raise UnknownQueue(queue=unknown[0], known=", ".join(QUEUES))
    run_worker(session, chosen, database_url(session.server, database))


@command
def ticker_command(session: Session, database: DatabaseOption = None) -> None:
    """Make jobs of what is due, and clear away what is too old. Several may run; one of them works."""
    run_ticker(session, database_url(session.server, database))


def _settings(session: Session) -> Settings:
    return load_settings(session.directory)


def run_worker(session: Session, queues: list[str], url: str) -> None:
    """The worker process: until SIGTERM."""
    from routing.store.counters import Counters
    from routing.store.front import connect
    from routing.store.signs import Signs
    from routing.store.sql.database import Database, PoolSize
    from workers import webhooks
    from workers.counting import count_delivery
    from workers.worker import Worker

    server = session.server
    logging.configure(server.log_level.value)
    name, clock = bootstrap.process_name("worker"), SystemClock()
    database = Database.at(url, PoolSize(size=4, overflow=webhooks.THREADS, wait_s=30))
    sealer = lenient_codecs_of(server).sealer
    redis = connect(server.redis_url)
    count = count_delivery(Counters(redis, server.tenant))
    sender = webhooks.Sender(server.tenant, database, clock, _settings(session).webhooks, sealer, name, count)
    webhooks.employ(sender.submit)
    signs = Signs(redis, server.tenant)
    Worker(name, connect(server.redis_url), signs, server.tenant, queues, clock).run()
    sender.stop(_PATIENCE_S)
    database.close()
    os._exit(0)  # a thread that still waits for an endpoint must not keep us; its delivery is sent again


def run_ticker(session: Session, url: str) -> None:
    """The ticker process: until SIGTERM."""
    from routing.store.front import connect
    from routing.store.sql.database import Database, PoolSize
    from routing.store.sql.deliveries import forget
    from workers.jobs import Jobs
    from workers.recorder import prepare
    from workers.retention import DAY_MS, retire
    from workers.ticker import Ticker

    server, settings = session.server, _settings(session)
    logging.configure(server.log_level.value)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    redis, database = connect(server.redis_url), Database.at(url, PoolSize(size=1, overflow=0))

    def forget_deliveries(now_ms: int) -> None:
        with database.begin() as connection:
            forget(connection, server.tenant, now_ms - settings.webhooks.keep_days * DAY_MS)

    def retire_old(now_ms: int) -> None:
        retire(database, server.tenant, server.retention, server.recordings_directory, now_ms)

    jobs = Jobs(redis, server.tenant)
    if prepare(url, stop):
        name = bootstrap.process_name("ticker")
        Ticker(name, redis, jobs, database, SystemClock(), (forget_deliveries, retire_old)).run(stop)
    database.close()
