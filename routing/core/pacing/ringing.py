"""When calls are answered and when they come to nothing, by their age in whole seconds.

Two histograms: ages at which a person answered (with machine detection: at which the verdict came), ages at any other
end, each with a prior that weighs a dozen calls. `answered_after[a]` and `failed_after[a]` are the shares of each kind
which take longer than `a` seconds. With the answer rate p a call of age a is still to be answered with probability

    p A(a) / (p A(a) + (1 - p) F(a))

which is what makes old calls worth less than new ones.
"""

from __future__ import annotations

import math
from typing import Any

_WEIGHT = 14.0
_SLACK_S = 12
_FLOOR = 1e-4
QUADRATURE = 6


class Ringing:
    def __init__(self, ring_timeout_s: float) -> None:
        self.horizon = max(8, int(ring_timeout_s) + _SLACK_S)
        size = self.horizon + 1
        self.answered = _spread(size, [(0.5 * ring_timeout_s, 0.24 * ring_timeout_s, _WEIGHT)])
        self.failed = _spread(
            size,
            [(3.5, 1.5, 0.2 * _WEIGHT), (0.7 * ring_timeout_s, 0.2 * ring_timeout_s, 0.35 * _WEIGHT),
             (ring_timeout_s + 2.5, 1.0, 0.45 * _WEIGHT)],
        )  # fmt: skip
        self.answered_after: list[float] = []
        self.failed_after: list[float] = []
        self.points: list[int] = []
        self.refit()

    def ended(self, elapsed_s: float, answered: bool, weight: float = 1.0) -> None:
        age = min(self.horizon, max(0, math.ceil(elapsed_s)))
        (self.answered if answered else self.failed)[age] += weight

    def refit(self) -> None:
        self.answered_after = _after(self.answered)
        self.failed_after = _after(self.failed)
        self.points = [self._quantile((i + 0.5) / QUADRATURE) for i in range(QUADRATURE)]

    def mean_s(self, rate: float) -> float:
        """How long a call occupies a line until it is resolved."""
        return 0.5 + rate * sum(self.answered_after) + (1 - rate) * sum(self.failed_after)

    def answered_within(self, rate: float, age: int, seconds: int) -> float:
        """P(a call which is `age` seconds old is answered in the next `seconds`)."""
        age = min(age, self.horizon)
        now = rate * self.answered_after[age]
        alive = now + (1 - rate) * self.failed_after[age]
        return (now - rate * self.answered_after[min(self.horizon, age + seconds)]) / alive

    def _quantile(self, share: float) -> int:
        for age, after in enumerate(self.answered_after):
            if after <= 1 - share:
                return age
        return self.horizon

    def dump(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _STATE}

    def load(self, state: dict[str, Any]) -> None:
        for name in _STATE:
            setattr(self, name, state[name])


_STATE = ("answered", "failed", "answered_after", "failed_after", "points")


def _spread(size: int, humps: list[tuple[float, float, float]]) -> list[float]:
    found = [0.0] * size
    for center, width, weight in humps:
        shares = [math.exp(-(((age - center) / width) ** 2) / 2) for age in range(size)]
        total = sum(shares)
        for age in range(size):
            found[age] += weight * shares[age] / total
    return found


def _after(histogram: list[float]) -> list[float]:
    """Never quite 0: a call may be older than any seen so far."""
    total = sum(histogram)
    left, found = total, []
    for count in histogram:
        left -= count
        found.append(max(_FLOOR, left / total))
    return found
