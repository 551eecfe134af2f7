"""No webhook is lost when recorder, worker and Redis die under load: real processes, real receiver."""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy.lab.process import Child
from deploy.lab.redis import RedisServer
from routing.core.errors import StoreError
from routing.store.front import Front, connect
from routing.store.signs import Signs
from routing.store.sql import migrate
from routing.store.sql.database import Database
from routing.store.sql.deliveries import counts
from routing.store.sql.webhooks import create_endpoint
from tests.integration.event_stream import emit
from tests.integration.outbox_site import endpoint_row
from tests.integration.receiver import Receiver, Reply
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
TENANT = "faults"
FILES = """
[webhooks]
allow_private = ["127.0.0.0/8"]
allow_http = true
timeout_s = 2.0
schedule_s = [0, 0.2, 0.2, 0.2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
"""


@dataclass(slots=True)
class Machine:
    """The three processes of an outbox, which can be killed and started again."""

    directory: Path
    redis: RedisServer
    children: dict[str, Child] = field(default_factory=dict)

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.directory}/faults.db"

    def start(self, *names: str) -> None:
        for name in names:
            environment = {
                **os.environ,
                "SWITCHROOM_REDIS": self.redis.url,
                "SWITCHROOM_TENANT": TENANT,
                "SWITCHROOM_CONFIG": str(self.directory / "conf"),
                "SWITCHROOM_DATABASE": self.database_url,
            }
            command = [sys.executable, "-m", "routing.cli.main", name]
            self.children[name] = Child(command, self.directory / f"{name}.log", ROOT, environment)

    def kill(self, name: str) -> None:
        """SIGKILL, and at once another one, as the supervisor would."""
        if name == "redis":
            self.redis.kill()
            self.redis.start()
            return
        self.children[name].kill()
        self.start(name)

    def stop(self) -> None:
        for child in self.children.values():
            child.stop()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "switchroom.toml").write_text(FILES)
    with RedisServer(appendfsync="always") as redis, ExitStack() as stack:
        made = Machine(tmp_path, redis)
        stack.callback(made.stop)
        migrate.upgrade(made.database_url)
        made.start("recorder", "worker", "ticker")
        yield made


@pytest.mark.req("API-06", "SAFE-01")
@pytest.mark.timeout(180)
def test_each_event_is_delivered_at_least_once_with_the_same_id_whatever_is_killed(machine: Machine) -> None:
    database, front = Database.at(machine.database_url), Front(connect(machine.redis.url), TENANT)
    turns = itertools.count()
    with Receiver() as receiver:
        receiver.answer = lambda _got: Reply(500 if next(turns) % 7 == 3 else 204)
        with database.begin() as connection:
            create_endpoint(connection, TENANT, endpoint_row(receiver.url()))
        written: list[str] = []
        stop = threading.Event()

        def write() -> None:
            while not stop.wait(0.01):
                with suppress(Exception):  # what Redis did not confirm is not counted
                    written.append(emit(front))

        writer = threading.Thread(target=write)
        writer.start()
        for victims in (["worker"], ["recorder"], ["redis"], ["ticker"], ["worker", "recorder"]):
            enough = len(set(receiver.ids())) + 20
            wait_until(lambda least=enough: len(set(receiver.ids())) > least, 40)  # type: ignore[misc]
            for victim in victims:
                machine.kill(victim)
        stop.set()
        writer.join()

        def is_done() -> bool:
            with database.read() as connection:
                return counts(connection, TENANT, 0)[0] == 0 and len(set(receiver.ids())) >= len(written)

        # What a killed worker held is sent again when its lease of some 47 s is over.
        wait_until(is_done, 100)
        by_event = Counter(got.body.split(b'"id":"')[1].split(b'"')[0].decode() for got in receiver.got)
        ids = {(got.id, got.body) for got in receiver.got}
    assert set(written) <= set(by_event)
    assert len(ids) == len(by_event), "one webhook-id and one body per event, on every attempt"
    database.close()
    front.redis.close()


@pytest.mark.req("OPS-01")
def test_worker_and_ticker_give_signs_of_life_and_end_in_good_order(machine: Machine) -> None:
    redis = connect(machine.redis.url)
    signs = Signs(redis, TENANT)

    def alive() -> tuple[int, int]:
        with suppress(StoreError):
            now_ms = int(redis.time()[0]) * 1000
            return len(signs.alive("worker", now_ms)), len(signs.alive("ticker", now_ms))
        return (-1, -1)

    wait_until(lambda: alive() == (1, 1), 20)
    for name in ("worker", "ticker"):
        os.kill(machine.children[name].pid, signal.SIGTERM)
    wait_until(lambda: not any(machine.children[name].is_running for name in ("worker", "ticker")), 15)
    assert alive() == (0, 0)
    redis.close()


def test_whatever_the_worker_has_to_say_is_a_line_of_json(machine: Machine) -> None:
    log = machine.directory / "worker.log"
    redis = connect(machine.redis.url)
    # It waits for jobs: before that, RQ gives up at once where it cannot reach Redis.
    wait_until(lambda: b"idle" in [redis.hget(name, "state") for name in redis.smembers("rq:workers")], 20)
    redis.close()
    machine.redis.kill()
    wait_until(lambda: '"event": "rq_said"' in log.read_text(), 30)
    machine.redis.start()
    machine.stop()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert all(line["event"] and line["level"] for line in lines)
