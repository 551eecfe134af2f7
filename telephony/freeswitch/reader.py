"""What an event means: it becomes facts, and a few events make us act."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import structlog

from routing.core.facts import Fact, LegTransferred, PhoneChanged
from telephony.answers import Answer, ignore
from telephony.commands import Commands
from telephony.freeswitch.arrivals import arrival, feature
from telephony.freeswitch.codec import EslEvent
from telephony.freeswitch.legs import Legs
from telephony.freeswitch.phones import Phones
from telephony.freeswitch.prompts import heard
from telephony.freeswitch.snapshot import user_of
from telephony.freeswitch.wire import EslWire
from telephony.legs import ARRIVED_PREFIX, Leg, LegKind, arrived_leg_id
from telephony.rooms import CONTEXT_MESSAGE, CONTEXT_NONE

log = structlog.get_logger(__name__)

# A job that failed and the end of its channel come in either order.
SECOND_HALF_S = 1.0

Tell = Callable[[list[Fact]], None]


class EventReader:
    """`cad_names`: call-associated data that the dialplan hands over; None while nobody has said. `tell` takes facts
    that come later than their event."""

    def __init__(self, pbx: str, legs: Legs, phones: Phones, commands: Commands, wire: EslWire, tell: Tell) -> None:
        self._pbx, self._legs, self._phones, self._commands, self._wire = pbx, legs, phones, commands, wire
        self.cad_names: tuple[str, ...] | None = None
        self.tell = tell
        self._by_name: dict[str, Callable[[EslEvent], list[Fact]]] = {
            "CHANNEL_CREATE": self._created,
            "CHANNEL_PROGRESS": self._rings,
            "CHANNEL_PROGRESS_MEDIA": self._rings,
            "CHANNEL_ANSWER": self._picked_up,
            "CHANNEL_BRIDGE": self._bridged,
            "CHANNEL_UNBRIDGE": self._unbridged,
            "CHANNEL_HANGUP_COMPLETE": self._hung_up,
            "BACKGROUND_JOB": self._job_ended,
            "switchroom::at": self._at,
            "switchroom::call": self._handed_over,
            "switchroom::left": self._left,
            "switchroom::feature": self._feature,
            "switchroom::tried": self._tried,
            "switchroom::heard": self._heard,
            "switchroom::recording": self._recording,
            "sofia::register": self._registered,
            "sofia::unregister": self._unregistered,
            "sofia::expire": self._unregistered,
            "conference::maintenance": self._conference,
        }

    def read(self, event: EslEvent) -> list[Fact]:
        """The facts in an event."""
        take = self._by_name.get(event.subclass or event.name)
        facts = take(event) if take is not None else []
        return facts + self._phone_changes()

    def _phone_changes(self) -> list[Fact]:
        changes = self._phones.changes().items()
        return [PhoneChanged(pbx=self._pbx, phone=phone, state=state) for phone, state in changes]

    # ------------------------------------------------------------------ channels

    def _created(self, event: EslEvent) -> list[Fact]:
        uid = event.get("Unique-ID")
        if (user := user_of(event)) and event.get("Call-Direction") == "inbound":
            self._phones.call(uid, *user, is_busy=True)
        self._wire.taken_up(uid)
        facts = self._commands.appeared(uid, event.get("Channel-Name"))
        if (leg := self._legs.by_uid(uid)) is not None:
            for name, value in self._wire.variables_of(uid).items():
                self._wire.send(self._wire.set_variable(leg, name, value), ignore)
        return facts

    def _rings(self, event: EslEvent) -> list[Fact]:
        if (user := user_of(event)) and event.get("Call-Direction") == "outbound":
            self._phones.call(event.get("Unique-ID"), *user, is_busy=False)
        leg = self._legs.by_uid(event.get("Unique-ID"))
        return self._legs.rings(leg) if leg is not None else []

    def _picked_up(self, event: EslEvent) -> list[Fact]:
        """A leg counts as answered only when our dialplan has it: before that it cannot be moved."""
        if user := user_of(event):
            self._phones.call(event.get("Unique-ID"), *user, is_busy=True)
        leg = self._legs.by_uid(event.get("Unique-ID"))
        if leg is not None and leg.hang_up_cause is not None:
            self._commands.say_hang_up(leg, ignore)
        return []

    def _hung_up(self, event: EslEvent) -> list[Fact]:
        uid = event.get("Unique-ID")
        self._phones.hung_up(uid)
        leg = self._legs.by_uid(uid)
        if leg is None:
            self._legs.gone(uid)
            return []
        return self._legs.hung_up(leg, event)

    def _job_ended(self, event: EslEvent) -> list[Fact]:
        """Of a dial that came to nothing; where there was a channel, its own end tells more."""
        leg = self._legs.by_uid(event.get("Job-UUID"))
        failed, _, name = event.body.strip().partition(" ")
        return self._came_to_nothing(leg, name) if leg is not None and failed == "-ERR" else []

    def _tried(self, event: EslEvent) -> list[Fact]:
        """The waiting leg has rung a telephone, and is where it was."""
        self._wire.taken_up(event.get("Tried-Leg"))
        leg = self._legs.get(event.get("Tried-Leg"))
        return self._came_to_nothing(leg, event.get("variable_originate_disposition")) if leg is not None else []

    def _came_to_nothing(self, leg: Leg, name: str) -> list[Fact]:
        if leg.is_up:
            return []
        if not leg.channel:
            self._wire.variables_of(leg.uid)  # nobody will ask for them any more
            return self._legs.failed(leg, name)
        asyncio.get_running_loop().call_later(SECOND_HALF_S, self._overdue, leg, name)
        return []

    def _overdue(self, leg: Leg, name: str) -> None:
        if self._legs.get(leg.leg_id) is leg and not leg.is_up:
            self._commands.say_hang_up(leg, ignore)  # nobody would look for a channel that has failed
            self.tell(self._legs.failed(leg, name))

    # ------------------------------------------------------------------ bridges and conferences

    def _bridged(self, event: EslEvent) -> list[Fact]:
        one, other = event.get("Bridge-A-Unique-ID"), event.get("Bridge-B-Unique-ID")
        ours = [leg for uid in (one, other) if (leg := self._legs.by_uid(uid)) is not None]
        by = self._legs.last_mate(ours[0]) if len(ours) == 1 else ""
        self._legs.bridged(one, other)
        self._wire.joined(one, other)
        for leg in ours:
            if leg.context == CONTEXT_MESSAGE:
                self._wire.send(self._wire.stop_message(leg), ignore)
        gone = [uid for uid in (one, other) if uid.startswith(ARRIVED_PREFIX) and self._legs.by_uid(uid) is None]
        for uid in gone:  # no stranger, but a leg that we dialled: its end was told first
            self._legs.gone(uid)
        if len(ours) == 1 and not gone:
            return [self._sent_away(ours[0], by)]
        return [fact for leg in ours for fact in self._usable(leg)]

    def _sent_away(self, leg: Leg, by: str) -> Fact:
        """A telephone has joined it with somebody of its own: it is not ours any more (CONS-14)."""
        self._commands.let_go(leg)
        self._legs.drop(leg)
        return LegTransferred(pbx=self._pbx, leg_id=leg.leg_id, by_leg_id=by, how="attended")

    def _unbridged(self, event: EslEvent) -> list[Fact]:
        self._legs.unbridged(event.get("Bridge-A-Unique-ID"), event.get("Bridge-B-Unique-ID"))
        return []

    def _conference(self, event: EslEvent) -> list[Fact]:
        name, uid = event.get("Conference-Name"), event.get("Unique-ID")
        match event.get("Action"):
            case "add-member":
                self._legs.joined(name, uid)
            case "del-member":
                self._legs.parted(name, uid)
        return []

    # ------------------------------------------------------------------ our dialplan's own events

    def _at(self, event: EslEvent) -> list[Fact]:
        leg = self._legs.by_uid(event.get("Unique-ID"))
        if leg is None:
            return []
        self._legs.arrived_at(leg, event)
        if leg.context == CONTEXT_NONE:
            log.warning("telephone_transfer_refused", pbx=self._pbx, leg=leg.leg_id)
        return self._usable(leg)

    def _usable(self, leg: Leg) -> list[Fact]:
        """It has been answered and is where it can be moved from."""
        if leg.kind is not LegKind.DIALED or leg.is_up:
            return []
        if not leg.recording:
            return self._legs.answered(leg)
        self._wire.send(self._wire.start_recording(leg), lambda answer: self._recording_began(leg, answer))
        return []

    def _recording_began(self, leg: Leg, answer: Answer) -> None:
        if not answer.is_success:
            log.error("recording_failed", pbx=self._pbx, leg=leg.leg_id, reason=answer.text)
        self.tell(self._legs.answered(leg))

    def _handed_over(self, event: EslEvent) -> list[Fact]:
        leg = self._add(event, LegKind.ARRIVED)
        return [arrival(self._pbx, leg.uid, event.variables(), self.cad_names)]

    def _add(self, event: EslEvent, kind: LegKind) -> Leg:
        uid = event.get("Unique-ID")
        leg = self._legs.by_uid(uid)
        if leg is None:
            now_s = self._commands.now()
            leg = Leg(leg_id=arrived_leg_id(uid), uid=uid, kind=kind, is_up=True, known_since=now_s)
            self._legs.add(leg)
        leg.channel = event.get("Channel-Name")
        self._legs.arrived_at(leg, event)
        return leg

    def _recording(self, event: EslEvent) -> list[Fact]:
        leg = self._legs.by_uid(event.get("Unique-ID"))
        if leg is not None:
            self._commands.prompts.recording(leg, event.get("Order"))
        return []

    def _heard(self, event: EslEvent) -> list[Fact]:
        leg = self._legs.by_uid(event.get("Unique-ID"))
        return self._commands.prompts.heard(leg, heard(event)) if leg is not None else []

    def _left(self, event: EslEvent) -> list[Fact]:
        leg = self._legs.by_uid(event.get("Unique-ID"))
        if leg is None:
            return []
        self._commands.returns.arrived(leg.leg_id)
        return self._legs.leave(leg)

    def _feature(self, event: EslEvent) -> list[Fact]:
        dialed = feature(self._pbx, event.get("Unique-ID"), event.variables())
        if dialed is None:
            return []
        self._add(event, LegKind.FEATURE)
        return [replace(dialed, phone=self._phones.named(dialed.phone, event.get("variable_domain_name")))]

    # ------------------------------------------------------------------ registrations

    def _registered(self, event: EslEvent) -> list[Fact]:
        self._phones.registered(event.get("from-user"), event.get("from-host"))
        return []

    def _unregistered(self, event: EslEvent) -> list[Fact]:
        """`expire` names them otherwise than `unregister`."""
        user = event.get("from-user") or event.get("user")
        self._phones.unregistered(user, event.get("from-host") or event.get("host"))
        return []
