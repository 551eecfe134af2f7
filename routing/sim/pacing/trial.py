"""Many shifts of several policies, and what they come to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from multiprocessing import get_context
from statistics import fmean, stdev

from routing.sim.pacing import baselines, scenes
from routing.sim.pacing.clairvoyant import Clairvoyant
from routing.sim.pacing.informed import Informed
from routing.sim.pacing.ledger import Outcome
from routing.sim.pacing.scene import Scene
from routing.sim.pacing.shift import run_shift
from routing.sim.pacing.snapshot import MakePolicy

PREDICTIVE = "predictive"
FREE_CALLS = 2.0  # a shift may end over its target by so many calls: nobody stops a call that rings
_BASELINES: dict[str, MakePolicy] = {
    "one-per-agent": baselines.OnePerAgent,
    "fixed-ratio": baselines.FixedRatio,
    "adaptive": baselines.AdaptiveLevel,
    "normal": baselines.NormalApproximation,
    "informed": Informed,
    "clairvoyant": Clairvoyant,
}
POLICIES = ("one-per-agent", "fixed-ratio", "adaptive", "normal", PREDICTIVE, "informed", "clairvoyant")


def policy(name: str) -> MakePolicy:
    """`fixed-ratio:2.5` is one with that ratio. Raises KeyError for an unknown name, ValueError for a bad ratio."""
    if name == PREDICTIVE:
        from routing.core.pacing import Predictive

        return Predictive
    base, colon, ratio = name.partition(":")
    if colon and base == "fixed-ratio":
        return partial(baselines.FixedRatio, ratio=float(ratio))
    return _BASELINES[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The same shift over several seeds."""

    policy: str
    scenario: str
    agents: int
    answer_rate: float
    target: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`base`: what every shift has before its scenario changes it; the rest is the cell's."""

    policies: Sequence[str]
    sizes: Sequence[int] = scenes.SIZES
    rates: Sequence[float] = scenes.RATES
    scenarios: Sequence[str] = tuple(scenes.SCENARIOS)
    targets: Sequence[float] = (0.03,)
    seeds: Sequence[int] = (1,)
    jobs: int = 1
    is_timed: bool = False
    base: Scene = Scene(agents=1, answer_rate=0.3)  # noqa: RUF009 - a frozen value

    def cells(self) -> Iterator[Cell]:
        tried = product(self.policies, self.scenarios, self.sizes, self.rates, self.targets)
        for name, scenario, agents, rate, target in tried:
            yield Cell(policy=name, scenario=scenario, agents=agents, answer_rate=rate, target=target)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """Shares are 0-1; what ends in `_spread` is the standard deviation between shifts. `abandonment`, `hung_up`: of all
    persons of all shifts together. `shifts_over`: share of shifts that ended over the target by more than two calls,
    `worst_over`: by how many calls the worst one did. `per_agent_hour`: persons connected.
    """

    cell: Cell
    shifts: int
    people: int
    utilization: float
    utilization_spread: float
    abandonment: float
    abandonment_spread: float
    hung_up: float
    shifts_over: float
    worst_over: float
    per_agent_hour: float
    dialed_per_person: float


Progress = Callable[[Cell, int], None]


def run(plan: Plan, progress: Progress | None = None) -> list[tuple[Cell, list[Outcome]]]:
    """Every cell with its shifts. The same plan gives the same outcomes, with any number of jobs."""
    cells = list(plan.cells())
    work = [(cell, seed) for cell in cells for seed in plan.seeds]
    found: dict[Cell, list[Outcome]] = {cell: [] for cell in cells}
    for (cell, _), outcome in zip(work, _outcomes(plan, work), strict=True):
        found[cell].append(outcome)
        if progress:
            progress(cell, len(found[cell]))
    return list(found.items())


def _outcomes(plan: Plan, work: Sequence[tuple[Cell, int]]) -> Iterator[Outcome]:
    play = partial(_play, plan.base, plan.is_timed)
    if plan.jobs <= 1:
        yield from map(play, work)
        return
    with ProcessPoolExecutor(plan.jobs, get_context("spawn")) as pool:
        yield from pool.map(play, work)


def _play(base: Scene, is_timed: bool, work: tuple[Cell, int]) -> Outcome:
    cell, seed = work
    scene = replace(base, agents=cell.agents, answer_rate=cell.answer_rate, seed=seed, target=cell.target)
    return run_shift(scenes.ALL[cell.scenario](scene), policy(cell.policy), is_timed=is_timed)


def pooled(cell: Cell, outcomes: Sequence[Outcome]) -> Pooled:
    """Raises ValueError for no outcomes."""
    people = sum(sum(outcome.people) for outcome in outcomes)
    late = sum(sum(outcome.late) for outcome in outcomes)
    utilizations = [outcome.utilization for outcome in outcomes]
    overs = [outcome.over(cell.target) for outcome in outcomes]
    return Pooled(
        cell=cell,
        shifts=len(outcomes),
        people=people,
        utilization=fmean(utilizations),
        utilization_spread=spread(utilizations),
        abandonment=late / max(1, people),
        abandonment_spread=spread([outcome.abandonment for outcome in outcomes]),
        hung_up=sum(sum(outcome.gone) for outcome in outcomes) / max(1, people),
        shifts_over=fmean(over > FREE_CALLS for over in overs),
        worst_over=max(overs),
        per_agent_hour=sum(o.connected_people for o in outcomes) / max(1e-9, sum(o.agent_hours for o in outcomes)),
        dialed_per_person=sum(sum(o.dialed) for o in outcomes) / max(1, people),
    )


def spread(values: Sequence[float]) -> float:
    """Standard deviation; 0 for a single value."""
    return stdev(values) if len(values) > 1 else 0.0
