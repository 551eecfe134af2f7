"""How much risk a call may carry: the abandoned calls still allowed, spread over the calls still to come.

With target c, answered calls L and abandoned calls A so far (of the legal window, earlier shifts included) and M
answered calls expected in the rest of the shift:

    allowed share from here on   a = (c (L + M) - A) / M
    risk level                   theta = a / k

k, the share abandoned per unit of theta, is learned: the marginal call carries theta, its predecessors less, and each
takes an agent from others; prior by team size and answer rate from simulation. A constant theta is what maximizes
utilization for a given number of abandoned calls (a Lagrange multiplier is constant in time), so the only feedback is
this slow one. Nothing brakes when some minutes were bad: they cost a little of each later minute.

Utilization is steepest in the first abandoned calls: from one call per idle agent to a quarter of the usual risk a
small team gains ten points, from there to the whole of it five more. So a spent budget does not stop the dialing: its
last calls, the reserve, are spent at a quarter of the target, and only with them it ends.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_PRIOR_CALLS = 10.0
_MEMORY_CALLS = 60.0
_OFTEN = 2.0  # times the target: no more is spent at once however much was saved
_LAST_S, _LAST_OFTEN = 600.0, 6.0  # what is left at the very end would be lost
_ENDLESS_S = 14400.0
_LEAST_OFTEN = 0.25  # times the target: what a spent budget still allows
_RESERVE = (0.7, 0.06)  # calls, and calls per agent: what may still go wrong when nothing can be taken back
_YIELD = 0.75
_USUAL_RATE, _LEAST_RATE = 0.3, 0.05


class Budget:
    aim = 0.995  # of the target

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        self.cap = max(0.0, float(cfg.get("target", 0.03) or 0.0))
        self.target = self.cap
        mode = cfg.get("amd") or "perfect"
        if mode == "real":
            # People taken for machines are abandoned as well, unseen: (1 - f) a + f <= c.
            lost = min(0.99, max(0.0, float(cfg.get("amd_false_positive_estimate") or 0.0)))
            self.target = max(0.0, (self.cap - lost) / (1 - lost)) * 0.9
        elif mode == "off":
            self.target *= 0.95  # which of the answered calls were people is known only on average
        shift = cfg.get("shift_seconds")
        self.shift_s = float(shift) if shift else None
        self.end_s = math.inf if self.shift_s is None else self.shift_s
        self.warm_up_s = 900.0 if self.shift_s is None else min(900.0, self.shift_s / 16)
        self.before = (float(cfg.get("prior_live") or 0), float(cfg.get("prior_abandoned") or 0))
        self.size = max(1.0, float(cfg.get("n_agents_planned") or 10))
        self.reserve = 0.0
        self.begun = False
        self.realized = _PRIOR_CALLS
        self.carried = 1.0
        self.staffed(0.0, int(self.size))
        self.seen = (0, 0)
        self.left = 0.0
        self.share = self.target

    def staffed(self, now: float, agents: int, answer_rate: float = _USUAL_RATE) -> None:
        """How many there really are counts, not how many were planned; where few answer, more calls are out for each
        agent, and calls are abandoned in clusters.
        """
        scarce = math.sqrt(_USUAL_RATE / max(answer_rate, _LEAST_RATE))
        if agents > 0:
            self.size = float(agents)
        self.reserve = (_RESERVE[0] + _RESERVE[1] * self.size) * scarce
        if now <= self.warm_up_s and not self.begun:
            self.carried = _PRIOR_CALLS / (_YIELD * math.pow(max(self.size, 3.0) / 5, 0.26) * scarce**0.8)

    def update(self, now: float, theta: float, answered: int, abandoned: int) -> None:
        """After each step: what was answered and abandoned while `theta` was the level."""
        live, lost = answered - self.seen[0], abandoned - self.seen[1]
        self.seen = (answered, abandoned)
        if now > self.warm_up_s and (live > 0 or lost):
            self.begun = True
            self.carried += max(0, live) * theta
            self.realized = max(1.0, self.realized + lost)
        if self.realized > _MEMORY_CALLS:
            self.carried *= _MEMORY_CALLS / self.realized
            self.realized = _MEMORY_CALLS

    def theta(self, now: float, per_second: float, pending: float) -> float:
        """`per_second`: answered calls to expect; `pending`: calls that wait now and will partly be abandoned."""
        answered, abandoned = self.seen
        live, lost = answered + self.before[0], abandoned + self.before[1]
        rest = _ENDLESS_S if self.shift_s is None else max(0.0, self.shift_s - now)
        coming = per_second * rest
        self.left = self.target * self.aim * (live + coming) - lost - pending - self.reserve
        often = _LAST_OFTEN if self.shift_s is not None and rest < _LAST_S else _OFTEN
        self.share = max(self._least(), min(often * self.target, max(0.0, self.left) / (coming + 0.7)))
        level = self.share * self.carried / self.realized
        return min(0.4, level * self._caution(now))

    def _least(self) -> float:
        """`left` is 0 when only the reserve is there, and minus the reserve when that is gone."""
        return _LEAST_OFTEN * self.target * min(1.0, max(0.0, 1 + self.left / self.reserve))

    def _caution(self, now: float) -> float:
        """While little is known, spend little: what is saved is spent later, with better aim."""
        if now >= self.warm_up_s:
            return 1.0
        return 0.2 + 0.8 * max(0.0, now / self.warm_up_s - 0.85) / 0.15

    def worst_case_room(self, under_way: int) -> int:
        """Calls that may be started so that the cap holds even if all under way are answered and abandoned."""
        live, lost = self.seen[0] + self.before[0], self.seen[1] + self.before[1]
        # lost + x <= cap (live + x)
        most = (self.cap * live - lost) / (1 - self.cap) if self.cap < 1 else math.inf
        return max(0, math.floor(min(most, 1e9) + 1e-9) - under_way)

    def dump(self) -> dict[str, Any]:
        return {"realized": self.realized, "carried": self.carried, "seen": list(self.seen), "left": self.left,
                "share": self.share, "begun": self.begun}  # fmt: skip

    def load(self, state: Mapping[str, Any]) -> None:
        self.realized, self.carried = state["realized"], state["carried"]
        self.seen = (state["seen"][0], state["seen"][1])
        self.left, self.share, self.begun = state["left"], state["share"], state["begun"]
