"""Whole calls through the product's own core, an engine and a real Redis, with commits that lose their answer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from deploy.benchmarks.parts.feeder import PBX, Feeder, run_lives
from deploy.lab.redis import RedisServer
from routing.app.clock import SystemClock
from routing.core.agent import AgentState
from routing.core.config import AgentConfig, Config, EntryPoint, Pbx, Profile, Queue, Result
from routing.core.events import Event, EventType
from routing.core.facts import LinkRestored, PhoneState
from routing.core.interaction import OfferEnd
from routing.core.orders import ApplyConfig, SignIn
from routing.engine.core import RoutingCore
from routing.engine.loop import Engine, EngineSettings
from routing.engine.replay import replay
from routing.store.errors import StoreUnavailable
from routing.store.port import START, Commit
from routing.store.redis_store import RedisStore
from tests.waiting import run

CALLS, AGENTS = 60, 7


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer(unix_socket=True) as server:
        yield server


class EveryFifthLost(RedisStore):
    """Every fifth commit gets no answer; every other one of those was carried out nevertheless."""

    def __init__(self, url: str, tenant: str, counter: Counter[str]) -> None:
        super().__init__(url, tenant)
        self._counter = counter

    async def commit(self, token: int, commit: Commit) -> None:
        self._counter["commits"] += 1
        number = self._counter["commits"]
        if number % 10 == 5:
            raise StoreUnavailable(reason="cut before the commit")
        await super().commit(token, commit)
        if number % 10 == 0:
            raise StoreUnavailable(reason="cut after the commit")


def configuration() -> Config:
    agents = [
        AgentConfig(id=f"a{n}", name=f"A{n}", team="t", pbx=PBX, phone=f"PJSIP/{n}", queues=(("sales", 1),))
        for n in range(AGENTS)
    ]
    return Config(
        tenant="t",
        pbxs={PBX: Pbx(id=PBX, kind="simulated")},
        queues={"sales": Queue(id="sales", label="Sales")},
        entry_points={"sales": EntryPoint(id="sales", queue="sales")},
        profiles={"default": Profile(id="default")},
        agents={a.id: a for a in agents},
    )


async def play_calls(store: RedisStore) -> None:
    feeder, stop = Feeder(store, START), asyncio.Event()
    carrying = asyncio.create_task(feeder.carry(stop))
    config = configuration()
    await store.append_input(ApplyConfig(order_id="apply", config=config))
    await store.append_inputs([SignIn(order_id=f"s{n}", agent_id=n) for n in config.agents])
    await feeder.send([LinkRestored(pbx=PBX, phones={a.phone: PhoneState.FREE for a in config.agents.values()})])
    await run_lives(feeder, "sales", CALLS, window=20)
    while (await store.health()).waiting_inputs or (await store.health()).lengths["interactions"]:
        await asyncio.sleep(0.02)
    stop.set()
    await carrying


async def events(store: RedisStore) -> list[Event]:
    found = await store.read_events(START, 99_999, 0)
    return [entry.event for entry in found if isinstance(entry.event, Event)]


@pytest.mark.req("SAFE-01", "ROUTE-06")
def test_every_call_is_answered_by_one_agent_and_ends_once_though_commits_lose_their_answer(redis: RedisServer) -> None:
    tenant, counter = uuid4().hex, Counter[str]()

    async def play() -> None:
        store, stop = RedisStore(redis.url, tenant), asyncio.Event()
        settings = EngineSettings(tenant=tenant, owner="e1")
        engine = Engine(lambda: EveryFifthLost(redis.url, tenant, counter), RoutingCore(), SystemClock(), settings)
        leading = asyncio.create_task(engine.run(stop))
        with capture_logs():
            await play_calls(store)
            stop.set()
            await leading
        ended = await store.recent_ended(999)
        assert [i.result for i in ended] == [Result.ANSWERED] * CALLS
        answered = [[o for o in i.past_offers if o.end is OfferEnd.ANSWERED] for i in ended]
        assert [len(offers) for offers in answered] == [1] * CALLS
        told = Counter((e.type, e.interaction_id) for e in await events(store) if e.interaction_id)
        for call in ended:
            assert told[EventType.INTERACTION_ARRIVED, call.id] == told[EventType.INTERACTION_ENDED, call.id] == 1
        state, _ = await store.load()
        assert state is not None
        assert {a.state for a in state.agents.values()} == {AgentState.AVAILABLE}
        assert not any(a.engagements for a in state.agents.values())
        assert sum(a.calls for a in state.agents.values()) == CALLS
        result = await replay(store, RoutingCore())
        assert result.is_same, result.different
        assert result.steps == state.seq
        await store.close()

    run(play(), within=50)
    assert counter["commits"] > 20
