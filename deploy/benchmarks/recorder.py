"""The recorder into a private PostgreSQL with its durable defaults: events of whole calls, from a real Redis.

The recorder is a process of its own and starts when every event is in the stream. A call here is 16 events: arrived
with call data, queued, offered and answered by an agent, bridged, held and resumed, recorded, ended, wrapped up.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import psycopg
from sqlalchemy import Connection

from deploy.benchmarks.report import Figure, percentile, run
from deploy.lab.postgres import PostgresServer
from deploy.lab.process import Child
from deploy.lab.redis import RedisServer
from routing.core.config import Numbers
from routing.core.events import Event, EventType
from routing.store.codec import PLAIN
from routing.store.front import Front, connect
from routing.store.sql import migrate
from routing.store.sql.database import Database
from routing.store.sql.history import View, agent_history, customer_history
from routing.store.sql.interaction_history import interaction_history

ROOT = Path(__file__).parents[2]
TENANT = "bench"
START_MS = 1_800_000_000_000
PIECE = 5000
QUERIES = 300


def call(number: int) -> Iterator[Event]:
    """The events of one call; every value is one that the core tells, with its usual length."""
    at_ms = START_MS + number * 10
    call_id, leg, customer = f"int_{number:026}", f"leg_{number:026}", f"leg_c{number:025}"
    agent, offer = f"agent{number % 500}", {"offer_id": f"off_{number:026}", "leg_id": leg, "purpose": "call"}
    card = offer | {"label": "incoming call", "ani": "+12015550100", "dnis": "7000", "queue_label": "Sales"}
    arrived = {"kind": "inbound", "pbx": "pbx1", "leg_id": customer, "ani": f"+1201555{number % 10_000:04}"}
    arrived |= {"ani_name": "", "dnis": "7000", "entry_point": "sales"}
    clocks = {"kind": "inbound", "leg_id": customer, "result": "answered", "ended_by": "customer"}
    clocks |= {"waited_ms": 4000, "talked_ms": 60_000, "held_ms": 5000}  # type: ignore[dict-item]
    party = {"leg_id": leg, "role": "owner", "number": ""}
    file = {"file": f"{call_id}-{leg}", "state": "recording", "how": "automatic", "by": "server"}
    told: list[tuple[EventType, str, dict[str, object]]] = [
        (EventType.INTERACTION_ARRIVED, "", {**arrived, "cad": {"case": str(number), "tier": "gold"}}),
        (EventType.INTERACTION_QUEUED, "", {"priority": 5, "requires": {}}),
        (EventType.OFFER_RESERVED, agent, {**card}),
        (EventType.OFFER_RINGING, agent, {**card}),
        (EventType.OFFER_ENDED, agent, {**offer, "end": "answered", "rang_ms": 3000}),
        (EventType.INTERACTION_CONNECTED, agent, {"ani": "+12015550100", "dnis": "7000"}),
        (EventType.PARTY_JOINED, agent, {**party}),
        (EventType.RECORDING_STARTED, agent, {**file}),
        (EventType.INTERACTION_BRIDGED, agent, {"rooms_version": 1, "state": "connected"}),
        (EventType.HOLD_STARTED, "", {"held_at_ms": at_ms + 10_000}),
        (EventType.HOLD_ENDED, "", {"held_at_ms": at_ms + 10_000, "held_ms": 5000}),
        (EventType.RECORDING_STOPPED, agent, {**file}),
        (EventType.PARTY_LEFT, agent, {**party, "joined_at_ms": at_ms + 4000}),
        (EventType.WRAP_UP_STARTED, agent, {"leg_id": leg, "deadline_ms": at_ms + 90_000}),
        (EventType.INTERACTION_ENDED, "", {**clocks}),
        (EventType.WRAP_UP_ENDED, agent, {"leg_id": leg, "reason": "done", "by": "agent"}),
    ]
    for step, (type_, agent_id, values) in enumerate(told):
        yield Event(
            type=type_,
            at_ms=at_ms + step * 1000,
            interaction_id=call_id,
            agent_id=agent_id,
            queue="sales",
            values=values,
        )


def fill(front: Front, count: int) -> None:
    """Put so many events into the stream."""
    numbers = range(count // 16 + 1)
    events = islice((event for number in numbers for event in call(number)), count)
    while piece := list(islice(events, PIECE)):
        with front.redis.pipeline(transaction=False) as pipe:
            for event in piece:
                pipe.xadd(front.keys("events"), {"d": PLAIN.encode(event)})
            pipe.execute()


def recorded(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT recorded_events FROM recorder_positions").fetchone()
    return int(row[0]) if row else 0


def peak_bytes(pid: int) -> int:
    """Most resident memory of the process so far."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM:"))) * 1024


