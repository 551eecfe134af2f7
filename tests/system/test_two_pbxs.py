"""Callers and agents on an Asterisk and on a FreeSWITCH, behind one queue: who hears whom, judged by ear."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from deploy.lab.call import Call
from deploy.lab.people import order
from deploy.lab.policies import Ignore, Reject, Ring
from deploy.lab.recorded import passages
from routing.core.events import Event, EventType
from routing.core.interaction import InteractionState
from routing.core.orders import (
    GoAvailable,
    Hold,
    OnConsult,
    PauseRecording,
    Resume,
    ResumeRecording,
    SignOut,
    StartConsult,
    Transfer,
)
from tests.system.center import MUSIC_HZ, tone_of
from tests.system.joint import JointCenter, JointSite

pytestmark = pytest.mark.freeswitch
HERE, THERE = ["1001"], ["1002"]
S = InteractionState


@pytest.fixture(scope="module")
def site() -> Iterator[JointSite]:
    with JointSite(HERE, THERE) as running:
        yield running


def play(site: JointSite, scene: Callable[[JointCenter], Coroutine[Any, Any, None]], within: float = 60.0) -> None:
    """Run one scene with its own telephones; everybody signs out afterwards."""

    async def evening() -> None:
        c = JointCenter(site, THERE)
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


async def act(c: JointCenter, kind: type, by: str, reaches: InteractionState, **fields: Any) -> None:
    """An order on the one call that this agent is on, until the PBX has confirmed what follows from it."""
    (call,) = [i for i in (await c.state()).interactions.values() if by in [p.agent_id for p in i.parties]]
    reply = await order(c.store, kind, agent_id=by, interaction_id=call.id, **fields)
    assert reply.code == "ok", reply

    def is_there(world: Any) -> bool:
        found = world.interactions[call.id]
        return found.state is reaches and found.rooms_reached == found.rooms_version

    await c.when(is_there)


async def together(*calls: Call) -> None:
    tones = {call: tone_of(call) for call in calls}
    for call in calls:
        for other in calls:
            if other is not call:
                await call.hears(tones[other])


async def failures(c: JointCenter) -> list[Event]:
    """What was told of the trunk to the FreeSWITCH, oldest first."""
    told = await c.events(EventType.PBX_MISMATCH)
    return [event for event in told if event.values["what"] == "trunk to fs1 did not ring"]


@pytest.mark.req("OPS-05")
@pytest.mark.parametrize("at_freeswitch", [False, True])
def test_a_caller_of_either_pbx_talks_with_the_agent_of_the_other(site: JointSite, at_freeswitch: bool) -> None:
    number = "1001" if at_freeswitch else "1002"

    async def scene(c: JointCenter) -> None:
        await c.agent(number)
        await c.when_free([number])
        caller = await c.caller("7001", "+12015550123", c.other if at_freeswitch else None)
        pair = await c.pair(caller)
        await pair.hear_each_other()
        assert pair.agent.invite is not None
        assert "12015550123" in str(pair.agent.invite.get("From")), "he sees who calls"
        (call,) = (await c.state()).interactions.values()
        assert call.pbx == ("fs1" if at_freeswitch else "ast1")
        assert call.cad["customer_id"] == "+12015550123"
        await act(c, Hold, f"a{number}", S.HELD)
        await caller.hears(MUSIC_HZ)
        await act(c, Resume, f"a{number}", S.CONNECTED)
        await pair.hear_each_other()
        await pair.agent.hangup()
        await c.when_free([number])
        await c.when_agent(number, "available")

    play(site, scene)


@pytest.mark.req("OPS-05", "CONS-01", "CONF-02", "CONSROLE-07", "XFER-06")
@pytest.mark.parametrize("at_freeswitch", [False, True])
def test_consult_conference_and_transfer_go_across(site: JointSite, at_freeswitch: bool) -> None:
    one, two = ("1002", "1001") if at_freeswitch else ("1001", "1002")

    async def scene(c: JointCenter) -> None:
        await c.agent(one)
        await c.when_free([one])
        caller = await c.caller("7001", "", c.other if at_freeswitch else None)
        first = (await c.pair(caller)).agent
        await c.agent(two)
        await c.when_free([two])
        await act(c, StartConsult, f"a{one}", S.CONSULTING, to_agent=f"a{two}")
        second = c.calls_of[two]
        await together(first, second)
        await caller.hears(MUSIC_HZ)
        await act(c, OnConsult, f"a{one}", S.CONFERENCE, action="conference")
        await together(caller, first, second)
        await act(c, OnConsult, f"a{one}", S.CONNECTED, action="complete_transfer")
        await first.ended()
        await together(caller, second)
        await c.when_free([one])
        await act(c, Transfer, f"a{two}", S.CONNECTED, to_agent=f"a{one}")
        await together(caller, c.calls_of[one])
        await caller.hangup()
        await c.when_agent(one, "available")

    play(site, scene)


@pytest.mark.req("OPS-05", "REC-01", "REC-02")
@pytest.mark.parametrize("at_freeswitch", [False, True])
def test_the_recording_and_its_pauses_are_on_the_customers_pbx(site: JointSite, at_freeswitch: bool) -> None:
    number, node = ("1001", site.other) if at_freeswitch else ("1002", site.node)

    async def scene(c: JointCenter) -> None:
        await c.agent(number)
        await c.when_free([number])
        pair = await c.pair(await c.caller(node=node))
        await pair.hear_each_other()
        (call,) = (await c.state()).interactions.values()
        await asyncio.sleep(1)  # real time has to pass in the file
        await act(c, PauseRecording, f"a{number}", S.CONNECTED)
        await asyncio.sleep(1.5)
        await act(c, ResumeRecording, f"a{number}", S.CONNECTED)
        await asyncio.sleep(1)
        await pair.caller.hangup()
        await pair.agent.ended()
        await c.when_agent(number, "available")
        path, both = node.recording(call.recording.file), frozenset({tone_of(pair.caller), tone_of(pair.agent)})
        await c.when(lambda _: path.exists() and path.stat().st_size > 44)
        found = [(tones, seconds) for tones, seconds in passages(path, both) if seconds >= 0.6]
        assert [tones for tones, _ in found[-3:]] == [both, frozenset(), both]
        assert 1.0 < found[-2][1] < 2.2

    play(site, scene)


@pytest.mark.req("OPS-05", "STATE-05", "ROUTE-15")
def test_an_agent_who_lets_the_trunk_ring_is_in_rona_and_his_own_pbx_says_that_it_rang(site: JointSite) -> None:
    async def scene(c: JointCenter) -> None:
        await c.agent("1002", Ring())
        await c.when_free(["1002"])
        await c.caller()
        await c.when(lambda s: s.phones["fs1|user/1002"] == "ringing")
        await c.when_agent("1002", "rona", within=12)
        assert not await failures(c)
        await c.when_free(["1002"])

    play(site, scene)


@pytest.mark.req("OPS-05", "ROUTE-07")
def test_a_trunk_that_swallows_the_call_blames_nobody_and_is_told(site: JointSite) -> None:
    async def scene(c: JointCenter) -> None:
        await c.agent("1002", Ignore())  # not even a provisional answer: as if the trunk led nowhere
        await c.when_free(["1002"])
        caller = await c.caller()
        await c.when(lambda s: [o.agent_id for i in s.interactions.values() for o in i.offers] == ["a1002"])
        await c.when(lambda s: [p.end for i in s.interactions.values() for p in i.past_offers] == ["unreachable"], 12)
        state = await c.state()
        assert state.agents["a1002"].shown_state == "available"
        assert (await failures(c))[-1].agent_id == "a1002"
        await caller.hangup()

    play(site, scene)


@pytest.mark.req("OPS-05", "ROUTE-07")
@pytest.mark.parametrize("at_freeswitch", [False, True])
@pytest.mark.parametrize(("code", "end", "shown"), [(486, "busy", "available"), (603, "rejected", "rona")])
def test_why_a_telephone_refuses_comes_through_the_trunk(
    site: JointSite, at_freeswitch: bool, code: int, end: str, shown: str
) -> None:
    number = "1001" if at_freeswitch else "1002"

    async def scene(c: JointCenter) -> None:
        await c.agent(number, Reject(code, after=0.3, ring=True))
        await c.when_free([number])
        caller = await c.caller("7001", "", c.other if at_freeswitch else None)
        state = await c.when(lambda s: [i for i in s.interactions.values() if i.past_offers])
        (call,) = state.interactions.values()
        assert [past.end for past in call.past_offers] == [end]
        assert state.agents[f"a{number}"].shown_state == shown
        await caller.hangup()

    play(site, scene)


@pytest.mark.req("OPS-05", "SAFE-01", "SAFE-02")
def test_the_connector_of_the_agents_pbx_is_killed_while_he_talks_over_the_trunk(site: JointSite) -> None:
    """The call goes on, he gets no further one meanwhile, and all is as before when the connector is back."""

    async def scene(c: JointCenter) -> None:
        await c.agent("1002")
        await c.when_free(["1002"])
        pair = await c.pair(await c.caller())
        site.children["connector-fs1"].kill()
        await c.when(lambda s: not s.links["fs1"])
        waiting = await c.caller()
        await act(c, Hold, "a1002", S.HELD)
        await pair.caller.hears(MUSIC_HZ)
        await act(c, Resume, "a1002", S.CONNECTED)
        await pair.hear_each_other()
        await pair.caller.hangup()
        await c.when_agent("1002", "available")
        assert [i.offers for i in (await c.state()).interactions.values()] == [()], "not while his PBX is away"
        site.start_far_connector()
        await (await c.pair(waiting, within=20)).hear_each_other()
        await waiting.hangup()
        await c.when_agent("1002", "available")

    play(site, scene, within=90)
