"""The live legs of one PBX as its events and snapshots tell them. Pure: events in, facts out.

A leg that we dialled has our own id as its channel id. A leg that arrived is `leg_` and its channel id. Everything is
keyed by that channel id (Uniqueid), which stays the same over redirects, bridges and conferences; names are kept
because Bridge must be given names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from routing.core.facts import (
    DialFailed,
    DialOutcome,
    EndedBy,
    Fact,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegState,
    SnapshotLeg,
)
from telephony.asterisk.actions import CONTEXT_HANDOVER
from telephony.asterisk.bridges import Bridges
from telephony.asterisk.causes import REASON_ANSWERED, outcome
from telephony.asterisk.codec import AmiMessage
from telephony.asterisk.rooms import Spot

ARRIVED_PREFIX = "leg_"
RINGING, UP = "5", "6"


class LegKind(StrEnum):
    ARRIVED = "arrived"
    DIALED = "dialed"
    FEATURE = "feature"


@dataclass(slots=True, kw_only=True)
class Leg:
    """`channel`: name, empty until there is a channel. `is_up`: answered and usable (an arrived leg always is).

    `hang_up_cause`: set when we want it gone, and said again whenever the PBX has overlooked it. `reason`, `cause`,
    `tech_cause`: what OriginateResponse and Hangup told of a dialled leg that came to nothing. `is_returned`: it is
    going back to the dialplan that handed it over. `is_recorded`: its dialplan starts a recording at the answer, which
    counts only when that is done. `settled` counts the times that the leg's own
    dialplan said where it is. `known_since`: second of the port's clock.
    """

    leg_id: str
    uid: str
    kind: LegKind
    interaction_id: str = ""
    channel: str = ""
    context: str = ""
    exten: str = ""
    is_up: bool = False
    is_ringing: bool = False
    is_returned: bool = False
    is_recorded: bool = False
    known_since: float = 0.0
    settled: int = 0
    remote_hung_up: bool = False
    hang_up_cause: int | None = None
    reason: int | None = None
    cause: int | None = None
    tech_cause: int | None = None

    @property
    def state(self) -> LegState:
        if self.is_up:
            return LegState.UP
        return LegState.RINGING if self.is_ringing else LegState.DIALING


def arrived_leg_id(uid: str) -> str:
    return f"{ARRIVED_PREFIX}{uid}"


class Legs:
    """`changed` collects the ids of legs whose place or company has changed since it was last emptied."""

    def __init__(self, pbx: str) -> None:
        self._pbx = pbx
        self._by_uid: dict[str, Leg] = {}
        self._by_id: dict[str, Leg] = {}
        self.bridges = Bridges()
        self.changed: set[str] = set()

    # ------------------------------------------------------------------ look-up

    def get(self, leg_id: str) -> Leg | None:
        return self._by_id.get(leg_id)

    def by_uid(self, uid: str) -> Leg | None:
        return self._by_uid.get(uid)

    def all(self) -> list[Leg]:
        return list(self._by_id.values())

    def spots(self, leg_ids: Iterable[str]) -> dict[str, Spot]:
        """Where these legs are, and everybody who is in a bridge or conference with one of them."""
        found: dict[str, Spot] = {}
        wanted = {self._by_id[leg_id].uid for leg_id in leg_ids if leg_id in self._by_id}
        for uid in wanted | self.bridges.company_of(wanted):
            leg = self._by_uid.get(uid)
            found[leg.leg_id if leg else uid] = self._spot(uid, leg)
        return found

    def _spot(self, uid: str, leg: Leg | None) -> Spot:
        bridge = self.bridges.of(uid)
        return Spot(
            context=leg.context if leg else "",
            exten=leg.exten if leg else "",
            bridge=bridge.id if bridge else "",
            conference=bridge.conference if bridge else "",
            company=frozenset(self._name(m) for m in bridge.members - {uid}) if bridge else frozenset(),
            is_leaving=bool(leg and (leg.hang_up_cause is not None or leg.is_returned)),
        )

    def _name(self, uid: str) -> str:
        leg = self._by_uid.get(uid)
        return leg.leg_id if leg else uid

    # ------------------------------------------------------------------ changes that we make

    def add(self, leg: Leg) -> Leg:
        self._by_uid[leg.uid] = self._by_id[leg.leg_id] = leg
        return leg

    def drop(self, leg: Leg) -> None:
        """It is gone, or not ours any more. Its bridge keeps it as a stranger until the PBX says that it has left."""
        self._by_uid.pop(leg.uid, None)
        self._by_id.pop(leg.leg_id, None)
        self.changed.add(leg.leg_id)

    def clear(self) -> None:
        """Forget everything: a snapshot follows."""
        self._by_uid.clear()
        self._by_id.clear()
        self.bridges = Bridges()

    def snapshot(self) -> tuple[SnapshotLeg, ...]:
        return tuple(
            SnapshotLeg(leg_id=leg.leg_id, interaction_id=leg.interaction_id, state=leg.state)
            for leg in self._by_id.values()
            if leg.kind is not LegKind.FEATURE
        )

    # ------------------------------------------------------------------ events

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
        self.bridges.apply(event)
        leg = self._by_uid.get(event.get("uniqueid"))
        if leg is not None:
            self._see(leg, event)
        members = self.bridges.members(event.get("bridgeuniqueid")) | {event.get("uniqueid")}
        self.changed |= {self._name(uid) for uid in members}

    def _new_state(self, leg: Leg, state: str) -> list[Fact]:
        if state == RINGING and not leg.is_ringing and leg.kind is LegKind.DIALED and not leg.is_up:
            leg.is_ringing = True
            return [LegRinging(pbx=self._pbx, leg_id=leg.leg_id)]
        return []

    def _originated(self, leg: Leg, event: AmiMessage) -> list[Fact]:
        """Only now the leg may be bridged; its own dialplan runs."""
        if event.get("response") == "Success":
            leg.reason = REASON_ANSWERED
            return [] if leg.is_recorded and not leg.settled else self._answered(leg)
        leg.reason = _number(event.get("reason")) or 0
        return self.settle_dial(leg) if leg.cause is not None else []

    def settle(self, leg: Leg) -> list[Fact]:
        """The leg's own dialplan says where it is; a recorded one has begun its recording by then."""
        leg.settled += 1
        self.changed.add(leg.leg_id)
        is_late = leg.is_recorded and leg.reason == REASON_ANSWERED and not leg.is_up
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
        return [answered, *self._end(leg)] if leg.cause is not None else [answered]

    def _hung_up(self, leg: Leg, event: AmiMessage) -> list[Fact]:
        self.bridges.leave(leg.uid)
        leg.cause = _number(event.get("cause")) or 0
        leg.tech_cause = _number(event.get("techcause"))
        if leg.kind is LegKind.DIALED and not leg.is_up:
            return self.settle_dial(leg) if leg.reason is not None else []
        return self._end(leg)

    def _end(self, leg: Leg) -> list[Fact]:
        self.drop(leg)
        if leg.kind is LegKind.FEATURE:
            return []
        ended_by = EndedBy.REMOTE if leg.remote_hung_up else EndedBy.SERVER
        return [LegEnded(pbx=self._pbx, leg_id=leg.leg_id, ended_by=ended_by, cause=leg.cause or 0)]

    def settle_dial(self, leg: Leg) -> list[Fact]:
        """A dialled leg came to nothing; called when both halves of the news are there, or one is overdue."""
        if self._by_id.get(leg.leg_id) is not leg or leg.is_up:
            return []
        self.drop(leg)
        how = outcome(leg.reason, leg.cause, leg.tech_cause, has_rung=leg.is_ringing)
        if leg.hang_up_cause is not None:
            how = DialOutcome.CANCELLED
        return [DialFailed(pbx=self._pbx, leg_id=leg.leg_id, outcome=how, cause=leg.cause or 0)]

    def vanish(self, leg: Leg) -> list[Fact]:
        """The PBX does not have this leg any more, and no event told so."""
        self.bridges.leave(leg.uid)
        if leg.kind is LegKind.DIALED and not leg.is_up:
            return self.settle_dial(leg)
        self.drop(leg)
        if leg.kind is LegKind.FEATURE:
            return []
        return [LegEnded(pbx=self._pbx, leg_id=leg.leg_id, ended_by=EndedBy.UNKNOWN)]

    def leave(self, leg: Leg) -> list[Fact]:
        """The dialplan has the leg again, whether we gave it back or it took it."""
        self.drop(leg)
        return [LegEnded(pbx=self._pbx, leg_id=leg.leg_id, ended_by=EndedBy.DIALPLAN)]

    def is_untaken(self, leg: Leg) -> bool:
        """Handed over, and nobody has taken it yet."""
        return leg.kind is LegKind.ARRIVED and leg.context == CONTEXT_HANDOVER and not leg.interaction_id


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
