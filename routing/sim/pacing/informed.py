"""A yardstick between policies and the clairvoyant: told laws and agents' future, but not what a call becomes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from routing.sim.pacing.floor import IDLE, OUT
from routing.sim.pacing.laws import Below
from routing.sim.pacing.snapshot import Snapshot

if TYPE_CHECKING:
    from routing.sim.pacing.scene import Scene
    from routing.sim.pacing.shift import Shift

_SECONDS = 36  # beyond which no call is unresolved
_DRAWS = 40  # per law: answers are taken from so many times so many pairs of shares
_AHEAD_S, _LEAST_RISK, _MOST_RISK = 900.0, 0.01, 0.15
_FEW = 25  # free agents, up to which the Poisson law is summed up


class Informed:
    """Starts a call while the risk that it is answered with no agent free stays under a level.

    It knows the answer rate of the moment, how long answers take, and when each agent will be free: no policy can. The
    level is what of the budget is left, spread over the answers of the next quarter of an hour. Answers before a call's
    own are taken as Poisson, or normal where they are many.
    """

    def __init__(self, told: Mapping[str, object]) -> None:
        self._target, self._max_wait = float(str(told["target"])), float(str(told["max_wait"]))
        self._answered = self._late = 0
        self._shift: Shift | None = None
        self._answers: list[float] = []
        self._others: list[float] = []

    def sees_all(self, shift: Shift) -> None:
        self._shift = shift
        self._answers = _by_second(_answers(shift.scene))
        self._others = _by_second(_others(shift.scene))

    def on_event(self, now: float, kind: str, data: Mapping[str, object]) -> None:
        del now
        self._answered += kind in {"connected", "abandoned"}
        self._late += kind == "abandoned" or (kind == "connected" and float(str(data["wait"])) > self._max_wait)

    def step(self, now: float, snap: Snapshot) -> int:
        if self._shift is None:
            raise RuntimeError("who is informed is shown the shift before it begins")
        rate = self._shift.people.rate(now)
        free = self._free(self._shift, now, snap)
        coming, level = self._coming(snap, rate), self._level(now)
        own = list(accumulate(rate * share for share in self._answers))
        started = 0
        while started < snap.lines_free and self._risk(free, coming) <= level:
            coming = [before + share for before, share in zip(coming, own, strict=True)]
            started += 1
        return max(started, snap.n_idle - snap.n_inflight - snap.live_waiting)

    def _level(self, now: float) -> float:
        per_second = max(self._answered, 3) / max(now, 60.0)
        following = max(5.0, per_second * _AHEAD_S)
        left = self._target * (self._answered + following) - self._late
        return min(_MOST_RISK, max(_LEAST_RISK, left / following))

    def _free(self, shift: Shift, now: float, snap: Snapshot) -> list[int]:
        """Agents free for a call that is answered in so many seconds, if no other one is."""
        freed = [0] * _SECONDS
        for agent in shift.floor.agents:
            if agent.state not in {OUT, IDLE} and not agent.wants_out:
                second = max(0, math.ceil(agent.free_at - now - self._max_wait))
                if second < _SECONDS:
                    freed[second] += 1
        return list(accumulate(freed, initial=snap.n_idle - snap.live_waiting))[1:]

    def _coming(self, snap: Snapshot, rate: float) -> list[float]:
        """Answers to be expected of the calls in flight, within so many seconds."""
        ages = [0] * _SECONDS
        for age, _ in snap.calls:
            ages[min(_SECONDS - 1, int(age))] += 1
        expected = [0.0] * _SECONDS
        for age, calls in enumerate(ages):
            if not calls:
                continue
            left = rate * sum(self._answers[age:]) + (1 - rate) * sum(self._others[age:])
            weight = calls * rate / left if left > 0 else 0.0
            for second, share in enumerate(self._answers[age:]):
                expected[second] += weight * share
        return list(accumulate(expected))

    def _risk(self, free: Sequence[int], coming: Sequence[float]) -> float:
        return sum(
            share * at_least(agents, mean)
            for share, agents, mean in zip(self._answers, free, coming, strict=True)
            if share
        )


def at_least(number: int, mean: float) -> float:
    """That a Poisson variable reaches `number`."""
    if number <= 0:
        return 1.0
    if number > _FEW:
        return 0.5 * math.erfc((number - 0.5 - mean) / math.sqrt(2 * mean)) if mean > 0 else 0.0
    term = below = math.exp(-mean)
    for count in range(1, number):
        term *= mean / count
        below += term
    return max(0.0, 1 - below)


def _shares() -> list[float]:
    return [(n + 0.5) / _DRAWS for n in range(_DRAWS)]


def _answers(scene: Scene) -> Iterator[tuple[float, float]]:
    """(weight, seconds from the start of a call to its answer), as the laws have it."""
    ring = Below(scene.laws.ring, scene.ring_timeout_s)
    for setup in _shares():
        for share in _shares():
            yield 1.0, scene.laws.setup.at(setup) + ring.at(share)


def _others(scene: Scene) -> Iterator[tuple[float, float]]:
    laws = scene.laws
    for setup in (laws.setup.at(share) for share in _shares()):
        for share in _shares():
            yield scene.rest.get("noanswer", 0.0), setup + scene.ring_timeout_s
            yield scene.rest.get("machine", 0.0), setup + min(laws.machine_ring.at(share), scene.ring_timeout_s)
            yield scene.rest.get("busy", 0.0), setup + laws.busy.at(share)
            yield scene.rest.get("invalid", 0.0), setup + laws.invalid.at(share)


def _by_second(times: Iterator[tuple[float, float]]) -> list[float]:
    """Shares of each second; they sum up to 1."""
    found = [0.0] * _SECONDS
    for weight, seconds in times:
        found[min(_SECONDS - 1, int(seconds))] += weight
    total = sum(found) or 1.0
    return [weight / total for weight in found]
