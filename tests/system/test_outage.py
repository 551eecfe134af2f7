"""What happens at telephones while a process is away is found out afterwards, and nobody is blamed for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from deploy.lab.people import order
from deploy.lab.policies import Answer, Ring
from deploy.lab.site import Site, center
from routing.core.config import Result
from routing.core.interaction import OfferEnd
from routing.core.orders import Hold, Resume, SignIn
from tests.system.center import MUSIC_HZ, Center

NUMBERS = ["1001", "1002"]
pytestmark = pytest.mark.req("SAFE-01")


@pytest.fixture
def site(pbx: str) -> Iterator[Site]:
    with Site(NUMBERS, center(NUMBERS, ring_timeout_s=6), pbx=pbx) as running:
        yield running


def play(site: Site, scene: Callable[[Center], Coroutine[Any, Any, None]]) -> None:
    async def evening() -> None:
        c = Center(site)
        try:
            await asyncio.wait_for(scene(c), 50)
        finally:
            await c.close()

    asyncio.run(evening())


async def ringing_call(c: Center, policy: Ring | Answer) -> Any:
    await c.agent("1001", policy)
    await c.when_free(["1001"])
    call = await c.caller()
    await c.when(lambda _: "1001" in c.calls_of)
    return call


def test_an_answer_while_no_connector_runs_is_joined_when_it_is_back(site: Site) -> None:
    async def scene(c: Center) -> None:
        call = await ringing_call(c, Answer(after=1.0))
        site.kill("connector")
        await asyncio.sleep(2.0)
        assert c.calls_of["1001"].state == "answered"
        await call.hears(MUSIC_HZ)
        site.start_process("connector")
        await (await c.pair(call)).hear_each_other()
        assert c.rung["1001"] == 1
        await call.hangup()

    play(site, scene)


def test_an_answer_while_no_engine_runs_is_joined_when_one_is_back(site: Site) -> None:
    async def scene(c: Center) -> None:
        call = await ringing_call(c, Answer(after=1.0))
        site.kill("engine")
        site.kill("standby")
        await asyncio.sleep(2.5)
        assert c.calls_of["1001"].state == "answered"
        site.start_process("engine")
        await (await c.pair(call)).hear_each_other()
        assert c.rung["1001"] == 1
        await call.hangup()

    play(site, scene)


def test_an_offer_that_is_made_while_no_connector_runs_rings_once_when_it_is_back(site: Site) -> None:
    async def scene(c: Center) -> None:
        await c.agent("1001", sign_in=False)
        call = await c.caller()
        await call.hears(MUSIC_HZ)
        site.kill("connector")
        await order(c.store, SignIn, agent_id="a1001")
        await c.when(lambda s: any(i.offers for i in s.interactions.values()))
        await asyncio.sleep(1.0)
        site.start_process("connector")
        await (await c.pair(call)).hear_each_other()
        assert c.rung["1001"] == 1
        await call.hangup()

    play(site, scene)


@pytest.mark.req("SAFE-02")
def test_a_deadline_that_passes_while_no_connector_runs_blames_nobody(site: Site) -> None:
    async def scene(c: Center) -> None:
        call = await ringing_call(c, Ring())
        site.kill("connector")
        await c.when(lambda s: not s.links[site.node.id], within=6)
        await c.when(lambda s: not any(i.offers for i in s.interactions.values()), within=8)
        state = await c.state()
        assert state.agents["a1001"].shown_state == "available"
        c.set_policy("1001", Answer())
        site.start_process("connector")
        await (await c.pair(call)).hear_each_other()
        (interaction,) = (await c.state()).interactions.values()
        assert OfferEnd.NO_ANSWER not in {o.end for o in interaction.past_offers}
        await call.hangup()

    play(site, scene)


def test_a_hang_up_while_no_connector_runs_ends_the_call_when_it_is_back(site: Site) -> None:
    async def scene(c: Center) -> None:
        call = await ringing_call(c, Answer())
        pair = await c.pair(call)
        site.kill("connector")
        await call.hangup()
        site.start_process("connector")
        await pair.agent.ended(within=8)
        await c.when(lambda s: not s.interactions)
        await c.when_agent("1001", "available")

    play(site, scene)


@pytest.mark.req("SAFE-02")
def test_a_pbx_that_is_killed_takes_its_calls_along_and_serves_the_next_one_when_it_is_back(site: Site) -> None:
    async def scene(c: Center) -> None:
        talking = await ringing_call(c, Answer())
        pair = await c.pair(talking)
        waiting = await c.caller()
        await c.when(lambda s: len(s.interactions) == 2)
        site.kill("pbx")
        await c.when(lambda s: not s.links[site.node.id])
        site.pbx.start()
        await c.when(lambda s: s.links[site.node.id] and not s.interactions, 20)
        ended = await c.ended(2)
        assert {i.ani: i.result for i in ended} == {
            talking.phone.user: Result.ANSWERED,
            waiting.phone.user: Result.ABANDONED,
        }
        await c.when_agent("1001", "available")
        await c.agents["1001"].register()
        rung = c.rung["1001"]
        again = await c.caller()
        await (await c.pair(again)).hear_each_other()
        assert c.rung["1001"] == rung + 1
        assert c.calls_of["1001"] is not pair.agent
        await again.hangup()

    play(site, scene)


def test_a_hold_works_before_the_dialplan_has_ever_had_a_sign_of_life(site: Site) -> None:
    async def scene(c: Center) -> None:
        call = await ringing_call(c, Answer())
        pair = await c.pair(call)
        site.node.set_variable("SR_BEAT", "1")  # as if the server had been away for years
        (interaction,) = (await c.state()).interactions.values()
        held = await order(c.store, Hold, agent_id="a1001", interaction_id=interaction.id)
        assert held.code == "ok"
        await call.hears(MUSIC_HZ)
        await pair.agent.quiet()
        await asyncio.sleep(1.0)
        await order(c.store, Resume, agent_id="a1001", interaction_id=interaction.id)
        await pair.hear_each_other()
        await call.hangup()

    play(site, scene)
