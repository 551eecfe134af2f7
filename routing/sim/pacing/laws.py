"""Laws of durations in seconds, by their quantiles: one uniform number is one duration.

So a call has its luck by its own number, whatever else is drawn in between (common random numbers).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Protocol

_NORMAL = NormalDist()
_LEAST = 1e-12
_MOST_POWER = 100.0  # of e, beyond which nothing is left
_POINTS = 2_000  # of the table of a gamma law


class Law(Protocol):
    def at(self, share: float) -> float:
        """The duration in seconds that this share (0 <= share < 1) of all does not reach; inf: there is no end."""


@dataclass(frozen=True, slots=True)
class Fixed:
    seconds: float

    def at(self, share: float) -> float:
        del share
        return self.seconds


@dataclass(frozen=True, slots=True)
class Exponential:
    mean: float

    def at(self, share: float) -> float:
        return -self.mean * math.log1p(-share)


@dataclass(frozen=True, slots=True)
class LogNormal:
    """`variation`: coefficient of variation, the standard deviation over the mean."""

    mean: float
    variation: float

    def at(self, share: float) -> float:
        variance = math.log1p(self.variation**2)
        middle = math.log(self.mean) - variance / 2
        return math.exp(middle + math.sqrt(variance) * _NORMAL.inv_cdf(max(share, _LEAST)))


@dataclass(frozen=True, slots=True)
class Weibull:
    """`scale`: what 63 % do not reach."""

    scale: float
    shape: float

    def at(self, share: float) -> float:
        return float(self.scale * (-math.log1p(-share)) ** (1 / self.shape))

    def share_below(self, seconds: float) -> float:
        power = min(_MOST_POWER, self.shape * math.log(seconds / self.scale))
        return -math.expm1(-math.exp(power))


@dataclass(frozen=True, slots=True)
class Pareto:
    """Lomax's: a heavy tail. `shape` above 1; the variance is infinite up to a shape of 2."""

    mean: float
    shape: float

    def at(self, share: float) -> float:
        scale = self.mean * (self.shape - 1)
        return float(scale * math.expm1(-math.log1p(-share) / self.shape))


@dataclass(frozen=True, slots=True)
class Gamma:
    """A sum of `stages` exponential times, by a table of its distribution."""

    mean: float
    stages: int

    def at(self, share: float) -> float:
        shares, seconds = _table(self.mean, self.stages)
        place = min(bisect_right(shares, share), len(shares) - 1)
        low, high = shares[place - 1], shares[place]
        part = (share - low) / (high - low) if high > low else 0.0
        return seconds[place - 1] + part * (seconds[place] - seconds[place - 1])


@lru_cache(maxsize=64)
def _table(mean: float, stages: int) -> tuple[list[float], list[float]]:
    """Shares and the durations that belong to them, closer to each other where the law begins."""
    end = (stages + 30 + 6 * math.sqrt(30 * stages)) / stages
    times = [end * (step / _POINTS) ** 2 for step in range(_POINTS + 1)]
    return [_gamma_share(stages * time, stages) for time in times], [mean * time for time in times]


def _gamma_share(time: float, stages: int) -> float:
    """That `stages` events of a Poisson process with rate 1 have come by then."""
    term, left = 1.0, 0.0
    for before in range(stages):
        term = term * time / before if before else 1.0
        left += term
    return 1 - left * math.exp(-time)


@dataclass(frozen=True, slots=True)
class Below:
    """A Weibull law of those alone who end before `limit`."""

    law: Weibull
    limit: float

    def at(self, share: float) -> float:
        return self.law.at(share * self.law.share_below(self.limit))


@dataclass(frozen=True, slots=True)
class Mixture:
    """Laws with their shares, which sum up to 1."""

    parts: Sequence[tuple[float, Law]]

    def at(self, share: float) -> float:
        for weight, law in self.parts[:-1]:
            if share < weight:
                return law.at(share / weight)
            share -= weight
        weight, law = self.parts[-1]
        return law.at(min(share / weight, 1 - _LEAST))
