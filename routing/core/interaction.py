"""The interaction: one communication with a customer, as a value, and its machine as a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from routing.core.callback import CallbackCall
from routing.core.campaign import CampaignCall
from routing.core.commands import Ear, Room
from routing.core.config import Result
from routing.core.declarations import Requirement
from routing.core.errors import IllegalTransition
from routing.core.flow import FlowPosition
from routing.core.outdial import OutdialCall
from routing.core.recording import NOT_RECORDED, AskedRecording, Recording
from routing.core.supervision import Supervision


class InteractionState(StrEnum):
    """From CONNECTED on the state says who hears whom, so the customer and a consult are never both on hold (HOLD-08).

    An outdial begins with CALLING_AGENT: his own telephone rings. CALLING_CUSTOMER: he has answered, and the customer's
    rings.

    HELD: the customer hears music. CONSULT_REQUESTED: he does, and a second agent is sought or rung. CONSULTING:
    the two agents talk. CONSULT_HELD: agent 1 talks with the customer again, agent 2 hears music. INVITING: a
    second agent is rung while agent 1 and the customer talk on. CONFERENCE: all three talk.

    IN_FLOW: the customer is in a flow, which plays, asks and looks up. LISTENING: an agent hears a voicemail; there is
    no customer. A callback waits and is offered without a customer's leg, and goes on with CALLING_CUSTOMER.

    Of campaigns: PREVIEWING: a record is before an agent. SEATED: an agent's telephone is up and waits for a contact.
    REACHED: the contact, or his machine, has answered, and no agent is with him yet, or ever.
    """

    CALLING_AGENT = "calling_agent"
    CALLING_CUSTOMER = "calling_customer"
    ARRIVED = "arrived"
    IN_FLOW = "in_flow"
    QUEUED = "queued"
    OFFERED = "offered"
    CONNECTED = "connected"
    HELD = "held"
    CONSULT_REQUESTED = "consult_requested"
    CONSULTING = "consulting"
    CONSULT_HELD = "consult_held"
    INVITING = "inviting"
    CONFERENCE = "conference"
    LISTENING = "listening"
    PREVIEWING = "previewing"
    SEATED = "seated"
    REACHED = "reached"
    ENDED = "ended"


class InteractionTrigger(StrEnum):
    AGENT_ANSWERED = "agent_answered"
    NOT_REACHED = "not_reached"
    FLOW_STARTED = "flow_started"
    LISTENED = "listened"
    ENQUEUED = "enqueued"
    OFFER_MADE = "offer_made"
    OFFERS_OVER = "offers_over"
    ANSWERED = "answered"
    CUSTOMER_HELD = "customer_held"
    CUSTOMER_RESUMED = "customer_resumed"
    CONSULT_ASKED = "consult_asked"
    CONSULT_ANSWERED = "consult_answered"
    CONSULT_OVER = "consult_over"
    INVITED = "invited"
    CONFERENCED = "conferenced"
    HANDED_OVER = "handed_over"
    REQUEUED = "requeued"
    REOFFERED = "reoffered"
    ACCEPTED = "accepted"
    SEATED = "seated"
    REACHED = "reached"
    ENDED = "ended"


_S, _T = InteractionState, InteractionTrigger

WAITING = frozenset({_S.QUEUED, _S.OFFERED})
OUTDIALING = frozenset({_S.CALLING_AGENT, _S.CALLING_CUSTOMER})

INTERACTION_TABLE: dict[tuple[InteractionState, InteractionTrigger], InteractionState] = {
    (_S.CALLING_AGENT, _T.AGENT_ANSWERED): _S.CALLING_CUSTOMER,
    (_S.CALLING_AGENT, _T.ENDED): _S.ENDED,
    (_S.CALLING_CUSTOMER, _T.ANSWERED): _S.CONNECTED,
    (_S.CALLING_CUSTOMER, _T.NOT_REACHED): _S.QUEUED,
    (_S.CALLING_CUSTOMER, _T.ENDED): _S.ENDED,
    (_S.ARRIVED, _T.FLOW_STARTED): _S.IN_FLOW,
    (_S.ARRIVED, _T.ENQUEUED): _S.QUEUED,
    (_S.ARRIVED, _T.ENDED): _S.ENDED,
    (_S.IN_FLOW, _T.ENQUEUED): _S.QUEUED,
    (_S.IN_FLOW, _T.FLOW_STARTED): _S.IN_FLOW,
    (_S.IN_FLOW, _T.REOFFERED): _S.OFFERED,
    (_S.IN_FLOW, _T.ENDED): _S.ENDED,
    (_S.QUEUED, _T.FLOW_STARTED): _S.IN_FLOW,
    (_S.QUEUED, _T.REQUEUED): _S.QUEUED,
    (_S.QUEUED, _T.REOFFERED): _S.OFFERED,
    (_S.QUEUED, _T.OFFER_MADE): _S.OFFERED,
    (_S.QUEUED, _T.ENDED): _S.ENDED,
    (_S.OFFERED, _T.OFFERS_OVER): _S.QUEUED,
    (_S.OFFERED, _T.FLOW_STARTED): _S.IN_FLOW,
    (_S.OFFERED, _T.AGENT_ANSWERED): _S.CALLING_CUSTOMER,
    (_S.OFFERED, _T.LISTENED): _S.LISTENING,
    (_S.OFFERED, _T.ANSWERED): _S.CONNECTED,
    (_S.OFFERED, _T.ENDED): _S.ENDED,
    (_S.CONNECTED, _T.CUSTOMER_HELD): _S.HELD,
    (_S.CONNECTED, _T.CONSULT_ASKED): _S.CONSULT_REQUESTED,
    (_S.CONNECTED, _T.INVITED): _S.INVITING,
    (_S.CONNECTED, _T.FLOW_STARTED): _S.IN_FLOW,
    (_S.CONNECTED, _T.REQUEUED): _S.QUEUED,
    (_S.CONNECTED, _T.REOFFERED): _S.OFFERED,
    (_S.CONNECTED, _T.ENDED): _S.ENDED,
    (_S.HELD, _T.CUSTOMER_RESUMED): _S.CONNECTED,
    (_S.HELD, _T.CONSULT_ASKED): _S.CONSULT_REQUESTED,
    (_S.HELD, _T.FLOW_STARTED): _S.IN_FLOW,
    (_S.HELD, _T.REQUEUED): _S.QUEUED,
    (_S.HELD, _T.REOFFERED): _S.OFFERED,
    (_S.HELD, _T.ENDED): _S.ENDED,
    (_S.CONSULT_REQUESTED, _T.CONSULT_ANSWERED): _S.CONSULTING,
    (_S.CONSULT_REQUESTED, _T.CONSULT_OVER): _S.HELD,
    (_S.CONSULT_REQUESTED, _T.ENDED): _S.ENDED,
    (_S.CONSULTING, _T.CUSTOMER_RESUMED): _S.CONSULT_HELD,
    (_S.CONSULTING, _T.CONSULT_OVER): _S.HELD,
    (_S.CONSULTING, _T.CONFERENCED): _S.CONFERENCE,
    (_S.CONSULTING, _T.HANDED_OVER): _S.CONNECTED,
    (_S.CONSULTING, _T.ENDED): _S.ENDED,
    (_S.CONSULT_HELD, _T.CUSTOMER_HELD): _S.CONSULTING,
    (_S.CONSULT_HELD, _T.CONSULT_OVER): _S.CONNECTED,
    (_S.CONSULT_HELD, _T.CONFERENCED): _S.CONFERENCE,
    (_S.CONSULT_HELD, _T.HANDED_OVER): _S.CONNECTED,
    (_S.CONSULT_HELD, _T.ENDED): _S.ENDED,
    (_S.INVITING, _T.CONSULT_ANSWERED): _S.CONFERENCE,
    (_S.INVITING, _T.CONSULT_OVER): _S.CONNECTED,
    (_S.INVITING, _T.ENDED): _S.ENDED,
    (_S.CONFERENCE, _T.CONSULT_OVER): _S.CONNECTED,
    (_S.CONFERENCE, _T.HANDED_OVER): _S.CONNECTED,
    (_S.CONFERENCE, _T.ENDED): _S.ENDED,
    (_S.LISTENING, _T.ENDED): _S.ENDED,
    (_S.PREVIEWING, _T.ACCEPTED): _S.CALLING_AGENT,
    (_S.PREVIEWING, _T.ENDED): _S.ENDED,
    (_S.CALLING_AGENT, _T.SEATED): _S.SEATED,
    (_S.SEATED, _T.ENDED): _S.ENDED,
    (_S.CALLING_CUSTOMER, _T.REACHED): _S.REACHED,
    (_S.REACHED, _T.ANSWERED): _S.CONNECTED,
    (_S.REACHED, _T.ENDED): _S.ENDED,
}

# An agent talks with the customer, or has him on hold.
_NOBODY_TALKS = {_S.ARRIVED, _S.IN_FLOW, _S.LISTENING, _S.PREVIEWING, _S.SEATED, _S.REACHED, _S.ENDED}
TALKING = frozenset(_S) - WAITING - OUTDIALING - _NOBODY_TALKS
CUSTOMER_ON_HOLD = frozenset({_S.HELD, _S.CONSULT_REQUESTED, _S.CONSULTING})


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
    """How an offer ended, for the interaction's history. INVALID and CONGESTION only of outside numbers."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    INVALID = "invalid"
    CONGESTION = "congestion"
    ABANDONED = "abandoned"
    RESCINDED = "rescinded"


