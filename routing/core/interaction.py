"""The interaction: one communication with a customer, as a value, and its machine as a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from routing.core.commands import Room
from routing.core.config import Requirement, Result
from routing.core.errors import IllegalTransition


class InteractionState(StrEnum):
    ARRIVED = "arrived"
    QUEUED = "queued"
    OFFERED = "offered"
    CONNECTED = "connected"
    HELD = "held"
    ENDED = "ended"


class InteractionTrigger(StrEnum):
    ENQUEUED = "enqueued"
    OFFER_MADE = "offer_made"
    OFFERS_OVER = "offers_over"
    ANSWERED = "answered"
    CUSTOMER_HELD = "customer_held"
    CUSTOMER_RESUMED = "customer_resumed"
    ENDED = "ended"


_S, _T = InteractionState, InteractionTrigger

WAITING = frozenset({_S.QUEUED, _S.OFFERED})

INTERACTION_TABLE: dict[tuple[InteractionState, InteractionTrigger], InteractionState] = {
    (_S.ARRIVED, _T.ENQUEUED): _S.QUEUED,
    (_S.ARRIVED, _T.ENDED): _S.ENDED,
    (_S.QUEUED, _T.OFFER_MADE): _S.OFFERED,
    (_S.QUEUED, _T.ENDED): _S.ENDED,
    (_S.OFFERED, _T.OFFERS_OVER): _S.QUEUED,
    (_S.OFFERED, _T.ANSWERED): _S.CONNECTED,
    (_S.OFFERED, _T.ENDED): _S.ENDED,
    (_S.CONNECTED, _T.CUSTOMER_HELD): _S.HELD,
    (_S.CONNECTED, _T.ENDED): _S.ENDED,
    (_S.HELD, _T.CUSTOMER_RESUMED): _S.CONNECTED,
    (_S.HELD, _T.ENDED): _S.ENDED,
}


def next_state(state: InteractionState, trigger: InteractionTrigger) -> InteractionState:
    """The row of the table. Raises IllegalTransition where there is none."""
    try:
        return INTERACTION_TABLE[state, trigger]
    except KeyError:
        raise IllegalTransition(machine="interaction", state=state.value, trigger=trigger.value) from None


class OfferState(StrEnum):
    """RESERVED.

    The agent is ours, his phone does not ring yet. RINGING: the contact request is before him (OFFER-01).
    """

    RESERVED = "reserved"
    RINGING = "ringing"


class OfferEnd(StrEnum):
    """How an offer ended, for the interaction's history."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    ABANDONED = "abandoned"
    RESCINDED = "rescinded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An interaction presented to one agent: owner, deadline, and the leg that rings, always on the caller's PBX."""

    id: str
    agent_id: str
    leg_id: str
    state: OfferState
    offered_at_ms: int
    deadline_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PastOffer:
    agent_id: str
    offered_at_ms: int
    ended_at_ms: int
    end: OfferEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An agent who talks in this interaction."""

    agent_id: str
    leg_id: str
    joined_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """This call is not offered to that agent until `until_ms` (None: never again in this wait)."""

    agent_id: str
    until_ms: int | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """Clocks are separate: waiting, talk and hold are derived from their own time stamps, all in ms UTC.

    `entered_at_ms` is the place in the queue and never changes (STATE-09, A22). `requires` is the requirement in force
    now, after relaxation. `rooms_version` counts wanted rooms, `rooms_reached` the version that PBX events confirmed.
    """

    id: str
    pbx: str
    state: InteractionState
    customer_leg: str
    entry_point: str
    queue: str
    ani: str
    ani_name: str
    dnis: str
    entered_at_ms: int
    version: int = 1
    kind: str = "inbound"
    priority: int = 5
    requires: Requirement = ()
    own_requires: Requirement | None = None
    relaxation_step: int = 0
    cad: dict[str, str] = field(default_factory=dict)
    cad_version: int = 1
    cad_author: str = ""
    offers: tuple[Offer, ...] = ()
    past_offers: tuple[PastOffer, ...] = ()
    skips: tuple[Skip, ...] = ()
    parties: tuple[Party, ...] = ()
    rooms: tuple[Room, ...] = ()
    rooms_version: int = 0
    rooms_reached: int = 0
    answered_at_ms: int | None = None
    bridged_at_ms: int | None = None
    held_since_ms: int | None = None
    held_ms: int = 0
    ended_at_ms: int | None = None
    result: Result | None = None
    ended_by: str = ""

    def offer_to(self, agent_id: str) -> Offer | None:
        """The running offer to that agent, if any."""
        return next((offer for offer in self.offers if offer.agent_id == agent_id), None)

    def is_skipping(self, agent_id: str, now_ms: int) -> bool:
        """Whether this call must not be offered to that agent now."""
        return any(s.agent_id == agent_id and (s.until_ms is None or s.until_ms > now_ms) for s in self.skips)
