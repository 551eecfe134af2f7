"""The share of calls that a person answers, followed through drifts and jumps by an exact filter on a grid.

State: the log odds of the rate on `GRID`. From one second to the next it diffuses a little, and with a small
probability it jumps anywhere near or far (a Bayesian change point in its filter form: R. P. Adams, D. MacKay,
"Bayesian online changepoint detection", 2007, arXiv:0710.3742). Evidence is taken from calls while they still ring.
With A and F of `ringing` a call of age a has happened with likelihood

    p if answered, 1 - p if it came to nothing, p A(a) + (1 - p) F(a) if it still rings,

so each tick multiplies the belief by the change of the product over all calls. A rate that has jumped shows after a few
seconds in early answers and is not held up by calls that ring out 25 s later; no window, no threshold, no alarm to
tune.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from operator import mul
from typing import Any

from routing.core.pacing.ringing import Ringing

STEP = 0.12
GRID = tuple(-4.56 + STEP * i for i in range(73))
RATES = tuple(1 / (1 + math.exp(-x)) for x in GRID)
_WON = tuple(math.log(p) for p in RATES)
_LOST = tuple(math.log(1 - p) for p in RATES)
_SQUARES = tuple(p * p for p in RATES)
_SIZE = len(GRID)
_PRIOR_ODDS = -0.9  # a rate of 0.29
_PRIOR_SPREAD = 1.1
_LEAST = 1e-14
_FAR, _SURE = 0.2, 2.0  # of the rate before, and of its deviation: more is a change of level
_KNOWN_S = 900.0  # before that the first impression is only being corrected
_RISEN = 1.3  # times the usual rate
_USUAL_S = 500.0
_WORSE = 3.0  # a rise that is missed than one that is feared for nothing


def _bell(center: float, spread: float) -> list[float]:
    found = [math.exp(-(((x - center) / spread) ** 2) / 2) for x in GRID]
    total = sum(found)
    return [x / total for x in found]


_PRIOR = tuple(_bell(_PRIOR_ODDS, _PRIOR_SPREAD))


class AnswerRate:
    diffusion = 7e-6  # variance of the log odds per second
    jumps = 1 / 2000  # per second
    jump_spread = 0.6

    def __init__(self) -> None:
        self.belief = list(_PRIOR)
        self.mean = sum(map(mul, self.belief, RATES))
        self.deviation = 0.2
        self.settled = [self.mean, 0.0]  # the rate held to be true before, and when that changed
        self.usual = self.mean  # of the last ten minutes or so
        self._ringing_before: dict[int, int] = {}
        self._table: list[list[float] | None] = []
        self._moments()

    def forget_table(self) -> None:
        """After the law of ringing has changed."""
        self._table = []

    def update(self, seconds: float, now: float, tallies: tuple[float, float], ages: Mapping[int, int],
               law: Ringing) -> None:  # fmt: skip
        """`tallies`: calls answered and calls come to nothing since the last update; `ages`: calls ringing by age."""
        self._move(seconds)
        won, lost = tallies
        change = [won * _WON[i] + lost * _LOST[i] for i in range(_SIZE)]
        different = {age: ages.get(age, 0) - self._ringing_before.get(age, 0) for age in {*ages, *self._ringing_before}}
        for age, count in sorted(different.items()):
            if count and age > 0:
                row = self._row(age, law)
                change = [change[i] + count * row[i] for i in range(_SIZE)]
        self._ringing_before = dict(ages)
        top = max(change)
        belief = [self.belief[i] * math.exp(change[i] - top) + _LEAST for i in range(_SIZE)]
        total = sum(belief)
        self.belief = [b / total for b in belief]
        self._moments()
        self._notice(now)
        share = 1.0 if now < _KNOWN_S else min(1.0, seconds / _USUAL_S)
        self.usual += share * (self.mean - self.usual)

    def _move(self, seconds: float) -> None:
        center = sum(map(mul, self.belief, GRID))
        jump = 1 - math.exp(-seconds * self.jumps)
        moved = min(0.3, self.diffusion * seconds / (STEP * STEP) / 2)
        old = self.belief
        near = _bell(center, self.jump_spread)
        stay = (1 - jump) * (1 - 2 * moved)
        beside = (1 - jump) * moved
        new = [stay * old[i] + jump * (0.7 * near[i] + 0.3 * _PRIOR[i]) for i in range(_SIZE)]
        for i in range(1, _SIZE):
            new[i] += beside * old[i - 1]
            new[i - 1] += beside * old[i]
        self.belief = new

    def _row(self, age: int, law: Ringing) -> list[float]:
        if not self._table:
            self._table = [None] * (law.horizon + 1)
        age = min(age, law.horizon)
        row = self._table[age]
        if row is None:
            a, f = law.answered_after[age], law.failed_after[age]
            row = self._table[age] = [math.log(p * a + (1 - p) * f) for p in RATES]
        return row

    def _moments(self) -> None:
        self.mean = sum(map(mul, self.belief, RATES))
        squares = sum(map(mul, self.belief, _SQUARES))
        self.deviation = math.sqrt(max(1e-8, squares - self.mean * self.mean))

    def risen(self) -> float:
        """The probability that the rate is well above the usual one, its odds raised. It goes down as that follows."""
        limit = _RISEN * self.usual
        found = sum(share for share, rate in zip(self.belief, RATES, strict=True) if rate > limit)
        return _WORSE * found / (1 + (_WORSE - 1) * found)

    def _notice(self, now: float) -> None:
        """A change of level, against the rate of the last ten minutes or so."""
        held = self.settled[0]
        if abs(self.mean - held) > _FAR * held + _SURE * self.deviation:
            self.settled = [self.mean, now]
        else:
            self.settled[0] = held + 0.002 * (self.mean - held)

    def dump(self) -> dict[str, Any]:
        before = sorted(self._ringing_before.items())
        return {"belief": self.belief, "settled": self.settled, "before": [list(pair) for pair in before],
                "usual": self.usual}  # fmt: skip

    def load(self, state: dict[str, Any]) -> None:
        self.belief = list(state["belief"])
        self.settled = list(state["settled"])
        self.usual = state.get("usual", self.settled[0])
        self._ringing_before = {int(age): int(count) for age, count in state["before"]}
        self._moments()
        self.forget_table()
