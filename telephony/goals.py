"""Wanted rooms on their way: what was sent for them and is not confirmed yet."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from routing.core.commands import SetRooms
from telephony.ears import Listen
from telephony.rooms import Step


@dataclass(eq=False, slots=True)
class UnderWay:
    """A step that was sent; `settled` of its legs when it was."""

    step: Step | Listen
    settled: dict[str, int]
    timer: asyncio.TimerHandle


@dataclass(eq=False, slots=True)
class Goal:
    """`is_told`: its rooms hold, and what is left are ears; `deaf`: those that are given up, and `why`."""

    wanted: SetRooms
    under_way: list[UnderWay] = field(default_factory=list)
    failures: int = 0
    is_told: bool = False
    ear_failures: int = 0
    deaf: set[str] = field(default_factory=set)
    why: str = ""
    retry: asyncio.TimerHandle | None = None
    patience: asyncio.TimerHandle | None = None

    @property
    def legs(self) -> list[str]:
        return [leg for room in self.wanted.rooms for leg in room.legs]

    @property
    def ears(self) -> set[str]:
        return {ear.leg for ear in self.wanted.ears}

    def is_of_ears(self, step: Step | Listen) -> bool:
        """Nobody but who listens is moved by it."""
        return self.ears.issuperset(step.legs)

    def stop(self) -> None:
        for entry in self.under_way:
            entry.timer.cancel()
        self.under_way.clear()
        for timer in (self.retry, self.patience):
            if timer is not None:
                timer.cancel()
