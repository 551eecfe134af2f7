"""Whole lives of calls: real SIP telephones, a real PBX, every process of the server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from deploy.lab.people import order
from deploy.lab.policies import Answer, Ignore, Reject, Ring
from deploy.lab.site import Site, center
from routing.core.config import Result
from routing.core.events import EventType
from routing.core.interaction import OfferEnd
from routing.core.orders import EditCad, EndInteraction, GoAvailable, GoIdle, Hold, Resume, SignIn, SignOut
from tests.system.center import MUSIC_HZ, Center

NUMBERS = ["1001", "1002", "1003", "1004"]


@pytest.fixture(scope="module")
def site(pbx: str) -> Iterator[Site]:
    with Site(NUMBERS, center(NUMBERS, ring_timeout_s=5), pbx=pbx) as running:
        yield running


def play(site: Site, scene: Callable[[Center], Coroutine[Any, Any, None]], within: float = 60.0) -> None:
    """Run one scene with its own telephones; everybody signs out afterwards."""

    async def evening() -> None:
        c = Center(site)
        try:
            await asyncio.wait_for(scene(c), within)
        finally:
            await asyncio.gather(*(p.close() for p in c.callers), return_exceptions=True)
            for number in c.agents:
                await order(c.store, GoAvailable, agent_id=f"a{number}")
            await c.when(lambda s: not s.interactions, 15)
            for number in c.agents:
                await order(c.store, SignOut, agent_id=f"a{number}")
            await c.close()

    asyncio.run(evening())


@pytest.mark.req("OFFER-01", "OFFER-04", "HOLD-02", "HOLD-03")
def test_a_caller_waits_with_music_is_answered_held_resumed_and_both_hear_each_other(site: Site) -> None:
    async def scene(c: Center) -> None:
        call = await c.caller()
        await call.hears(MUSIC_HZ)
        await c.agent("1001")
        pair = await c.pair(call)
        await pair.hear_each_other()
        await call.hears_not(MUSIC_HZ)
        interaction = next(iter((await c.state()).interactions.values()))
        assert (interaction.queue, interaction.cad["customer_id"]) == ("general", call.phone.user)

        await c.when_agent("1001", "connected")  # ears may know it earlier than the server
        assert (await order(c.store, Hold, agent_id="a1001", interaction_id=interaction.id)).code == "ok"
        await call.hears(MUSIC_HZ)
        await call.hears_not(pair.agent.phone.tone or 0)
        await pair.agent.quiet()
        await order(c.store, Resume, agent_id="a1001", interaction_id=interaction.id)
        await pair.hear_each_other()
        await call.hears_not(MUSIC_HZ)

        await call.hangup()
        await pair.agent.ended()
        ended = (await c.ended())[0]
        assert (ended.result, ended.ended_by, ended.id) == (Result.ANSWERED, "customer", interaction.id)
        assert ended.bridged_at_ms is not None
        told = [e.type for e in await c.events(*EventType) if e.interaction_id == interaction.id]
        wanted = ["arrived", "queued", "media_confirmed", "connected", "bridged", "held", "resumed", "ended"]
        assert [t.split(".")[1] for t in told if t.startswith("interaction.")] == wanted

    play(site, scene)


@pytest.mark.req("STATE-05", "STATE-07", "STATE-09", "ROUTE-07")
def test_an_agent_who_does_not_answer_goes_to_rona_and_the_call_to_the_next_one(site: Site) -> None:
    async def scene(c: Center) -> None:
        await c.agent("1001", Ring())
        await c.when_free(["1001"])
        call = await c.caller()
        await c.when_agent("1001", "reserved")
        await c.when_agent("1001", "rona", within=8)
        await c.calls_of["1001"].ended()
        assert c.calls_of["1001"].by == "remote-cancel"
        await call.hears(MUSIC_HZ)
        await c.agent("1002")
        pair = await c.pair(call)
        await pair.hear_each_other()
        assert (c.rung["1001"], c.rung["1002"]) == (1, 1)
        await call.hangup()

    play(site, scene)


@pytest.mark.req("ROUTE-01")
def test_only_an_agent_with_the_skill_gets_the_call(site: Site) -> None:
    async def scene(c: Center) -> None:
        await c.agent("1002")
        await c.agent("1003")
        call = await c.caller("7002")
        pair = await c.pair(call)
        assert (pair.agent.phone.user, c.rung["1002"]) == ("1003", 0)
        await call.hangup()

    play(site, scene)


@pytest.mark.req("ROUTE-15", "STATE-10")
def test_a_phone_in_a_private_call_or_unregistered_gates_the_offer(site: Site) -> None:
    async def scene(c: Center) -> None:
        anna = await c.agent("1001", sign_in=False)
        await c.agent("1002", sign_in=False)
        private = await (await anna.dial("1002")).answered()
        await order(c.store, SignIn, agent_id="a1001")
        await order(c.store, SignIn, agent_id="a1004")  # his telephone was never there
        call = await c.caller()
        await call.hears(MUSIC_HZ)
        state = await c.state()
        assert [a.shown_state for a in (state.agents["a1001"], state.agents["a1004"])] == ["available"] * 2
        assert c.rung["1001"] == 0
        await private.hangup()
        await (await c.pair(call)).hear_each_other()
        assert c.rung["1001"] == 1
        await call.hangup()
        await order(c.store, SignOut, agent_id="a1004")

    play(site, scene)


@pytest.mark.req("ROUTE-07")
@pytest.mark.parametrize(
    ("policy", "end", "after"),
    [
        (Reject(486), OfferEnd.BUSY, "available"),
        (Reject(603), OfferEnd.REJECTED, "rona"),
        (Reject(404), OfferEnd.UNREACHABLE, "rona"),
        (Ignore(), OfferEnd.NO_ANSWER, "rona"),
    ],
)
def test_each_way_a_telephone_fails_has_its_cause_and_its_policy(
    site: Site, policy: Any, end: OfferEnd, after: str
) -> None:
    async def scene(c: Center) -> None:
        await c.agent("1001", policy)
        await c.when_free(["1001"])
        call = await c.caller()
        state = await c.when(lambda s: any(i.past_offers for i in s.interactions.values()), within=8)
        (interaction,) = state.interactions.values()
        assert interaction.past_offers[0].end is end
        assert state.agents["a1001"].state == after
        await call.hangup()

    play(site, scene)


def test_a_caller_who_gives_up_while_ringing_stops_the_telephone_at_once(site: Site) -> None:
    async def scene(c: Center) -> None:
        await c.agent("1001", Ring())
        await c.when_free(["1001"])
        call = await c.caller()
        await c.when_agent("1001", "reserved")
        await c.when(lambda _: "1001" in c.calls_of)
        await call.hangup()
        await c.calls_of["1001"].ended(within=2)
        assert c.calls_of["1001"].t["ended"] - call.t["bye"] < 0.5
        await c.when_agent("1001", "available")
        assert (await c.ended())[0].result is Result.ABANDONED

    play(site, scene)


@pytest.mark.req("STATE-08", "STATE-06")
def test_rona_ends_by_hand_and_the_next_call_comes(site: Site) -> None:
    async def scene(c: Center) -> None:
        await c.agent("1001", Ring())
        await c.when_free(["1001"])
        first = await c.caller()
        await c.when_agent("1001", "rona", within=10)
        second = await c.caller()
        c.set_policy("1001", Answer())
        await second.hears(MUSIC_HZ)
        assert c.rung["1001"] == 1
        await order(c.store, GoAvailable, agent_id="a1001")
        pair = await c.pair(second)
        await pair.hear_each_other()
        await first.hears(MUSIC_HZ)
        await first.hangup()
        await second.hangup()

    play(site, scene)


@pytest.mark.req("END-02")
def test_the_agent_edits_cad_and_ends_the_call_from_his_desk(site: Site) -> None:
    async def scene(c: Center) -> None:
        await c.agent("1001")
        call = await c.caller()
        pair = await c.pair(call)
        (interaction,) = (await c.state()).interactions.values()
        nasty = "\r\nAction: Hangup\r\n,&|{}'\"\N{GRINNING FACE}"
        values = {"customer_id": nasty}
        reply = await order(c.store, EditCad, agent_id="a1001", interaction_id=interaction.id, values=values)
        assert reply.code == "ok"
        assert (await c.state()).interactions[interaction.id].cad["customer_id"] == nasty
        await pair.hear_each_other()
        assert (await order(c.store, EndInteraction, agent_id="a1001", interaction_id=interaction.id)).code == "ok"
        await call.ended()
        await pair.agent.ended()
        assert (await c.ended())[0].ended_by == "a1001"

    play(site, scene)


def test_feature_codes_on_the_phone_sign_in_and_out(site: Site) -> None:
    async def scene(c: Center) -> None:
        phone = await c.agent("1001", sign_in=False)

        async def dial(code: str, state: str) -> None:
            call = await phone.dial(code)
            await c.when_agent("1001", state)
            await call.ended(within=5)

        await dial("*611001", "available")
        await dial("*642", "idle")
        assert (await c.state()).agents["a1001"].reason == "Lunch"
        await dial("*63", "available")
        await dial("*62", "logged_out")

    play(site, scene)


def test_going_idle_keeps_the_next_call_away(site: Site) -> None:
    async def scene(c: Center) -> None:
        await c.agent("1001")
        await order(c.store, GoIdle, agent_id="a1001", reason="Break")
        call = await c.caller()
        await call.hears(MUSIC_HZ)
        assert c.rung["1001"] == 0
        await order(c.store, GoAvailable, agent_id="a1001")
        await (await c.pair(call)).hear_each_other()
        await call.hangup()

    play(site, scene)
