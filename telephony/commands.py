"""Carries commands out: each becomes actions, each ends in exactly one CommandEnded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable

import structlog

from routing.core.commands import (
    Command,
    DetectMachine,
    DialLeg,
    HangUpLeg,
    MarkLeg,
    PlayDigits,
    PlayPrompts,
    RecordMessage,
    ReplyFeature,
    ReturnLeg,
    SetRecording,
    SetRooms,
)
from routing.core.facts import CommandEnded, CommandOutcome, DialFailed, DialOutcome, Fact, RoomsRefused
from telephony.answers import Answer, Answered, OnAnswer, ignore
from telephony.convergence import Convergence
from telephony.digits import Digits
from telephony.legs import Leg, LegBook, LegKind
from telephony.prompts import Prompts
from telephony.returns import Returns
from telephony.rooms import CONTEXT_FEATURE
from telephony.safety import UnsafeAction
from telephony.settings import PbxSettings
from telephony.wire import Action, Wire

log = structlog.get_logger(__name__)
NORMAL, ELSEWHERE = 16, 26
REMEMBERED = 20_000
UNTOLD, TOLD = 1, 2
NOT_SENT = "the link is down"

_OUTCOMES = {
    Answered.SUCCESS: CommandOutcome.SUCCEEDED,
    Answered.ERROR: CommandOutcome.REFUSED,
    # For want of room on a link that is up: not an answer of the PBX, so it is worth saying again.
    Answered.UNSENT: CommandOutcome.UNKNOWN,
    Answered.OVERDUE: CommandOutcome.UNKNOWN,
    Answered.CUT: CommandOutcome.UNKNOWN,
}


class Memory:
    """The newest so many keys with a number each."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._numbers: OrderedDict[str, int] = OrderedDict()

    def get(self, key: str) -> int:
        return self._numbers.get(key, 0)

    def put(self, key: str, number: int) -> None:
        self._numbers[key] = number
        self._numbers.move_to_end(key)
        if len(self._numbers) > self._size:
            self._numbers.popitem(last=False)


