"""How a request reads and writes SQL: one short transaction at a time, and a problem where the database is down.

Nothing else is waited for inside a transaction: on SQLite a greenlet that gave way in the middle of a write would keep
every other writer of the process out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy import Connection

from routing.api.problems import Problem
from routing.api.services import services
from routing.core.errors import DomainError
from routing.store.errors import StoreRefused, StoreUnavailable

log = structlog.get_logger()

RETRY_AFTER_S = 2


@contextmanager
def reading() -> Iterator[Connection]:
    """A transaction that only reads, of this request.

    Raises Problem database-unavailable, database-refused, and one for what `routing.store.sql` refuses.
    """
    with _problems(), services().database.read() as connection:
        yield connection


@contextmanager
def writing() -> Iterator[Connection]:
    """A transaction of this request: committed at the end of the block, rolled back when it raises. Raises as above."""
    with _problems(), _turn(), services().database.begin() as connection:
        yield connection


@contextmanager
def _turn() -> Iterator[None]:
    """SQLite has one writer, and its wait for a lock blocks the whole process. So the writers of a process take turns
    here, where a greenlet gives way; PostgreSQL needs none of it.
    """
    made = services()
    if made.database.engine.dialect.name != "sqlite":
        yield
        return
    with made.sql_turn:
        yield


@contextmanager
def _problems() -> Iterator[None]:
    """What the database raises, as problems. The reason is for the log alone: it may tell of hosts and statements."""
    try:
        yield
    except StoreUnavailable as error:
        log.warning("database_unavailable", reason=error.fields["reason"])
        retry = {"Retry-After": str(RETRY_AFTER_S)}
        raise Problem("database-unavailable", "history, contacts and keys cannot be reached now", retry) from error
    except StoreRefused as error:
        log.error("database_refused", reason=error.fields["reason"])
        raise Problem("database-refused", "the database refused; the log of the server says why") from error
    except DomainError as error:
        raise Problem.of(error) from error
