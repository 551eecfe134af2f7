"""Workers killed while they fill a hopper: every record comes to the engine, each exactly once. Real processes."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import Any, cast
from uuid import uuid4

import pytest

from deploy.lab.process import Child
from deploy.lab.redis import RedisServer
from routing.app.clock import SystemClock
from routing.core.campaign import CampaignTrigger
from routing.core.orders import AddRecords, ApplyConfig, ControlCampaign, Order, WithdrawRecords
from routing.engine.core import RoutingCore
from routing.engine.loop import Engine, EngineSettings
from routing.store.codec import PLAIN
from routing.store.front import Front, connect
from routing.store.redis_store import RedisStore
from routing.store.sql.database import Database
from tests.integration.campaign_lists import CampaignList, config
from tests.waiting import wait_until
from workers.campaign_records import CampaignRecords
from workers.recorder import Recorder, RecorderSettings

ROOT = Path(__file__).parents[2]
SEED, RECORDS, KILLS = 7, 600, 16


@contextmanager
def engine(url: str, tenant: str) -> Iterator[None]:
    """With the real core, in a thread."""
    begun: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    ready = threading.Event()

    async def main() -> None:
        stop = asyncio.Event()
        begun.append((asyncio.get_running_loop(), stop))
        ready.set()
        settings = EngineSettings(tenant=tenant, owner="e1")
        await Engine(lambda: RedisStore(url, tenant), RoutingCore(), SystemClock(), settings).run(stop)

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert ready.wait(5.0)
    loop, stop = begun[0]
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10.0)


@contextmanager
def recorder(front: Front, database: Database) -> Iterator[None]:
    stop, clock = threading.Event(), SystemClock()
    hooks = [CampaignRecords(front.config, clock)]
    working = Recorder(front, database, clock, RecorderSettings(wait_ms=20), hooks)
    thread = threading.Thread(target=working.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10.0)


def filler(redis: RedisServer, tenant: str, database_url: str, log: Path) -> Child:
    command = [sys.executable, "-m", "tests.integration.filler_process", redis.url, tenant, database_url]
    return Child(command, log, ROOT)


def ask(front: Front, kind: type[Order], **fields: Any) -> None:
    order: Any = kind(order_id=uuid4().hex, actor="test", **fields)
    reply = front.ask(order)
    assert reply is not None
    assert reply.code == "ok", reply


def sent(front: Front) -> list[tuple[str, int]]:
    """Every record, with its claim, that the engine was ever handed, from its journal."""
    entries = cast("list[Any]", front.redis.xrange(front.keys("journal")))
    found: list[tuple[str, int]] = []
    for _at, fields in entries:
        for data in fields.values():
            entry = PLAIN.read_journaled(0, data)
            if isinstance(entry.item, AddRecords):
                found += [(card.id, card.claim) for card in entry.item.records]
    return found


def stop_all(workers: list[Child]) -> None:
    for worker in workers:
        worker.stop()


@pytest.mark.req("SAFE-01", "PROG-06")
@pytest.mark.timeout(240)
def test_workers_killed_again_and_again_hand_out_every_record_exactly_once(
    redis_server: RedisServer, database: Database, database_url: str, tenant: Callable[[], str], tmp_path: Path
) -> None:
    name, random = tenant(), Random(SEED)
    front, listed = Front(connect(redis_server.url), name), CampaignList(database, name)
    added = listed.add(RECORDS)
    with ExitStack() as stack:
        stack.enter_context(engine(redis_server.url, name))
        stack.enter_context(recorder(front, database))
        wait_until(front.is_served)
        ask(front, ApplyConfig, config=config(name, hopper=RECORDS))
        ask(front, ControlCampaign, campaign="spring", action=CampaignTrigger.LOAD)
        workers = [filler(redis_server, name, database_url, tmp_path / f"log{n}") for n in range(2)]
        stack.callback(lambda: stop_all(workers))
        for kill in range(KILLS):
            goal = len(sent(front)) + random.randrange(1, RECORDS // KILLS)
            wait_until(lambda goal=goal: len(sent(front)) >= goal, within=30)  # type: ignore[misc]
            workers[kill % 2].kill()
            workers[kill % 2] = filler(redis_server, name, database_url, tmp_path / f"log{kill % 2}")
        # Some leave while it goes on: closed for this campaign, and not handed out again.
        gone = sorted({record_id for record_id, _claim in sent(front)})[:20]
        ask(front, WithdrawRecords, campaign="spring", record_ids=tuple(gone))
        wait_until(lambda: {r.id for r in front.records("spring")} | set(gone) == set(added), within=60)
        wait_until(lambda: Counter(listed.states().values()) == {"claimed": RECORDS - 20, "closed": 20}, within=30)
        handed = Counter(record_id for record_id, _claim in sent(front))
        assert set(handed) == set(added)
        assert set(handed.values()) == {1}
    claims = [row["claim"] for row in listed.rows().values()]
    assert max(claims) > 1, "nothing was killed between claim and sending: the test shows nothing"
    front.redis.close()


@pytest.mark.req("CAMP-01", "SAFE-01")
@pytest.mark.timeout(180)
def test_ticker_and_worker_keep_a_hopper_full_whoever_is_killed(
    redis_server: RedisServer, database: Database, database_url: str, tenant: Callable[[], str], tmp_path: Path
) -> None:
    name = tenant()
    front, listed = Front(connect(redis_server.url), name), CampaignList(database, name)
    listed.add(60)
    (tmp_path / "switchroom.toml").write_text("")
    places = {"REDIS": redis_server.url, "TENANT": name, "DATABASE": database_url, "CONFIG": str(tmp_path)}
    environment = {**os.environ, **{f"SWITCHROOM_{key}": value for key, value in places.items()}}

    def start(process: str) -> Child:
        command = [sys.executable, "-m", "routing.cli.main", process]
        return Child(command, tmp_path / f"{process}.log", ROOT, environment)

    with ExitStack() as stack:
        stack.enter_context(engine(redis_server.url, name))
        children = {process: start(process) for process in ("recorder", "worker", "ticker")}
        stack.callback(lambda: stop_all(list(children.values())))
        wait_until(front.is_served)
        ask(front, ApplyConfig, config=config(name, hopper=20))
        ask(front, ControlCampaign, campaign="spring", action=CampaignTrigger.LOAD)
        gone: set[str] = set()
        for killed in ("worker", "ticker", "recorder"):
            wait_until(lambda: len(front.records("spring")) == 20, within=40)
            children[killed].kill()
            done = [record.id for record in front.records("spring")][:10]
            ask(front, WithdrawRecords, campaign="spring", record_ids=tuple(done))
            gone |= set(done)
            children[killed] = start(killed)
        wait_until(lambda: len(front.records("spring")) == 20, within=40)
        wait_until(lambda: {id_ for id_, state in listed.states().items() if state == "closed"} == gone, within=40)
    assert max(Counter(record_id for record_id, _claim in sent(front)).values()) == 1
    front.redis.close()
