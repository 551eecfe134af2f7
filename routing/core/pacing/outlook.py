"""Will there be an agent? The distribution of free agents minus answered calls at the moments a new call may be
answered.

For each of a few answer times t (`Ringing.points`, equally likely):

    free(t)     = idle agents + sum over busy agents of Bernoulli(P(done with talk and wrap-up within t + max_wait))
    demand(t)   = answered calls that wait + sum over calls under way of Bernoulli(P(answered within t)) + inbound calls
    risk(t)     = P(free(t) - demand(t) <= 0)

and the risk of one more call is the mean over t. Small teams: the exact law (a Poisson binomial of either side,
built by convolution; W. Hoeffding 1956, Y. Hong, CSDA 59, 2013, doi:10.1016/j.csda.2012.10.006). Large ones: normal
with the first term of the Edgeworth expansion and a continuity correction, the "refined normal approximation" of the
same paper.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from routing.core.pacing.laws import upper_tail

EXACT_UP_TO = 60
_NEGLIGIBLE = 1e-9
_ROOT_2_PI = math.sqrt(2 * math.pi)

Chances = Sequence[tuple[float, int]]
"""(probability, how many of these there are)."""


class Exact:
    """Small teams. `start` counts one more call as under way."""

    def __init__(self, free_now: int, releases: Chances, answers: Chances, chance: float) -> None:
        self._free_now = free_now
        self._chance = chance
        self._releases = _law(releases)
        self._answers = _law(answers)
        self._at_least = _tail(self._answers)

    def risk(self, margin: int = 0) -> float:
        """P(free - demand <= margin)."""
        found = 0.0
        needed = self._free_now - margin
        for share in self._releases:
            if needed <= 0:
                found += share
            elif needed < len(self._at_least):
                found += share * self._at_least[needed]
            else:
                break
            needed += 1
        return found

    def start(self) -> None:
        _add(self._answers, self._chance)
        self._at_least = _tail(self._answers)


class Approximate:
    """Large teams. `doubt`: the standard deviation of the answer rate over the rate; all answers share it."""

    def __init__(self, free_now: int, releases: Chances, answers: Chances, chance: float, doubt: float = 0.0) -> None:
        self._chance = chance
        self._doubt = doubt
        self._mean = float(free_now)
        self._variance = self._third = 1e-9
        self._answers = 0.0
        for share, count in releases:
            self._shift(share, count, 1)
        for share, count in answers:
            self._shift(share, count, -1)
            self._answers += share * count

    def risk(self, margin: int = 0) -> float:
        spread = math.sqrt(self._variance + (self._doubt * self._answers) ** 2)
        x = (self._mean - margin - 0.5) / spread
        skewness = self._third / spread**3
        bend = skewness / 6 * (x * x - 1) * math.exp(-x * x / 2) / _ROOT_2_PI
        return min(1.0, max(0.0, upper_tail(x) - bend))

    def start(self) -> None:
        self._shift(self._chance, 1, -1)
        self._answers += self._chance

    def _shift(self, share: float, count: int, sign: int) -> None:
        spread = count * share * (1 - share)
        self._mean += sign * count * share
        self._variance += spread
        self._third += sign * spread * (1 - 2 * share)


def poisson_as_chances(mean: float) -> list[tuple[float, int]]:
    """A Poisson number as a handful of Bernoulli trials, close enough for a small mean."""
    if mean <= 0:
        return []
    trials = max(4, math.ceil(mean * 8))
    return [(mean / trials, trials)]


def _law(chances: Chances) -> list[float]:
    found = [1.0]
    for share, count in chances:
        if share > _NEGLIGIBLE:
            for _ in range(count):
                _add(found, share)
    return found


def _add(law: list[float], share: float) -> None:
    """Convolve with Bernoulli(share), in place; a tail of no weight is cut off."""
    rest = 1 - share
    last = law[-1] * share
    for i in range(len(law) - 1, 0, -1):
        law[i] = law[i] * rest + law[i - 1] * share
    law[0] *= rest
    if last > _NEGLIGIBLE:
        law.append(last)


def _tail(law: Iterable[float]) -> list[float]:
    """P(at least 0), P(at least 1), ..."""
    found = []
    left = 0.0
    for share in reversed(list(law)):
        left += share
        found.append(left)
    found.reverse()
    return found
