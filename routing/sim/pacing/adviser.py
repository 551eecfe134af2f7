"""Which mode of dialing fits, and what to expect of it: the policies themselves, in short simulated shifts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial

from routing.core.pacing import Progressive
from routing.sim.pacing.baselines import Preview
from routing.sim.pacing.ledger import Outcome
from routing.sim.pacing.measured import Measured
from routing.sim.pacing.shift import run_shift
from routing.sim.pacing.snapshot import MakePolicy
from routing.sim.pacing.trial import FREE_CALLS, PREDICTIVE, Cell, Pooled, policy, pooled

MOST_AGENTS = 100  # simulated: a larger team does a little better than said here
WORTH = 0.05  # so much more of the agents' time a mode must use than one that asks less of the people called
_SHIFT_S = 2 * 3600.0


class Mode(Enum):
    """From the one that asks least of the people called to the one that asks most."""

    PREVIEW = "preview"
    PROGRESSIVE = "progressive"
    PREDICTIVE = "predictive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`target`: abandoned calls of all that a person answers, 0-1; 0 allows none. `preview_s`: how long an agent looks
    at a record before it is dialed. `seeds`: shifts; 0: five for small teams, down to two for large ones.
    """

    agents: int
    measured: Measured
    target: float = 0.03
    preview_s: float = 20.0
    seeds: int = 0
    shift_s: float = _SHIFT_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a mode gives. Shares are 0-1, `_low` and `_high` the worst and the best shift. `is_allowed`: it keeps to the
    target; `why_not` says what is against it.
    """

    mode: Mode
    utilization: float
    utilization_low: float
    utilization_high: float
    calls_per_agent_hour: float
    abandonment: float
    abandonment_high: float
    abandoned_per_hour: float
    dialed_per_connection: float
    is_allowed: bool
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """`reasons`: in plain words, the most important one first."""

    mode: Mode
    reasons: tuple[str, ...]
    expected: tuple[Expected, ...]
    simulated_agents: int
    shifts: int
    shift_hours: float


def advise(question: Question) -> Advice:
    """The mode that uses most of the agents' time within the target; of modes as good within `WORTH`, the gentlest.

    Takes some seconds for a small team, up to minutes for a large one.
    """
    expected = tuple(_expected(question, mode) for mode in Mode)
    allowed = [found for found in expected if found.is_allowed]
    best = max(found.utilization for found in allowed)
    chosen = next(found for found in allowed if found.utilization * (1 + WORTH) >= best)
    return Advice(
        mode=chosen.mode,
        reasons=tuple(_reasons(question, chosen, expected)),
        expected=expected,
        simulated_agents=min(question.agents, MOST_AGENTS),
        shifts=_shifts(question),
        shift_hours=question.shift_s / 3600,
    )


def _shifts(question: Question) -> int:
    return question.seeds or max(2, min(5, 60 // question.agents))


def _policy_of(question: Question, mode: Mode) -> MakePolicy:
    if mode is Mode.PREDICTIVE:
        return policy(PREDICTIVE)
    return Progressive if mode is Mode.PROGRESSIVE else partial(Preview, preview_s=question.preview_s)


def _expected(question: Question, mode: Mode) -> Expected:
    agents, rate = min(question.agents, MOST_AGENTS), question.measured.answer_rate
    scene = replace(question.measured.scene(agents), target=question.target, shift_s=question.shift_s)
    make = _policy_of(question, mode)
    outcomes = [run_shift(replace(scene, seed=seed), make) for seed in range(1, _shifts(question) + 1)]
    cell = Cell(policy=mode.value, scenario="measured", agents=agents, answer_rate=rate, target=question.target)
    found = pooled(cell, outcomes)
    shares, abandoned = [o.utilization for o in outcomes], [o.abandonment for o in outcomes]
    why_not = _why_not(question, mode, found)
    return Expected(
        mode=mode,
        utilization=found.utilization,
        utilization_low=min(shares),
        utilization_high=max(shares),
        calls_per_agent_hour=found.per_agent_hour,
        abandonment=found.abandonment,
        abandonment_high=max(abandoned),
        abandoned_per_hour=_late_per_hour(outcomes, question) * question.agents / agents,
        dialed_per_connection=sum(sum(o.dialed) for o in outcomes) / max(1, sum(o.connected_people for o in outcomes)),
        is_allowed=not why_not,
        why_not=why_not,
    )


def _late_per_hour(outcomes: Sequence[Outcome], question: Question) -> float:
    return sum(sum(outcome.late) for outcome in outcomes) / (len(outcomes) * question.shift_s / 3600)


def _why_not(question: Question, mode: Mode, found: Pooled) -> str:
    if mode is not Mode.PREDICTIVE:
        return ""
    if question.target <= 0:
        return "a target of 0 % allows no abandoned call, so no call may go out without a free agent"
    if found.abandonment * found.people > question.target * found.people + FREE_CALLS * found.shifts:
        return f"it abandoned {found.abandonment:.1%} in simulation, over the target of {question.target:.1%}"
    return ""


def _reasons(question: Question, chosen: Expected, expected: Sequence[Expected]) -> Iterator[str]:
    preview, progressive, predictive = expected
    yield _why(chosen, preview, progressive)
    yield _of_predictive(question, predictive, is_chosen=chosen is predictive)
    if chosen is not preview:
        yield (
            f"With preview and {question.preview_s:g} s for each record agents would have "
            f"{preview.calls_per_agent_hour:.1f} calls an hour; take it where a record has to be read first."
        )
    if chosen is predictive and chosen.utilization_high - chosen.utilization_low > WORTH:
        yield "A team as small as this has good and bad hours; a larger one does better with the same target."
    if question.agents > MOST_AGENTS:
        yield f"Simulated with {MOST_AGENTS} agents; with more the figures are a little better."


def _why(chosen: Expected, preview: Expected, progressive: Expected) -> str:
    calls = f"{chosen.calls_per_agent_hour:.1f} calls per agent and hour, {chosen.utilization:.0%} of the time in use"
    if chosen.mode is Mode.PREDICTIVE:
        return f"Predictive fits: {calls}, {_more(chosen, progressive):.0%} more calls than progressive."
    if chosen.mode is Mode.PROGRESSIVE:
        more = _more(chosen, preview)
        return f"Progressive fits: {calls}, {more:.0%} more calls than preview, and nobody is abandoned."
    return f"Preview fits: {calls}. Calls are long or often answered, so faster dialing would hardly give more."


def _more(one: Expected, other: Expected) -> float:
    return one.utilization / max(1e-9, other.utilization) - 1


def _of_predictive(question: Question, found: Expected, *, is_chosen: bool) -> str:
    if is_chosen:
        return (
            f"About {found.abandoned_per_hour:.1f} people an hour will answer and find no agent in time "
            f"({found.abandonment:.1%}, {found.abandonment_high:.1%} in the worst shift; "
            f"the target is {question.target:.1%})."
        )
    if not found.is_allowed:
        return f"Predictive is not advised: {found.why_not}."
    return (
        f"Predictive would give {found.calls_per_agent_hour:.1f} calls per agent and hour and abandon "
        f"{found.abandonment:.1%}: less than {WORTH:.0%} more calls is not worth that."
    )
