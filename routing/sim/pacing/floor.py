"""The agents: who is logged in, who is free, and who is to go."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

IDLE, TALK, WRAP, INBOUND, OUT = "idle", "talk", "wrap", "inbound", "out"


class Agent:
    """`free_at`: when his call and wrap-up will be over (known to the simulator and to clairvoyants only)."""

    __slots__ = ("free_at", "logged_since", "number", "since", "state", "wants_out")

    def __init__(self, number: int) -> None:
        self.number, self.state = number, OUT
        self.since = self.logged_since = self.free_at = 0.0
        self.wants_out = False


class Floor:
    """Free agents stand in the order in which they became free. `on_shift(start, end)` is told of time logged in."""

    def __init__(self, number: int, on_shift: Callable[[float, float], None]) -> None:
        self.agents = [Agent(n) for n in range(number)]
        self.counts = {IDLE: 0, TALK: 0, WRAP: 0, INBOUND: 0, OUT: number}
        self._free: OrderedDict[int, Agent] = OrderedDict()
        self._on_shift = on_shift

    @property
    def logged(self) -> int:
        return len(self.agents) - self.counts[OUT]

    def moves(self, agent: Agent, state: str, now: float) -> None:
        self.counts[agent.state] -= 1
        self.counts[state] += 1
        if agent.state == IDLE:
            del self._free[agent.number]
        elif state == IDLE:
            self._free[agent.number] = agent
        agent.state, agent.since = state, now

    def longest_idle(self) -> Agent | None:
        return next(iter(self._free.values()), None)

    def logs_in(self, agent: Agent, now: float) -> None:
        agent.logged_since, agent.wants_out = now, False
        self.moves(agent, IDLE, now)

    def logs_out(self, agent: Agent, now: float) -> None:
        self.moves(agent, OUT, now)
        agent.wants_out = False
        self._on_shift(agent.logged_since, now)

    def closes(self, now: float) -> None:
        """The shift is over: who is here has been here until now."""
        for agent in self.agents:
            if agent.state != OUT:
                self._on_shift(agent.logged_since, now)
                agent.logged_since = now
