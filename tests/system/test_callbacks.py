"""Callbacks from the key to the talk on each PBX: who is rung when, who hears whom, and what a crash leaves of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from deploy.lab.call import Call
from deploy.lab.phone import Phone
from deploy.lab.policies import Answer, Policy, Reject
from routing.core.callback import CallbackState
from routing.core.config import Result
from routing.core.interaction import Interaction
from tests.system.center import MUSIC_HZ, Center, tone_of
from tests.system.flow_site import BACK_HZ, PROMPTS, FlowSite, ended, hears_prompt, play, strike

NUMBERS = ["1001", "1002"]
CUSTOMER_HZ = 2500


@pytest.fixture(scope="module")
def site(pbx: str) -> Iterator[FlowSite]:
    with FlowSite(NUMBERS, pbx=pbx) as running:
        yield running


class Customers:
    """The telephones behind the trunk: `rung` has the calls that came, in order."""

    def __init__(self, phone: Phone) -> None:
        self.phone, self.rung = phone, list[Call]()
        self.behave(Answer(after=0.3))

    def behave(self, policy: Policy) -> None:
        async def take(call: Call) -> None:
            self.rung.append(call)
            await policy(call)

        self.phone.on_invite = take

    async def called(self, times: int = 1, within: float = 10.0) -> Call:
        """The newest call, as soon as there are so many."""
        async with asyncio.timeout(within):
            while len(self.rung) < times:
                await asyncio.sleep(0.02)
        return self.rung[times - 1]


Scene = Callable[[Center, Customers], Coroutine[Any, Any, None]]


def with_customers(site: FlowSite, scene: Scene, within: float = 40.0) -> None:
    async def whole(c: Center) -> None:
        pbx = site.node.pbx
        phone = await Phone.create("carrier", pbx.sip, "", tone=CUSTOMER_HZ, port=pbx.carrier_port)
        try:
            await scene(c, Customers(phone))
        finally:
            await phone.close()

    play(site, whole, within)


async def waiting_callback(c: Center, ani: str) -> Interaction:
    """The callback to that number, once it is due: it may be called, and an agent is wanted."""

    def found(state: Any) -> list[Interaction]:
        calls = [i for i in state.interactions.values() if (i.kind, i.ani) == ("callback", ani)]
        return [i for i in calls if i.callback and i.callback.state is CallbackState.DUE]

    return found(await c.when(found))[0]


async def talk(c: Center, customers: Customers, times: int = 1) -> tuple[Call, Call]:
    """Agent 1001 and the customer who was called back hear each other."""
    customer = await customers.called(times)
    await customer.answered()
    agent = c.calls_of["1001"]
    await asyncio.gather(customer.hears(tone_of(agent)), agent.hears(CUSTOMER_HZ))
    return agent, customer


@pytest.mark.req("CBQ-01", "CBQ-02", "CBQ-05", "CBQ-06")
def test_who_asks_by_key_to_be_called_back_is_called_when_an_agent_is_there(site: FlowSite) -> None:
    async def scene(c: Center, customers: Customers) -> None:
        call = await c.caller("7010", ani="+12015550121")
        await hears_prompt(call, "menu")
        await call.dtmf("4")
        await hears_prompt(call, "offer")
        await call.dtmf("1")
        await hears_prompt(call, "thanks")
        await call.ended()
        assert (await ended(c, "inbound", call)).result is Result.CALLBACK
        await waiting_callback(c, "+12015550121")
        assert not customers.rung, "nobody is there yet"
        await c.agent("1001")
        agent, customer = await talk(c, customers)
        assert customer.invite is not None
        assert "+12015550121" in customer.invite.start
        await customer.hangup()
        await agent.ended()
        assert (await ended(c, "callback", call)).result is Result.ANSWERED

    with_customers(site, scene)


@pytest.mark.req("CBQ-07", "CBQ-09")
def test_a_customer_who_is_busy_is_tried_again_later(site: FlowSite) -> None:
    async def scene(c: Center, customers: Customers) -> None:
        call = await c.caller("7010", ani="+12015550122")
        await hears_prompt(call, "menu")
        await call.dtmf("4")
        await hears_prompt(call, "offer")
        await call.dtmf("1")
        await call.ended()
        customers.behave(Reject(486))
        await c.agent("1001")
        await customers.called()
        await c.calls_of["1001"].ended()
        customers.behave(Answer())
        agent, customer = await talk(c, customers, times=2)
        assert c.rung["1001"] == 2
        await agent.hangup()
        await customer.ended()

    with_customers(site, scene)


@pytest.mark.req("CBQ-01", "ROUTE-11")
def test_who_waits_is_offered_a_callback_and_takes_it_by_a_key(site: FlowSite) -> None:
    async def scene(c: Center, customers: Customers) -> None:
        call = await c.caller("7012", ani="+12015550123")
        await call.hears(PROMPTS["choice"][0], within=6.0)
        await call.dtmf("1")
        await call.hears(BACK_HZ)
        assert "callback" in {found.strip() for found in site.node.logged(r"back with (\w+)")}
        await waiting_callback(c, "+12015550123")
        await c.agent("1001")
        agent, customer = await talk(c, customers)
        await customer.hangup()
        await agent.ended()

    with_customers(site, scene)


@pytest.mark.req("CBQ-01")
def test_who_gives_up_is_called_back(site: FlowSite) -> None:
    async def scene(c: Center, customers: Customers) -> None:
        call = await c.caller("7013", ani="+12015550124")
        await call.hears(MUSIC_HZ)
        await call.hangup()
        await waiting_callback(c, "+12015550124")
        await c.agent("1001")
        agent, customer = await talk(c, customers)
        await customer.hangup()
        await agent.ended()

    with_customers(site, scene)


@pytest.mark.req("CBQ-09", "SAFE-01")
@pytest.mark.parametrize("victim", ["engine", "connector", "redis"])
def test_a_callback_keeps_the_place_of_its_caller_whatever_is_killed(site: FlowSite, victim: str) -> None:
    async def scene(c: Center, customers: Customers) -> None:
        first = await c.caller("7012", ani="+12015550125")
        await first.hears(PROMPTS["choice"][0], within=6.0)
        later = await c.caller("7012", ani="+12015550126")
        await later.hears(MUSIC_HZ)
        await first.dtmf("1")
        await first.hears(BACK_HZ)
        before = await waiting_callback(c, "+12015550125")
        await strike(c, site, victim)
        after = await waiting_callback(c, "+12015550125")
        assert (after.id, after.entered_at_ms) == (before.id, before.entered_at_ms)
        await c.agent("1001")
        agent, customer = await talk(c, customers)
        assert c.rung["1001"] == 1
        await later.hears_not(tone_of(agent))
        await customer.hangup()
        pair = await c.pair(later)
        await pair.hear_each_other()
        assert len(customers.rung) == 1
        await later.hangup()

    with_customers(site, scene, within=60.0)
