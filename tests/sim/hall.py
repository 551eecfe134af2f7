"""A call centre in memory: the real core, the simulated PBX, one virtual clock, no store and no event loop.

It does what engine and connector do together: facts and due deadlines become inputs, commands go to the port. Every
input is kept, so that a run can be replayed, and every step is judged by the observers.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from routing.app.repeats import REPEATABLE
from routing.core.agent import Agent
from routing.core.commands import Command, DialLeg, HangUpLeg, PlayDigits
from routing.core.config import Config
from routing.core.effects import Effects
from routing.core.events import Event, EventType
from routing.core.facts import CommandEnded, CommandOutcome, Fact, LinkRestored
from routing.core.interaction import Interaction
from routing.core.orders import ApplyConfig, FireTimer, Reply, SignIn
from routing.core.step import Input, step
from routing.core.world import World, WorldState
from telephony.simulated import LinkTimings, SimulatedPbx, SimulatedPort, VirtualClock
from telephony.simulated.channel import Channel, Place, Timings
from telephony.simulated.habits import Habit
from tests.factories import PBX, arrival

START_MS = 1_800_000_000_000
Observer = Callable[["Hall", Input, Effects], None]


class Hall:
    """`before` is a shallow copy of interactions and agents as they were before the step that observers look at."""

    def __init__(self, config: Config, habits: dict[str, Habit] | None = None, *, seed: int = 0) -> None:
        self.clock = VirtualClock(START_MS)
        self.pbx = SimulatedPbx(self.clock, PBX, seed=seed, timings=Timings(take_within_ms=60_000))
        self.world = World(WorldState(config=Config(tenant=config.tenant)))
        self.log: list[tuple[int, int, Input]] = []
        self.commands: list[Command] = []
        self.events: list[Event] = []
        self.ended: list[Interaction] = []
        self.observers: list[Observer] = []
        self.before_calls: dict[str, Interaction] = {}
        self.before_agents: dict[str, Agent] = {}
        self._orders = 0
        self._stream: list[Command] = []
        self._unfinished: dict[str, Command] = {}
        for member in config.agents.values():
            self.pbx.add_phone(member.phone, (habits or {}).get(member.id))
        self.port = self._new_port()
        self.is_connector_up = True
        self.order(ApplyConfig, config=config)
        self.port.begin(self._fact)
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

    # ------------------------------------------------------------------ connector

    def _new_port(self) -> SimulatedPort:
        return SimulatedPort(self.pbx, LinkTimings())

    def _fact(self, fact: Fact) -> None:
        if isinstance(fact, CommandEnded) and self._is_said_again(fact):
            return
        waiting = self._catch_up() if isinstance(fact, LinkRestored) else []
        self.feed(fact)
        for overtaken in waiting:
            self.feed(CommandEnded(pbx=PBX, command_id=overtaken.id, outcome=CommandOutcome.UNKNOWN))

    def _is_said_again(self, end: CommandEnded) -> bool:
        """As the connector does with orders of unknown fate which may be carried out twice, and with refused
        hang-ups.
        """
        command = self._unfinished.pop(end.command_id, None)
        is_refused = end.outcome is CommandOutcome.REFUSED and isinstance(command, HangUpLeg)
        if not isinstance(command, REPEATABLE) or not (is_refused or end.outcome is CommandOutcome.UNKNOWN):
            return False
        self.clock.call_at(self.clock.now_ms + 1000, lambda: self._pass_on(command))
        return True

    def _command(self, command: Command) -> None:
        self.commands.append(command)
        self._pass_on(command)

    def _pass_on(self, command: Command) -> None:
        if self.is_connector_up and self.port.is_up:
            self._submit(command)
        else:
            self._stream.append(command)

    def _submit(self, command: Command) -> None:
        self._unfinished[command.id] = command
        self.port.submit(command)

    def kill_connector(self) -> None:
        """The process is gone, without a word; what the core commands now waits in its stream."""
        if self.is_connector_up:
            self.is_connector_up = False
            self.port.kill()
            self._stream = [*self._unfinished.values(), *self._stream]
            self._unfinished = {}

    def start_connector(self) -> None:
        """A new process: it does again what was begun and all that waits, but for dialling."""
        if not self.is_connector_up:
            self.is_connector_up = True
            self.port = self._new_port()
            self.port.begin(self._fact)

    def _catch_up(self) -> list[DialLeg | PlayDigits]:
        """Everything that waited but dials and digits, which are older than the snapshot and end unknown."""
        waiting, self._stream = self._stream, []
        for command in waiting:
            if not isinstance(command, DialLeg | PlayDigits):
                self._submit(command)
        return [command for command in waiting if isinstance(command, DialLeg | PlayDigits)]

    # ------------------------------------------------------------------ what people do

    def sign_in_all(self) -> None:
        for agent_id in self.world.config.agents:
            self.order(SignIn, agent_id=agent_id)
            self.run(10)

    def call(self, entry_point: str = "sales", patience_ms: int | None = None, **fields: Any) -> Channel:
        return self.pbx.call_in(arrival(entry_point, **fields), patience_ms)

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
        return [c for c in self.pbx.channels.values() if c.place in (Place.OWN, Place.HANDED_OVER)]

    def replay(self, start: WorldState | None = None) -> World:
        """The recorded inputs once more, from the beginning or on a copy of a state that was kept."""
        world = World(copy.deepcopy(start) if start else WorldState(config=Config(tenant=self.world.config.tenant)))
        for now_ms, seq, item in self.log:
            if seq > world.state.seq:
                step(world, item, now_ms, seq)
        return world
