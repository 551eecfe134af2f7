"""The traffic that policies are tried on, by name: three scenarios, and stresses that each change one thing."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from routing.sim.pacing.laws import Gamma, LogNormal, Mixture, Pareto, Weibull
from routing.sim.pacing.scene import LAWS, Absence, Amd, Churn, Late, Scene

SIZES = (5, 10, 20, 50, 100, 300)
RATES = (0.15, 0.30, 0.50)

JUMP_S, JUMP = 80 * 60.0, 1.8
FALL_S, FALL = 160 * 60.0, 0.55
AWAY = Absence(from_s=120 * 60.0, until_s=135 * 60.0, share=0.3)
_DRIFT_PERIOD_S = 9_000.0
_FLIP_S, _FLIPPED = 600.0, 0.5
_AMD_WRONG = 0.01


@dataclass(frozen=True, slots=True)
class Steps:
    """A factor that is another one from each time on; 1 before the first."""

    times: tuple[float, ...]
    factors: tuple[float, ...]

    def __call__(self, now: float) -> float:
        place = bisect_right(self.times, now)
        return self.factors[place - 1] if place else 1.0


@dataclass(frozen=True, slots=True)
class Wave:
    """A factor between 1 - depth and 1 + depth."""

    phase: float
    depth: float = 0.5
    period_s: float = _DRIFT_PERIOD_S

    def __call__(self, now: float) -> float:
        return 1 + self.depth * math.sin(2 * math.pi * (now / self.period_s + self.phase))


def _stationary(scene: Scene) -> Scene:
    return scene


def _drift(scene: Scene) -> Scene:
    phase = Random(f"drift/{scene.seed}").random()  # noqa: S311 - a simulation, not a secret
    return replace(scene, factor=Wave(phase))


def _shock(scene: Scene) -> Scene:
    return replace(scene, factor=Steps((JUMP_S, FALL_S), (JUMP, FALL)), absences=(AWAY,))


def _heavy(scene: Scene) -> Scene:
    return replace(scene, laws=replace(scene.laws, talk=Pareto(110.0, 2.2)))


def _two_kinds(scene: Scene) -> Scene:
    """Most people say no at once, some buy."""
    talk = Mixture(((0.7, Gamma(25.0, 2)), (0.3, LogNormal(310.0, 0.6))))
    return replace(scene, laws=replace(scene.laws, talk=talk))


def _amd_off(scene: Scene) -> Scene:
    return replace(scene, amd=Amd.OFF)


def _amd_real(scene: Scene) -> Scene:
    return replace(scene, amd=Amd.REAL, false_positives=_AMD_WRONG, false_negatives=0.08)


def _amd_misjudged(scene: Scene) -> Scene:
    """More false positives than the policy is told."""
    return replace(_amd_real(scene), false_positives=1.5 * _AMD_WRONG, false_positive_estimate=_AMD_WRONG)


def _churn(scene: Scene) -> Scene:
    return replace(scene, churn=Churn())


def _few_lines(scene: Scene) -> Scene:
    """Some more lines than agents: at low answer rates never enough."""
    return replace(scene, lines=math.ceil(1.6 * scene.agents) + 2)


def _blended(scene: Scene) -> Scene:
    """Inbound calls take about a third of the agents' time."""
    return replace(scene, inbound_per_agent_hour=6.0)


def _flips(scene: Scene) -> Scene:
    times = tuple(_FLIP_S * n for n in range(1, int(scene.shift_s / _FLIP_S) + 1))
    factors = tuple(_FLIPPED if n % 2 == 0 else 1.5 for n in range(len(times)))
    return replace(scene, factor=Steps(times, factors))


def _slow_ring(scene: Scene) -> Scene:
    """Other people: they answer late, and agents take longer with less spread."""
    laws = replace(scene.laws, ring=Weibull(20.0, 2.6), talk=LogNormal(240.0, 0.7), wrap_up=Gamma(45.0, 3))
    return replace(scene, laws=laws)


def _message(scene: Scene) -> Scene:
    return replace(scene, late=Late.MESSAGE)


SCENARIOS: dict[str, Callable[[Scene], Scene]] = {"stationary": _stationary, "drift": _drift, "shock": _shock}
STRESSES: dict[str, Callable[[Scene], Scene]] = {
    "heavy-talk": _heavy,
    "two-kinds": _two_kinds,
    "amd-off": _amd_off,
    "amd-real": _amd_real,
    "amd-misjudged": _amd_misjudged,
    "churn": _churn,
    "few-lines": _few_lines,
    "blended": _blended,
    "flips": _flips,
    "slow-ring": _slow_ring,
    "message": _message,
}
ALL = SCENARIOS | STRESSES


def scene(name: str, agents: int, answer_rate: float, seed: int, shift_s: float = 14_400.0) -> Scene:
    """Raises KeyError for an unknown name."""
    return ALL[name](Scene(agents=agents, answer_rate=answer_rate, seed=seed, laws=LAWS, shift_s=shift_s))
