"""The decision who talks to whom: one index of waiting calls and free agents, and the best match in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heapify, heappop
from itertools import chain, islice

from routing.core import matching_trace
from routing.core.config import Config, Strategy
from routing.core.errors import UnknownInteraction
from routing.core.matching_crowd import Crowd, crowd_of
from routing.core.matching_index import AgentClass, Index, Line, QueueState
from routing.core.matching_order import Place, SortKey, call_key, place_of
from routing.core.matching_preferred import PreferredLine, PreferredLines, sort_key, wanted_agent
from routing.core.matching_trace import COMPARED_PER_DECISION, Choice, Moment
from routing.core.matching_types import AgentView, Decision, FreeAgent, ProfileKey, Trace, WaitingCall

__all__ = ["AgentView", "Pool"]

# A line's first call, comparable over all queues at one moment: lowest first.
_Head = tuple[int, int, str, Line]


class Pool:
    """Waiting calls, free agents, and the decision over them. Order of insertion never matters.

    A match can come only from what was added, changed or released since `decide` last said None, so only that
    is looked at (ROUTE-05): a decision costs the number of classes which the new call or agent may meet, not of
    calls or agents. The configuration is fixed; make a new pool for a new one.
    """

    def __init__(self, config: Config) -> None:
        self._revision = config.revision
        self._index = Index(config)
        self._preferred = PreferredLines()
        self._calls: dict[str, tuple[WaitingCall, Line, Place]] = {}
        self._agents: dict[str, AgentClass] = {}
        self._new_calls: dict[Line, None] = {}
        self._new_agents: dict[AgentClass, None] = {}

    def add_call(self, call: WaitingCall) -> None:
        """Let a call wait. The same id replaces: also how a skip ends and a requirement is relaxed."""
        self.remove_call(call.id)
        line = self._line_for(call)
        place = place_of(call, line.of.queue.aging)
        line.calls.add(place)
        line.of.queue.waiting += 1
        self._calls[call.id] = (call, line, place)
        self._new_calls[line] = None

    def _line_for(self, call: WaitingCall) -> Line:
        if agent_id := wanted_agent(call):
            return self._preferred.line(self._index.queue(call.queue), agent_id)
        calls = self._index.calls(call.queue, call.requires)
        line = calls.lines.get(call.skip)
        if line is None:
            line = calls.lines[call.skip] = Line(calls, call.skip)
        return line

    def remove_call(self, call_id: str) -> None:
        """Take a call out; unknown ids are fine."""
        found = self._calls.pop(call_id, None)
        if found is None:
            return
        _, line, place = found
        line.calls.remove(place)
        line.of.queue.waiting -= 1
        if line.calls:
            return
        self._new_calls.pop(line, None)
        if isinstance(line, PreferredLine):
            self._preferred.forget(line)
            return
        del line.of.lines[line.skip]
        if not line.of.lines:
            self._index.forget(line.of)

    def add_agent(self, agent: FreeAgent) -> None:
        """Let an agent be chosen. The same id replaces."""
        self.remove_agent(agent.id)
        agents = self._index.agents(agent.profile)
        agents.add(agent)
        self._agents[agent.id] = agents
        self._new_agents[agents] = None
        self._new_calls.update(dict.fromkeys(self._preferred.of_agent(agent.id)))

    def remove_agent(self, agent_id: str) -> None:
        """Take an agent out; unknown ids are fine."""
        agents = self._agents.pop(agent_id, None)
        if agents is None:
            return
        agents.remove(agent_id)
        if not agents.agents:
            self._new_agents.pop(agents, None)

    def set_working(self, profile: ProfileKey, count: int) -> None:
        """So many agents of that profile take calls, whether they are free or have one now."""
        self._index.agents(profile).working = count

    def set_talking(self, queue_id: str, count: int) -> None:
        """At its cap no call of the queue is offered (ROUTE-16).

        `count`: agents who talk for that queue, and those who are being offered its calls.
        """
        queue = self._index.queue(queue_id)
        cap = queue.queue.max_talking
        was_capped, queue.is_capped = queue.is_capped, cap is not None and count >= cap
        if was_capped and not queue.is_capped:
            self._new_calls.update(dict.fromkeys(self._lines_of(queue)))

    def decide(self, now_ms: int) -> Decision | None:
        """The first call in the order over all queues that a free agent may take, and the agent or agents for it.

        The caller takes them out, or changes them, and asks again until None.
        """
        heads = self._heads(now_ms)
        heapify(heads)
        while heads:
            _, _, call_id, line = heappop(heads)
            if decision := self._decide(call_id, line, now_ms):
                return decision
            self._new_calls.pop(line, None)
        self._new_calls.clear()
        self._new_agents.clear()
        return None

    def explain(self, call_id: str, now_ms: int, agents: Iterable[AgentView]) -> Trace:
        """What would happen to a waiting call now, if it alone were decided.

        Judges every member of its queue among `agents`. Nothing changes.
        Raises UnknownInteraction when the call does not wait here.
        """
        if call_id not in self._calls:
            raise UnknownInteraction(interaction_id=call_id)
        call, line, _ = self._calls[call_id]
        return matching_trace.of_dry_run(call, line.of, agents, self._moment(call_id, now_ms))

    def waiting(self, queue_id: str) -> int:
        """Calls of a queue that wait here."""
        return self._index.queue(queue_id).waiting

    def free(self, queue_id: str) -> int:
        """Free members of a queue, whatever their skills."""
        return self._index.queue(queue_id).free

    def has_free(self, queue_id: str) -> bool:
        return self.free(queue_id) > 0

    @property
    def class_count(self) -> int:
        """Classes of calls held in memory, with or without calls."""
        return self._index.class_count

    def position(self, call_id: str) -> int:
        """1 for the first call of its queue. The time does not matter: all calls of a queue age alike.

        Raises UnknownInteraction when the call does not wait here.
        """
        if call_id not in self._calls:
            raise UnknownInteraction(interaction_id=call_id)
        _, line, place = self._calls[call_id]
        return 1 + sum(other.calls.count_below(place) for other in self._lines_of(line.of.queue))

    def crowd(self, call_id: str, now_ms: int) -> Crowd:
        """Who stands between a waiting call and its agent. Raises UnknownInteraction when it does not wait here."""
        if call_id not in self._calls:
            raise UnknownInteraction(interaction_id=call_id)
        call, _, place = self._calls[call_id]
        return crowd_of(self._index.calls(call.queue, call.requires), place, now_ms)

    def crowd_of_new(self, call: WaitingCall, now_ms: int) -> Crowd | None:
        """Likewise of one that would enter now; None: an agent is free for it."""
        calls = self._index.calls(call.queue, call.requires)
        if not calls.queue.is_capped and calls.eligible(call.skip, 1):
            return None
        return crowd_of(calls, place_of(call, calls.queue.aging), now_ms)

    def _lines_of(self, queue: QueueState) -> Iterator[Line]:
        yield from self._preferred.of_queue(queue)
        for calls in queue.classes.values():
            yield from calls.lines.values()

    def _decide(self, call_id: str, line: Line, now_ms: int) -> Decision | None:
        is_ring_all = line.of.queue.queue.strategy is Strategy.RING_ALL
        compared = self._compared(call_id, line, None if is_ring_all else COMPARED_PER_DECISION)
        if not compared:
            return None
        winners = tuple(str(key[-1]) for key in (compared if is_ring_all else compared[:1]))
        moment = self._moment(call_id, now_ms, self._runner_up(call_id, winners[0], now_ms))
        choice = Choice(line=line, compared=compared, skipped=self._skipped(line), winners=winners)
        trace = matching_trace.of_decision(self._calls[call_id][0], choice, moment)
        return Decision(call_id=call_id, agent_ids=winners, trace=trace)

    def _compared(self, call_id: str, line: Line, limit: int | None) -> list[SortKey]:
        """Sort keys of those who may take the first call of the line, best first."""
        if not isinstance(line, PreferredLine):
            return line.of.eligible(line.skip, limit)
        agents = self._agents.get(line.agent_id)
        return [sort_key(self._calls[call_id][0], line.of.queue, agents.agents[line.agent_id])] if agents else []

    def _heads(self, now_ms: int) -> list[_Head]:
        """First calls of the lines that may have got a match.

        Many new agents are turned into lines once, because each line is looked at until it is found to have no
        match; one new agent is not, because his lines are of no interest any more when he is taken.
        """
        lines = self._new_calls if len(self._new_agents) > 1 else self._new_calls.copy()
        for agents in self._new_agents:
            for calls in agents.classes:
                for line in calls.lines.values():
                    lines[line] = None
        if lines is self._new_calls:
            self._new_agents.clear()
        return [_head(line, line.calls.first(), now_ms) for line in lines if not line.of.queue.is_capped]

    def _runner_up(self, call_id: str, agent_id: str, now_ms: int) -> str:
        """The next call that this agent could have taken, empty when there is none."""
        classes = self._agents[agent_id].classes
        lines = chain(self._preferred.of_agent(agent_id), *(calls.lines.values() for calls in classes))
        heads = []
        for line in lines:
            if agent_id not in line.skip and not line.of.queue.is_capped:
                heads += [_head(line, place, now_ms) for place in islice(line.calls, 2) if place[2] != call_id]
        return min(heads)[2] if heads else ""

    def _skipped(self, line: Line) -> tuple[str, ...]:
        """Free agents who could take the line's calls but for the skip."""
        agents = self._agents
        return tuple(a for a in sorted(line.skip) if a in agents and line.of in agents[a].classes)

    def _moment(self, call_id: str, now_ms: int, runner_up: str = "") -> Moment:
        _, line, place = self._calls[call_id]
        key = call_key(place, line.of.queue.aging, now_ms)
        return Moment(at_ms=now_ms, config_revision=self._revision, call_key=key, call_runner_up=runner_up)


def _head(line: Line, place: Place, now_ms: int) -> _Head:
    return place[0] - line.of.queue.aging * now_ms, place[1], place[2], line
