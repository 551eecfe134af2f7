"""Consult, conference and transfer on a real Asterisk: who hears whom, judged by ear."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from deploy.lab.call import Call
from deploy.lab.people import order
from deploy.lab.policies import Answer, Ring
from deploy.lab.site import Site, center
from routing.core.interaction import InteractionState, Role
from routing.core.orders import GoAvailable, Hold, Invite, OnConsult, Resume, SignOut, StartConsult, Transfer
from tests.system.center import MUSIC_HZ, Center, tone_of

NUMBERS = ["1001", "1002", "1003"]
S = InteractionState


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site(NUMBERS, center(NUMBERS, ring_timeout_s=5)) as running:
        yield running


class Trio:
    """A caller with agent 1 on the line, and a second agent who is free."""

    def __init__(self, c: Center) -> None:
        self.c = c
        self.caller: Call
        self.one: Call

    async def begin(self) -> None:
        await self.c.agent("1001")
        await self.c.when_free(["1001"])
        self.caller = await self.c.caller()
        self.one = (await self.c.pair(self.caller)).agent
        await self.c.agent("1002")
        await self.c.when_free(["1002"])
        (interaction,) = (await self.c.state()).interactions.values()
        self.id = interaction.id

    @property
    def two(self) -> Call:
        return self.c.calls_of["1002"]

    async def do(self, kind: type, by: str = "a1001", **fields: Any) -> None:
        reply = await order(self.c.store, kind, agent_id=by, interaction_id=self.id, **fields)
        assert reply.code == "ok", reply

    async def act(self, action: str, by: str = "a1001") -> None:
        await self.do(OnConsult, by, action=action)

    async def reaches(self, state: InteractionState) -> None:
        """The server is there, and the PBX has confirmed the rooms of it."""

        def is_there(world: Any) -> bool:
            found = world.interactions[self.id]
            return found.state is state and found.rooms_reached == found.rooms_version

        await self.c.when(is_there)

    async def consult(self) -> None:
        await self.do(StartConsult, to_agent="a1002")
        await self.reaches(S.CONSULTING)

    async def together(self, *calls: Call) -> None:
        """These hear each other and nobody else of the three, and no music."""
        everybody = {tone_of(call) for call in (self.caller, self.one, self.two)}
        for call in calls:
            others = {tone_of(other) for other in calls} - {tone_of(call)}
            await call.hears(*others)
            await call.hears_not(*(everybody - others - {tone_of(call)}), MUSIC_HZ)

    async def alone(self, call: Call, *, music: bool) -> None:
        if music:
            await call.hears(MUSIC_HZ)
            await call.hears_not(*({tone_of(c) for c in (self.caller, self.one)} - {tone_of(call)}))
        else:
            await call.quiet()


def play(site: Site, scene: Callable[[Trio], Coroutine[Any, Any, None]]) -> None:
    async def evening() -> None:
        c = Center(site)
        try:
            trio = Trio(c)
            await asyncio.wait_for(trio.begin(), 30)
            await asyncio.wait_for(scene(trio), 40)
        finally:
            await asyncio.gather(*(p.close() for p in c.callers), return_exceptions=True)
            for number in c.agents:
                await order(c.store, GoAvailable, agent_id=f"a{number}")
            await c.when(lambda s: not s.interactions, 15)
            for number in c.agents:
                await order(c.store, SignOut, agent_id=f"a{number}")
            await c.close()

    asyncio.run(evening())


@pytest.mark.req("HOLD-02", "HOLD-03", "HOLD-06", "HOLD-07", "HOLD-08", "CONSROLE-02", "CONSROLE-11")
def test_consult_and_toggle_as_everybody_hears_it(site: Site) -> None:
    async def scene(t: Trio) -> None:
        await t.consult()
        await t.together(t.one, t.two)
        await t.alone(t.caller, music=True)
        await t.do(Resume)
        await t.reaches(S.CONSULT_HELD)
        await t.together(t.caller, t.one)
        await t.alone(t.two, music=True)
        await t.act("resume_consult")
        await t.reaches(S.CONSULTING)
        await t.together(t.one, t.two)
        await t.act("end_consult")
        await t.two.ended()
        await t.do(Resume)
        await t.reaches(S.CONNECTED)
        await t.caller.hears(tone_of(t.one))
        await t.one.hears(tone_of(t.caller))
        await t.c.when_agent("1002", "available")

    play(site, scene)


@pytest.mark.req("CONF-02", "CONSROLE-08", "CONFROLE-02", "CONFROLE-12", "CONFROLE-13")
def test_a_conference_of_three_and_back_to_two(site: Site) -> None:
    async def scene(t: Trio) -> None:
        await t.consult()
        await t.act("conference")
        await t.reaches(S.CONFERENCE)
        await t.together(t.caller, t.one, t.two)
        await t.act("exit_conference", "a1002")
        await t.two.ended()
        await t.reaches(S.CONNECTED)
        await t.caller.hears(tone_of(t.one))
        await t.one.hears(tone_of(t.caller))

    play(site, scene)


@pytest.mark.req("CONF-07")
def test_an_invited_agent_joins_without_the_customer_being_held(site: Site) -> None:
    async def scene(t: Trio) -> None:
        t.c.set_policy("1002", Answer(after=0.7))
        await t.do(Invite, to_agent="a1002")
        await t.c.when(lambda _: "1002" in t.c.calls_of)
        await t.caller.hears(tone_of(t.one))
        await t.reaches(S.CONFERENCE)
        await t.together(t.caller, t.one, t.two)

    play(site, scene)


@pytest.mark.req("CONSROLE-07", "CONSROLE-15", "CONF-05", "CONFROLE-07", "CONFROLE-14")
@pytest.mark.parametrize("through", ["consult", "conference"])
def test_the_consulted_agent_takes_the_call_over(site: Site, through: str) -> None:
    async def scene(t: Trio) -> None:
        await t.consult()
        if through == "conference":
            await t.act("conference")
            await t.reaches(S.CONFERENCE)
        await t.act("complete_transfer")
        await t.one.ended()
        await t.reaches(S.CONNECTED)
        await t.caller.hears(tone_of(t.two))
        await t.two.hears(tone_of(t.caller))
        await t.caller.hears_not(MUSIC_HZ)
        state = await t.c.state()
        assert state.interactions[t.id].role_of("a1002") is Role.OWNER
        await t.caller.hangup()
        await t.two.ended()

    play(site, scene)


@pytest.mark.req("CONSROLE-10", "CONFROLE-09")
@pytest.mark.parametrize("state", [S.CONSULTING, S.CONFERENCE])
def test_agent_1_hangs_up_his_phone_and_everybody_is_released(site: Site, state: InteractionState) -> None:
    async def scene(t: Trio) -> None:
        await t.consult()
        if state is S.CONFERENCE:
            await t.act("conference")
            await t.reaches(S.CONFERENCE)
        await t.one.hangup()
        await t.caller.ended()
        await t.two.ended()

    play(site, scene)


@pytest.mark.req("CONSROLE-03", "CONSROLE-14", "CONSROLE-17")
def test_agent_2_hangs_up_and_the_call_goes_on_then_the_customer_leaves_and_it_is_over(site: Site) -> None:
    async def scene(t: Trio) -> None:
        await t.consult()
        await t.two.hangup()
        await t.reaches(S.HELD)
        await t.alone(t.caller, music=True)
        await t.alone(t.one, music=False)
        await t.do(Resume)
        await t.reaches(S.CONNECTED)
        await t.caller.hears(tone_of(t.one))
        await t.caller.hangup()
        await t.one.ended()

    play(site, scene)


@pytest.mark.req("XFER-01", "XFER-08")
@pytest.mark.parametrize("accepted", [True, False])
def test_a_blind_transfer_to_an_agent(site: Site, accepted: bool) -> None:
    async def scene(t: Trio) -> None:
        if not accepted:
            t.c.set_policy("1002", Ring())
        await t.do(Transfer, to_agent="a1002")
        await t.one.ended()
        if accepted:
            await t.reaches(S.CONNECTED)
            await t.caller.hears(tone_of(t.two))
            await t.two.hears(tone_of(t.caller))
        else:
            await t.caller.hears(MUSIC_HZ)
            await t.caller.ended(within=8)
            await t.c.when_agent("1002", "rona")

    play(site, scene)


@pytest.mark.req("XFER-02")
def test_a_transfer_to_a_queue_waits_there_with_music_and_is_answered(site: Site) -> None:
    async def scene(t: Trio) -> None:
        await t.do(Transfer, to_queue="help")
        await t.one.ended()
        await t.caller.hears(MUSIC_HZ)
        await t.c.agent("1003")
        await (await t.c.pair(t.caller)).hear_each_other()
        assert t.c.calls_of["1003"].state == "answered"

    play(site, scene)


@pytest.mark.req("SAFE-01", "HOLD-05")
def test_a_conference_survives_the_death_of_engine_and_connector(site: Site) -> None:
    async def scene(t: Trio) -> None:
        await t.consult()
        await t.act("conference")
        await t.reaches(S.CONFERENCE)
        site.kill("connector")
        site.kill("engine")
        await t.together(t.caller, t.one, t.two)
        site.start_process("connector")
        site.start_process("engine")
        await t.c.when(lambda s: s.links.get("ast1"))
        await t.together(t.caller, t.one, t.two)
        await t.act("exit_conference", "a1002")
        await t.two.ended()
        await t.do(Hold)
        await t.reaches(S.HELD)
        await t.alone(t.caller, music=True)

    play(site, scene)
