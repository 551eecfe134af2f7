"""Two configurations over the same day, several times, and how sure the difference is.

Each replication draws what the recording does not tell once, and both configurations get it (common random numbers),
so that most of the luck cancels out in the difference. The band of a figure is Student's t interval over the
replications, that of the difference the paired-t interval over the differences within each (A. M. Law, Simulation
Modeling and Analysis, 5th edition, 2015, sections 4.5, 10.2.1 and 11.2). With one replication there are no bands.

The day's arrivals and shifts are the same in every replication: the bands tell how much what is not known of this day
matters, not how much another day would differ from it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from statistics import fmean, stdev

from routing.core.config import Config
from routing.sim.day import Day
from routing.sim.figures import MEASURES, Figures, figures_of
from routing.sim.ledger import Ledger
from routing.sim.replay import Replay
from routing.sim.site import site_for
from routing.sim.student import quantile
from routing.sim.workload import DayLaws, draw

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """`mean` over the replications that have a value, +- `band`; None: no value, or fewer than two."""

    mean: float | None
    band: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One figure. `is_certain`: the band of `difference` (B - A) does not hold 0."""

    scope: str
    measure: str
    a: Estimate
    b: Estimate | None = None
    difference: Estimate | None = None
    is_certain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`alike`: see `site_for`. `jobs`: processes that work at the same time."""

    replications: int = 10
    seed: int = 1
    jobs: int = 1
    alike: Mapping[str, str] | None = None


def compare(day: Day, configs: Sequence[Config], plan: Plan) -> list[Compared]:
    """One or two configurations. The same plan gives the same result, with any number of jobs."""
    runs = replicate(day, configs, plan)
    scopes = dict.fromkeys(scope for run in runs for figures in run for scope in figures)
    return [_compared(scope, measure, runs) for scope in scopes for measure in MEASURES]


def replicate(day: Day, configs: Sequence[Config], plan: Plan) -> list[list[dict[str, Figures]]]:
    """The figures by scope, of each configuration, for each replication."""
    work = partial(_replication, day, DayLaws(day), tuple(configs), plan)
    if plan.jobs <= 1 or plan.replications <= 1:
        return [work(number) for number in range(plan.replications)]
    with ProcessPoolExecutor(min(plan.jobs, plan.replications), get_context("spawn")) as pool:
        return list(pool.map(work, range(plan.replications)))


def _replication(
    day: Day, laws: DayLaws, configs: Sequence[Config], plan: Plan, number: int
) -> list[dict[str, Figures]]:
    callers = draw(day, laws, plan.seed, number)
    found = []
    for config in configs:
        ledger = Ledger(day.starts_at_ms, day.starts_at_ms + day.length_ms)
        replay = Replay(day, site_for(day, config, plan.alike), laws, [ledger])
        replay.run(callers)
        ledger.close()
        found.append(figures_of(day, config, ledger, replay.now_ms))
    return found


def _compared(scope: str, measure: str, runs: Sequence[Sequence[Mapping[str, Figures]]]) -> Compared:
    series = [[_value(figures, scope, measure) for figures in side] for side in zip(*runs, strict=True)]
    a = estimate([value for value in series[0] if value is not None])
    if len(series) == 1:
        return Compared(scope=scope, measure=measure, a=a)
    pairs = [y - x for x, y in zip(*series, strict=True) if x is not None and y is not None]
    difference = estimate(pairs)
    is_certain = difference.mean is not None and difference.band is not None and abs(difference.mean) > difference.band
    b = estimate([value for value in series[1] if value is not None])
    return Compared(scope=scope, measure=measure, a=a, b=b, difference=difference, is_certain=is_certain)


def _value(figures: Mapping[str, Figures], scope: str, measure: str) -> float | None:
    found = figures.get(scope, Figures())
    value: float | None = getattr(found, measure)
    return value


def estimate(values: Sequence[float], confidence: float = CONFIDENCE) -> Estimate:
    """Mean and half width of Student's t interval."""
    if len(values) < 2:
        return Estimate(mean=values[0] if values else None)
    half = quantile((1 + confidence) / 2, len(values) - 1) * stdev(values) / math.sqrt(len(values))
    return Estimate(mean=fmean(values), band=half)
