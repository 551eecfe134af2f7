"""Laws of durations by their quantiles: the same share gives the same duration, whatever else has been drawn.

So two configurations get the same luck (common random numbers).
"""

from __future__ import annotations

import math
import operator
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Protocol

_NORMAL = NormalDist()
_LEAST = 1e-12


class Law(Protocol):
    def at(self, share: float) -> float:
        """The duration in ms that this share (0 <= share < 1) of all does not reach; inf: there is no end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    ms: float = 0

    def at(self, share: float) -> float:
        del share
        return self.ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Exponential:
    mean_ms: float

    def at(self, share: float) -> float:
        return -self.mean_ms * math.log1p(-share)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogNormal:
    """By mean and standard deviation, as reports have them. Talk times are close to it (Brown et al. 2005,
    doi:10.1198/016214504000001808, section 5).
    """

    mean_ms: float
    deviation_ms: float

    def at(self, share: float) -> float:
        variance = math.log1p((self.deviation_ms / self.mean_ms) ** 2)
        middle = math.log(self.mean_ms) - variance / 2
        return math.exp(middle + math.sqrt(variance) * _NORMAL.inv_cdf(max(share, _LEAST)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Never:
    """E.g. the patience of callers who do not give up."""

    def at(self, share: float) -> float:
        del share
        return math.inf


AnyLaw = Fixed | Exponential | LogNormal | Never


@dataclass(frozen=True, slots=True)
class Measured:
    """Recorded durations, each as likely as any other."""

    sorted_ms: tuple[int, ...]

    @classmethod
    def of(cls, durations_ms: Iterable[int]) -> Measured | None:
        """None for no durations."""
        found = tuple(sorted(durations_ms))
        return cls(found) if found else None

    def at(self, share: float) -> float:
        return self.sorted_ms[int(share * len(self.sorted_ms))]


class Survival:
    """How long people are ready to go on, from those who stopped and those who were stopped before they did.

    Of the latter only the least is known: they are censored, as is the patience of everybody who was answered. Leaving
    them out, or taking their waits for their patience, would make callers look less patient than they are. So it is
    estimated as by E. L. Kaplan, P. Meier, "Nonparametric estimation from incomplete observations", JASA 53, 1958,
    doi:10.1080/01621459.1958.10501452. Beyond the last one who stopped the estimate says nothing; there it goes on as
    the exponential law through that point (B. W. Brown, M. Hollander, R. M. Korwar, "Nonparametric tests of
    independence for censored data", 1974). Where nobody stopped there is no end.
    """

    def __init__(self, stopped_ms: Iterable[int], censored_ms: Iterable[int]) -> None:
        """`left[n]` is the share that goes on beyond `times_ms[n]`."""
        stopped, censored = Counter(stopped_ms), Counter(censored_ms)
        self.times_ms: list[int] = sorted(stopped)
        self.left: list[float] = []
        self.observed = stopped.total()
        at_risk, share = stopped.total() + censored.total(), 1.0
        waiting = sorted(censored.elements())
        gone = 0
        for at in self.times_ms:
            while gone < len(waiting) and waiting[gone] < at:
                gone += 1
            share *= 1 - stopped[at] / (at_risk - gone)
            at_risk -= stopped[at]
            self.left.append(share)

    def share_beyond(self, at_ms: float) -> float:
        """How many go on for longer than that."""
        place = bisect_right(self.times_ms, at_ms)
        if place == 0:
            return 1.0
        last = self.left[-1]
        if place == len(self.times_ms) and last > 0:
            return math.exp(math.log(last) * at_ms / max(1, self.times_ms[-1])) if at_ms > self.times_ms[-1] else last
        return self.left[place - 1]

    def at(self, share: float) -> float:
        return self.beyond(-1, share)

    def beyond(self, known_ms: int, share: float) -> float:
        """As `at`, of those alone who go on for longer than `known_ms`."""
        if not self.times_ms:
            return math.inf
        wanted = self.share_beyond(known_ms) * (1 - share)
        if wanted <= 0:
            return float(max(known_ms, self.times_ms[-1]))
        if wanted < self.left[-1]:
            beyond_last = max(1, self.times_ms[-1]) * math.log(wanted) / math.log(self.left[-1])
            return max(known_ms, beyond_last)
        # `left` falls: the first time beyond which no more than `wanted` are left.
        place = bisect_left(self.left, -wanted, key=operator.neg)
        return float(max(known_ms, self.times_ms[place]))
