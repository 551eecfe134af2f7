"""A call centre in memory: the real core, simulated PBXs, one virtual clock, no store and no event loop.

It does what engine and connector do together: facts and due deadlines become inputs, commands go to the ports. Every
input is kept, so that a run can be replayed, and every step is judged by the observers.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from routing.core.agent import Agent
from routing.core.commands import Command, LookUp
from routing.core.config import AgentConfig, Config
from routing.core.effects import Effects
from routing.core.events import Event, EventType
from routing.core.facts import LookedUp
from routing.core.interaction import Interaction
from routing.core.orders import ApplyConfig, FireTimer, Reply, SignIn
from routing.core.step import Input, step
from routing.core.world import World, WorldState
from telephony.simulated import SimulatedPort, VirtualClock
from telephony.simulated.channel import Channel, Phone, Place
from telephony.simulated.habits import Habit, Listener
from tests.factories import PBX, arrival
from tests.sim.node import Node

START_MS = 1_800_000_000_000
Observer = Callable[["Hall", Input, Effects], None]
# What the outside says to a look-up, and after how many ms; None: nothing at all.
Outside = Callable[[LookUp], tuple[LookedUp, int] | None]


class Hall:
    """`before` is a shallow copy of interactions and agents as they were before the step that observers look at.

    There is a node for each PBX of the configuration; `pbx` and `port` are those of the first one, named PBX.
    `outside`: who answers look-ups; nobody, unless a test says so.
    """

    def __init__(self, config: Config, habits: dict[str, Habit] | None = None, *, seed: int = 0) -> None:
        self.clock = VirtualClock(START_MS)
        self.nodes = {name: Node(self.clock, name, self.feed, seed=seed + n) for n, name in enumerate(config.pbxs)}
        self.pbx = self.nodes[PBX].pbx
        self.world = World(WorldState(config=Config(tenant=config.tenant)))
        self.log: list[tuple[int, int, Input]] = []
        self.commands: list[Command] = []
        self.events: list[Event] = []
        self.ended: list[Interaction] = []
        self.observers: list[Observer] = []
        self.outside: Outside = lambda _question: None
        self.before_calls: dict[str, Interaction] = {}
        self.before_agents: dict[str, Agent] = {}
        self._orders = 0
        for member in config.agents.values():
            self.nodes[member.pbx].pbx.add_phone(member.phone, (habits or {}).get(member.id))
        self.link_trunks(config)
        self.order(ApplyConfig, config=config)
        for node in self.nodes.values():
            node.begin()
        self.run(100)

    # ------------------------------------------------------------------ engine

    def feed(self, item: Input) -> Effects:
        self.before_calls, self.before_agents = dict(self.world.state.interactions), dict(self.world.state.agents)
        seq = len(self.log) + 1
        self.log.append((self.clock.now_ms, seq, item))
        effects = step(self.world, item, self.clock.now_ms, seq)
        self.events += effects.events
        self.ended += effects.ended.values()
        for key in effects.timers:
            self._plan(key)
        for observe in self.observers:
            observe(self, item, effects)
        for command in effects.commands:
            self._command(command)
        return effects

    def _plan(self, key: str) -> None:
        deadline_ms = self.world.state.timers.get(key)
        if deadline_ms is not None:
            self.clock.call_at(deadline_ms, lambda: self._fire(key, deadline_ms))

    def _fire(self, key: str, deadline_ms: int) -> None:
        if self.world.state.timers.get(key) == deadline_ms:
            self.feed(FireTimer(key=key))

    def order(self, kind: type, **fields: Any) -> Reply:
        """An order as the command line gives it."""
        self._orders += 1
        (reply,) = self.feed(kind(order_id=f"ord_{self._orders}", reply_to="test", **fields)).replies
        return reply

    # ------------------------------------------------------------------ connectors

    @property
    def port(self) -> SimulatedPort:
        """Of the first PBX."""
        return self.nodes[PBX].port

    def _command(self, command: Command) -> None:
        self.commands.append(command)
        if isinstance(command, LookUp):
            if found := self.outside(command):
                answer, after_ms = found
                self.clock.call_at(self.clock.now_ms + after_ms, lambda: self.feed(answer))
            return
        self.nodes[command.pbx].pass_on(command)

    def kill_connector(self) -> None:
        self.nodes[PBX].kill_connector()

    def start_connector(self) -> None:
        self.nodes[PBX].start_connector()

    def link_trunks(self, config: Config) -> None:
        """What each PBX dials for an agent of another one rings his telephone there."""
        for (from_pbx, address), phone in self._trunks(config).items():
            self.nodes[from_pbx].pbx.add_trunk(address, phone)

    def cut_trunks(self, config: Config) -> None:
        for from_pbx, address in self._trunks(config):
            self.nodes[from_pbx].pbx.cut_trunk(address)

    def _trunks(self, config: Config) -> dict[tuple[str, str], Phone]:
        return {
            (pbx.id, trunk.replace("{number}", member.phone.rsplit("/")[-1])): self.phone_of(member)
            for pbx in config.pbxs.values()
            for member in config.agents.values()
            if (trunk := pbx.trunks.get(member.pbx))
        }

    # ------------------------------------------------------------------ what people do

    def sign_in_all(self) -> None:
        for agent_id in self.world.config.agents:
            self.order(SignIn, agent_id=agent_id)
            self.run(10)

    def call(
        self,
        entry_point: str = "sales",
        patience_ms: int | None = None,
        *,
        pbx: str = PBX,
        listener: Listener | None = None,
        **fields: Any,
    ) -> Channel:
        return self.nodes[pbx].pbx.call_in(arrival(entry_point, **fields), patience_ms, listener)

    def run(self, ms: int) -> None:
        """Let time pass."""
        self.clock.advance(ms)

    def let_pass(self) -> None:
        """Let what is on its way between PBX and core arrive: until nothing is due within a few ms."""
        while (due := self.clock.next_at_ms()) is not None and due <= self.clock.now_ms + 5:
            self.clock.step()

    # ------------------------------------------------------------------ looking

    def interaction(self, caller: Channel) -> Interaction:
        found = self.world.interaction_of(caller.leg_id)
        assert found is not None, f"no interaction of {caller.leg_id}"
        return found

    def agent(self, agent_id: str) -> Agent:
        return self.world.agent(agent_id)

    def ended_with(self, caller: Channel) -> Interaction:
        (found,) = [i for i in self.ended if i.customer_leg == caller.leg_id]
        return found

    def told(self, kind: EventType) -> list[Event]:
        return [event for event in self.events if event.type is kind]

    def our_legs(self) -> list[Channel]:
        """What lives in the PBX and is ours."""
        channels = [c for node in self.nodes.values() for c in node.pbx.channels.values()]
        return [c for c in channels if c.place in (Place.OWN, Place.HANDED_OVER)]

    def phone_of(self, member: AgentConfig) -> Phone:
        return self.nodes[member.pbx].pbx.phones[member.phone]

    def replay(self, start: WorldState | None = None) -> World:
        """The recorded inputs once more, from the beginning or on a copy of a state that was kept."""
        world = World(copy.deepcopy(start) if start else WorldState(config=Config(tenant=self.world.config.tenant)))
        for now_ms, seq, item in self.log:
            if seq > world.state.seq:
                step(world, item, now_ms, seq)
        return world
