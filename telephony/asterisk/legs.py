"""The live legs of one Asterisk as its events tell them. Pure: events in, facts out.

Channel names are kept beside the ids because Bridge must be given names.
"""

from __future__ import annotations

from routing.core.facts import DialOutcome, Fact, LegAnswered, LegRinging
from telephony.asterisk.causes import REASON_ANSWERED, outcome
from telephony.asterisk.codec import AmiMessage
from telephony.legs import Leg, LegBook, LegKind
from telephony.rooms import CONTEXT_HANDOVER, OURS

RINGING, UP = "5", "6"


def conference_name(message: AmiMessage) -> str:
    """The conference that a bridge event or a BridgeListItem speaks of, or empty for a plain bridge."""
    return message.get("bridgename") if message.get("bridgecreator") == "ConfBridge" else ""


class Legs(LegBook):
    """The legs, kept by manager events."""

    def apply(self, event: AmiMessage) -> list[Fact]:
        """Take over what a genuine event tells of a leg or a bridge."""
        name = event.event
        if name.startswith("Bridge"):
            self._bridge(event)
            return []
        leg = self._by_uid.get(event.get("uniqueid"))
        if leg is None:
            return []
        self._see(leg, event)
        match name:
            case "Newstate":
                return self._new_state(leg, event.get("channelstate"))
            case "HangupRequest" if leg.hang_up_cause is None:
                leg.remote_hung_up = True
            case "OriginateResponse":
                return self._originated(leg, event)
            case "Hangup":
                return self._hung_up(leg, event)
        return []

    def _is_elsewhere(self, leg: Leg) -> bool:
        """Where the far end was an application and no channel, the leg has taken its place in a foreign dialplan."""
        if leg.kind is not LegKind.ARRIVED or self.bridges.of(leg.uid) is not None:
            return super()._is_elsewhere(leg)
        return not leg.context.startswith(OURS) and leg.context != CONTEXT_HANDOVER

    def _see(self, leg: Leg, event: AmiMessage) -> None:
        """Every channel event says where in the dialplan the channel stands."""
        if event.event == "OriginateResponse":
            return
        leg.channel = event.get("channel") or leg.channel
        place = (event.get("context"), event.get("exten"))
        if place[0] and place != (leg.context, leg.exten):
            leg.context, leg.exten = place
            self.changed.add(leg.leg_id)

    def _bridge(self, event: AmiMessage) -> None:
        self._apply_bridge(event)
        leg = self._by_uid.get(event.get("uniqueid"))
        if leg is not None:
            self._see(leg, event)
        members = self.bridges.members(event.get("bridgeuniqueid")) | {event.get("uniqueid")}
        self.changed |= {self.name_of(uid) for uid in members}

    def _apply_bridge(self, event: AmiMessage) -> None:
        bridge_id, uid = event.get("bridgeuniqueid"), event.get("uniqueid")
        match event.event:
            case "BridgeCreate":
                self.bridges.create(bridge_id, conference_name(event))
            case "BridgeEnter":
                self.bridges.create(bridge_id, conference_name(event))
                self.bridges.enter(bridge_id, uid)
            case "BridgeLeave":
                bridge = self.bridges.of(uid)
                if bridge is not None and bridge.id == bridge_id:
                    self.bridges.leave(uid)
            case "BridgeDestroy":
                self.bridges.destroy(bridge_id)

    def _new_state(self, leg: Leg, state: str) -> list[Fact]:
        if state == RINGING and not leg.is_ringing and leg.kind is LegKind.DIALED and not leg.is_up:
            leg.is_ringing = True
            return [LegRinging(pbx=self._pbx, leg_id=leg.leg_id)]
        return []

    def _originated(self, leg: Leg, event: AmiMessage) -> list[Fact]:
        """Only now the leg may be bridged; its own dialplan runs."""
        if event.get("response") == "Success":
            leg.reason = REASON_ANSWERED
            return [] if leg.recording and not leg.settled else self._answered(leg)
        leg.reason = _number(event.get("reason")) or 0
        return self.settle_dial(leg) if leg.cause is not None else []

    def settle(self, leg: Leg) -> list[Fact]:
        """The leg's own dialplan says where it is; a recorded one has begun its recording by then."""
        leg.settled += 1
        self.changed.add(leg.leg_id)
        is_late = bool(leg.recording) and leg.reason == REASON_ANSWERED and not leg.is_up
        return self._answered(leg) if is_late else []

    def _answered(self, leg: Leg) -> list[Fact]:
        if leg.hang_up_cause is not None and not leg.is_up:
            leg.reason = REASON_ANSWERED  # too late: the hang-up is said again, and ends it as cancelled
            return self.settle_dial(leg) if leg.cause is not None else []
        if leg.is_up:
            return []
        leg.is_up = True
        self.changed.add(leg.leg_id)
        answered = LegAnswered(pbx=self._pbx, leg_id=leg.leg_id)
        return [answered, *self.end(leg)] if leg.cause is not None else [answered]

    def _hung_up(self, leg: Leg, event: AmiMessage) -> list[Fact]:
        self.bridges.leave(leg.uid)
        leg.cause = _number(event.get("cause")) or 0
        leg.tech_cause = _number(event.get("techcause"))
        if leg.kind is LegKind.DIALED and not leg.is_up:
            return self.settle_dial(leg) if leg.reason is not None else []
        return self.end(leg)

    def outcome(self, leg: Leg) -> DialOutcome:
        """From OriginateResponse and Hangup; called when both are there, or one is overdue."""
        return outcome(leg.reason, leg.cause, leg.tech_cause, has_rung=leg.is_ringing)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
