"""Engines over a real Redis, and everything that may be killed."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from deploy.lab.process import Child
from deploy.lab.redis import RedisServer
from routing.app.clock import SystemClock
from routing.core.errors import StoreError
from routing.core.facts import LegRinging
from routing.core.orders import SignOut
from routing.engine.loop import Engine, EngineSettings
from routing.engine.replay import replay
from routing.store.errors import StoreUnavailable
from routing.store.port import START, Commit, Store
from routing.store.redis_store import RedisStore
from tests.engine_core import TallyCore, TallyWorld, calls
from tests.waiting import run, until, wait_until

NEVER_MS = 3_600_000
ROOT = Path(__file__).parents[2]


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer(unix_socket=True) as server:
        yield server


@pytest.fixture(scope="module")
def shared_redis() -> Iterator[RedisServer]:
    with RedisServer(unix_socket=True) as server:
        yield server


def ringing(leg: str) -> LegRinging:
    return LegRinging(pbx="ast1", leg_id=leg)


class Faulty(RedisStore):
    """Loses the answer of chosen commits: the driver's own failures, at exactly the moments that matter."""

    def __init__(self, url: str, tenant: str, plan: list[str]) -> None:
        super().__init__(url, tenant)
        self.plan = plan

    async def commit(self, token: int, commit: Commit) -> None:
        fault = self.plan.pop(0) if self.plan else ""
        if fault == "before":
            raise StoreUnavailable(reason="cut before the commit")
        await super().commit(token, commit)
        if fault == "after":
            raise StoreUnavailable(reason="cut after the commit")


@asynccontextmanager
async def running(open_store: Callable[[], Store], tenant: str, owner: str = "e1") -> AsyncIterator[Engine[TallyWorld]]:
    stop = asyncio.Event()
    settings = EngineSettings(tenant=tenant, owner=owner, snapshot_every=50)
    engine = Engine(open_store, TallyCore(NEVER_MS), SystemClock(), settings)
    task = asyncio.create_task(engine.run(stop))
    try:
        yield engine
    finally:
        stop.set()
        await task


async def settled(store: Store, position: str) -> dict[str, int]:
    """The tally once that input is committed."""
    async with asyncio.timeout(15):
        while True:
            try:
                state, reached = await store.load()
                if tuple(map(int, reached.split("-"))) >= tuple(map(int, position.split("-"))):
                    return calls(state)
            except StoreError:
                pass
            await asyncio.sleep(0.02)


async def commanded(store: Store) -> list[str]:
    found = await store.read_commands("ast1", START, 9999, 0)
    return [getattr(entry.command, "leg_id", "?") for entry in found]


@pytest.mark.req("SAFE-01")
@pytest.mark.parametrize("fault", ["before", "after"])
def test_a_commit_whose_outcome_is_unknown_is_neither_lost_nor_done_twice(
    shared_redis: RedisServer, fault: str
) -> None:
    tenant = uuid4().hex

    async def play() -> None:
        store = RedisStore(shared_redis.url, tenant)
        plan = ["", fault, fault, "", fault]
        with capture_logs() as logs:
            async with running(lambda: Faulty(shared_redis.url, tenant, plan), tenant):
                for n in range(40):
                    position = await store.append_input(ringing(f"l{n}"))
                    if n % 5 == 0:
                        await settled(store, position)
                assert await settled(store, position) == {f"l{n}": 1 for n in range(40)}
        assert plan == []
        assert [line["event"] for line in logs].count("store_failed") == 3
        assert await commanded(store) == [f"l{n}" for n in range(40)]
        assert [e.seq for e in await store.read_journal(0, 999)] == list(range(1, 41))
        assert (await replay(store, TallyCore(NEVER_MS))).is_same
        await store.close()

    run(play())


def test_a_fenced_engine_becomes_a_standby_and_leads_again_when_it_may(shared_redis: RedisServer) -> None:
    tenant = uuid4().hex

    async def play() -> None:
        store = RedisStore(shared_redis.url, tenant)
        with capture_logs() as logs:
            async with running(lambda: RedisStore(shared_redis.url, tenant), tenant):
                await settled(store, await store.append_input(ringing("a")))
                token = await store.acquire("e1", 60_000)  # what another engine's take-over does to the fence
                assert token is not None
                position = await store.append_input(ringing("b"))
                assert await settled(store, position) == {"a": 1, "b": 1}
        assert (
            "engine_fenced" in [line["event"] for line in logs]
            or [line["event"] for line in logs].count("engine_leads") == 2
        )
        assert await commanded(store) == ["a", "b"]
        await store.close()

    run(play())


