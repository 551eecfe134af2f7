"""Databases for tests over SQL: a file of SQLite, and a private PostgreSQL that is started once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from deploy.lab.postgres import PostgresServer
from deploy.lab.redis import RedisServer
from routing.store.sql import migrate
from routing.store.sql.database import Database
from tests.integration.databases import sqlite_with_tables

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """For everybody; tests that break one start their own. It need not outlive a failure of the machine."""
    with PostgresServer({"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_tables(postgres: PostgresServer) -> str:
    """The name of a database with this version's tables, to be copied."""
    migrate.upgrade(postgres.create_database("tables"))
    return "tables"


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """For everybody; each test has a tenant of its own."""
    with RedisServer() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, on each kind of server in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/history.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create_database(f"test{next(_numbers)}")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """With this version's tables, on each kind of server in turn."""
    if request.param == "sqlite":
        return sqlite_with_tables(tmp_path / "history.db")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create_database(f"test{next(_numbers)}", request.getfixturevalue("postgres_tables"))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database.at(database_url)
    yield opened
    opened.close()


@pytest.fixture
def tenant() -> Callable[[], str]:
    """A name that no other test has."""
    return lambda: f"tenant{next(_numbers)}"
