"""Who stands between a waiting call and its agent: what an estimate of its wait is made of (ROUTE-10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from routing.core.matching_index import AgentClass, CallClass
from routing.core.matching_order import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """At one moment, for one call. Agents count when they take calls, free or not; calls when they are before it in the
    order over all queues, and itself.

    `alike`: calls of its queue with its requirement, and `agents` who may take them; `free_agents` of these need not
    serve any other call that is before it. `all_before`: calls, by queue, that one of its agents may take before it,
    and `all_agents` who may take one of these calls.
    """

    alike: int
    agents: int
    free_agents: int
    all_before: dict[str, int]
    all_agents: int


def crowd_of(calls: CallClass, place: Place, now_ms: int) -> Crowd:
    """For a call of that class with that place, which need not be there yet."""
    agents = _serving(calls)
    key = (place[0] - calls.queue.aging * now_ms, place[1], place[2])
    others = {other: None for served in agents for other in served.classes if other is not calls}
    before = {other: count for other in others if (count := _count_before(other, key, now_ms))}
    alike = 1 + _count_before(calls, key, now_ms)
    all_before = Counter({calls.queue.queue.id: alike})
    for other, count in before.items():
        all_before[other.queue.queue.id] += count
    return Crowd(
        alike=alike,
        agents=_working(agents),
        free_agents=_working(served for served in agents if before.keys().isdisjoint(served.classes)),
        all_before=dict(all_before),
        all_agents=_working(dict.fromkeys([*agents, *(served for other in before for served in _serving(other))])),
    )


def _serving(calls: CallClass) -> list[AgentClass]:
    return [agents for agents, _ in calls.queue.profiles if agents.working and calls in agents.classes]


def _working(agents: Iterable[AgentClass]) -> int:
    return sum(served.working for served in agents)


def _count_before(calls: CallClass, key: Place, now_ms: int) -> int:
    place = (key[0] + calls.queue.aging * now_ms, key[1], key[2])
    return sum(line.calls.count_below(place) for line in calls.lines.values())
