"""Calls that wait for one agent alone (ROUTE-08), beside the classes: a line per agent and queue, looked at when he
becomes free. So they cost the other agents' decisions nothing, however many there are.
"""

from __future__ import annotations

from collections.abc import Iterator

from routing.core.matching_index import CallClass, Line, QueueState
from routing.core.matching_order import SortKey, agent_key, tier
from routing.core.matching_types import FreeAgent, WaitingCall

NO_RANK = 0  # of an agent who is no member of the queue


def wanted_agent(call: WaitingCall) -> str:
    """For whom alone this call waits; empty: for nobody, also when that agent must not have it."""
    return "" if call.preferred in call.skip else call.preferred


def sort_key(call: WaitingCall, queue: QueueState, agent: FreeAgent) -> SortKey:
    """His key as in any other decision of the queue, which he need not belong to."""
    skills, rank = dict(agent.profile[0]), dict(agent.profile[1]).get(queue.queue.id, NO_RANK)
    return tier(queue.queue.strategy, rank, skills, call.requires) + agent_key(queue.order, agent)


class PreferredLine(Line):
    """Calls of one queue for one agent. Its class is its own and meets no classes of agents."""

    __slots__ = ("agent_id",)

    def __init__(self, queue: QueueState, agent_id: str) -> None:
        super().__init__(CallClass(queue, ()), frozenset())
        self.agent_id = agent_id


class PreferredLines:
    """All of them, by agent and by queue; none is empty."""

    def __init__(self) -> None:
        self._by_agent: dict[str, dict[QueueState, PreferredLine]] = {}
        self._by_queue: dict[QueueState, dict[str, PreferredLine]] = {}

    def line(self, queue: QueueState, agent_id: str) -> PreferredLine:
        """For a call that is added to it at once."""
        lines = self._by_agent.setdefault(agent_id, {})
        found = lines.get(queue)
        if found is None:
            found = lines[queue] = PreferredLine(queue, agent_id)
            self._by_queue.setdefault(queue, {})[agent_id] = found
        return found

    def forget(self, line: PreferredLine) -> None:
        """It is empty."""
        queue, agent_id = line.of.queue, line.agent_id
        del self._by_agent[agent_id][queue], self._by_queue[queue][agent_id]
        if not self._by_agent[agent_id]:
            del self._by_agent[agent_id]
        if not self._by_queue[queue]:
            del self._by_queue[queue]

    def of_agent(self, agent_id: str) -> Iterator[PreferredLine]:
        return iter(self._by_agent.get(agent_id, {}).values())

    def of_queue(self, queue: QueueState) -> Iterator[PreferredLine]:
        return iter(self._by_queue.get(queue, {}).values())
