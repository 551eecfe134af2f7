"""How long talk and wrap-up last, learned while they last: a hazard by age which data take over from a log-normal law.

Durations in seconds. The hazard is constant within each of `EDGES`; its estimate is the posterior mean of a Gamma prior
(D. Gamerman, "Dynamic Bayesian models for survival data", Applied Statistics 40, 1991, in its static form)

    hazard = (ended + WEIGHT) / (seconds at risk + WEIGHT / hazard of the log-normal law)

so that a handful of calls gives a smooth law and thousands give their own, whatever its form. Agents still talking
count by the seconds they have been at risk (right censoring): without them the first minutes know short calls only.
The log-normal law itself is fitted to ended and running durations by expectation and maximisation, starting from a
guess that weighs as much as a few calls; talk times are close to log-normal (Brown et al. 2005,
doi:10.1198/016214504000001808).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

EDGES = (
    0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 12.0, 15.0, 18.0, 22.0, 26.0, 31.0, 37.0, 45.0, 55.0, 70.0, 90.0, 115.0,
    145.0, 180.0, 230.0, 290.0, 370.0, 470.0, 600.0, 800.0, 1100.0, 1500.0, 2000.0, 3000.0,
)  # fmt: skip
WEIGHT = 5.0
_LAST = len(EDGES) - 1
_BEYOND_S = 1500.0  # how wide the last, open interval is taken for its hazard
_GUESS_WEIGHT = 6.0
_ROOT_2 = math.sqrt(2.0)
_LEAST = 1e-12


def upper_tail(x: float) -> float:
    """Of the standard normal law."""
    return 0.5 * math.erfc(x / _ROOT_2)


def _mills(x: float) -> float:
    """Density over upper tail of the standard normal law."""
    if x > 8:
        return x + 1 / x
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi) / upper_tail(x)


class Durations:
    """One law. `ended` takes whole durations, `refit` the ages of those under way and makes the law that is used
    next."""

    def __init__(self, mean_s: float, variation: float) -> None:
        variance = math.log1p(variation * variation)
        self.guess = (math.log(mean_s) - variance / 2, math.sqrt(variance))
        self.middle, self.spread = self.guess
        self.counts = [0.0] * len(EDGES)
        self.seconds = [0.0] * len(EDGES)  # spent within the interval in which the duration ended
        self.logs = [0.0, 0.0, 0.0]  # number, sum and sum of squares of the logarithms
        self.cumulated: list[float] = []
        self.hazards: list[float] = []
        self.refit(())

    def ended(self, seconds: float) -> None:
        seconds = max(seconds, 0.05)
        found = bisect_right(EDGES, seconds) - 1
        self.counts[found] += 1
        self.seconds[found] += seconds - EDGES[found]
        log = math.log(max(seconds, 0.5))
        self.logs[0] += 1
        self.logs[1] += log
        self.logs[2] += log * log

    def refit(self, ages: Iterable[float]) -> None:
        running = [0.0] * len(EDGES)
        inside = [0.0] * len(EDGES)
        for age in ages:
            found = bisect_right(EDGES, max(age, 0.0)) - 1
            running[found] += 1
            inside[found] += age - EDGES[found]
        for _ in range(2):
            self._maximise(running, inside)
        exposure = self._exposure(running, inside)
        self.hazards = [
            (self.counts[i] + WEIGHT) / (exposure[i] + WEIGHT / self._guessed_hazard(i)) for i in range(len(EDGES))
        ]
        self.cumulated = [0.0]
        for i in range(_LAST):
            self.cumulated.append(self.cumulated[-1] + self.hazards[i] * (EDGES[i + 1] - EDGES[i]))

    def mean_s(self) -> float:
        return math.exp(self.middle + self.spread * self.spread / 2)

    def exponent(self, age: float) -> float:
        """The cumulated hazard: the share exp(-exponent) lasts longer than `age`."""
        if age <= 0:
            return 0.0
        found = bisect_right(EDGES, age) - 1
        return self.cumulated[found] + self.hazards[found] * (age - EDGES[found])

    def ended_by(self, age: float, horizon: int) -> list[float]:
        """P(over within 0, 1, ... `horizon` seconds from now | has lasted `age`)."""
        start = self.exponent(age)
        return [1 - math.exp(start - self.exponent(age + later)) for later in range(horizon + 1)]

    def _maximise(self, running: Sequence[float], inside: Sequence[float]) -> None:
        middle, spread = self.guess
        number = self.logs[0] + _GUESS_WEIGHT
        total = self.logs[1] + _GUESS_WEIGHT * middle
        squares = self.logs[2] + _GUESS_WEIGHT * (spread * spread + middle * middle)
        for i, count in enumerate(running):
            if not count:
                continue
            age = max(1.0, EDGES[i] + inside[i] / count)
            x = (math.log(age) - self.middle) / self.spread
            ratio = _mills(x)
            expected = self.middle + self.spread * ratio
            number += count
            total += count * expected
            squares += count * (expected * expected + self.spread**2 * max(0.02, 1 + x * ratio - ratio * ratio))
        self.middle = total / number
        self.spread = math.sqrt(max(0.01, squares / number - self.middle * self.middle))

    def _exposure(self, running: Sequence[float], inside: Sequence[float]) -> list[float]:
        found = [0.0] * len(EDGES)
        beyond = 0.0
        for i in range(_LAST, -1, -1):
            width = EDGES[i + 1] - EDGES[i] if i < _LAST else 0.0
            found[i] = self.seconds[i] + inside[i] + beyond * width
            beyond += self.counts[i] + running[i]
        return found

    def _guessed_hazard(self, i: int) -> float:
        low, high = EDGES[i], EDGES[i + 1] if i < _LAST else EDGES[i] + _BEYOND_S
        before = 1.0 if low <= 0 else upper_tail((math.log(low) - self.middle) / self.spread)
        after = upper_tail((math.log(high) - self.middle) / self.spread)
        if before < _LEAST or after < _LEAST:
            # Far in the tail the law says nothing of use: go on as at three standard deviations.
            return max(1e-4, 3.5 / (self.spread * max(low, 1.0)))
        return max(1e-5, math.log(before / after) / (high - low))

    def dump(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _STATE}

    def load(self, state: dict[str, Any]) -> None:
        for name in _STATE:
            setattr(self, name, state[name])
        self.guess = (self.guess[0], self.guess[1])


_STATE = ("middle", "spread", "counts", "seconds", "logs", "cumulated", "hazards")
