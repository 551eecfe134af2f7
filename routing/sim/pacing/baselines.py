"""Policies to compare with, as they are in use elsewhere. None of them is told more than any other policy."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from statistics import NormalDist

from routing.sim.pacing.snapshot import Snapshot

_NORMAL = NormalDist()


class OnePerAgent:
    """Progressive dialing: one call for each free agent. Nobody is abandoned but by bad luck with other work."""

    wants_lists = False

    def __init__(self, told: Mapping[str, object]) -> None:
        del told

    def step(self, now: float, snap: Snapshot) -> int:
        del now
        return snap.n_idle - snap.n_inflight - snap.live_waiting


class Preview:
    """An agent looks at each record for `preview_s` before it is dialed for him; one call for each free agent."""

    wants_lists = False

    def __init__(self, told: Mapping[str, object], preview_s: float = 20.0) -> None:
        del told
        self.preview_s = preview_s
        self._looking: deque[float] = deque()

    def step(self, now: float, snap: Snapshot) -> int:
        begins = snap.n_idle - snap.n_inflight - snap.live_waiting - len(self._looking)
        self._looking.extend([now + self.preview_s] * max(0, begins))
        for _ in range(min(-begins, len(self._looking))):
            self._looking.pop()  # the agent has gone, or talks with somebody else
        ready = 0
        while self._looking and self._looking[0] <= now:
            self._looking.popleft()
            ready += 1
        return ready


class FixedRatio:
    """So many calls for each free agent, whatever comes of it."""

    wants_lists = False

    def __init__(self, told: Mapping[str, object], ratio: float = 2.0) -> None:
        del told
        self.ratio = ratio

    def step(self, now: float, snap: Snapshot) -> int:
        del now
        return round(self.ratio * snap.n_idle) - snap.n_inflight - snap.live_waiting


class AdaptiveLevel:
    """Calls and conversations are held at a level times the agents; the level follows the share of drops so far.

    The rule of open dialers' adaptive modes: every `period_s` the level falls while the share of drops is over its
    limit, and rises while agents wait and it is not. It knows drops only, hours old ones as well as fresh ones.
    """

    wants_lists = False
    period_s, step_up, step_down, most, enough = 15.0, 0.05, 0.15, 8.0, 20

    def __init__(self, told: Mapping[str, object]) -> None:
        self.limit, self.max_wait_s = float(str(told["target"])), float(str(told["max_wait"]))
        self.level, self._next, self._dropped = 1.0, 0.0, 0

    def on_event(self, now: float, kind: str, data: Mapping[str, object]) -> None:
        del now
        self._dropped += kind == "abandoned" or (kind == "connected" and float(str(data["wait"])) > self.max_wait_s)

    def step(self, now: float, snap: Snapshot) -> int:
        if now >= self._next:
            self._next = now + self.period_s
            self._adapt(snap)
        used = snap.n_inflight + snap.live_waiting + snap.n_talk
        return round(self.level * (snap.n_logged - snap.n_inbound)) - used

    def _adapt(self, snap: Snapshot) -> None:
        if self._dropped > self.limit * max(snap.counters["live"], self.enough):
            self.level = max(1.0, self.level - self.step_down)
        elif snap.n_idle > snap.live_waiting:
            self.level = min(self.most, self.level + self.step_up)


class NormalApproximation:
    """The textbook's rule: start as many calls as keep P(more answers than free agents) at the target.

    Answers and freed agents within one mean time to answer are taken as normal; answer rate, time to answer and handle
    time are means over the shift so far. Nothing tells it how it fares.
    """

    wants_lists = False
    _prior_rate, _prior_calls = 0.3, 10.0
    _prior_answer_s, _prior_handle_s = 14.0, 120.0

    def __init__(self, told: Mapping[str, object]) -> None:
        self._margin = -_NORMAL.inv_cdf(float(str(told["target"])))
        self._answer_s, self._answers = self._prior_answer_s, 1
        self._work_s, self._works = self._prior_handle_s, 1

    def on_event(self, now: float, kind: str, data: Mapping[str, object]) -> None:
        del now
        if kind == "call_result" and data["result"] == "live":
            self._answer_s += float(str(data["elapsed"]))
            self._answers += 1
        elif kind in {"talk_end", "wrap_end"}:
            self._work_s += float(str(data["seconds"]))
            self._works += kind == "wrap_end"

    def step(self, now: float, snap: Snapshot) -> int:
        del now
        counters, answer_s = snap.counters, self._answer_s / self._answers
        rate = (counters["live"] + self._prior_rate * self._prior_calls) / (counters["resolved"] + self._prior_calls)
        ends = -math.expm1(-answer_s * self._works / self._work_s)
        busy = snap.n_talk + snap.n_wrap + snap.n_inbound
        free = snap.n_idle - snap.live_waiting + busy * ends
        spread = busy * ends * (1 - ends)
        return self._most(free, spread, rate) - snap.n_inflight

    def _most(self, free: float, spread: float, rate: float) -> int:
        """Calls n with n x rate + margin x sqrt(n x rate x (1 - rate) + spread) = free: a quadratic in n."""
        margin = self._margin**2
        a, b, c = rate * rate, -(2 * free * rate + margin * rate * (1 - rate)), free * free - margin * spread
        root = b * b - 4 * a * c
        if free <= 0 or c <= 0 or root < 0:
            return 0
        return int((-b - math.sqrt(root)) / (2 * a))
