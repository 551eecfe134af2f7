"""The live legs of one PBX, whatever its kind; who is where and with whom. Pure.

A leg that we dialled has our own id as its channel id. A leg that arrived is `leg_` and its channel id. Everything is
keyed by that channel id, which stays the same for the life of the channel.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from routing.core.facts import DialFailed, DialOutcome, EndedBy, Fact, LegEnded, LegState, SnapshotLeg
from telephony.bridges import Bridges
from telephony.rooms import CONTEXT_HANDOVER, Spot

ARRIVED_PREFIX = "leg_"


class LegKind(StrEnum):
    ARRIVED = "arrived"
    DIALED = "dialed"
    FEATURE = "feature"


@dataclass(slots=True, kw_only=True)
class Leg:
    """`channel`: the PBX's name of it, empty until there is a channel. `is_up`: answered and usable (an arrived leg
    always is).

    `hang_up_cause`: set when we want it gone, and said again whenever the PBX has overlooked it. `reason`, `cause`,
    `tech_cause`: what the PBX told of a dialled leg that came to nothing. `is_returned`: it is going back to the
    dialplan that handed it over. `recording`: file into which it is recorded from its answer, which counts only when
    that has begun. `settled` counts the times that the leg's own dialplan said where it is. `known_since`: second of
    the port's clock.
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
    recording: str = ""
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


class LegBook(ABC):
    """`changed` collects the ids of legs whose place or company has changed since it was last emptied."""

    # Where a call waits that was handed over.
    handover = CONTEXT_HANDOVER

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
            company=frozenset(self.name_of(m) for m in bridge.members - {uid}) if bridge else frozenset(),
            is_leaving=bool(leg and (leg.hang_up_cause is not None or leg.is_returned)),
        )

    def name_of(self, uid: str) -> str:
        """The leg's id, or the channel's where it is no leg of ours."""
        leg = self._by_uid.get(uid)
        return leg.leg_id if leg else uid

    def is_untaken(self, leg: Leg) -> bool:
        """Handed over, and nobody has taken it yet."""
        return leg.kind is LegKind.ARRIVED and leg.context == self.handover and not leg.interaction_id

    def sent_away(self) -> list[Leg]:
        """Legs which a telephone has put through to somebody else by itself (CONS-14), as far as one can see that."""
        return [leg for leg in self._by_id.values() if self._is_elsewhere(leg)]

    def _is_elsewhere(self, leg: Leg) -> bool:
        """Joined with a channel that is nobody's here. In a conference there are such, for announcements."""
        bridge = self.bridges.of(leg.uid)
        return bridge is not None and not bridge.conference and bool(bridge.members - self._by_uid.keys())

    def snapshot(self) -> tuple[SnapshotLeg, ...]:
        return tuple(
            SnapshotLeg(leg_id=leg.leg_id, interaction_id=leg.interaction_id, state=leg.state)
            for leg in self._by_id.values()
            if leg.kind is not LegKind.FEATURE
        )

    # ------------------------------------------------------------------ changes

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

    def end(self, leg: Leg) -> list[Fact]:
        """A leg that was up is gone."""
        self.drop(leg)
        if leg.kind is LegKind.FEATURE:
            return []
        ended_by = EndedBy.REMOTE if leg.remote_hung_up else EndedBy.SERVER
        return [LegEnded(pbx=self._pbx, leg_id=leg.leg_id, ended_by=ended_by, cause=leg.cause or 0)]

    def settle_dial(self, leg: Leg) -> list[Fact]:
        """A dialled leg came to nothing."""
        if self._by_id.get(leg.leg_id) is not leg or leg.is_up:
            return []
        how = DialOutcome.CANCELLED if leg.hang_up_cause is not None else self.outcome(leg)
        self.drop(leg)
        return [DialFailed(pbx=self._pbx, leg_id=leg.leg_id, outcome=how, cause=leg.cause or 0)]

    @abstractmethod
    def outcome(self, leg: Leg) -> DialOutcome:
        """Why dialling it came to nothing, as this kind of PBX tells."""

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
