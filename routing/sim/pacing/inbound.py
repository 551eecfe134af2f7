"""Inbound callers of blended agents: a Poisson process of their own."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from random import Random

from routing.sim.pacing.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    number: int
    at: float
    talk: float
    wrap_up: float
    patience: float


class Inbound:
    def __init__(self, scene: Scene) -> None:
        self.scene, self.laws = scene, scene.laws
        self._random = Random(f"inbound/{scene.seed}")  # noqa: S311 - a simulation, not a secret
        self._waiting: OrderedDict[int, Caller] = OrderedDict()
        self._number = 0

    def next(self, now: float) -> Caller | None:
        """The next caller after `now`; None: nobody comes before the shift's end."""
        hourly = self.scene.inbound_per_agent_hour * self.scene.agents
        if hourly <= 0:
            return None
        random, self._number = self._random, self._number + 1
        caller = Caller(
            number=self._number,
            at=now + random.expovariate(hourly / 3600),
            talk=self.laws.inbound_talk.at(random.random()),
            wrap_up=self.laws.wrap_up.at(random.random()),
            patience=self.laws.inbound_patience.at(random.random()),
        )
        return caller if caller.at < self.scene.shift_s else None

    def waits(self, caller: Caller) -> None:
        self._waiting[caller.number] = caller

    def takes(self) -> Caller | None:
        """Who has waited longest, no longer waiting."""
        return self._waiting.popitem(last=False)[1] if self._waiting else None

    def loses(self, caller: Caller) -> bool:
        """His patience is over; False: he was served before."""
        return self._waiting.pop(caller.number, None) is not None