def measure(arguments: argparse.Namespace) -> list[Figure]:
    with RedisServer() as redis, PostgresServer({"shared_buffers": "128MB"}) as postgres:
        url = postgres.create_database("history")
        migrate.upgrade(url)
        front = Front(connect(redis.url), TENANT)
        fill(front, arguments.events)
        command = [sys.executable, "-m", "routing.cli.main", "recorder", "--redis", redis.url, "--tenant", TENANT]
        recorder = Child([*command, "--database", url], redis.directory / "recorder.log", ROOT)
        try:
            recorder.wait_until(lambda: recorded(url) > 0, 60)
            first, started_s = recorded(url), time.monotonic()
            recorder.wait_until(lambda: recorded(url) >= arguments.events, 7200)
            took_s = time.monotonic() - started_s
            peak = peak_bytes(recorder.pid)
        finally:
            recorder.stop()
        return [
            Figure(
                what="events recorded into PostgreSQL",
                value=(arguments.events - first) / took_s,
                unit="1/s",
                aim=">= 2000",
                samples=arguments.events,
            ),
            Figure(what="peak memory of the recorder", value=peak / 2**20, unit="MiB", samples=arguments.events),
            *_sizes(url, arguments.events),
            *_queries(url),
        ]


def _queries(url: str) -> list[Figure]:
    """What agents and CRM systems ask for most, each for another agent or customer every time."""
    database, rules = Database.at(url), Numbers(country="1")
    asked: dict[str, Callable[[Connection, int], object]] = {
        "first page of an agent's history": lambda connection, n: agent_history(
            connection, TENANT, f"agent{n}", View.CALLS
        ),
        "first page of a customer's history": lambda connection, n: customer_history(
            connection, TENANT, f"+1201555{n:04}", rules
        ),
        "everything of one call": lambda connection, n: interaction_history(connection, TENANT, f"int_{n:026}"),
    }
    figures = []
    for what, ask in asked.items():
        took_ms = []
        for number in range(QUERIES):
            started_s = time.perf_counter()
            with database.read() as connection:
                ask(connection, number)
            took_ms.append((time.perf_counter() - started_s) * 1000)
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            value = percentile(took_ms, share)
            figures.append(Figure(what=f"{what}, {name}", value=value, unit="ms", samples=QUERIES))
    database.close()
    return figures


def _sizes(url: str, events: int) -> list[Figure]:
    """Proof that all is there, and what it costs on the disk."""
    with psycopg.connect(url) as connection:
        calls = connection.execute("SELECT count(*) FROM interactions WHERE result IS NOT NULL").fetchone()
        unread = connection.execute("SELECT count(*) FROM unread_events").fetchone()
        size = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    if unread != (0,) or calls is None or size is None or abs(calls[0] - events // 16) > 1:
        raise RuntimeError(f"calls recorded: {calls}, unread: {unread}")
    return [
        Figure(what="calls recorded", value=calls[0], unit="calls"),
        Figure(what="database per call", value=size[0] / max(1, calls[0]), unit="bytes", samples=calls[0]),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="deploy/bench recorder")
    parser.add_argument("--events", type=int, default=1_000_000)
    run("recorder", measure, parser)
