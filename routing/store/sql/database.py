"""Connections to SQLite or PostgreSQL, and transactions over them. The driver's exceptions end here."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from routing.core.errors import StoreError
from routing.store.errors import DatabaseRefused, DatabaseUnavailable

BUSY_TIMEOUT_MS = 10_000
CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 30_000
_WAL_ATTEMPTS = 40
_WRITES = "switchroom_writes"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSize:
    """Connections of one process: `size` stay open, `overflow` more under load; waiting for one ends after `wait_s`."""

    size: int = 5
    overflow: int = 10
    wait_s: float = 5.0


def engine_for(url: str, pool: PoolSize | None = None, statement_timeout_ms: int = STATEMENT_TIMEOUT_MS) -> Engine:
    """An engine for `sqlite:///FILE` or `postgresql://...`; connects on first use, to be made after a fork.

    SQLite runs in WAL mode, with foreign keys, and waits for another writer for 10 s. PostgreSQL goes through
    psycopg, which gives way under gevent. `statement_timeout_ms` 0: no limit. Raises DatabaseUnavailable for an address
    that makes no sense.
    """
    chosen = pool or PoolSize()
    try:
        parsed = make_url(url)
        options = {"pool_size": chosen.size, "max_overflow": chosen.overflow, "pool_timeout": chosen.wait_s}
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed, options)
        if parsed.get_backend_name() != "postgresql":
            raise DatabaseUnavailable(reason=f"{parsed.get_backend_name()} is neither sqlite nor postgresql")
        return _postgresql(parsed, options, statement_timeout_ms)
    except (ArgumentError, ValueError) as error:
        raise DatabaseUnavailable(reason=f"the address of the database makes no sense: {error}") from error


def _sqlite(url: URL, options: dict[str, Any]) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000}, **options)

    @event.listens_for(engine, "do_connect")
    def make_private(*_ignored: object) -> None:
        _make_private(url.database)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself: `begin` below does
        _use_wal(connection)
        for pragma in ("foreign_keys=ON", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes its lock at once: two that read first and then write could not both go on.
        is_writer = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")

    return engine


def _make_private(file: str | None) -> None:
    """A new file is its owner's alone: it holds numbers and names. SQLite gives `-wal` and `-shm` the same rights."""
    if not file or file == ":memory:" or file.startswith("file:"):
        return
    with suppress(OSError):  # it is there already; or what is wrong is told by the connection
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _use_wal(connection: Any) -> None:
    """The switch, once in the life of a file, does not wait for another one who is just at it: it is tried again."""
    for is_last in (*(False,) * (_WAL_ATTEMPTS - 1), True):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if is_last:
                raise
            time.sleep(0.05)
        else:
            return


def _postgresql(url: URL, options: dict[str, Any], statement_timeout_ms: int) -> Engine:
    connect_args: dict[str, Any] = {
        "connect_timeout": CONNECT_TIMEOUT_S,
        # A server that is gone without a word is noticed within half a minute.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
        "options": f"-c statement_timeout={statement_timeout_ms}",
    }
    driver = url.set(drivername="postgresql+psycopg")
    return create_engine(driver, connect_args=connect_args, pool_pre_ping=True, pool_recycle=1800, **options)


@dataclass(frozen=True, slots=True)
class Database:
    """Short transactions over one engine; safe to share between threads and greenlets of one process."""

    engine: Engine

    @classmethod
    def at(cls, url: str, pool: PoolSize | None = None) -> Database:
        """As `engine_for`."""
        return cls(engine_for(url, pool))

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction that writes: committed at the end of the block, rolled back when it raises.

        Raises DatabaseUnavailable (it may even be committed), DatabaseRefused.
        """
        with translation(), self.engine.connect() as connection:
            connection.execution_options(**{_WRITES: True})
            with connection.begin():
                yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads. Raises as `begin`."""
        with translation(), self.engine.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()


@contextmanager
def translation() -> Iterator[None]:
    """What the driver raises, in our terms."""
    try:
        yield
    except SQLAlchemyError as error:
        raise translated(error) from error


def translated(error: SQLAlchemyError) -> StoreError:
    """DatabaseUnavailable: no connection, or a lock that was not given; DatabaseRefused: everything else."""
    is_gone = isinstance(error, OperationalError | InterfaceError | PoolTimeout)
    origin = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(error, DBAPIError):
        is_gone |= error.connection_invalidated
        is_gone &= getattr(origin, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR  # e.g. there is no such table
    reason = str(origin or error)
    # The first line: the rest repeats statement and values.
    reason = reason.strip().partition("\n")[0][:300]
    return DatabaseUnavailable(reason=reason) if is_gone else DatabaseRefused(reason=reason)
