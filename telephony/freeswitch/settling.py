"""Moves that would come too early are held back for a moment.

FreeSWITCH tells of a bridge before both channels are in it. Who moves one of them in between has cost the other one its
call (DESTINATION_OUT_OF_ORDER, about one in forty). No event says when it is over.

A channel that shall ring a telephone itself takes that up only at its next 20 ms. Moved before, it has rung in its new
place, which may be the integrator's: a call given back was joined with an agent, or ended by his refusal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from telephony.answers import Answer, Answered, OnAnswer
from telephony.freeswitch.actions import Api, EslAction, RingFor

# A channel looks for its new state every 20 ms.
SETTLES_S = 0.12
# Then whatever was asked of it is overdue.
TAKES_UP_S = 1.0

_CUT = Answer(Answered.CUT, "the link was lost")


class Sender(Protocol):
    def send(self, action: EslAction, on_answer: OnAnswer) -> None: ...


class Settling:
    """A Sender before another. `now` gives monotonic seconds."""

    def __init__(self, sender: Sender, now: Callable[[], float]) -> None:
        self._sender, self._now = sender, now
        self._until: dict[str, float] = {}
        self._ringing_for: dict[str, str] = {}
        self._held: list[tuple[Api, OnAnswer]] = []
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_holding(self) -> bool:
        return bool(self._held)

    def joined(self, one: str, other: str) -> None:
        """These two are in a bridge by now, or nearly."""
        now_s = self._now()
        self._until = {uid: until for uid, until in self._until.items() if until > now_s}
        self._until |= dict.fromkeys((one, other), now_s + SETTLES_S)

    def taken_up(self, leg_id: str) -> None:
        """The telephone of that leg rings by now, or cannot."""
        uid = self._ringing_for.pop(leg_id, "")
        if self._until.pop(uid, None) is not None and self._timer is not None:
            self._timer.cancel()
            self._go_on()

    def send(self, action: EslAction, on_answer: OnAnswer) -> None:
        """At once, or as soon as every channel that it moves has settled; moves of one channel stay in order."""
        if isinstance(action, RingFor):
            self._ringing_for = {leg: uid for leg, uid in self._ringing_for.items() if uid != action.uuid}
            self._ringing_for[action.leg_id] = action.uuid
            self._until[action.uuid] = self._now() + TAKES_UP_S
        if not isinstance(action, Api) or self._delay_s(action) <= 0:
            self._sender.send(action, on_answer)
            return
        self._held.append((action, on_answer))
        self._plan()

    def _delay_s(self, action: Api) -> float:
        behind = {uid for held, _ in self._held for uid in held.moves}
        until_s = max((self._until.get(uid, 0.0) for uid in action.moves), default=0.0)
        return max(until_s - self._now(), 0.001 if behind & set(action.moves) else 0.0)

    def _plan(self) -> None:
        if self._timer is None and self._held:
            now_s = self._now()
            ends_s = (self._until.get(uid, 0.0) for action, _ in self._held for uid in action.moves)
            delay_s = min((end_s - now_s for end_s in ends_s if end_s > now_s), default=0.0)
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._go_on)

    def _go_on(self) -> None:
        self._timer = None
        held, self._held = self._held, []
        for action, on_answer in held:
            self.send(action, on_answer)

    def clear(self) -> None:
        """The link is gone: what is held back is not sent any more."""
        held, self._held = self._held, []
        self._until.clear()
        self._ringing_for.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for _, on_answer in held:
            asyncio.get_running_loop().call_soon(on_answer, _CUT)
