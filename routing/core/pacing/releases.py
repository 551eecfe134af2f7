"""When busy agents come free: talk, then wrap-up; inbound calls by a law of their own."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from operator import mul
from typing import Any

from routing.core.pacing.laws import Durations
from routing.core.pacing.reading import Reading

_INBOUND_MEAN_S = 180.0
_INBOUND_WEIGHT = 3.0


def _talk_key(age: float) -> int:
    """Ages whose outlook is the same for all purposes share a row."""
    whole = int(age)
    if whole < 40:
        return whole
    if whole < 240:
        return whole - whole % 5 + 2
    return min(3600, whole - whole % 30 + 15)


class Releases:
    def __init__(self, horizon: int) -> None:
        self.horizon = horizon
        self.talk = Durations(110.0, 1.0)
        self.wrap = Durations(20.0, 0.8)
        self.inbound = [_INBOUND_WEIGHT, _INBOUND_WEIGHT * _INBOUND_MEAN_S]  # ended, seconds at risk
        self._inbound_before = 0
        self._rows: dict[tuple[str, int], list[float]] = {}
        self._wrapped: list[float] = []

    def event(self, kind: str, data: Mapping[str, Any]) -> None:
        seconds = data.get("seconds")
        if seconds is None:
            return
        if kind == "talk_end":
            self.talk.ended(float(seconds))
        elif kind == "wrap_end":
            self.wrap.ended(float(seconds))

    def watch(self, reading: Reading, fresh_inbound: int, seconds: float) -> None:
        here = len(reading.inbound)
        self.inbound[0] += max(0, self._inbound_before + fresh_inbound - here)
        self.inbound[1] += here * seconds
        self._inbound_before = here

    def refit(self, reading: Reading) -> None:
        self.talk.refit(reading.talk)
        self.wrap.refit(reading.wrap)
        self._rows = {}
        self._wrapped = []

    def handle_s(self) -> float:
        return self.talk.mean_s() + self.wrap.mean_s()

    def rows(self, reading: Reading) -> list[tuple[list[float], int]]:
        """(P(free within 0, 1, ... seconds), number of agents with this outlook)."""
        keys = Counter(("talk", _talk_key(age)) for age in reading.talk)
        keys.update(("wrap", min(600, int(age))) for age in reading.wrap)
        found = [(self._row(key), count) for key, count in sorted(keys.items())]
        if reading.inbound:
            hazard = self.inbound[0] / self.inbound[1]
            found.append(([1 - math.exp(-hazard * t) for t in range(self.horizon + 1)], len(reading.inbound)))
        return found

    def _row(self, key: tuple[str, int]) -> list[float]:
        row = self._rows.get(key)
        if row is None:
            state, age = key
            row = self.wrap.ended_by(age + 0.5, self.horizon) if state == "wrap" else self._through_wrap(age + 0.5)
            self._rows[key] = row
        return row

    def _through_wrap(self, age: float) -> list[float]:
        """Convolution of the rest of the talk with a whole wrap-up, by midpoints of a second."""
        if not self._wrapped:
            ends = self.wrap.ended_by(0.0, self.horizon + 1)
            self._wrapped = [(ends[i] + ends[i + 1]) / 2 for i in range(self.horizon + 1)]
        over = self.talk.ended_by(age, self.horizon)
        ending = [over[i + 1] - over[i] for i in range(self.horizon)]
        wrapped = self._wrapped
        return [sum(map(mul, ending[:t], wrapped[t - 1 :: -1])) if t else 0.0 for t in range(self.horizon + 1)]

    def dump(self) -> dict[str, Any]:
        return {"talk": self.talk.dump(), "wrap": self.wrap.dump(), "inbound": list(self.inbound),
                "inbound_before": self._inbound_before}  # fmt: skip

    def load(self, state: Mapping[str, Any]) -> None:
        self.talk.load(state["talk"])
        self.wrap.load(state["wrap"])
        self.inbound = list(state["inbound"])
        self._inbound_before = state["inbound_before"]
        self._rows, self._wrapped = {}, []