def test_stopping_an_engine_hands_over_at_once(shared_redis: RedisServer) -> None:
    tenant = uuid4().hex

    async def play() -> None:
        store = RedisStore(shared_redis.url, tenant)
        with capture_logs():
            async with running(lambda: RedisStore(shared_redis.url, tenant), tenant, "e1"):
                await settled(store, await store.append_input(ringing("a")))
            assert (await store.health()).owner is None
            async with running(lambda: RedisStore(shared_redis.url, tenant), tenant, "e2"):
                position = await store.append_input(ringing("b"))
                assert await settled(store, position) == {"a": 1, "b": 1}
        await store.close()

    run(play())


def test_snapshots_keep_the_journal_short_and_a_replay_of_it_true(shared_redis: RedisServer) -> None:
    tenant = uuid4().hex

    async def play() -> None:
        store = RedisStore(shared_redis.url, tenant)
        with capture_logs():
            async with running(lambda: RedisStore(shared_redis.url, tenant), tenant):
                for n in range(60):
                    position = await store.append_inputs([ringing(f"l{n % 7}") for _ in range(10)])
                    await settled(store, position)
        health = await store.health()
        assert health.seq == 600
        assert health.lengths["journal"] <= 50 + 2 * 60 + 10
        assert len(await store.snapshots()) == 2
        assert (await replay(store, TallyCore(NEVER_MS))).is_same
        await store.close()

    run(play())


def start_engine(url: str, tenant: str, owner: str, directory: Path) -> Child:
    module = "tests.integration.engine_process"
    log = directory / f"{owner}.log"
    return Child([sys.executable, "-m", module, url, tenant, owner], log, ROOT)


@pytest.mark.req("SAFE-01")
def test_a_standby_takes_over_within_three_seconds_of_a_kill(shared_redis: RedisServer, tmp_path: Path) -> None:
    tenant, url = uuid4().hex, shared_redis.url
    engines = {owner: start_engine(url, tenant, owner, tmp_path) for owner in ("e1", "e2")}
    try:

        async def play() -> None:
            store = RedisStore(url, tenant)
            await settled(store, await store.append_input(ringing("a")))
            owner = (await store.health()).owner
            assert owner is not None
            await until_it_stands_by(engines["e2" if owner == "e1" else "e1"])
            for round_ in range(2):
                owner = (await store.health()).owner
                assert owner is not None
                engines[owner].kill()
                killed_at_s = time.monotonic()
                position = await store.append_input(ringing(f"b{round_}"))
                tally = await settled(store, position)
                assert time.monotonic() - killed_at_s < 3.0
                assert tally[f"b{round_}"] == 1
                assert (await store.health()).owner != owner
                engines[owner] = start_engine(url, tenant, owner, tmp_path)
                await until_it_stands_by(engines[owner])
            await store.close()

        run(play())
    finally:
        for engine in engines.values():
            engine.stop()


async def until_it_stands_by(engine: Child) -> None:
    await until(lambda: "engine_stands_by" in engine.tail(), within=10)


@pytest.mark.req("SAFE-01")
def test_nothing_answered_is_lost_when_redis_is_killed_and_restarted(redis: RedisServer, tmp_path: Path) -> None:
    """A producer writes without pause while Redis is killed five times and started again from its append-only file."""
    tenant = uuid4().hex
    engine = start_engine(redis.url, tenant, "e1", tmp_path)
    sent: list[str] = []

    async def produce(stop: asyncio.Event) -> str:
        store, position, number = RedisStore(redis.url, tenant), START, 0
        is_confirmed = False
        while not (stop.is_set() and is_confirmed):  # an append without an answer may be there: ask until it is known
            batch = [ringing(f"l{number + k}") for k in range(3)]
            is_confirmed = False
            try:
                stored = await store.append_facts("ast1:run", number + 1, batch)
            except StoreError:
                await asyncio.sleep(0.02)
                continue
            is_confirmed = True
            assert stored == number + 3, "the store has forgotten facts that it had confirmed"
            sent.extend(fact.leg_id for fact in batch)
            number += 3
            await asyncio.sleep(0.001)
        while position == START:
            with suppress(StoreError):
                position = await store.append_input(SignOut(order_id="last", agent_id="x", reply_to="cli"))
        await store.close()
        return position

    async def play() -> None:
        stop = asyncio.Event()
        producing = asyncio.create_task(produce(stop))
        for _ in range(5):
            before = len(sent)
            await asyncio.to_thread(wait_until, lambda: len(sent) > before + 300, 10.0)  # noqa: B023
            redis.kill()
            redis.start()
        stop.set()
        position = await producing
        store = RedisStore(redis.url, tenant)
        assert await settled(store, position) == dict.fromkeys(sent, 1)
        assert await commanded(store) == sent
        assert (await replay(store, TallyCore(NEVER_MS))).is_same
        await store.close()

    try:
        run(play(), within=50)
    finally:
        engine.stop()
