"""A quick guard of the default policy on small scenes; `deploy/bench pacing` has the full measure."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from math import exp

import pytest

from routing.core.pacing import Predictive
from routing.sim.pacing.baselines import AdaptiveLevel, FixedRatio, OnePerAgent
from routing.sim.pacing.clairvoyant import Clairvoyant
from routing.sim.pacing.informed import Informed, at_least
from routing.sim.pacing.ledger import Outcome
from routing.sim.pacing.scene import Scene
from routing.sim.pacing.scenes import scene
from routing.sim.pacing.shift import run_shift
from routing.sim.pacing.snapshot import MakePolicy
from routing.sim.pacing.trial import FREE_CALLS

HOURS_2 = 7_200.0
SCENES = {
    "six agents": scene("stationary", 6, 0.3, 11, HOURS_2),
    "ten agents, the answer rate jumps": scene("shock", 10, 0.3, 12, HOURS_2),
    "twelve agents, the answer rate drifts": scene("drift", 12, 0.5, 13, HOURS_2),
    "ten agents, a detection that errs": scene("amd-real", 10, 0.4, 14, HOURS_2),
}
MORE = 0.04  # utilization, than with one call per free agent

pytestmark = pytest.mark.timeout(300)


@cache
def predicted(name: str) -> Outcome:
    return run_shift(SCENES[name], Predictive)


@pytest.mark.req("DIALER-12")
@pytest.mark.parametrize("name", SCENES)
def test_predictive_pacing_keeps_to_the_cap(name: str) -> None:
    found = predicted(name)
    assert sum(found.people) > 100
    assert found.over(SCENES[name].target) <= FREE_CALLS


@pytest.mark.req("DIALER-12")
@pytest.mark.parametrize("name", SCENES)
def test_predictive_pacing_keeps_agents_busier_than_one_call_for_each(name: str) -> None:
    assert predicted(name).utilization >= run_shift(SCENES[name], OnePerAgent).utilization + MORE


@pytest.mark.req("DIALER-12")
@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("make", [AdaptiveLevel, partial(FixedRatio, ratio=2.5)])
def test_the_same_scenes_are_too_much_for_simpler_policies(name: str, make: MakePolicy) -> None:
    """Else the guard would guard nothing."""
    found = run_shift(SCENES[name], make)
    kept = found.over(SCENES[name].target) <= FREE_CALLS
    busier = found.utilization >= run_shift(SCENES[name], OnePerAgent).utilization + MORE
    assert not (kept and busier)


@pytest.mark.req("DIALER-12", "DIALER-06")
def test_a_target_of_nothing_abandons_nobody() -> None:
    strict = replace(SCENES["six agents"], target=0.0)
    found = run_shift(strict, Predictive)
    assert (sum(found.late), sum(found.gone)) == (0, 0)
    assert found.utilization == pytest.approx(run_shift(strict, OnePerAgent).utilization, abs=0.03)


@pytest.mark.req("DIALER-12")
def test_whoever_knows_everything_has_hardly_an_agent_idle_and_nobody_waiting_too_long() -> None:
    known = Scene(agents=10, answer_rate=0.3, shift_s=HOURS_2)
    found = run_shift(known, Clairvoyant)
    assert found.utilization > 0.99
    assert found.over(known.target) <= 0


def test_whoever_is_told_the_agents_future_does_better_than_one_call_for_each_within_the_cap() -> None:
    known = SCENES["ten agents, the answer rate jumps"]
    found = run_shift(known, Informed)
    assert found.over(known.target) <= FREE_CALLS
    assert found.utilization >= run_shift(known, OnePerAgent).utilization + 2 * MORE


def test_the_chance_of_so_many_answers_is_that_of_poisson() -> None:
    assert (at_least(0, 5.0), at_least(3, 0.0)) == (1.0, 0.0)
    assert at_least(1, 0.7) == pytest.approx(1 - exp(-0.7))
    assert at_least(3, 2.0) == pytest.approx(1 - exp(-2) * (1 + 2 + 2))
    assert at_least(26, 26.0) == pytest.approx(at_least(25, 26.0), abs=0.09)  # where the normal law takes over
    assert at_least(120, 100.0) == pytest.approx(0.0282, abs=0.005)
