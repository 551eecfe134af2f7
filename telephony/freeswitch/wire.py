"""The orders as commands of the event socket."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from routing.core.commands import DetectMachine, DialLeg, PlayPrompts, RecordMessage, SetRecording
from telephony.answers import OnAnswer
from telephony.freeswitch import actions, prompts
from telephony.freeswitch.actions import Api, EslAction, Job, RingFor
from telephony.freeswitch.prompts import Sounds
from telephony.freeswitch.settling import Settling
from telephony.legs import Leg
from telephony.rooms import CONTEXT_EAR, CONTEXT_MACHINE, CONTEXT_MESSAGE, CONTEXT_PROMPT
from telephony.safety import UnsafeAction, word

# Orders whose channel is to come: 2 to 25 ms.
REMEMBERED = 1000


class RingsAPhone(UnsafeAction):
    """A prompt would end the ringing of a telephone that this leg does itself."""

    code = "leg-rings-a-phone"
    template = "busy"


class EslWire:
    """As telephony.wire.Wire. `recordings`: the folder of the PBX into which recordings go, and `sounds`, its own ones:
    as it tells them.

    `missing`: contexts which the dialplan there does not know. `look_again`: called where one of them was wanted.
    """

    way_back = "SR_BACK"
    is_mute_alone = False

    def __init__(self, sender: Settling) -> None:
        self._sender = sender
        self.recordings, self.sounds = "", Sounds()
        self.missing: frozenset[str] = frozenset()
        self.look_again: Callable[[], None] = lambda: None
        self._variables: dict[str, dict[str, str]] = {}
        # The leg that shall itself ring the phone of an order, if one can.
        self.who_rings: Callable[[DialLeg], Leg | None] = lambda _: None
        self.rings_a_phone: Callable[[Leg], bool] = lambda _: False

    def originate(self, order: DialLeg) -> Job | RingFor:
        waiting = self.who_rings(order)
        action = actions.ring_for(order, waiting.uid) if waiting else actions.originate(order)
        if order.variables:
            self._variables[order.leg_id] = order.variables
            if len(self._variables) > REMEMBERED:  # the oldest one's channel never came
                del self._variables[next(iter(self._variables))]
        return action

    def variables_of(self, uid: str) -> dict[str, str]:
        """What the order to dial that leg wants set on its channel, once."""
        return self._variables.pop(uid, {})

    def clear(self) -> None:
        """The link is gone: nothing is set or moved later."""
        self._variables.clear()
        self._sender.clear()

    @property
    def is_holding(self) -> bool:
        """Something will be sent only in a moment."""
        return self._sender.is_holding

    def joined(self, one: str, other: str) -> None:
        """Two channels have been joined just now."""
        self._sender.joined(one, other)

    def taken_up(self, leg_id: str) -> None:
        """Whoever shall ring for that leg has begun, or cannot."""
        self._sender.taken_up(leg_id)

    def hang_up(self, leg: Leg, cause: int) -> Api:
        return actions.hang_up(leg.uid, cause)

    def redirect(self, legs: Sequence[Leg], context: str, exten: str) -> Api:
        return actions.transfer([leg.uid for leg in legs], context, exten)

    def listen_at(self, leg: Leg, other: Leg, exten: str) -> list[Api]:  # noqa: ARG002 - the extension names it
        self._demand(CONTEXT_EAR)
        return [self.redirect([leg], CONTEXT_EAR, exten)]

    def bridge(self, one: Leg, other: Leg) -> Api:
        return actions.bridge(one.uid, other.uid)

    def set_variable(self, leg: Leg, name: str, value: str) -> Api:
        return actions.set_variable(leg.uid, name, value)

    def record(self, leg: Leg, order: SetRecording) -> Api:
        return actions.record(leg.uid, actions.VERBS.get(order.state, "unmask"), self.path_of(order.file))

    def start_recording(self, leg: Leg) -> Api:
        return actions.record(leg.uid, "start", self.path_of(leg.recording))

    def path_of(self, file: str) -> str:
        return f"{self.recordings}/{word(file)}.wav"

    def play(self, leg: Leg, order: PlayPrompts, place: str) -> list[Api]:
        asked = self._ask(leg, prompts.prompt(order, self.sounds), CONTEXT_PROMPT, place)
        if order.after_silence_ms > 0:
            asked.insert(0, self.set_variable(leg, "SR_AFTER", prompts.after(order)))
        return asked

    def record_message(self, leg: Leg, order: RecordMessage, place: str) -> list[Api]:
        file = self.set_variable(leg, "SR_MESSAGE", self.path_of(order.file))
        return [file, *self._ask(leg, prompts.message(order), CONTEXT_MESSAGE, place)]

    def listen(self, leg: Leg, order: DetectMachine, place: str) -> list[Api]:
        return self._ask(leg, prompts.listening(order), CONTEXT_MACHINE, place)

    def _ask(self, leg: Leg, question: str, context: str, place: str) -> list[Api]:
        self._demand(context)
        if self.rings_a_phone(leg):
            raise RingsAPhone
        return [self.set_variable(leg, "SR_ASK", question), self.redirect([leg], context, place)]

    def _demand(self, context: str) -> None:
        if context in self.missing:
            self.look_again()
            raise UnsafeAction(what=f"{context}: the switchroom.xml there is of an older version, so it")

    def stop_message(self, leg: Leg) -> Api:
        """What is said to the one whom it is joined with now is no message."""
        return actions.stop_recordings(leg.uid)

    def play_digit(self, leg: Leg, digit: str) -> Api:
        return actions.play_digit(leg.uid, digit)

    def send(self, action: EslAction, on_answer: OnAnswer) -> None:
        self._sender.send(action, on_answer)
