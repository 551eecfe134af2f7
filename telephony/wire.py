"""How the orders of the core look to one kind of PBX: what the connectors differ in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from routing.core.commands import DetectMachine, DialLeg, PlayPrompts, RecordMessage, SetRecording
from telephony.answers import OnAnswer
from telephony.legs import Leg

# An action of that PBX, ready to be sent; nobody else looks into it.
Action = Any


class Wire(Protocol):
    """Makes actions, each safe to send or refused with UnsafeAction, and sends them.

    `way_back`: the channel variable that says where in the integrator's dialplan the call came from.
    """

    way_back: str
    # Nothing is sent to a leg that is alone in silence, not even silence.
    is_mute_alone: bool

    def originate(self, order: DialLeg) -> Action:
        """Ring the phone; the answered leg lands in CONTEXT_AGENT."""

    def hang_up(self, leg: Leg, cause: int) -> Action:
        """`cause`: ITU-T Q.850; 26 tells the phone that the call was answered elsewhere."""

    def redirect(self, legs: Sequence[Leg], context: str, exten: str) -> Action:
        """Move one leg, or two of one bridge at the same time, to an extension of our dialplan."""

    def listen_at(self, leg: Leg, other: Leg, exten: str) -> Sequence[Action]:
        """Send the leg to CONTEXT_EAR, where it listens at the other one; the answer to the last action counts."""

    def bridge(self, one: Leg, other: Leg) -> Action:
        """Join two legs."""

    def set_variable(self, leg: Leg, name: str, value: str) -> Action:
        """On the leg's channel; stored as it is, control characters apart."""

    def record(self, leg: Leg, order: SetRecording) -> Action:
        """Steer the running recording of a leg."""

    def play_digit(self, leg: Leg, digit: str) -> Action:
        """One DTMF digit that the far end gets."""

    def play(self, leg: Leg, order: PlayPrompts, place: str) -> Sequence[Action]:
        """Send the leg to CONTEXT_PROMPT with all it needs there; the answer to the last action counts.

        `place`: the extension there. The dialplan says where it is when it begins, and reports the end (Heard).
        """

    def record_message(self, leg: Leg, order: RecordMessage, place: str) -> Sequence[Action]:
        """The same for CONTEXT_MESSAGE."""

    def listen(self, leg: Leg, order: DetectMachine, place: str) -> Sequence[Action]:
        """The same for CONTEXT_MACHINE."""

    def send(self, action: Action, on_answer: OnAnswer) -> None:
        """Put it on the wire."""
