"""How people behave at their telephones: small seeded values, the same for simulation, what-if and pacing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from routing.core.commands import KeyInput
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """Keys that a caller presses, `after_ms` from the beginning of the prompts on; then he may hang up."""

    digits: str = ""
    after_ms: int = 500
    between_ms: int = 300
    hangs_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """How long a caller speaks after the beep; then he is silent, or hangs up."""

    says_ms: int = 10_000
    hangs_up: bool = False


class Listener(Protocol):
    """What a caller does with prompts and after a beep; None: nothing."""

    def press(self, prompts: tuple[str, ...], keys: KeyInput | None, random: Random) -> Press | None:
        """At each PlayPrompts; `keys` None: nobody asks for any, and digits go nowhere."""

    def speak(self, random: Random) -> Speech | None: ...


@dataclass(frozen=True, slots=True)
class Patient:
    """Hears everything out and presses nothing; speaks on, or as `speech` says."""

    speech: Speech | None = None

    def press(self, prompts: tuple[str, ...], keys: KeyInput | None, random: Random) -> Press | None:
        del prompts, keys, random
        return None

    def speak(self, random: Random) -> Speech | None:
        del random
        return self.speech


@dataclass(frozen=True, slots=True)
class PressesAt:
    """Keys by prompt: the first prompt of an order that is named here, in full or by its last part, decides."""

    at: Mapping[str, Press]
    speech: Speech | None = None

    def press(self, prompts: tuple[str, ...], keys: KeyInput | None, random: Random) -> Press | None:
        del keys, random
        names = (name for prompt in prompts for name in (prompt, prompt.rpartition("/")[2]))
        return next((self.at[name] for name in names if name in self.at), None)

    def speak(self, random: Random) -> Speech | None:
        del random
        return self.speech


class PressesInTurn:
    """One after the other at each order that asks for keys; nothing more when there are no more."""

    def __init__(self, *turns: Press | str, speech: Speech | None = None) -> None:
        self._left: list[Press] = [Press(digits=t) if isinstance(t, str) else t for t in turns]
        self._speech = speech

    def press(self, prompts: tuple[str, ...], keys: KeyInput | None, random: Random) -> Press | None:
        del prompts, random
        return self._left.pop(0) if self._left and keys is not None else None

    def speak(self, random: Random) -> Speech | None:
        del random
        return self._speech
