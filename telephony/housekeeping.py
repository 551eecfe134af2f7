"""Signs of life for the dialplan, and the sweep: legs which the PBX has no more although no event said so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from routing.core.facts import Fact
from telephony.answers import Answer, Answered, OnAnswer
from telephony.legs import Leg, LegBook
from telephony.settings import PbxSettings

log = structlog.get_logger(__name__)

# The list may be older than an event that is still queued behind it, and a leg takes a moment to get its channel.
GRACE_S = 1.0
YOUNG_S = 5.0


class Chores(Protocol):
    """The link to the PBX as the housekeeping needs it."""

    @property
    def is_up(self) -> bool: ...

    async def clock_s(self) -> int | None:
        """The PBX's own clock, seconds of the epoch; None when it does not say."""

    def beat(self, epoch_s: int, on_answer: OnAnswer) -> None:
        """Put the sign of life where the dialplan looks for it."""

    async def channels(self) -> set[str] | None:
        """The ids of all live channels; None when the PBX does not say."""


class Housekeeping:
    """Runs while the link is up."""

    def __init__(
        self,
        settings: PbxSettings,
        link: Chores,
        legs: LegBook,
        take_facts: Callable[[list[Fact]], None],
        is_serving: Callable[[], bool],
        now: Callable[[], float],
    ) -> None:
        self._settings, self._link, self._legs, self._now = settings, link, legs, now
        self._take_facts, self._is_serving = take_facts, is_serving
        self._last_beat_s = 0
        self._timer: asyncio.TimerHandle | None = None
        self._is_sweep_near = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self) -> None:
        """The first sign of life of a new link, by the PBX's own clock."""
        epoch_s = await self._link.clock_s()
        self._last_beat_s = 0
        if epoch_s is not None:
            self.beat(epoch_s)

    def beat(self, epoch_s: int) -> None:
        """Tell the dialplan that somebody takes care of its callers."""
        if epoch_s - self._last_beat_s >= self._settings.beat_interval_s and self._is_serving():
            self._last_beat_s = epoch_s
            self._link.beat(epoch_s, self._beaten)

    def _beaten(self, answer: Answer) -> None:
        if answer.how is Answered.ERROR:
            log.error("sign_of_life_refused", pbx=self._settings.pbx, reason=answer.text)

    # ------------------------------------------------------------------ the sweep

    def run(self) -> None:
        self._plan(self._settings.sweep_interval_s)

    def sweep_soon(self) -> None:
        """A genuine event may have been lost; many such reasons make one sweep."""
        if not self._is_sweep_near and self._timer is not None:
            self._is_sweep_near = True
            self._plan(GRACE_S)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for task in self._tasks:
            task.cancel()

    def _plan(self, delay_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._start)

    def _start(self) -> None:
        self._is_sweep_near = False
        self._plan(self._settings.sweep_interval_s)
        task = asyncio.get_running_loop().create_task(self._sweep())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _sweep(self) -> None:
        asked_at = self._now()
        listed = await self._link.channels()
        if listed is None:
            return
        missing = [leg for leg in self._legs.all() if leg.uid not in listed and asked_at - leg.known_since > YOUNG_S]
        if missing:
            asyncio.get_running_loop().call_later(GRACE_S, self._vanish, missing)

    def _vanish(self, missing: list[Leg]) -> None:
        for leg in missing:
            if self._legs.get(leg.leg_id) is leg and self._link.is_up:
                log.warning("leg_vanished", pbx=self._settings.pbx, leg=leg.leg_id)
                self._take_facts(self._legs.vanish(leg))
