"""What a simulated shift is made of. Times are seconds since its start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from routing.sim.pacing.laws import Exponential, Gamma, Law, LogNormal, Mixture, Weibull

LINES_PER_AGENT = 12  # where nothing else is said: never the limit


class Amd(Enum):
    """What stands between an answer and an agent.

    `PERFECT`: machines are known as such at once. `OFF`: they are taken for people. `REAL`: a decision takes time and
    may be wrong both ways.
    """

    PERFECT = "perfect"
    OFF = "off"
    REAL = "real"


class Late(Enum):
    """What becomes of a person for whom no agent is free in time.

    `WAITS`: he goes on waiting until he gives up, and may still be connected. `MESSAGE`: he hears a message and the
    call is over.
    """

    WAITS = "waits"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Laws:
    """How long everything takes, s. `ring`: until a person answers, of those who do so before the time-out."""

    setup: Law
    ring: Weibull
    machine_ring: Law
    busy: Law
    invalid: Law
    talk: Law
    wrap_up: Law
    patience: Law
    machine_talk: Law
    greeting: Law
    decision: Law
    inbound_talk: Law
    inbound_patience: Law


LAWS = Laws(
    setup=Gamma(2.5, 4),
    ring=Weibull(12.41, 2.0),
    machine_ring=Mixture(((0.25, Gamma(2.0, 4)), (0.75, Gamma(16.0, 16)))),
    busy=Gamma(1.0, 4),
    invalid=Gamma(1.5, 4),
    talk=LogNormal(110.0, 1.0),
    wrap_up=Gamma(20.0, 2),
    patience=LogNormal(9.0, 0.8),
    machine_talk=Gamma(9.0, 4),
    greeting=Gamma(1.2, 6),
    decision=Gamma(0.7, 6),
    inbound_talk=LogNormal(180.0, 0.9),
    inbound_patience=Exponential(90.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """A share of the agents goes at `from_s`, each when his call and wrap-up are over, and is back at `until_s`."""

    from_s: float
    until_s: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Churn:
    """Agents who come late, go for breaks and go early. Means in seconds, shares of all agents."""

    late_share: float = 0.3
    late_s: float = 1200.0
    work_s: float = 2700.0
    break_s: float = 480.0
    early_share: float = 0.15
    early_s: float = 1800.0


def steady(now: float) -> float:
    """The answer rate stays what it is."""
    del now
    return 1.0


REST: Mapping[str, float] = {"noanswer": 0.45, "machine": 0.35, "busy": 0.10, "invalid": 0.10}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One shift. `answer_rate`: share of calls that a person answers; `factor` changes it over time; `rest`: what the
    other calls become. `lines` None: more than ever needed. `false_positives`: persons whom the detection takes for
    machines, who count as abandoned, and `false_positive_estimate` what the policy is told of it.
    """

    agents: int
    answer_rate: float
    seed: int = 1
    factor: Callable[[float], float] = steady
    rest: Mapping[str, float] = field(default_factory=lambda: REST)
    laws: Laws = LAWS
    absences: tuple[Absence, ...] = ()
    churn: Churn | None = None
    amd: Amd = Amd.PERFECT
    false_positives: float = 0.0
    false_negatives: float = 0.0
    false_positive_estimate: float | None = None
    late: Late = Late.WAITS
    lines: int | None = None
    inbound_per_agent_hour: float = 0.0
    shift_s: float = 14_400.0
    warm_up_s: float = 900.0
    tick_s: float = 1.0
    ring_timeout_s: float = 25.0
    max_wait_s: float = 2.0
    target: float = 0.03

    @property
    def most_lines(self) -> int:
        return LINES_PER_AGENT * self.agents + 20 if self.lines is None else self.lines

    def told(self) -> dict[str, object]:
        """All that a policy is told."""
        estimate = self.false_positives if self.false_positive_estimate is None else self.false_positive_estimate
        return {
            "target": self.target,
            "max_wait": self.max_wait_s,
            "ring_timeout": self.ring_timeout_s,
            "tick": self.tick_s,
            "lines": self.most_lines,
            "shift_seconds": self.shift_s,
            "n_agents_planned": self.agents,
            "amd": self.amd.value,
            "amd_false_positive_estimate": estimate if self.amd is Amd.REAL else 0.0,
            "seed": self.seed,
        }
