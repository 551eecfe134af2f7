"""Recorder, Redis and database killed while events come in: afterwards every event is recorded, and none twice."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, Self, cast

import pytest
from redis.exceptions import RedisError

from deploy.lab.postgres import PostgresServer
from deploy.lab.process import Child
from deploy.lab.redis import RedisServer
from routing.core.events import Event, EventType
from routing.store.codec import PLAIN
from routing.store.errors import StoreUnavailable
from routing.store.front import connect
from routing.store.sql import history_tables as tables
from routing.store.sql import migrate
from routing.store.sql.database import Database
from routing.store.sql.webhook_tables import webhook_deliveries
from tests.integration.past import Past
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
SEED = 20
PER_SECOND = 2000


class Producer:
    """Appends notes, numbered from 0, until it is told to stop; a Redis that is down is tried again."""

    def __init__(self, url: str, key: str) -> None:
        self._redis, self._key = connect(url, timeout_s=1.0), key
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(10 / PER_SECOND):
            try:
                with self._redis.pipeline(transaction=True) as pipe:
                    for event in (note(n) for n in range(number, number + 10)):
                        pipe.xadd(self._key, {"d": PLAIN.encode(event)})
                    pipe.execute()
            except (RedisError, OSError):
                continue  # whether they were appended is not known: the same notes again
            number += 10

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()


def note(number: int) -> Event:
    values: dict[str, object] = {"note_id": f"note_{number}", "text": str(number), "author": "anna"}
    return Event(type=EventType.NOTE_ADDED, at_ms=number, interaction_id=f"int_{number % 7}", values=values)


@contextmanager
def recorder(past: Past, redis: RedisServer, database_url: str, log: Path) -> Iterator[Child]:
    command = [sys.executable, "-m", "tests.integration.recorder_process", redis.url, past.tenant, database_url]
    child = Child(command, log, ROOT)
    try:
        yield child
    finally:
        child.stop()


def recorded(past: Past) -> int:
    """As far as the database can be asked now."""
    try:
        return sum(row["recorded_events"] for row in past.rows(tables.recorder_positions))
    except StoreUnavailable:
        return -1


def told(past: Past) -> dict[str, str]:
    """All events of the stream: position -> id of the note."""
    entries = cast("list[Any]", past.front.redis.xrange(past.front.keys("events")))
    events = [(at.decode(), PLAIN.events.decode(data[b"d"])) for at, data in entries]
    return {at: str(event.values["note_id"]) for at, event in events}


def check(past: Past) -> None:
    """The rows are the events, exactly."""
    events = told(past)
    wait_until(lambda: recorded(past) >= len(events), within=40)
    (place,) = past.rows(tables.recorder_positions)
    assert place["recorded_events"] == len(events)
    assert place["position"] == list(events)[-1]
    assert place["lost_events"] == 0
    assert {row["id"] for row in past.rows(tables.notes)} == set(events.values())
    assert sorted(row["id"] for row in past.rows(webhook_deliveries)) == sorted(events)
    assert past.count(tables.unread_events) == 0


@pytest.mark.req("SAFE-01")
@pytest.mark.timeout(180)
def test_a_recorder_killed_again_and_again_records_every_event_once(
    redis_server: RedisServer, database: Database, database_url: str, tenant: Callable[[], str], tmp_path: Path
) -> None:
    past, random = Past(redis_server, database, tenant()), Random(SEED)
    with Producer(redis_server.url, past.front.keys("events")):
        for _ in range(12):
            with recorder(past, redis_server, database_url, tmp_path / "log") as child:
                goal = recorded(past) + random.randrange(1, 1500)
                wait_until(lambda goal=goal: recorded(past) >= goal, within=20)  # type: ignore[misc]
                child.kill()
    with recorder(past, redis_server, database_url, tmp_path / "log"):
        check(past)


@pytest.mark.timeout(180)
def test_two_recorders_by_mistake_record_every_event_once(
    redis_server: RedisServer, database: Database, database_url: str, tenant: Callable[[], str], tmp_path: Path
) -> None:
    past = Past(redis_server, database, tenant())
    with (
        recorder(past, redis_server, database_url, tmp_path / "one"),
        recorder(past, redis_server, database_url, tmp_path / "other"),
    ):
        with Producer(redis_server.url, past.front.keys("events")):
            wait_until(lambda: recorded(past) > 8000, within=60)
        check(past)


@pytest.mark.req("SAFE-01")
@pytest.mark.timeout(180)
def test_a_database_killed_again_and_again_holds_every_event_once(redis_server: RedisServer, tmp_path: Path) -> None:
    random = Random(SEED)
    with PostgresServer() as postgres:
        url = postgres.create_database("history")
        migrate.upgrade(url)
        past = Past(redis_server, Database.at(url), "database-killed")
        with recorder(past, redis_server, url, tmp_path / "log"):
            with Producer(redis_server.url, past.front.keys("events")):
                for _ in range(5):
                    goal = max(0, recorded(past)) + random.randrange(1, 1500)
                    wait_until(lambda goal=goal: recorded(past) >= goal, within=30)  # type: ignore[misc]
                    postgres.kill()
                    postgres.start()
            check(past)
        past.database.close()


@pytest.mark.req("SAFE-01")
@pytest.mark.timeout(180)
def test_a_redis_killed_again_and_again_loses_nothing_that_it_still_has(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    random = Random(SEED)
    with RedisServer(appendfsync="always") as redis:
        past = Past(redis, database, "redis-killed")
        with recorder(past, redis, database_url, tmp_path / "log"):
            with Producer(redis.url, past.front.keys("events")):
                for _ in range(4):
                    goal = recorded(past) + random.randrange(1, 1500)
                    wait_until(lambda goal=goal: recorded(past) >= goal, within=30)  # type: ignore[misc]
                    redis.kill()
                    redis.start()
            check(past)
