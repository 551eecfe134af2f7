"""An engine that leads: it keeps its lease, or loses it, and no silent connector keeps it from its inputs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from routing.app.clock import SystemClock
from routing.core.agent import Agent
from routing.core.facts import LegRinging, LinkLost
from routing.core.orders import FireTimer
from routing.engine.lease import LeaseKeeper
from routing.engine.loop import Engine, EngineSettings
from routing.store.memory import MemoryStore
from routing.store.port import Limits
from tests.contract.store_lab import lead, step_commit
from tests.engine_core import TallyCore, TallyWorld, calls
from tests.waiting import run, until


def open_store(inputs: int = 100) -> MemoryStore:
    return MemoryStore("acme", SystemClock().now_ms, Limits(inputs=inputs))


@asynccontextmanager
async def leading(store: MemoryStore) -> AsyncIterator[Engine[TallyWorld]]:
    stop = asyncio.Event()
    settings = EngineSettings(tenant="acme", owner="e1", idle_ms=20)
    engine = Engine(lambda: store, TallyCore(), SystemClock(), settings)
    task = asyncio.create_task(engine.run(stop))
    try:
        yield engine
    finally:
        stop.set()
        await task


@pytest.mark.req("SAFE-05")
def test_a_full_input_stream_is_worked_off_although_a_connector_is_silent() -> None:
    async def play() -> None:
        store = open_store(inputs=3)
        token = await lead(store)
        await store.commit(token, step_commit(1, links={"ast1": True}))
        await store.release(token)
        await store.beat("ast1", 1)
        for leg in "abc":
            await store.append_input(LegRinging(pbx="ast1", leg_id=leg))
        await asyncio.sleep(0.01)
        async with leading(store) as engine:
            await until(lambda: engine.session and calls(engine.session.world.state) == {"a": 1, "b": 1, "c": 1})

    with capture_logs():
        run(play())


@pytest.mark.req("SAFE-01")
def test_an_engine_that_takes_over_knows_which_links_are_lost_before_it_fires_what_is_overdue() -> None:
    async def play() -> None:
        store = open_store()
        token = await lead(store)
        overdue = {"a": SystemClock().now_ms() - 500}
        await store.commit(token, step_commit(1, links={"ast1": True}, agents={"a": Agent(id="a")}, timers=overdue))
        await store.release(token)
        await store.beat("ast1", 1)
        await asyncio.sleep(0.01)
        async with leading(store) as engine:
            await until(lambda: engine.session and engine.session.seq >= 3)
        items = [entry.item for entry in await store.read_journal(1, 2)]
        assert [type(item) for item in items] == [LinkLost, FireTimer]

    with capture_logs():
        run(play())


@pytest.mark.req("SAFE-01")
def test_an_engine_that_hung_is_told_that_nobody_renews_its_lease_any_more() -> None:
    async def play() -> None:
        store = open_store()
        token = await store.acquire("e1", 2000)
        assert token is not None
        keeper = LeaseKeeper(lambda: store, "e1", token, ttl_ms=40, stall_s=0.05)
        keeper.start()
        await until(lambda: keeper.is_lost)
        await keeper.stop()

    with capture_logs() as logs:
        run(play())
    assert [line["event"] for line in logs] == ["engine_stalled"]
