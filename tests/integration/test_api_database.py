"""A request's database: gone, back, and shared by the greenlets of one process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.lab.postgres import PostgresServer
from deploy.lab.redis import RedisServer
from routing.store.sql import migrate
from routing.store.sql.database import Database
from tests.integration.history_site import center

PATHS = ("history", "contacts", "address-book", "audit", "recordings?interaction_id=int_1")


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


def test_without_the_database_requests_say_so_and_calls_go_on(
    own_postgres: PostgresServer, redis_server: RedisServer, tenant: Callable[[], str], tmp_path: Path
) -> None:
    url = own_postgres.create_database("down")
    migrate.upgrade(url)
    database = Database.at(url)
    try:
        with center(redis_server, database, tenant(), tmp_path) as site:
            assert all(site.get(path).status_code in (200, 404) for path in PATHS)
            own_postgres.kill()
            for path in PATHS:
                answer = site.get(path)
                assert (answer.status_code, answer.json["code"]) == (503, "database-unavailable"), path  # type: ignore[index]
                assert int(answer.headers["Retry-After"]) >= 1
                assert str(own_postgres.port) not in answer.text, "where it is, is nobody's business"
            refused = site.send("POST", "contacts", body={"name": "x"}, Idempotency_Key="again")
            assert refused.status_code == 503
            assert site.call(), "a call is routed all the same"
            own_postgres.start()
            made = site.send("POST", "contacts", body={"name": "x"}, Idempotency_Key="again")
            assert made.status_code == 201, "a failure of the server is not kept under the key"
            assert site.get("history").status_code == 200
    finally:
        database.close()


def in_greenlets(url: str) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.integration.gevent_database", url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_greenlets_share_a_process_without_holding_each_other_up(database_url: str) -> None:
    """PostgreSQL: ten reads of 0.3 s run side by side. SQLite: ten writers that give way take turns."""
    found = in_greenlets(database_url)
    assert found["finished"] == 10
    assert found["seconds"] < 2.5, "one after the other, or stuck on a lock, it would be longer"
    assert found["turns"] > 10, "somebody else had his turn meanwhile"
