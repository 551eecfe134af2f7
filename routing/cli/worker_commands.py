"""`worker`, `ticker`, `lookups`: the processes beside the engine that do what it must not wait for."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from typing import Annotated

import typer

from routing.app import bootstrap, logging
from routing.app.cad_keys import lenient_codecs_of
from routing.app.clock import SystemClock
from routing.app.config import Settings, load_settings
from routing.app.supervisor import stop_on_signals
from routing.cli.db_commands import DatabaseOption, database_url
from routing.cli.session import Session, command
from routing.core.errors import ConfigError

_PATIENCE_S = 8.0  # the supervisor's is 10

QueuesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[QUEUE]...",
        help="Queues to work for; default: all (pacing, hoppers, webhooks, reports, imports).",
    ),
]


class UnknownQueue(ConfigError):
    code = "queue-of-jobs-unknown"
    template = "there is no queue of jobs {queue}; there are: {known}"


@command
def worker_command(session: Session, queues: QueuesArgument = None, database: DatabaseOption = None) -> None:
    """Run jobs: pace campaigns, fill their hoppers, deliver webhooks, compute reports, import lists.

    Several may run, on any machine.
    Ends with SIGTERM, what is on its way to a CRM first.
    """
    from workers.jobs import QUEUES

    chosen = queues or list(QUEUES)
    if unknown := [queue for queue in chosen if queue not in QUEUES]:
        raise UnknownQueue(queue=unknown[0], known=", ".join(QUEUES))
    run_worker(session, chosen, database_url(session.server, database))


@command
def ticker_command(session: Session, database: DatabaseOption = None) -> None:
    """Make jobs of what is due, and clear away what is too old. Several may run; one of them works."""
    run_ticker(session, database_url(session.server, database))


@command
def lookups_command(session: Session, database: DatabaseOption = None) -> None:
    """Ask the outside for flows and callbacks: CRM systems, the do-not-call list, the history. Several may run."""
    run_lookups(session, database_url(session.server, database))


def _settings(session: Session) -> Settings:
    return load_settings(session.directory)


def run_worker(session: Session, queues: list[str], url: str) -> None:
    """The worker process: until SIGTERM."""
    from routing.store.counters import Counters
    from routing.store.front import Front, connect
    from routing.store.handover import Handover
    from routing.store.signs import Signs
    from routing.store.sql.database import Database, PoolSize
    from workers import campaigns, imports, pacing, reports, webhooks
    from workers.counting import count_delivery, count_rows
    from workers.hopper_marks import Marks
    from workers.worker import Worker

    server = session.server
    logging.configure(server.log_level.value)
    name, clock = bootstrap.process_name("worker"), SystemClock()
    database = Database.at(url, PoolSize(size=4, overflow=webhooks.THREADS, wait_s=30))
    codecs, settings = lenient_codecs_of(server), _settings(session)
    redis = connect(server.redis_url)
    counters = Counters(redis, server.tenant)
    count = count_delivery(counters)
    sender = webhooks.Sender(server.tenant, database, clock, settings.webhooks, codecs.sealer, name, count)
    webhooks.employ(sender.submit)
    computer = reports.Computer(server.tenant, database, clock)
    reports.employ(computer.submit)
    front = Front(redis, server.tenant, codecs=codecs)
    pacing.employ(pacing.Pacer(front, redis, clock).pace)
    filler, marks = campaigns.Filler(Handover(front), database, clock), Marks(front, database, clock)
    hoppers = campaigns.Hoppers(filler, (marks.look,))
    campaigns.employ(hoppers.submit)
    if "hoppers" in queues:
        hoppers.submit(campaigns.SWEEP)  # what a worker before us has left behind
    chosen = imports.ImporterSettings(lists=settings.lists, on_portion=count_rows(counters))
    importer = imports.Importer(server.tenant, database, clock, front.config, chosen)
    imports.employ(importer.submit)
    if "imports" in queues:
        importer.submit()  # what waits already, or was left behind
    signs = Signs(redis, server.tenant)
    Worker(name, connect(server.redis_url), signs, server.tenant, queues, clock).run()
    hoppers.stop()
    computer.stop()
    importer.stop()
    sender.stop(_PATIENCE_S)
    importer.wait(_PATIENCE_S)
    database.close()
    os._exit(0)  # a thread that still waits for an endpoint must not keep us; its delivery is sent again


def run_ticker(session: Session, url: str) -> None:
    """The ticker process: until SIGTERM."""
    from routing.store.front import Front, connect
    from routing.store.sql.database import Database, PoolSize
    from routing.store.sql.deliveries import forget
    from workers.hopper_ticks import HopperTicks
    from workers.imports import clear_away
    from workers.jobs import Jobs
    from workers.pacing_ticks import PacingTicks
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

    def clear_imports(now_ms: int) -> None:
        clear_away(database, server.tenant, settings.lists, now_ms)

    jobs = Jobs(redis, server.tenant)
    if prepare(url, stop):
        name = bootstrap.process_name("ticker")
        front = Front(redis, server.tenant, codecs=lenient_codecs_of(server))
        hourly, each_tick = (
            (forget_deliveries, retire_old, clear_imports),
            (PacingTicks(front, jobs), HopperTicks(front, jobs)),
        )
        Ticker(name, redis, jobs, database, SystemClock(), hourly, each_tick=each_tick).run(stop)
    database.close()


def run_lookups(session: Session, url: str) -> None:
    """The process of look-ups: until SIGTERM."""
    from routing.core.commands import LookUpKind
    from routing.store.front import Front, connect
    from routing.store.signs import Signs
    from routing.store.sql.database import Database, PoolSize
    from workers.lookup_http import HttpAsker
    from workers.lookup_records import RecordsAsker
    from workers.lookups import Asker, Lookups

    server = session.server
    logging.configure(server.log_level.value)

    async def main() -> None:
        stop = asyncio.Event()
        stop_on_signals(stop)
        store, http, redis = bootstrap.open_store(server), HttpAsker(), connect(server.redis_url)
        database = Database.at(url, PoolSize(size=4, overflow=4, wait_s=2))
        front = Front(redis, server.tenant, codecs=lenient_codecs_of(server))
        records = RecordsAsker(database, server.tenant, lambda: front.config().numbers)
        askers: dict[LookUpKind, Asker] = dict.fromkeys((LookUpKind.LAST_AGENT, LookUpKind.DO_NOT_CALL), records)
        askers[LookUpKind.HTTP] = http
        name, signs = bootstrap.process_name("lookups"), Signs(redis, server.tenant)
        try:
            await Lookups(name, store, askers, SystemClock(), signs).run(stop)
        finally:
            await http.close()
            await store.close()
            database.close()

    asyncio.run(main())
