"""Callbacks on a real Redis: their place and their one dial per attempt outlive the engine; they take nobody's line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from deploy.lab.redis import RedisServer
from routing.core.callback import CallbackRules, CallbackState
from routing.core.commands import LOOKUPS, Command, DialLeg, LookUp
from routing.core.config import AgentConfig, Config, Pbx, Profile
from routing.core.dial_rights import DialRights
from routing.core.facts import (
    DialFailed,
    DialOutcome,
    Fact,
    LegAnswered,
    LegRinging,
    LinkRestored,
    LookedUp,
    LookUpOutcome,
    PhoneState,
)
from routing.core.interaction import Interaction, InteractionState
from routing.core.orders import RequestCallback, SignIn
from routing.core.world import WorldState
from routing.engine.core import RoutingCore
from routing.engine.replay import replay
from routing.store.port import START, Undecodable
from tests.integration.test_call_capacity import LIMIT, PBX, Tenant, configuration, running
from tests.waiting import run

CUSTOMER = "+12015550111"


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer(unix_socket=True) as server:
        yield server


def centre() -> Config:
    anna = AgentConfig(id="anna", name="Anna", team="t", pbx=PBX, phone="SIM/anna", queues=(("sales", 1),))
    return replace(
        configuration(),
        pbxs={PBX: Pbx(id=PBX, kind="simulated", dial="SIM/{number}@trunk")},
        profiles={"default": Profile(id="default")},
        agents={"anna": anna},
        callbacks=CallbackRules(dial=DialRights(allowed=("+1",), international=True), retry_s=(1,)),
    )


class Site:
    """A tenant's store, seen from outside of its engine."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant, self.answered = tenant, 0

    async def give(self, *items: Fact | RequestCallback | SignIn) -> None:
        await self.tenant.store.append_inputs(list(items))
        await self.tenant.idle()

    async def state(self) -> WorldState:
        await self.tenant.idle()
        state, _ = await self.tenant.store.load()
        assert state is not None
        return state

    async def callback(self) -> Interaction:
        (found,) = [i for i in (await self.state()).interactions.values() if i.kind == "callback"]
        return found

    async def until(self, holds: Callable[[Interaction], bool]) -> Interaction:
        async with asyncio.timeout(10):
            while not holds(found := await self.callback()):
                await asyncio.sleep(0.02)
        return found

    async def commands(self, pbx: str = PBX) -> list[Command]:
        found = await self.tenant.store.read_commands(pbx, START, 10_000, 0)
        return [stored.command for stored in found if not isinstance(stored.command, Undecodable)]

    async def allow(self) -> None:
        """Answer every question that has not been answered yet."""
        asked = [c for c in await self.commands(LOOKUPS) if isinstance(c, LookUp)]
        for question in asked[self.answered :]:
            asker, done = question.interaction_id, LookUpOutcome.DONE
            await self.give(LookedUp(pbx=LOOKUPS, interaction_id=asker, command_id=question.id, outcome=done))
        self.answered = len(asked)

    async def dials(self) -> list[DialLeg]:
        """Of customers."""
        return [c for c in await self.commands() if isinstance(c, DialLeg) and "@trunk" in c.phone]


def calling(interaction: Interaction) -> bool:
    return interaction.state is InteractionState.CALLING_CUSTOMER


def due_to_agent(interaction: Interaction) -> bool:
    return interaction.state is InteractionState.OFFERED


def resting(interaction: Interaction) -> bool:
    return interaction.callback is not None and interaction.callback.state is CallbackState.RESTING


async def answer(site: Site, interaction: Interaction) -> None:
    leg_id = interaction.offers[0].leg_id
    await site.give(LegRinging(pbx=PBX, leg_id=leg_id), LegAnswered(pbx=PBX, leg_id=leg_id))


@pytest.mark.req("CBQ-03", "CBQ-09", "OPS-06")
def test_a_callback_outlives_its_engine_with_its_place_and_dials_once_per_attempt(redis: RedisServer) -> None:
    async def play() -> None:
        before = Tenant(redis, "owed", limit=None)
        async with running(before, config=centre()):
            site = Site(before)
            await site.give(LinkRestored(pbx=PBX, phones={"SIM/anna": PhoneState.FREE}))
            await site.give(SignIn(order_id="in", agent_id="anna"))
            await site.give(RequestCallback(order_id="ask", number=CUSTOMER, queue="sales", entered_at_ms=1_000))
            place = (await site.callback()).entered_at_ms
            await site.allow()
            await answer(site, await site.until(due_to_agent))
            await site.until(calling)
        after = Tenant(redis, "owed", limit=None)
        async with running(after, is_new=False):
            site.tenant = after
            dialed = await site.until(calling)
            assert [dial.phone for dial in await site.dials()] == [f"SIM/{CUSTOMER}@trunk"]
            leg_id = dialed.offers[0].leg_id
            await site.give(DialFailed(pbx=PBX, leg_id=leg_id, outcome=DialOutcome.BUSY))
            await site.until(resting)
            await site.until(lambda interaction: not resting(interaction))
            await site.allow()
            await answer(site, await site.until(due_to_agent))
            again = await site.until(calling)
            assert again.entered_at_ms == place
            assert len(await site.dials()) == 2
            assert again.callback is not None
            assert again.callback.attempts == 2
            assert (await replay(after.store, RoutingCore())).is_same

    with capture_logs():
        run(play())


@pytest.mark.req("CBQ-08", "OUT-04")
def test_callbacks_that_wait_take_no_line_of_the_data_centre(redis: RedisServer) -> None:
    async def play() -> None:
        one, other = Tenant(redis, "many"), Tenant(redis, "busy")
        async with running(one, other, config=centre()):
            asked = [
                RequestCallback(order_id=f"ask{n}", number=f"+1201555{n:04}", queue="sales") for n in range(100, 140)
            ]
            await Site(one).give(*asked)
            assert len((await Site(one).state()).interactions) == 40
            await other.callers(range(LIMIT - 8))
            assert len(await other.live()) == LIMIT - 8

    with capture_logs():
        run(play())
