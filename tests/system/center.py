"""A running centre under test: a site, its store, telephones with tones of their own, and what they hear."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deploy.lab.call import Call
from deploy.lab.nodes import Node
from deploy.lab.people import order
from deploy.lab.phone import Phone
from deploy.lab.policies import Answer, Policy
from deploy.lab.site import Site
from routing.core.events import Event, EventType
from routing.core.interaction import Interaction
from routing.core.orders import SignIn
from routing.core.world import WorldState
from routing.store.port import START

MUSIC_HZ = 440
CALLER_HZ, AGENT_HZ, STEP_HZ = 500, 1500, 25  # one tone per person, all clear of the music


@dataclass(slots=True)
class Pair:
    """A caller and the agent who talks to him, as their own telephones see it."""

    caller: Call
    agent: Call

    async def hear_each_other(self, within: float = 4.0) -> None:
        tones = (tone_of(self.agent), tone_of(self.caller))
        await asyncio.gather(self.caller.hears(tones[0], within=within), self.agent.hears(tones[1], within=within))


def tone_of(call: Call) -> int:
    tone = call.phone.tone
    assert tone is not None
    return tone


class Center:
    """Telephones of one site. `rung` counts the INVITEs of each agent's telephone, newest call in `calls_of`."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.store = site.open_store()
        self.agents: dict[str, Phone] = {}
        self.callers: list[Phone] = []
        self.rung: Counter[str] = Counter()
        self.calls_of: dict[str, Call] = {}

    def node_of(self, number: str) -> Node:
        """The PBX that this agent's telephone belongs to."""
        return self.site.node

    async def agent(self, number: str, policy: Policy | None = None, sign_in: bool = True) -> Phone:
        """A registered telephone whose agent is signed in."""
        tone = AGENT_HZ + STEP_HZ * len(self.agents)
        pbx = self.node_of(number).pbx
        phone = await Phone.create(number, pbx.sip, pbx.password(number), tone=tone)
        self.agents[number] = phone
        self.set_policy(number, policy or Answer(after=0.1))
        await phone.register()
        if sign_in:
            reply = await order(self.store, SignIn, agent_id=f"a{number}")
            assert reply.code == "ok", reply
        return phone

    def set_policy(self, number: str, policy: Policy) -> None:
        async def invited(call: Call) -> None:
            self.rung[number] += 1
            self.calls_of[number] = call
            await policy(call)

        self.agents[number].on_invite = invited

    async def caller(self, number: str = "7001", ani: str = "", node: Node | None = None) -> Call:
        """A caller who has been answered by the PBX; `node`: not by the site's own."""
        tone = CALLER_HZ + STEP_HZ * len(self.callers)
        pbx = (node or self.site.node).pbx
        phone = await Phone.create(ani or f"+1201555{100 + len(self.callers):04d}", pbx.sip, tone=tone)
        self.callers.append(phone)
        return await (await phone.dial(number)).answered()

    async def pair(self, call: Call, within: float = 10.0) -> Pair:
        """The agent's call that belongs to this caller, found by ear."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            for agent in [c for c in self.calls_of.values() if c.state == "answered"]:
                shares, level = call.media.spectrum((tone_of(agent),))
                if level > 200 and shares[tone_of(agent)] > 0.12:
                    return Pair(call, agent)
            await asyncio.sleep(0.05)
        raise AssertionError(f"{call.phone.user} hears no agent")

    # ------------------------------------------------------------------ the server's view

    async def state(self) -> WorldState:
        state, _ = await self.store.load()
        assert state is not None
        return state

    async def when(self, predicate: Callable[[WorldState], object], within: float = 10.0) -> WorldState:
        """The state as soon as the predicate holds; AssertionError with the state's gist after `within` seconds."""
        deadline = time.monotonic() + within
        while True:
            state = await self.state()
            if predicate(state):
                return state
            if time.monotonic() > deadline:
                raise AssertionError(f"not so after {within} s: {gist(state)}")
            await asyncio.sleep(0.05)

    async def when_agent(self, number: str, shown: str, within: float = 10.0) -> None:
        await self.when(lambda s: s.agents[f"a{number}"].shown_state == shown, within)

    async def when_free(self, numbers: Sequence[str], within: float = 10.0) -> None:
        """Until the server sees these telephones free."""
        keys = [f"{self.node_of(n).id}|{self.node_of(n).phone(n)}" for n in numbers]
        await self.when(lambda s: all(s.phones.get(k) == "free" for k in keys), within)

    async def events(self, *types: EventType) -> list[Event]:
        found: list[Event] = []
        position = START
        while batch := await self.store.read_events(position, 1000, 0):
            position = batch[-1].position
            found += [e.event for e in batch if isinstance(e.event, Event) and e.event.type in types]
        return found

    async def ended(self, count: int = 1, within: float = 10.0) -> list[Interaction]:
        """The ended interactions, newest first, once there are that many."""
        deadline = time.monotonic() + within
        while len(found := await self.store.recent_ended(1000)) < count:
            assert time.monotonic() < deadline, f"{len(found)} of {count} interactions have ended"
            await asyncio.sleep(0.05)
        return found

    async def close(self) -> None:
        await asyncio.gather(*(p.close() for p in (*self.callers, *self.agents.values())), return_exceptions=True)
        await self.store.close()


def gist(state: WorldState) -> str:
    """What a failed wait wants to show."""
    agents = {a.id: a.shown_state for a in state.agents.values() if a.shown_state != "logged_out"}
    calls = {i.ani: (i.state.value, [o.agent_id for o in i.offers], i.queue) for i in state.interactions.values()}
    phones = {k: v.value for k, v in state.phones.items()}
    return f"agents {agents}, calls {calls}, phones {phones}, links {state.links}, timers {len(state.timers)}"