class Commands:
    """All commands but WatchPhones."""

    def __init__(
        self,
        settings: PbxSettings,
        legs: LegBook,
        wire: Wire,
        emit: Callable[[Fact], None],
        now: Callable[[], float],
    ) -> None:
        self._pbx, self._legs, self._wire, self.emit, self.now = settings.pbx, legs, wire, emit, now
        self.convergence = Convergence(settings, legs, wire, emit)
        self.returns = Returns(settings, legs, wire, self.end)
        self.digits = Digits(legs, wire, self.end)
        self.prompts = Prompts(settings, legs, wire, emit, self.end, now, self.convergence)
        self.convergence.busy, self.convergence.settled = self.prompts.busy, self.prompts.settled
        self._dialled, self._versions, self._disowned = Memory(), Memory(), Memory(1000)
        self._ears_versions = Memory()

    def take(self, command: Command) -> None:
        """Begin with a command while the link is up."""
        match command:
            case DialLeg():
                self._dial(command)
            case HangUpLeg():
                self._hang_up(command)
            case SetRooms():
                self._set_rooms(command)
            case ReturnLeg():
                self.returns.begin(command)
            case MarkLeg():
                self._mark(command)
            case ReplyFeature():
                self._reply(command)
            case SetRecording():
                self._record(command)
            case PlayDigits():
                self.digits.begin(command)
            case PlayPrompts() | RecordMessage() | DetectMachine():
                self.prompts.begin(command)

    def refuse(self, command: Command, why: str = NOT_SENT) -> None:
        """Nothing of it was done."""
        self.end(command.id, Answered.ERROR, why)
        if isinstance(command, DialLeg) and self._legs.get(command.leg_id) is None:
            self._dial_failed(command.leg_id, DialOutcome.CONGESTION)
        elif isinstance(command, SetRooms):
            refused = RoomsRefused(
                pbx=self._pbx, interaction_id=command.interaction_id, version=command.version, reason=why
            )
            self.emit(refused)

    def end(self, command_id: str, how: Answered, text: str = "") -> None:
        cause = "" if how is Answered.SUCCESS else text
        self.emit(CommandEnded(pbx=self._pbx, command_id=command_id, outcome=_OUTCOMES[how], cause=cause))

    def clear(self) -> None:
        """The link is gone: what is under way ends as unknown."""
        self.convergence.clear()
        self.returns.clear()
        self.digits.clear()
        self.prompts.clear()

    # ------------------------------------------------------------------ dialling and hanging up

    def _dial(self, order: DialLeg) -> None:
        if self._dialled.get(order.leg_id) or self._legs.get(order.leg_id) is not None:
            self.end(order.id, Answered.ERROR, f"leg {order.leg_id} was dialled before")
            return
        try:
            action = self._wire.originate(order)
        except UnsafeAction as error:
            # The phone's fault and not the PBX's, as when Asterisk itself finds that there is no such phone.
            log.warning("dial_unsafe", pbx=self._pbx, leg=order.leg_id, reason=str(error))
            self.end(order.id, Answered.SUCCESS)
            self._dial_failed(order.leg_id, DialOutcome.INVALID)
            return
        self._dialled.put(order.leg_id, 1)
        leg = Leg(
            leg_id=order.leg_id,
            uid=order.leg_id,
            kind=LegKind.DIALED,
            interaction_id=order.interaction_id,
            known_since=self.now(),
            recording=order.recording,
        )
        self._legs.add(leg)
        self._wire.send(action, lambda answer: self._dial_answered(order, leg, answer))

    def _dial_answered(self, order: DialLeg, leg: Leg, answer: Answer) -> None:
        was_refused = answer.how in (Answered.ERROR, Answered.UNSENT)
        self.end(order.id, Answered.ERROR if was_refused else answer.how, answer.text)
        if was_refused and self._legs.get(leg.leg_id) is leg:
            self._legs.drop(leg)
            self._dial_failed(leg.leg_id, DialOutcome.CONGESTION)

    def _dial_failed(self, leg_id: str, outcome: DialOutcome) -> None:
        self.emit(DialFailed(pbx=self._pbx, leg_id=leg_id, outcome=outcome))

    def _hang_up(self, order: HangUpLeg) -> None:
        leg = self._legs.get(order.leg_id)
        if leg is None or leg.is_returned:
            self.end(order.id, Answered.SUCCESS)
            return
        leg.hang_up_cause = ELSEWHERE if order.answered_elsewhere else NORMAL
        self.say_hang_up(leg, lambda answer: self._hang_up_answered(order, leg, answer))

    def say_hang_up(self, leg: Leg, on_answer: OnAnswer) -> None:
        """Also again, whenever a leg shows up that is not wanted any more."""
        self._wire.send(self._wire.hang_up(leg, leg.hang_up_cause or NORMAL), on_answer)

    def _hang_up_answered(self, order: HangUpLeg, leg: Leg, answer: Answer) -> None:
        # The PBX knows no such channel for some ms after the dial: it is said again when the channel shows up.
        is_unknown = answer.how is Answered.ERROR and "no such channel" in answer.text.lower()
        if answer.how in (Answered.ERROR, Answered.UNSENT) and not is_unknown:
            leg.hang_up_cause = None
        self.end(order.id, Answered.SUCCESS if is_unknown else answer.how, answer.text)

    def disown(self, legs: Iterable[Leg], *, is_told: bool = False) -> None:
        """Legs whose dialling was under way when the link broke: should one show up later, it ends at once.

        `is_told`: the core knows already that they have failed.
        """
        for leg in legs:
            self._disowned.put(leg.leg_id, TOLD if is_told else UNTOLD)

    def appeared(self, uid: str, channel: str) -> list[Fact]:
        """A channel has come into being: one that nobody wants any more is hung up (again)."""
        leg = self._legs.by_uid(uid)
        if leg is not None:
            leg.channel = channel
            if leg.hang_up_cause is not None:
                self.say_hang_up(leg, ignore)
            return []
        disowned = self._disowned.get(uid)
        if not disowned:
            return []
        stray = Leg(leg_id=uid, uid=uid, kind=LegKind.DIALED, channel=channel, hang_up_cause=NORMAL)
        self.say_hang_up(stray, ignore)
        if disowned == TOLD:
            return []
        return [DialFailed(pbx=self._pbx, leg_id=uid, outcome=DialOutcome.CANCELLED)]

    # ------------------------------------------------------------------ rooms, variables, features

    def _set_rooms(self, order: SetRooms) -> None:
        newest, heard = self._versions.get(order.interaction_id), self._ears_versions.get(order.interaction_id)
        if order.version < newest or order.ears_version < heard:
            self.emit(
                CommandEnded(pbx=self._pbx, command_id=order.id, outcome=CommandOutcome.SUCCEEDED, cause="replaced")
            )
            return
        self._versions.put(order.interaction_id, order.version)
        self._ears_versions.put(order.interaction_id, order.ears_version)
        objection = self.convergence.objection(order)
        if objection:
            self.refuse(order, objection)
        else:
            self.end(order.id, Answered.SUCCESS)
            self.convergence.want(order)

    def _mark(self, order: MarkLeg) -> None:
        leg = self._legs.get(order.leg_id)
        try:
            actions = [self._wire.set_variable(leg, n, v) for n, v in order.variables.items()] if leg else []
        except UnsafeAction as error:
            self.end(order.id, Answered.ERROR, str(error))
            return
        if leg is None or leg.is_returned:
            self.end(order.id, Answered.ERROR, f"leg {order.leg_id} is gone")
        elif not actions:
            self.end(order.id, Answered.SUCCESS)
        else:
            self._send_all(order.id, actions)

    def _send_all(self, command_id: str, actions: list[Action]) -> None:
        """The command ends with the last answer; the first failure is its outcome."""
        left, worst = len(actions), Answer(Answered.SUCCESS)

        def answered(answer: Answer) -> None:
            nonlocal left, worst
            left -= 1
            worst = answer if worst.is_success else worst
            if left == 0:
                self.end(command_id, worst.how, worst.text)

        for action in actions:
            self._wire.send(action, answered)

    def let_go(self, leg: Leg) -> None:
        """The channel lives on, but not for us: no snapshot shall list it, and back in our dialplan it ends."""
        for name in ("SR_LEG", "SR_IID", self._wire.way_back):
            self._wire.send(self._wire.set_variable(leg, name, ""), ignore)

    def _reply(self, order: ReplyFeature) -> None:
        leg = self._legs.get(order.leg_id)
        if leg is None or leg.kind is not LegKind.FEATURE:
            self.end(order.id, Answered.ERROR, f"leg {order.leg_id} is gone")
            return
        action = self._wire.redirect([leg], CONTEXT_FEATURE, "accepted" if order.accepted else "refused")
        self._wire.send(action, lambda answer: self.end(order.id, answer.how, answer.text))

    def _record(self, order: SetRecording) -> None:
        """The recording was started before the leg's answer was told; it is steered here."""
        leg = self._legs.get(order.leg_id)
        if leg is None or not leg.is_up:
            self.end(order.id, Answered.ERROR, f"leg {order.leg_id} is not answered")
            return
        action = self._wire.record(leg, order)
        self._wire.send(action, lambda answer: self.end(order.id, answer.how, answer.text))