class OfferPurpose(StrEnum):
    """What is rung for: a call from the queue, a colleague's consult, a call that was transferred; OUTDIAL: the agent's
    own call, of which both his leg and the customer's are dialed so. CALLBACK: likewise, but from the queue. CAMPAIGN:
    likewise, of a campaign; SEAT: an agent's telephone, before there is a contact for him.
    """

    CALL = "call"
    CONSULT = "consult"
    TRANSFER = "transfer"
    OUTDIAL = "outdial"
    CALLBACK = "callback"
    VOICEMAIL = "voicemail"
    CAMPAIGN = "campaign"
    SEAT = "seat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An interaction presented to one agent: owner, deadline, and the leg that rings, always on the caller's PBX.

    To an external party: no agent, but the `number` that is dialed; one of them at a time.
    `recording`: the file of that leg, empty when the agent is not recorded.
    """

    id: str
    agent_id: str
    leg_id: str
    state: OfferState
    offered_at_ms: int
    deadline_ms: int
    purpose: OfferPurpose = OfferPurpose.CALL
    number: str = ""
    recording: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastOffer:
    agent_id: str
    offered_at_ms: int
    ended_at_ms: int
    end: OfferEnd
    purpose: OfferPurpose = OfferPurpose.CALL
    number: str = ""


class Role(StrEnum):
    """OWNER: agent 1, whose call it is. CONSULTED: agent 2. Either may be an external party."""

    OWNER = "owner"
    CONSULTED = "consulted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Who talks with the customer in this interaction: an agent, or without one an external party at `number`.

    `recording`: the agent's file, empty when he is not recorded.
    """

    agent_id: str
    leg_id: str
    joined_at_ms: int
    role: Role = Role.OWNER
    number: str = ""
    recording: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consult:
    """A running consult or conference. One of `agent_id`, `queue`, `number` is the target that agent 1 asked for.

    `skips`: agents of the queue who did not take it.
    """

    id: str
    asked_at_ms: int
    agent_id: str = ""
    queue: str = ""
    skips: tuple[str, ...] = ()
    number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """This call is not offered to that agent until `until_ms` (None: never again in this wait)."""

    agent_id: str
    until_ms: int | None
    why: str


