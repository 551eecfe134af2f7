"""No figure is lost or counted twice when recorder, worker and ticker are killed: real processes, kill -9."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import func, select

from deploy.lab.postgres import PostgresServer
from deploy.lab.process import Child
from deploy.lab.redis import RedisServer
from routing.core.events import Event, EventType
from routing.core.intervals import SLOT_MS, slot_of
from routing.store.codec import PLAIN
from routing.store.front import Front, connect
from routing.store.keys import Keys
from routing.store.signs import Signs
from routing.store.sql import migrate
from routing.store.sql.database import Database
from routing.store.sql.history_tables import recorder_positions
from routing.store.sql.report_tables import report_marks, report_rows
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
TENANT = "reports"
NAMES = ("recorder", "worker", "ticker")
BATCHES, CALLS = 18, 80


@dataclass(slots=True)
class Machine:
    """The three processes, which can be killed and started again."""

    directory: Path
    redis: RedisServer
    database_url: str
    children: dict[str, Child] = field(default_factory=dict)

    def start(self, name: str) -> None:
        places = {"REDIS": self.redis.url, "TENANT": TENANT, "DATABASE": self.database_url}
        environment = {**os.environ, **{f"SWITCHROOM_{key}": value for key, value in places.items()}}
        environment["SWITCHROOM_CONFIG"] = str(self.directory)
        command = [sys.executable, "-m", "routing.cli.main", name]
        self.children[name] = Child(command, self.directory / f"{name}.log", ROOT, environment)

    def kill(self, name: str) -> None:
        """SIGKILL, and at once another one, as the supervisor would."""
        self.children[name].kill()
        self.start(name)

    def wait_for(self, name: str) -> None:
        """Until it is at work: it has given a sign of life, or has recorded what there is."""
        redis = connect(self.redis.url)
        if name == "recorder":
            wait_until(lambda: self._recorded() == redis.xlen(Keys(TENANT)("events")), 30)
        else:
            pid = str(self.children[name].pid)
            wait_until(lambda: any(pid in sign for sign in Signs(redis, TENANT).alive(name, 0)), 30)
        redis.close()

    def _recorded(self) -> int:
        database = Database.at(self.database_url)
        with database.read() as connection:
            found = connection.scalar(select(recorder_positions.c.recorded_events))
        database.close()
        return found or 0

    def stop(self) -> None:
        for child in self.children.values():
            child.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    (tmp_path / "switchroom.toml").write_text("")
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path}/reports.db"
        else:
            url = stack.enter_context(PostgresServer()).create_database("reports")
        migrate.upgrade(url)
        made = Machine(tmp_path, redis, url)
        stack.callback(made.stop)
        for name in NAMES:
            made.start(name)
        yield made


def call(number: int, at_ms: int) -> list[Event]:
    """Every third is given up; the others are answered after so many seconds as its number says."""
    aim = {"percent": 80, "within_s": 20, "short_abandon_s": 5}
    arrived: dict[str, object] = {"kind": "inbound", "entry_point": "door"}
    is_answered = number % 3 != 0
    ended: dict[str, object] = {"kind": "inbound", "result": "answered" if is_answered else "abandoned"}

    def event(type_: EventType, later_ms: int, values: dict[str, object]) -> Event:
        told_at_ms = at_ms + later_ms
        return Event(type=type_, at_ms=told_at_ms, interaction_id=f"int_{number}", queue="sales", values=values)

    later_ms = number % 40 * 1000
    return [
        event(EventType.INTERACTION_ARRIVED, 0, arrived),
        event(EventType.INTERACTION_QUEUED, 0, {"service_level": aim}),
        *([event(EventType.INTERACTION_CONNECTED, later_ms, {})] if is_answered else []),
        event(EventType.INTERACTION_ENDED, later_ms, ended),
    ]


@pytest.mark.req("ROUTE-13", "SAFE-01")
@pytest.mark.timeout(240)
def test_sums_are_right_whatever_is_killed(machine: Machine) -> None:
    front, database = Front(connect(machine.redis.url), TENANT), Database.at(machine.database_url)
    now_ms = time.time_ns() // 1_000_000
    times = [slot_of(now_ms) - (number % 30) * SLOT_MS - number for number in range(BATCHES * CALLS)]
    for batch in range(BATCHES):
        events = [e for n in range(batch * CALLS, (batch + 1) * CALLS) for e in call(n, times[n])]
        with front.redis.pipeline() as pipe:
            for event in events:
                pipe.xadd(front.keys("events"), {"d": PLAIN.encode(event)})
            pipe.execute()
        machine.kill(NAMES[batch % 3])
        machine.wait_for(NAMES[batch % 3])

    wanted = (
        len(times),
        sum(n % 3 != 0 for n in range(len(times))),
        sum(n % 3 == 0 for n in range(len(times))),
        sum(n % 3 != 0 and n % 40 <= 20 for n in range(len(times))),
        sum(n % 3 == 0 and n % 40 <= 5 for n in range(len(times))),
    )
    columns = (
        report_rows.c[name] for name in ("offered", "answered", "abandoned", "answered_within", "short_abandoned")
    )
    query = select(*(func.sum(column) for column in columns)).where(report_rows.c.subject == "queue")

    def is_done() -> bool:
        with database.read() as connection:
            marks = connection.scalar(select(func.count()).select_from(report_marks))
            return not marks and tuple(connection.execute(query).one()) == wanted

    wait_until(is_done, 150)
    with database.read() as connection:
        slots = connection.scalar(
            select(func.count(func.distinct(report_rows.c.slot_ms))).where(report_rows.c.subject == "queue")
        )
    assert slots == 31
    database.close()
    front.redis.close()
