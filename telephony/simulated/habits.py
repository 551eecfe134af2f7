"""How people behave at their telephones: small seeded values, the same for simulation, what-if and pacing."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from routing.core.facts import DialOutcome


class Law(Protocol):
    """A distribution of durations."""

    def draw(self, random: Random) -> int:
        """One duration in ms, >= 0."""


@dataclass(frozen=True, slots=True)
class Constant:
    ms: int = 0

    def draw(self, random: Random) -> int:
        del random
        return self.ms


@dataclass(frozen=True, slots=True)
class Uniform:
    low_ms: int
    high_ms: int

    def draw(self, random: Random) -> int:
        return random.randint(self.low_ms, self.high_ms)


@dataclass(frozen=True, slots=True)
class Exponential:
    """Patience of callers is usually taken as exponential (Erlang A: Palm 1957)."""

    mean_ms: int

    def draw(self, random: Random) -> int:
        return round(random.expovariate(1 / self.mean_ms))


@dataclass(frozen=True, slots=True)
class LogNormal:
    """Talk times are close to log-normal (Brown et al. 2005, doi:10.1198/016214504000001808, section 5).

    `sigma` is the standard deviation of the logarithm; the mean is `median_ms * exp(sigma**2 / 2)`.
    """

    median_ms: int
    sigma: float

    def draw(self, random: Random) -> int:
        return round(random.lognormvariate(math.log(self.median_ms), self.sigma))


@dataclass(frozen=True, slots=True)
class Measured:
    """Draws one of the recorded durations."""

    samples_ms: tuple[int, ...]

    def draw(self, random: Random) -> int:
        return random.choice(self.samples_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """What a telephone does with one call; without `answer_ms` and `reject_ms` nobody comes.

    `rings`: a dead telephone does not even do that. `talk_ms`: from first hearing somebody until it hangs up.
    """

    rings: bool = True
    answer_ms: int | None = None
    reject_ms: int | None = None
    outcome: DialOutcome = DialOutcome.REJECTED
    talk_ms: int | None = None


class Habit(Protocol):
    def react(self, random: Random) -> Reaction:
        """What this telephone does with the next call."""


@dataclass(frozen=True, slots=True)
class Answers:
    """`talk` None: never hangs up by itself."""

    delay: Law = field(default_factory=Constant)
    talk: Law | None = None

    def react(self, random: Random) -> Reaction:
        delay_ms = self.delay.draw(random)
        return Reaction(answer_ms=delay_ms, talk_ms=self.talk.draw(random) if self.talk else None)


@dataclass(frozen=True, slots=True)
class Rejects:
    outcome: DialOutcome = DialOutcome.REJECTED
    delay: Law = field(default_factory=Constant)

    def react(self, random: Random) -> Reaction:
        return Reaction(reject_ms=self.delay.draw(random), outcome=self.outcome)


@dataclass(frozen=True, slots=True)
class RingsOut:
    def react(self, random: Random) -> Reaction:
        del random
        return Reaction()


@dataclass(frozen=True, slots=True)
class IsDead:
    """Registered, but nothing comes back from it."""

    def react(self, random: Random) -> Reaction:
        del random
        return Reaction(rings=False)


@dataclass(frozen=True, slots=True)
class Human:
    """Answers after `delay`, talks for `talk`; misses or rejects with these probabilities (0-1)."""

    delay: Law
    talk: Law
    misses: float = 0.0
    rejects: float = 0.0

    def react(self, random: Random) -> Reaction:
        fate, delay_ms, talk_ms = random.random(), self.delay.draw(random), self.talk.draw(random)
        if fate < self.misses:
            return Reaction()
        if fate < self.misses + self.rejects:
            return Reaction(reject_ms=delay_ms)
        return Reaction(answer_ms=delay_ms, talk_ms=talk_ms)
