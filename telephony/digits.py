"""DTMF out: one action per digit, the next one when the last has had its time; per leg one order at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from routing.core.commands import PlayDigits
from telephony.answers import Answer, Answered
from telephony.legs import LegBook
from telephony.safety import UnsafeAction
from telephony.wire import Action, Wire

DIGIT_MS = 100  # ITU-T Q.24: receivers take 40 ms at least
# The PBX answers as soon as a digit is queued: the pause behind it is ours to keep.
GAP_MS = 100
SPACE_S = (DIGIT_MS + GAP_MS) / 1000


@dataclass(slots=True)
class _Run:
    command_id: str
    actions: deque[Action]
    is_over: bool = False


class Digits:
    """`end` is told once per order, when its last digit is on its way. `later` calls after so many seconds."""

    def __init__(
        self,
        legs: LegBook,
        wire: Wire,
        end: Callable[[str, Answered, str], None],
        later: Callable[[float, Callable[[], None]], object] | None = None,
    ) -> None:
        self._legs, self._wire, self._end, self._later = legs, wire, end, later or _in_the_running_loop
        self._runs: dict[str, deque[_Run]] = {}

    def begin(self, order: PlayDigits) -> None:
        """Behind what is already being played to that leg."""
        leg = self._legs.get(order.leg_id)
        if leg is None or not leg.is_up or leg.is_returned:
            self._end(order.id, Answered.ERROR, f"leg {order.leg_id} is not answered")
            return
        try:
            actions: deque[Action] = deque(self._wire.play_digit(leg, digit) for digit in order.digits)
        except UnsafeAction as error:
            self._end(order.id, Answered.ERROR, str(error))
            return
        runs = self._runs.setdefault(order.leg_id, deque())
        runs.append(_Run(order.id, actions))
        if len(runs) == 1:
            self._play(order.leg_id)

    def clear(self) -> None:
        """The link is gone: what was not played yet never will be."""
        runs, self._runs = self._runs, {}
        for run in (run for queue in runs.values() for run in queue):
            self._finish(run, Answer(Answered.CUT, "the link was lost"))

    def _play(self, leg_id: str) -> None:
        runs = self._runs.get(leg_id)
        if runs:
            run = runs[0]
            self._wire.send(run.actions.popleft(), lambda answer: self._answered(leg_id, run, answer))

    def _answered(self, leg_id: str, run: _Run, answer: Answer) -> None:
        if run.is_over:
            return
        if not answer.is_success or not run.actions:
            self._finish(run, answer)
        self._later(SPACE_S, lambda: self._go_on(leg_id, run))

    def _go_on(self, leg_id: str, run: _Run) -> None:
        runs = self._runs.get(leg_id)
        if not runs or runs[0] is not run:
            return
        if run.is_over:
            runs.popleft()
        if runs:
            self._play(leg_id)
        else:
            del self._runs[leg_id]

    def _finish(self, run: _Run, answer: Answer) -> None:
        if not run.is_over:
            run.is_over = True
            self._end(run.command_id, answer.how, answer.text)


def _in_the_running_loop(delay_s: float, call: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(delay_s, call)
