"""The figures of a replayed day: in all, per queue and per team.

They are those of the reports: a call answered within the queue's aim counts for its service level, of all calls that
were offered but for those who gave up sooner than a short abandon. Who still waits when all is over is not left out:
a configuration that leaves callers alone must not look better for it. Waits are of all who waited, whatever became of
them; occupancy is the share of an agent's time with calls and wrap-up in his time with them or available for them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from routing.core.config import Config
from routing.core.treatment import ServiceLevel
from routing.sim.day import Day
from routing.sim.ledger import Course, Doing, End, Ledger

IN_ALL = "in all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one scope. Shares are percentages, times seconds, None where there is nothing to divide by.

    Of a team: calls that its agents answered, so nothing of those who were not answered. `mean_handle_s`: talk, hold
    and wrap-up. `p90_wait_s`: nine of ten waited no longer. `agent_hours`: at work, free or busy.
    """

    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    short_abandoned: int = 0
    turned_away: int = 0
    let_go: int = 0
    still_waiting: int = 0
    service_level: float | None = None
    abandoned_share: float | None = None
    mean_wait_s: float | None = None
    p90_wait_s: float | None = None
    longest_wait_s: float | None = None
    mean_handle_s: float | None = None
    occupancy: float | None = None
    agent_hours: float | None = None


MEASURES = tuple(Figures.__dataclass_fields__)


@dataclass(slots=True)
class _Scope:
    ends: defaultdict[End, int] = field(default_factory=lambda: defaultdict(int))
    waits_ms: list[int] = field(default_factory=list)
    handles_ms: list[int] = field(default_factory=list)
    in_time: int = 0
    short: int = 0
    busy_ms: int = 0
    free_ms: int = 0


def figures_of(day: Day, config: Config, ledger: Ledger, until_ms: int) -> dict[str, Figures]:
    """By scope: `in all`, `queue NAME`, `team NAME`. `until_ms`: when the replay ended, for who still waits then."""
    scopes: defaultdict[str, _Scope] = defaultdict(_Scope)
    teams = {agent.id: f"team {agent.team}" for agent in config.agents.values()}
    for course in ledger.courses.values():
        if day.is_counted(course.at_ms - day.starts_at_ms):
            queue = config.queues.get(course.queue)
            aim = queue.service_level if queue else ServiceLevel()
            named = [IN_ALL, f"queue {course.queue}" if course.queue else "", teams.get(course.agent, "")]
            for name in filter(None, named):
                _count_call(scopes[name], course, aim, until_ms)
    _count_agents(scopes, ledger, config, teams)
    return {name: _figures(scopes[name]) for name in sorted(scopes, key=_in_order)}


def _in_order(name: str) -> tuple[bool, str]:
    return name != IN_ALL, name


def _count_call(scope: _Scope, course: Course, aim: ServiceLevel, until_ms: int) -> None:
    scope.ends[course.end] += 1
    waited_ms = (course.waited_until_ms if course.waited_until_ms is not None else until_ms) - course.at_ms
    if course.end is not End.TURNED_AWAY:
        scope.waits_ms.append(waited_ms)
    scope.in_time += course.end is End.ANSWERED and waited_ms <= aim.within_s * 1000
    scope.short += course.end is End.ABANDONED and waited_ms <= aim.short_abandon_s * 1000
    done_ms = course.wrapped_up_ms or course.ended_ms
    if course.end is End.ANSWERED and done_ms is not None and course.waited_until_ms is not None:
        scope.handles_ms.append(done_ms - course.waited_until_ms)


def _count_agents(scopes: defaultdict[str, _Scope], ledger: Ledger, config: Config, teams: Mapping[str, str]) -> None:
    """An agent's time counts in his team and in all; in a queue only where he has no other one."""
    for agent_id, spent in ledger.agent_ms.items():
        agent = config.agents.get(agent_id)
        queues = [queue for queue, _rank in agent.queues] if agent else []
        named = [IN_ALL, teams.get(agent_id, ""), f"queue {queues[0]}" if len(queues) == 1 else ""]
        for name in filter(None, named):
            scopes[name].busy_ms += spent[Doing.BUSY]
            scopes[name].free_ms += spent[Doing.FREE]


def _figures(scope: _Scope) -> Figures:
    offered = sum(scope.ends.values())
    at_work_ms = scope.busy_ms + scope.free_ms
    return Figures(
        offered=offered,
        answered=scope.ends[End.ANSWERED],
        abandoned=scope.ends[End.ABANDONED],
        short_abandoned=scope.short,
        turned_away=scope.ends[End.TURNED_AWAY],
        let_go=scope.ends[End.LET_GO],
        still_waiting=scope.ends[End.WAITING],
        service_level=_percent(scope.in_time, offered - scope.short),
        abandoned_share=_percent(scope.ends[End.ABANDONED], offered),
        mean_wait_s=_mean_s(scope.waits_ms),
        p90_wait_s=_p90_s(scope.waits_ms),
        longest_wait_s=max(scope.waits_ms) / 1000 if scope.waits_ms else None,
        mean_handle_s=_mean_s(scope.handles_ms),
        occupancy=_percent(scope.busy_ms, at_work_ms),
        agent_hours=at_work_ms / 3_600_000 if at_work_ms else None,
    )


def _percent(part: float, whole: float) -> float | None:
    return 100 * part / whole if whole else None


def _mean_s(times_ms: Iterable[int]) -> float | None:
    found = list(times_ms)
    return sum(found) / len(found) / 1000 if found else None


def _p90_s(times_ms: list[int]) -> float | None:
    """Nearest rank: the least time that nine of ten did not exceed."""
    if not times_ms:
        return None
    return sorted(times_ms)[-(-9 * len(times_ms) // 10) - 1] / 1000
