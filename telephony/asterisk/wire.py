"""The orders as actions of the manager interface."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from routing.core.commands import DetectMachine, DialLeg, PlayPrompts, RecordMessage, SetRecording
from routing.core.recording import RecordingState
from telephony.answers import OnAnswer
from telephony.asterisk import actions
from telephony.legs import Leg
from telephony.rooms import CONTEXT_EAR, CONTEXT_MACHINE, CONTEXT_MESSAGE, CONTEXT_PROMPT
from telephony.safety import UnsafeAction

Fields = dict[str, str | list[str]]


class AmiWire:
    """As telephony.wire.Wire; `send` puts an action on the present connection.

    `missing`: contexts which the dialplan there does not know. `look_again`: called where one of them was wanted.
    """

    way_back = "SR_RETURNS"
    is_mute_alone = True

    def __init__(self, send: Callable[[dict[str, Any], OnAnswer], None]) -> None:
        self._send = send
        self.missing: frozenset[str] = frozenset()
        self.look_again: Callable[[], None] = lambda: None

    def originate(self, order: DialLeg) -> Fields:
        return actions.originate(order)

    def hang_up(self, leg: Leg, cause: int) -> Fields:
        return actions.hang_up(leg.uid, cause)

    def redirect(self, legs: Sequence[Leg], context: str, exten: str) -> Fields:
        return actions.redirect([leg.uid for leg in legs], context, exten)

    def listen_at(self, leg: Leg, other: Leg, exten: str) -> list[Fields]:
        """ChanSpy() takes a name: a Uniqueid may be the beginning of another one."""
        self._demand(CONTEXT_EAR)
        return [actions.set_variable(leg.uid, "SR_EAR", other.channel), self.redirect([leg], CONTEXT_EAR, exten)]

    def bridge(self, one: Leg, other: Leg) -> Fields:
        return actions.bridge(one.channel, other.channel)

    def set_variable(self, leg: Leg, name: str, value: str) -> Fields:
        return actions.set_variable(leg.uid, name, value)

    def record(self, leg: Leg, order: SetRecording) -> Fields:
        if order.state is RecordingState.OFF:
            return actions.stop_recording(leg.uid)
        return actions.mute_recording(leg.uid, is_muted=order.state is RecordingState.PAUSED)

    def play_digit(self, leg: Leg, digit: str) -> Fields:
        return actions.play_digit(leg.uid, digit)

    def play(self, leg: Leg, order: PlayPrompts, place: str) -> list[Fields]:
        self._demand(CONTEXT_PROMPT)
        return actions.play(leg.uid, order, place)

    def record_message(self, leg: Leg, order: RecordMessage, place: str) -> list[Fields]:
        self._demand(CONTEXT_MESSAGE)
        return actions.record_message(leg.uid, order, place)

    def listen(self, leg: Leg, order: DetectMachine, place: str) -> list[Fields]:
        self._demand(CONTEXT_MACHINE)
        return actions.listen(leg.uid, order, place)

    def _demand(self, context: str) -> None:
        if context in self.missing:
            self.look_again()
            raise UnsafeAction(what=f"{context}: the switchroom.conf there is of an older version, so it")

    def send(self, action: Fields, on_answer: OnAnswer) -> None:
        self._send(action, on_answer)
