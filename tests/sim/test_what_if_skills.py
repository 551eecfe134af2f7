"""Two skills per agent are nearly as good as all: R. B. Wallace, W. Whitt, "A staffing algorithm for call centers with
skill-based routing", M&SOM 7(4), 2005, doi:10.1287/msom.1050.0086, found by simulation that where service does not
depend on the kind of call, agents with two skills each, suitably combined, serve nearly as well as agents with all.

The paper's tables were not at hand, so its finding is what is compared, in a center of our choice: six kinds of calls,
90 agents, 84 erlangs, 30 places to wait. One end is known exactly: with all skills it is M/M/90 with 120 places.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from statistics import fmean

import pytest

from routing.core import erlang
from routing.core.config import AgentConfig, Config
from routing.core.limits import CallLimits
from routing.core.treatment import ServiceLevel
from routing.sim.comparison import Plan, estimate, replicate
from routing.sim.day import HOUR_MS, Span
from routing.sim.figures import Figures
from routing.sim.generate import Demand, Frame, make_day
from routing.sim.laws import Exponential, Fixed, Never
from tests.factories import agent, config, queue

KINDS = tuple(f"kind{n}" for n in range(6))
AGENTS_PER_KIND, LOAD, PLACES = 15, 84.0, 30
HANDLE_MS, WITHIN_S = 180_000, 20
LEAD_IN_H, HOURS, DAYS = 1, 1, 4

pytestmark = pytest.mark.timeout(480)


def agents(skills: int) -> Iterator[AgentConfig]:
    """Each has his own kind first; the second ones are spread evenly over the other kinds, and so on."""
    for own in range(len(KINDS)):
        for number in range(AGENTS_PER_KIND):
            others = [(own + 1 + (number + step) % 5) % 6 for step in range(skills - 1)]
            ranked = [(KINDS[own], 1), *((KINDS[kind], 2) for kind in others)]
            yield replace(agent(f"agt_{own}_{number:02}"), queues=tuple(sorted(ranked)))


def center(skills: int) -> Config:
    aim = ServiceLevel(within_s=WITHIN_S)
    limits = CallLimits(tenant_calls=len(KINDS) * AGENTS_PER_KIND + PLACES)
    return config(agents(skills), [queue(kind, service_level=aim) for kind in KINDS], limits=limits)


@pytest.fixture(scope="module")
def days() -> dict[int, list[Figures]]:
    """The same calls for agents with one, two and all skills."""
    hourly = [LOAD / len(KINDS) * HOUR_MS / HANDLE_MS] * HOURS
    talk = Exponential(mean_ms=HANDLE_MS)
    demands = [Demand(queue=kind, hourly=hourly, patience=Never(), talk=talk, ring=Fixed(ms=0)) for kind in KINDS]
    shift = [Span(from_ms=-LEAD_IN_H * HOUR_MS, until_ms=(HOURS + 2) * HOUR_MS)]
    found: dict[int, list[Figures]] = {1: [], 2: [], 6: []}
    for seed in range(1, DAYS + 1):
        frame = Frame(length_ms=HOURS * HOUR_MS, lead_in_h=LEAD_IN_H, seed=seed)
        day = make_day(demands, {member.id: shift for member in agents(1)}, frame)
        (sides,) = replicate(day, [center(skills) for skills in found], Plan(replications=1, seed=seed))
        for results, side in zip(found.values(), sides, strict=True):
            results.append(side["in all"])
    return found


def mean(figures: list[Figures], name: str) -> float:
    return fmean(getattr(day, name) for day in figures)


@pytest.mark.req("ROUTE-16", "ROUTE-19")
def test_two_skills_per_agent_are_nearly_as_good_as_all(days: dict[int, list[Figures]]) -> None:
    one, two, all_ = (mean(days[skills], "mean_wait_s") for skills in (1, 2, 6))
    assert one > 2 * all_, "with one skill each kind of call has a small queue of its own"
    assert two - all_ < 0.1 * (one - all_), f"{one} s with one skill, {two} s with two, {all_} s with all"
    lost = [mean(days[skills], "turned_away") for skills in (1, 2, 6)]
    assert lost[1] - lost[2] < 0.1 * (lost[0] - lost[2]), f"{lost} callers found no place to wait"


@pytest.mark.req("ROUTE-19")
def test_with_all_skills_it_is_one_queue_with_limited_places(days: dict[int, list[Figures]]) -> None:
    theory = erlang.impatient(90, LOAD, HANDLE_MS / 1000, WITHIN_S, places=PLACES)
    for name, expected in {
        "mean_wait_s": theory.mean_wait,
        "service_level": 100 * theory.within,
        "occupancy": 100 * theory.occupancy,
    }.items():
        found = estimate([getattr(day, name) for day in days[6]], 0.99)
        assert found.mean is not None
        assert found.band is not None
        assert abs(found.mean - expected) <= found.band, f"{name}: {expected} is not {found}"
