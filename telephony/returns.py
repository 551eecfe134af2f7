"""Gives legs back to the dialplan that handed them over, once nothing else moves them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from routing.core.commands import ReturnLeg
from telephony.answers import Answer, Answered, ignore
from telephony.legs import Leg, LegBook, LegKind
from telephony.rooms import CONTEXT_RETURN
from telephony.safety import UnsafeAction
from telephony.settings import PbxSettings
from telephony.wire import Wire

log = structlog.get_logger(__name__)

# A bridge whose other leg is just leaving: a redirect at that moment has cost a caller his call.
DISSOLVES_S = 0.3
RETRY_S = 0.05
NOT_CONFIRMED = Answer(Answered.OVERDUE, "not confirmed in time")

Ended = Callable[[str, Answered, str], None]


@dataclass(eq=False, slots=True)
class _Return:
    order: ReturnLeg
    leg: Leg
    attempts: int = 0
    is_sent: bool = False
    timer: asyncio.TimerHandle | None = None

    def stop(self) -> None:
        if self.timer is not None:
            self.timer.cancel()


class Returns:
    """`ended` is called once per command with its id, SUCCESS when the dialplan says that it has the leg."""

    def __init__(self, settings: PbxSettings, legs: LegBook, wire: Wire, ended: Ended) -> None:
        self._settings, self._legs, self._wire, self._ended = settings, legs, wire, ended
        self._open: dict[str, _Return] = {}

    def begin(self, order: ReturnLeg) -> None:
        leg = self._legs.get(order.leg_id)
        if leg is None or leg.kind is not LegKind.ARRIVED or leg.is_returned:
            self._ended(order.id, Answered.ERROR, f"leg {order.leg_id} is gone")
            return
        leg.is_returned = True
        for name, value in {**order.variables, "SR_RESULT": order.result.value}.items():
            self._set(leg, name, value)
        entry = self._open[leg.leg_id] = _Return(order, leg)
        self._go(entry)

    def _set(self, leg: Leg, name: str, value: str) -> None:
        try:
            self._wire.send(self._wire.set_variable(leg, name, value), ignore)
        except UnsafeAction as error:
            log.warning("variable_not_returned", leg=leg.leg_id, variable=name[:80], reason=str(error))

    def _go(self, entry: _Return) -> None:
        loop = asyncio.get_running_loop()
        spots = self._legs.spots([entry.leg.leg_id])
        company = spots[entry.leg.leg_id].company if entry.leg.leg_id in spots else frozenset()
        if entry.attempts == 0 and any(spots[other].is_leaving for other in company if other in spots):
            entry.attempts = 1
            entry.timer = loop.call_later(DISSOLVES_S, self._go, entry)
            return
        entry.is_sent = True
        entry.attempts += 1
        entry.timer = loop.call_later(self._settings.step_timeout_s, self._failed, entry, NOT_CONFIRMED)
        action = self._wire.redirect([entry.leg], CONTEXT_RETURN, "s")
        self._wire.send(action, lambda answer: self._answered(entry, answer))

    def changed(self, leg_ids: set[str]) -> None:
        """A leg that waits for its bridge to dissolve goes on as soon as it has."""
        for leg_id in leg_ids & self._open.keys():
            entry = self._open[leg_id]
            if self._legs.get(leg_id) is not entry.leg:
                self._finish(entry, Answered.ERROR, f"leg {leg_id} is gone")
            elif not entry.is_sent and not self._legs.spots([leg_id])[leg_id].bridge:
                entry.stop()
                self._go(entry)

    def arrived(self, leg_id: str) -> None:
        """The dialplan has the leg again."""
        entry = self._open.get(leg_id)
        if entry is not None:
            self._finish(entry, Answered.SUCCESS, "")

    def clear(self) -> None:
        """The link is gone: nobody knows."""
        for entry in list(self._open.values()):
            self._finish(entry, Answered.CUT, "the link was lost")

    def _answered(self, entry: _Return, answer: Answer) -> None:
        if answer.how in (Answered.ERROR, Answered.UNSENT):
            self._failed(entry, answer)

    def _failed(self, entry: _Return, last: Answer) -> None:
        if self._open.get(entry.leg.leg_id) is not entry:
            return
        entry.stop()
        if entry.attempts >= self._settings.step_attempts:
            entry.leg.is_returned = False
            self._finish(entry, last.how, last.text)
        else:
            entry.timer = asyncio.get_running_loop().call_later(RETRY_S, self._go, entry)

    def _finish(self, entry: _Return, how: Answered, text: str) -> None:
        entry.stop()
        self._open.pop(entry.leg.leg_id, None)
        self._ended(entry.order.id, how, text)