class AskedKind(StrEnum):
    """Why something plays on a leg: a step of the flow, an announcement in the queue, the greeting of a queue's own
    voicemail, a message that is recorded or that an agent hears. DROP: the message for a contact who gets no agent;
    MACHINE: the one that is left on his answering machine.
    """

    FLOW = "flow"
    ANNOUNCEMENT = "announcement"
    GREETING = "greeting"
    RECORD = "record"
    LISTEN = "listen"
    DROP = "drop"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPrompt:
    """PlayPrompts or RecordMessage that is under way, at most one per interaction. `file`: of a message.

    `index`: of the announcement among those of its queue; of a flow's step, how often it was asked again.
    `queue`: whose announcement it is, or where a message that is recorded will wait; `max_s`, `silence_s`: its limits.
    """

    command_id: str
    leg_id: str
    kind: AskedKind
    file: str = ""
    index: int = 0
    queue: str = ""
    max_s: int = 0
    silence_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """Only `agent_id` gets this call until `until_ms` (ROUTE-08). In a flow, which says so before the call waits: 0,
    and `wait_s` is how long it shall be then, None: as long as the queue says.
    """

    agent_id: str
    until_ms: int
    wait_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A voicemail: its recording, and the interaction in which it was left."""

    file: str
    duration_ms: int
    left_at_ms: int
    origin_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedDigits:
    """DTMF on its way to the customer's leg. `shown`: the digits, or a mask."""

    command_id: str
    agent_id: str
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """Clocks are separate: `waited_ms`, `flow_ms` and `held_ms` are sums, the spans that run now have their
    `_since_ms`, in ms UTC.

    `entered_at_ms` is the place in the queue and never changes (STATE-09, A22). `requires` is the requirement in force
    now, after relaxation. `kind`: inbound; outdial, which has an `outdial`, the number shown as `ani`, the
    customer's as `dnis`, and no `customer_leg` before he answers; callback, which has a `callback`, the customer's
    number as `ani`, the one that he had called as `dnis`, and no `customer_leg` before he answers, either;
    voicemail, which has a `message` and never a `customer_leg`; campaign, which has a `campaign`, its own number as
    `ani`, the contact's as `dnis`, and no `customer_leg` before he answers; seat, which has a `campaign` and never
    a customer. `excluded`: agents who transferred it to an entry point; never offered it again (EP-07). `flow`:
    where it is in its flow, or will go on if a queue or a transfer lets it go. `language`: of its prompts.
    `priority` 0: in a flow, where none was said yet. `hops`: how often it overflowed or was sent on by flows, which
    is bounded. `announced`: the last announcement of this wait, as ms of waiting and index. `rooms_version` counts
    wanted rooms, `rooms_reached` the version that PBX events confirmed; `ears_version` counts who listens, beside it:
    a supervisor's coming and going is none of the call's business. `asked_recordings`: what the PBX was last
    asked for, per recorded leg. `transferred_by`: the agent who last sent it on blind, to an agent or a number.
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
    consult: Consult | None = None
    outdial: OutdialCall | None = None
    callback: CallbackCall | None = None
    message: Message | None = None
    campaign: CampaignCall | None = None
    flow: FlowPosition | None = None
    language: str = ""
    hops: int = 0
    announced: tuple[int, int] = (-1, 0)
    preferred: Preference | None = None
    asked_prompt: AskedPrompt | None = None
    look_up_id: str = ""
    recording: Recording = NOT_RECORDED
    asked_recordings: tuple[AskedRecording, ...] = ()
    asked_digits: tuple[AskedDigits, ...] = ()
    excluded: tuple[str, ...] = ()
    transferred_by: str = ""
    rooms: tuple[Room, ...] = ()
    rooms_version: int = 0
    rooms_reached: int = 0
    supervision: Supervision | None = None
    ears: tuple[Ear, ...] = ()
    ears_version: int = 0
    answered_at_ms: int | None = None
    bridged_at_ms: int | None = None
    waiting_since_ms: int | None = None
    waited_ms: int = 0
    flow_since_ms: int | None = None
    flow_ms: int = 0
    held_since_ms: int | None = None
    held_ms: int = 0
    ended_at_ms: int | None = None
    result: Result | None = None
    ended_by: str = ""

    @property
    def is_calling_back(self) -> bool:
        """A callback whose customer has not answered yet; from his answer on it is a call as any other."""
        return self.callback is not None and not self.customer_leg

    @property
    def is_customer_call(self) -> bool:
        """A customer is on the telephone, or is being dialed; of a callback and a voicemail that wait nobody is.

        Nor of a record that an agent only looks at, nor of a seat.
        """
        if self.message is not None or self.state in (InteractionState.PREVIEWING, InteractionState.SEATED):
            return False
        if self.campaign is not None and not self.campaign.record_id:
            return False
        return not self.is_calling_back or self.state is InteractionState.CALLING_CUSTOMER

    def party(self, role: Role) -> Party | None:
        """Who plays that role, if anybody."""
        return next((party for party in self.parties if party.role is role), None)

    def role_of(self, agent_id: str) -> Role | None:
        return next((party.role for party in self.parties if party.agent_id == agent_id), None)

    def offer_to(self, agent_id: str) -> Offer | None:
        """The running offer to that agent, if any."""
        return next((offer for offer in self.offers if offer.agent_id == agent_id), None)

    def is_skipping(self, agent_id: str, now_ms: int) -> bool:
        """Whether this call must not be offered to that agent now."""
        return any(s.agent_id == agent_id and (s.until_ms is None or s.until_ms > now_ms) for s in self.skips)
