"""Signs of life for the dialplan, and the sweep: legs which the PBX has no more although no event said so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from routing.core.facts import Fact
from telephony.asterisk.actions import set_variable
from telephony.asterisk.legs import Leg, Legs
from telephony.asterisk.session import AmiSession
from telephony.asterisk.settings import AsteriskSettings
from telephony.asterisk.transport import Answer, Answered

log = structlog.get_logger(__name__)

# The list may be older than an event that is still queued behind it, and a leg takes a moment to get its channel.
GRACE_S = 1.0
YOUNG_S = 5.0


class Housekeeping:
    """Runs while the link is up."""

    def __init__(
        self,
        settings: AsteriskSettings,
        session: AmiSession,
        legs: Legs,
        take_facts: Callable[[list[Fact]], None],
        is_serving: Callable[[], bool],
        now: Callable[[], float],
    ) -> None:
        self._settings, self._session, self._legs, self._now = settings, session, legs, now
        self._take_facts, self._is_serving = take_facts, is_serving
        self._last_beat_s = 0
        self._timer: asyncio.TimerHandle | None = None
        self._is_sweep_near = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self) -> None:
        """The first sign of life of a new link, by the PBX's own clock."""
        answer = await self._session.ask({"Action": "Ping"})
        seconds = answer.message.get("timestamp").partition(".")[0] if answer.message else ""
        self._last_beat_s = 0
        if seconds.isascii() and seconds.isdigit():
            self.beat(int(seconds))

    def beat(self, epoch_s: int) -> None:
        """Tell the dialplan that somebody takes care of its callers."""
        if epoch_s - self._last_beat_s >= self._settings.beat_interval_s and self._is_serving():
            self._last_beat_s = epoch_s
            self._session.send(set_variable("", "SR_BEAT", str(epoch_s)), self._beaten)

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
        answer = await self._session.ask({"Action": "CoreShowChannels"}, is_list=True)
        if not answer.is_success:
            return
        listed = {item.get("uniqueid") for item in answer.items}
        missing = [leg for leg in self._legs.all() if leg.uid not in listed and asked_at - leg.known_since > YOUNG_S]
        if missing:
            asyncio.get_running_loop().call_later(GRACE_S, self._vanish, missing)

    def _vanish(self, missing: list[Leg]) -> None:
        for leg in missing:
            if self._legs.get(leg.leg_id) is leg and self._session.is_up:
                log.warning("leg_vanished", pbx=self._settings.pbx, leg=leg.leg_id)
                self._take_facts(self._legs.vanish(leg))
