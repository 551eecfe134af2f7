"""Callers and agents with habits, for demonstrations and load: telephones, and the store for what a desktop does."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from deploy.lab.call import Call
from deploy.lab.phone import Phone
from deploy.lab.policies import Ring
from deploy.lab.site import Site
from routing.core.agent import Agent
from routing.core.orders import FinishWrapUp, GoAvailable, Order, Reply, SignIn
from routing.store.port import Store

AGENT_HZ, CALLER_HZ = 700, 1100
_orders = itertools.count(1)


async def order(store: Store, kind: type[Order], within_s: float = 10.0, **fields: Any) -> Reply:
    """Give one order and wait for its reply. Raises TimeoutError when no engine answers in time."""
    order_id = f"ord_lab{os.getpid()}_{next(_orders)}"
    await store.append_input(kind(order_id=order_id, actor="lab", reply_to=order_id, **fields))  # type: ignore[arg-type]
    reply = await store.wait_reply(order_id, within_s)
    if reply is None:
        raise TimeoutError(f"{kind.__name__} was not answered within {within_s} s")
    return reply


@dataclass(slots=True)
class CallStory:
    """What one caller lived through, as seen at his own telephone. Times in seconds, None = never."""

    number: str
    ani: str
    dialed_at: float = 0.0
    heard_agent_after: float | None = None
    talked: float | None = None
    ended: str = ""


@dataclass(slots=True)
class Habits:
    """How people behave; all times in seconds, drawn evenly from the range."""

    answer_s: tuple[float, float] = (1.0, 3.0)
    talk_s: tuple[float, float] = (4.0, 9.0)
    wrap_up_s: tuple[float, float] = (1.0, 3.0)
    patience_s: tuple[float, float] = (25.0, 60.0)
    miss_share: float = 0.08
    return_from_rona_s: float = 4.0
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    def draw(self, span: tuple[float, float]) -> float:
        return self.chance.uniform(*span)


class AgentAtWork:
    """One agent: signs in, answers, sometimes does not, wraps up, comes back from RONA."""

    def __init__(self, agent_id: str, phone: Phone, store: Store, habits: Habits) -> None:
        self.id, self.phone, self.store, self.habits = agent_id, phone, store, habits
        phone.on_invite = self._invited

    async def sign_in(self) -> None:
        await order(self.store, SignIn, agent_id=self.id)

    async def _invited(self, call: Call) -> None:
        call.ringing()
        if self.habits.chance.random() < self.habits.miss_share:
            await Ring()(call)
            return
        await asyncio.sleep(self.habits.draw(self.habits.answer_s))
        call.answer()

    async def mind_the_desk(self, agent: Agent) -> None:
        """What he does on his screen when he sees himself in wrap-up or RONA."""
        if agent.shown_state == "wrap_up":
            await asyncio.sleep(self.habits.draw(self.habits.wrap_up_s))
            await order(self.store, FinishWrapUp, agent_id=self.id, reason="Done")
        elif agent.shown_state == "rona":
            await asyncio.sleep(self.habits.return_from_rona_s)
            await order(self.store, GoAvailable, agent_id=self.id)


class Floor:
    """All agents of a site, at their phones and screens until `close`."""

    def __init__(self, site: Site, store: Store, agents: Sequence[tuple[str, str]], habits: Habits) -> None:
        """`agents`: pairs of agent id and phone number."""
        self.site, self.store, self.agents, self.habits = site, store, agents, habits
        self.people: dict[str, AgentAtWork] = {}
        self.left_alone: set[str] = set()  # somebody else sits at these screens
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._watch: asyncio.Task[None] | None = None

    async def open(self) -> None:
        for agent_id, number in self.agents:
            phone = await Phone.create(number, self.site.pbx.sip, self.site.pbx.password(number), tone=AGENT_HZ)
            self.people[agent_id] = AgentAtWork(agent_id, phone, self.store, self.habits)
        await asyncio.gather(*(person.phone.stay_registered() for person in self.people.values()))
        for person in self.people.values():  # one after the other: so the first one is the longest idle
            await person.sign_in()
        self._watch = asyncio.create_task(self._look_at_screens())

    async def _look_at_screens(self) -> None:
        while True:
            state, _ = await self.store.load()
            for agent in state.agents.values() if state else ():
                person, task = self.people.get(agent.id), self._busy.get(agent.id)
                if person and agent.id not in self.left_alone and (task is None or task.done()):
                    self._busy[agent.id] = asyncio.create_task(person.mind_the_desk(agent))
            await asyncio.sleep(0.5)

    async def close(self) -> None:
        tasks = [t for t in (self._watch, *self._busy.values()) if t]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(person.phone.close() for person in self.people.values()))


class Caller:
    """One caller: dials, listens to music, talks when an agent is there, hangs up or is hung up."""

    def __init__(self, site: Site, number: str, ani: str, habits: Habits) -> None:
        self.site, self.habits = site, habits
        self.story = CallStory(number=number, ani=ani)

    async def live(self) -> CallStory:
        phone = await Phone.create(self.story.ani, self.site.pbx.sip, tone=CALLER_HZ)
        try:
            await self._call(phone)
        finally:
            await phone.close()
        return self.story

    async def _call(self, phone: Phone) -> None:
        self.story.dialed_at = time.time()
        start = time.monotonic()
        call = await phone.dial(self.story.number)
        try:
            await call.hears(AGENT_HZ, within=self.habits.draw(self.habits.patience_s))
        except AssertionError:
            self.story.ended = "gave up" if call.state == "answered" else f"turned away ({call.code})"
            await call.hangup()
            return
        self.story.heard_agent_after = time.monotonic() - start
        try:
            await self._talk(call)
            self.story.ended = "agent hung up"
        except TimeoutError:
            await call.hangup()
            self.story.ended = "caller hung up"
        self.story.talked = time.monotonic() - start - self.story.heard_agent_after

    async def _talk(self, call: Call) -> None:
        """Returns when the other one has hung up. Raises TimeoutError when he has said all he has to say."""
        await call.ended(within=self.habits.draw(self.habits.talk_s))
