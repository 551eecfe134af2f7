"""What people and programs ask of the server. Every order is answered with one Reply when it came with `reply_to`.

`order_id` makes an order idempotent; `actor` is who asked, e.g. `agent:agt_anna`, `cli:root`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from routing.core.campaign import CampaignTrigger
from routing.core.config import Config
from routing.core.outdial import OutdialSource
from routing.core.record import RecordCard
from routing.core.supervision import SupervisionMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    order_id: str
    actor: str = ""
    reply_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn(Order):
    """Sign an agent in; he starts idle with `idle_reason`, or available when it is None."""

    agent_id: str
    idle_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOut(Order):
    agent_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoAvailable(Order):
    agent_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoIdle(Order):
    agent_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishWrapUp(Order):
    """Early finish; `reason` None takes the queue's default. `interaction_id` empty: the one that he wraps up."""

    agent_id: str
    reason: str | None = None
    interaction_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendWrapUp(Order):
    agent_id: str
    interaction_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(Order):
    agent_id: str
    interaction_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume(Order):
    agent_id: str
    interaction_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndInteraction(Order):
    """The agent ends the call."""

    agent_id: str
    interaction_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(Order):
    """Blind: the agent leaves at once. Exactly one target; `to_number` as typed or pasted."""

    agent_id: str
    interaction_id: str
    to_agent: str | None = None
    to_queue: str | None = None
    to_entry_point: str | None = None
    to_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartConsult(Order):
    """Seek a second agent while the customer waits with music. Exactly one target."""

    agent_id: str
    interaction_id: str
    to_agent: str | None = None
    to_queue: str | None = None
    to_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCallback(Order):
    """A program asks that a customer be called back (CBQ-01). `number` as typed or pasted.

    One of `queue` and `entry_point`; CAD that does not fit refuses all. `not_before_ms` 0: as soon as an agent is free;
    its place is that of `entered_at_ms`, 0: of now. `preferred_agent` empty: none.
    """

    number: str
    queue: str = ""
    entry_point: str = ""
    name: str = ""
    cad: dict[str, str] = field(default_factory=dict)
    priority: int | None = None
    requires: str = ""
    not_before_ms: int = 0
    entered_at_ms: int = 0
    preferred_agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelCallback(Order):
    """Refused while an agent has it, or is rung."""

    interaction_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayMessage(Order):
    """The agent hears the voicemail once more, from its beginning."""

    agent_id: str
    interaction_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkDoNotCall(Order):
    """The number is on the do-not-call list from now on: whatever would call it is given up (DISP-05).

    `campaign`: only that one may not call it; empty: nobody may.
    """

    number: str
    campaign: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite(Order):
    """Instant conference: a second agent joins as soon as he answers, the customer is not held (CONF-07, A26)."""

    agent_id: str
    interaction_id: str
    to_agent: str | None = None
    to_queue: str | None = None
    to_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnConsult(Order):
    """`action`: cancel_consult, hold_consult, resume_consult, end_consult, complete_transfer, conference,
    end_conference, exit_consult or exit_conference.
    """

    agent_id: str
    interaction_id: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseRecording(Order):
    """Silence in the recording, for the configured time at the longest."""

    agent_id: str
    interaction_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeRecording(Order):
    agent_id: str
    interaction_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EditCad(Order):
    """Write several variables at once, or none (CAD-06). `expected_version` None: whatever is there.

    `agent_id` empty: by the flow or integration that `actor` names, in any live state and also where agents may not
    edit (CAD-17).
    """

    agent_id: str
    interaction_id: str
    values: dict[str, str] = field(default_factory=dict)
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddNote(Order):
    """A note for the call's history, during the call or its wrap-up; `agent_id` empty: by what `actor` names."""

    agent_id: str
    interaction_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDigits(Order):
    """DTMF for the customer's side: 1 to 32 of `0-9*#A-D` (ACT-02)."""

    agent_id: str
    interaction_id: str
    digits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOutdial(Order):
    """Call a customer: the agent's own telephone is rung first (OUT-13).

    `number` as typed or pasted; `ani`: the number to show, of his profile's list, None = the default. `source`:
    dial_pad, address_book or history. `name`: whose number it is, as far as known.
    """

    agent_id: str
    number: str
    ani: str | None = None
    source: OutdialSource = OutdialSource.DIAL_PAD
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOutdial(Order):
    """Before the customer has answered (OUT-15)."""

    agent_id: str
    interaction_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlCampaign(Order):
    """Load, start, pause or stop it (CAMP-04)."""

    campaign: str
    action: CampaignTrigger


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinCampaign(Order):
    """The agent confirms that he is ready (CAMP-05)."""

    agent_id: str
    campaign: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveCampaign(Order):
    agent_id: str
    campaign: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddRecords(Order):
    """Claimed records for the hopper. Those that are in the engine's hands already are left as they are."""

    campaign: str
    records: tuple[RecordCard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawRecords(Order):
    """Take these out of the hopper; what is before an agent or being called stays. They are released as `removed`."""

    campaign: str
    record_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceCampaign(Order):
    """Begin so many calls now. Obeyed once per `tick`, and not when it is older than the campaign's period allows.

    `at_ms`: when the snapshot was taken. `explained`: what the number was made of, for people.
    """

    campaign: str
    tick: int
    at_ms: int
    calls: int
    explained: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetRecord(Order):
    """The next record of a campaign in preview mode (PREV-01)."""

    agent_id: str
    campaign: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptRecord(Order):
    """The agent takes the record that is before him (PREV-06, PREV-07, PROG-03). It is dialed then, in preview mode
    where the campaign says so.
    """

    agent_id: str
    interaction_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DialRecord(Order):
    """Call: the record's next number, one of its numbers (PREV-09), or a new one of that kind (PREV-10)."""

    agent_id: str
    interaction_id: str
    number: str = ""
    number_kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineRecord(Order):
    """`choice`: later, never (not for this campaign), skip (later, and the next one now) (PREV-11..13)."""

    agent_id: str
    interaction_id: str
    choice: str = "later"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkDone(Order):
    """Ends the call, closes the record, and in preview mode opens the next one, unless `stop` (PREV-19, PREV-20).

    `wrap_up_reason`: as in FinishWrapUp.
    """

    agent_id: str
    interaction_id: str
    stop: bool = False
    wrap_up_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispose(Order):
    """Codes of the record's result, the first is the primary one, and the do-not-call flag, which nothing takes back
    (DISP-01..05).
    """

    agent_id: str
    interaction_id: str
    codes: tuple[str, ...] = ()
    do_not_call: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCallback(Order):
    """Schedule a callback for this record (CBS-03); a later one replaces it.

    `zone`: in which `at_ms` was given. `number_zone`: the zones of `number` by its range, joined with a comma, for one
    that the record does not have; empty: nothing is known.
    """

    agent_id: str
    interaction_id: str
    at_ms: int
    zone: str
    number: str = ""
    number_kind: str = ""
    number_zone: str = ""
    is_personal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPlannedCallback(Order):
    agent_id: str
    interaction_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerGuide(Order):
    """Answers by question; `submit`: the guide is complete (GUIDE-04)."""

    agent_id: str
    interaction_id: str
    answers: dict[str, str] = field(default_factory=dict)
    submit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervise(Order):
    """A supervisor's telephone is rung, then he hears the call. Exactly one of `supervisor`, of the configuration, and
    `phone_of`, an agent at whose telephone he is.
    """

    interaction_id: str
    mode: SupervisionMode
    supervisor: str = ""
    phone_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSupervision(Order):
    """`supervisor`: who asks, and may change his own alone; empty: whoever's it is."""

    interaction_id: str
    mode: SupervisionMode
    supervisor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSupervision(Order):
    """`supervisor`: as in ChangeSupervision."""

    interaction_id: str
    supervisor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyConfig(Order):
    """Replace the configuration. `expected_revision` is the one the plan was made against (None: any)."""

    config: Config
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityGranted:
    """The engine's own input: so many customer calls are this tenant's share of the data centre's, None = no limit."""

    calls: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FireTimer:
    """The engine's own input: the deadline `key` has passed."""

    key: str


AnyOrder = (
    SignIn
    | SignOut
    | GoAvailable
    | GoIdle
    | FinishWrapUp
    | ExtendWrapUp
    | Hold
    | Resume
    | EndInteraction
    | Transfer
    | StartConsult
    | Invite
    | OnConsult
    | PauseRecording
    | ResumeRecording
    | EditCad
    | AddNote
    | SendDigits
    | StartOutdial
    | CancelOutdial
    | RequestCallback
    | CancelCallback
    | ReplayMessage
    | MarkDoNotCall
    | ControlCampaign
    | JoinCampaign
    | LeaveCampaign
    | AddRecords
    | WithdrawRecords
    | PaceCampaign
    | GetRecord
    | AcceptRecord
    | DialRecord
    | DeclineRecord
    | MarkDone
    | Dispose
    | PlanCallback
    | CancelPlannedCallback
    | AnswerGuide
    | Supervise
    | ChangeSupervision
    | StopSupervision
    | ApplyConfig
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Answer to an order. `code`: "ok" or the error's code; `detail`: its message; `values`: fields of the answer."""

    order_id: str
    reply_to: str
    code: str = "ok"
    detail: str = ""
    values: dict[str, object] = field(default_factory=dict)
