"""The replay against queueing theory: what the formulas say lies in the band of what the real core does.

The seeds are fixed, so a test gives the same figures every time. Bands are of 99 % each, over independent days the
first hour of which is not counted.
"""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import fmean

import pytest

from routing.core import erlang
from routing.sim.comparison import Estimate, Plan, estimate, replicate
from routing.sim.day import HOUR_MS, Span
from routing.sim.figures import Figures
from routing.sim.generate import Demand, Frame, make_day
from routing.sim.laws import Exponential, Fixed, Never
from routing.sim.ledger import End
from routing.sim.workload import DayLaws, draw
from tests.factories import agent, config, queue
from tests.sim.one_queue import HANDLE_MS, WITHIN_S, busy_day, center, first_come_first_served

DAYS = 12
CALLS = 9_000  # in all days together
CONFIDENCE = 0.99
ONE_DAY = Plan(replications=1)

pytestmark = pytest.mark.timeout(480)


def frame_for(load: float, calls: int, seed: int) -> Frame:
    hours = math.ceil(calls / (load * HOUR_MS / HANDLE_MS))
    return Frame(length_ms=hours * HOUR_MS, lead_in_h=1, seed=seed)


def days_of(agents: int, load: float, patience_s: float = math.inf) -> list[Figures]:
    """Independent days of the real core with that offered load in erlangs."""
    found = []
    for seed in range(1, DAYS + 1):
        day = busy_day(agents, load, patience_s, frame_for(load, CALLS // DAYS, seed))
        found.append(replicate(day, [center(agents)], replace(ONE_DAY, seed=seed))[0][0]["in all"])
    return found


def measured(days: list[Figures], name: str) -> Estimate:
    return estimate([getattr(day, name) or 0.0 for day in days], CONFIDENCE)


def holds(found: Estimate, theory: float, sharpness: float) -> None:
    """The theory's value lies in the band, and the band is no wider than `sharpness`: it could have failed."""
    assert found.mean is not None
    assert found.band is not None
    assert abs(found.mean - theory) <= found.band, f"{theory} is not {found.mean} +- {found.band}"
    assert found.band <= sharpness, f"{found.mean} +- {found.band} tells nothing of {theory}"


@pytest.mark.req("ROUTE-19")
@pytest.mark.parametrize(("agents", "load"), [(4, 2.4), (20, 16.0)])
def test_patient_callers_wait_as_erlang_c_says(agents: int, load: float) -> None:
    theory = erlang.patient(agents, load, HANDLE_MS / 1000, WITHIN_S)
    days = days_of(agents, load)
    holds(measured(days, "mean_wait_s"), theory.mean_wait, 12)
    holds(measured(days, "service_level"), 100 * theory.within, 10)
    holds(measured(days, "occupancy"), 100 * theory.occupancy, 5)
    assert sum(day.abandoned for day in days) == 0


@pytest.mark.req("ROUTE-19")
@pytest.mark.parametrize(("agents", "load", "patience_s"), [(5, 4.5, 60), (10, 13.0, 180), (20, 21.0, 90)])
def test_impatient_callers_give_up_as_erlang_a_says(agents: int, load: float, patience_s: int) -> None:
    theory = erlang.impatient(agents, load, HANDLE_MS / 1000, WITHIN_S, patience=patience_s)
    days = days_of(agents, load, patience_s)
    holds(measured(days, "abandoned_share"), 100 * theory.abandoned, 4)
    holds(measured(days, "mean_wait_s"), theory.mean_wait, 0.25 * theory.mean_wait)
    holds(measured(days, "service_level"), 100 * theory.within, 10)
    holds(measured(days, "occupancy"), 100 * theory.occupancy, 3)


@pytest.mark.req("ROUTE-19")
@pytest.mark.parametrize(
    ("agents", "load", "patience_s"),
    [(4, 2.4, math.inf), (10, 7.5, math.inf), (5, 4.5, 60), (10, 10.0, 120), (10, 13.0, 180)],
)
def test_days_without_end_come_as_near_to_theory_as_one_likes(agents: int, load: float, patience_s: float) -> None:
    """Many more calls than the core could be given here, through the recursion that `test_what_if_replay` shows to be
    the core's wait of every single call.
    """
    theory = erlang.impatient(agents, load, HANDLE_MS / 1000, WITHIN_S, patience=patience_s)
    waits, abandoned, within = [], [], []
    for seed in range(1, 11):
        day = busy_day(agents, load, patience_s, frame_for(load, 20_000, 100 + seed))
        courses = first_come_first_served(draw(day, DayLaws(day), seed, 0), agents)
        counted = [courses[call.id] for call in day.calls if day.is_counted(call.at_ms)]
        waits.append(fmean(wait_ms for _, wait_ms in counted) / 1000)
        abandoned.append(100 * fmean(end is End.ABANDONED for end, _ in counted))
        within.append(100 * fmean(end is End.ANSWERED and wait <= WITHIN_S * 1000 for end, wait in counted))
    holds(estimate(waits, CONFIDENCE), theory.mean_wait, 0.15 * theory.mean_wait)
    holds(estimate(within, CONFIDENCE), 100 * theory.within, 2)
    holds(estimate(abandoned, CONFIDENCE), 100 * theory.abandoned, 1)


@pytest.mark.req("ROUTE-04", "ROUTE-19")
def test_urgent_callers_wait_as_cobham_says() -> None:
    """Two queues of the same agents without aging: priority alone decides who is next."""
    agents, loads = 6, [1.5, 2.3]
    theory = erlang.prioritized(agents, loads, HANDLE_MS / 1000)
    rules = config(
        [agent(f"agt_{n:03}", "urgent", "usual") for n in range(agents)],
        [queue("urgent", priority=9, aging_per_min=0.0), queue("usual", priority=1, aging_per_min=0.0)],
    )
    found: dict[str, list[float]] = {"urgent": [], "usual": []}
    for seed in range(1, 13):
        frame = frame_for(sum(loads), 1200, seed)
        demands = [
            Demand(
                queue=name,
                hourly=[load * HOUR_MS / HANDLE_MS] * (frame.length_ms // HOUR_MS),
                patience=Never(),
                talk=Exponential(mean_ms=HANDLE_MS),
                ring=Fixed(ms=0),
            )
            for name, load in zip(found, loads, strict=True)
        ]
        shift = [Span(from_ms=-HOUR_MS, until_ms=frame.length_ms + HOUR_MS)]
        day = make_day(demands, {f"agt_{n:03}": shift for n in range(agents)}, frame)
        (figures,) = replicate(day, [rules], replace(ONE_DAY, seed=seed))[0]
        for name, waits in found.items():
            waits.append(figures[f"queue {name}"].mean_wait_s or 0.0)
    for waits, expected in zip(found.values(), theory, strict=True):
        holds(estimate(waits, CONFIDENCE), expected, 0.45 * expected)
