"""A caller, agent 1 on the line with him, and a second agent who is free: who hears whom, judged by ear."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from deploy.lab.call import Call
from deploy.lab.people import order
from deploy.lab.site import Site
from routing.core.interaction import InteractionState
from routing.core.orders import GoAvailable, OnConsult, SignOut, StartConsult
from tests.system.center import MUSIC_HZ, Center, tone_of

S = InteractionState


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
