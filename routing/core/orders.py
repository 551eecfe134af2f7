"""What people and programs ask of the server. Every order is answered with one Reply when it came with `reply_to`.

`order_id` makes an order idempotent; `actor` is who asked, e.g. `agent:agt_anna`, `cli:root`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from routing.core.config import Config
from routing.core.outdial import OutdialSource


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
    """The number is on the do-not-call list from now on: callbacks to it that wait are given up (DISP-05)."""

    number: str


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
