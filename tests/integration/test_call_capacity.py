"""One limit over the engines of several tenants on one Redis (reason code 26): exact, shared, and in the journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from deploy.lab.redis import RedisServer
from routing.app.clock import SystemClock
from routing.core.commands import ReturnLeg
from routing.core.config import Config, EntryPoint, Pbx, Queue
from routing.core.facts import LegArrived, LegEnded, LinkRestored
from routing.core.limits import CallLimits
from routing.core.orders import ApplyConfig
from routing.engine.core import RoutingCore
from routing.engine.loop import Engine, EngineSettings
from routing.engine.replay import replay
from routing.store.port import START
from routing.store.redis_store import RedisStore
from tests.waiting import run

LIMIT, CALLERS, PBX = 25, 40, "ast1"


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer(unix_socket=True) as server:
        yield server


def configuration() -> Config:
    return Config(
        tenant="any",
        pbxs={PBX: Pbx(id=PBX, kind="simulated")},
        queues={"sales": Queue(id="sales", label="Sales")},
        entry_points={"sales": EntryPoint(id="sales", queue="sales")},
    )


class Tenant:
    """One tenant with an engine of its own."""

    def __init__(self, redis: RedisServer, name: str, limit: int | None = LIMIT) -> None:
        self.name, self._url = name, redis.url
        self.store = RedisStore(self._url, name)
        settings = EngineSettings(tenant=name, owner=f"{name}-e", idle_ms=20, data_centre_calls=limit)
        self.engine = Engine(lambda: RedisStore(self._url, name), RoutingCore(), SystemClock(), settings)

    async def callers(self, numbers: range) -> None:
        for number in numbers:
            await self.store.append_input(LegArrived(pbx=PBX, leg_id=f"leg{number}", entry_point="sales"))

    async def live(self) -> list[str]:
        await self.idle()
        state, _ = await self.store.load()
        return [i.customer_leg for i in state.interactions.values()] if state else []

    async def idle(self) -> None:
        async with asyncio.timeout(10):
            while (await self.store.health()).waiting_inputs:
                await asyncio.sleep(0.01)

    async def reasons(self) -> list[str]:
        """Why callers were given back."""
        commands = await self.store.read_commands(PBX, START, 10_000, 0)
        found = [c.command for c in commands if isinstance(c.command, ReturnLeg)]
        return [command.variables["SR_REASON"] for command in found]


@asynccontextmanager
async def running(*tenants: Tenant, config: Config | None = None, is_new: bool = True) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(tenant.engine.run(stop)) for tenant in tenants]
    try:
        for tenant in tenants if is_new else ():
            await tenant.store.append_inputs(
                [ApplyConfig(order_id="apply", config=config or configuration()), LinkRestored(pbx=PBX)]
            )
            await tenant.idle()
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)
        for tenant in tenants:
            await tenant.store.close()


@pytest.mark.req("OUT-03", "OUT-04", "OUT-06", "A16")
def test_two_tenants_never_have_more_calls_than_the_data_centre_and_never_fewer_than_it_has_room_for(
    redis: RedisServer,
) -> None:
    async def play() -> None:
        one, other = Tenant(redis, "one"), Tenant(redis, "other")
        async with running(one, other):
            await asyncio.gather(one.callers(range(CALLERS)), other.callers(range(CALLERS)))
            live = [await one.live(), await other.live()]
            assert len(live[0]) + len(live[1]) == LIMIT
            assert all(live)
            reasons = await one.reasons() + await other.reasons()
            assert reasons == ["26"] * (2 * CALLERS - LIMIT)
            for tenant in (one, other):
                assert (await replay(tenant.store, RoutingCore())).is_same

    with capture_logs():
        run(play())


@pytest.mark.req("OUT-04")
def test_what_one_tenant_gives_back_another_one_gets(redis: RedisServer) -> None:
    async def play() -> None:
        one, other = Tenant(redis, "first"), Tenant(redis, "second")
        async with running(one, other):
            await one.callers(range(LIMIT))
            assert len(await one.live()) == LIMIT
            await other.callers(range(1))
            assert await other.live() == []
            await one.store.append_inputs([LegEnded(pbx=PBX, leg_id=f"leg{n}") for n in range(10)])
            number = 1
            async with asyncio.timeout(10):
                while len(await other.live()) < 10:
                    await other.callers(range(number, number + 1))
                    number += 1
            assert len(await one.live()) == LIMIT - 10
            await other.callers(range(number, number + 3))
            assert len(await other.live()) == 10

    with capture_logs():
        run(play())


@pytest.mark.req("OUT-06")
def test_where_both_limits_are_reached_the_data_centres_reason_is_told(redis: RedisServer) -> None:
    async def play() -> None:
        tenant = Tenant(redis, "both", limit=3)
        limited = replace(configuration(), limits=CallLimits(tenant_calls=3))
        async with running(tenant, config=limited):
            await tenant.callers(range(5))
            await tenant.idle()
            assert await tenant.reasons() == ["26", "26"]

    with capture_logs():
        run(play())


@pytest.mark.req("OPS-06")
def test_a_limit_that_was_taken_away_is_forgotten_by_the_next_engine(redis: RedisServer) -> None:
    async def play() -> None:
        before = Tenant(redis, "again", limit=2)
        async with running(before):
            await before.callers(range(3))
            assert len(await before.live()) == 2
        after = Tenant(redis, "again", limit=None)
        async with running(after, is_new=False):
            await after.callers(range(3, 9))
            assert len(await after.live()) == 8

    with capture_logs():
        run(play())
