"""The shapes of answers about live things, for the document of the API; `views` makes them."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from routing.api import schemas
from routing.api.campaign_call_models import CampaignCallOut

At = schemas.At


class Out(schemas.Described):
    """What an answer holds, and nothing else."""

    model_config = ConfigDict(extra="forbid")


class PartyOut(Out):
    """Who talks with the customer: an agent, or an external party at a number."""

    agent_id: str | None
    name: str
    number: str | None
    role: str = Field(description="owner: whose call it is; consulted: the second agent")
    joined_at: At
    allowed_actions: list[str]


class OfferOut(Out):
    """To whom the call is being offered, or which number is being dialed for it."""

    agent_id: str | None
    name: str
    number: str | None
    purpose: str = Field(description="What he is rung for: call, consult or transfer")
    state: str = Field(description="reserved: his phone does not ring yet; ringing")
    offered_at: At
    deadline_at: At


class ConsultOut(Out):
    """A consult or conference that runs or is sought."""

    id: str
    asked_at: At
    status: str
    to_agent: str | None
    to_queue: str | None
    to_number: str | None


class RecordingOut(Out):
    """`off`, `recording` or `paused`; a pause ends by itself at `resume_at`."""

    state: str
    agent_id: str | None
    since: At | None
    resume_at: At | None


class ClocksOut(Out):
    """Seconds up to now, and since when the span of now runs."""

    waited_s: int
    talked_s: int
    held_s: int
    waiting_since: At | None
    held_since: At | None


class CadRowOut(Out):
    """One variable as a form needs it. A secure value is masked without the scope cad:secure and in others' calls."""

    name: str
    label: str
    type: str
    format: str | None = Field(description="What a value must look like, where its type says so")
    editable: bool
    secure: bool
    value: str


class CadOut(Out):
    """`form`: at most 30 variables in the configured order; `variables`: those and the ones that no agent is shown."""

    version: int
    author: str | None = Field(description="Who saved last; null: as the call brought it")
    max_length: int = Field(description="Characters of a value, after normalization to NFC")
    form: list[CadRowOut]
    variables: dict[str, str]


class CallbackOut(Out):
    """A customer who shall be called back."""

    number: str
    source: str = Field(description="Who asked for it: flow, queue (a key while waiting), api, abandon (nobody)")
    state: str = Field(description="checking, resting (until `not_before_at`), due, or calling: an agent has it")
    attempts: int = Field(description="How often the customer was dialed")
    not_before_at: At | None
    expires_at: At
    origin_id: str | None = Field(description="The interaction in which it was asked for")
    failure: str | None = Field(description="How the last attempt ended")


class MessageOut(Out):
    """What a caller left."""

    recording: str = Field(description="Name of its file, as under /v1/recordings")
    duration_s: float
    left_at: At
    origin_id: str | None


class FlowPlaceOut(Out):
    flow: str
    step: str


class SupervisionOut(Out):
    """Who listens to the call, beside it: he is no party of it."""

    id: str
    by: str = Field(description="Who asked for it, e.g. user:rita")
    supervisor: str | None = Field(description="Whose telephone it is: a supervisor of the configuration")
    agent_id: str | None = Field(description="The agent whose telephone it is")
    name: str
    mode: str = Field(description="monitor, whisper or barge")
    state: str = Field(
        description="ringing: his telephone is rung; joining: the PBX has not confirmed it yet; active: he hears; "
        "waiting: the call is with no agent now"
    )
    asked_at: At
    since: At = Field(description="In this state")


class InteractionOut(Out):
    """A communication with a customer, as the one who asks may see it."""

    id: str
    kind: str
    version: int
    state: str
    is_live: bool
    is_confirmed: bool = Field(description="Whether the PBX has confirmed that those hear each other who should")
    status: str = Field(description="For the card of the call")
    customer_status: str = Field(description="For the customer's pane: on hold or not")
    label: str
    pbx: str
    ani: str
    ani_name: str
    dnis: str
    queue: str
    queue_label: str
    entry_point: str
    priority: int
    position: int | None = Field(description="1: next in its queue; null where it does not wait")
    estimated_wait_ms: int | None = Field(description="How much longer it is expected to wait; null: nobody can say")
    entered_at: At
    answered_at: At | None
    bridged_at: At | None
    ended_at: At | None
    parties: list[PartyOut]
    offers: list[OfferOut]
    consult: ConsultOut | None
    recording: RecordingOut
    clocks: ClocksOut
    cad_version: int
    cad: CadOut
    wrap_up_deadline_at: At | None = Field(description="End of his wrap-up; null: none, or no limit")
    screen_pop: str | None = Field(description="Page to open for this call")
    callback: CallbackOut | None = Field(description="Of a callback")
    message: MessageOut | None = Field(description="Of a voicemail")
    campaign: CampaignCallOut | None = Field(description="Of a campaign's call, or of a seat")
    flow: FlowPlaceOut | None = Field(description="Where it is in its flow, or goes on when a queue lets it go")
    supervision: SupervisionOut | None = Field(
        description="Told to those who may supervise; to its agents as `calls.show_supervision` says"
    )
    failure: str | None = Field(description="Why an outdial failed: a stable word")
    outcome: str | None = Field(description="What became of the leg that failed, e.g. busy")
    allowed_actions: list[str]
    allowed_for: str | None = Field(description="The agent whose actions these are: who asks, else agent 1")
    result: str | None
    ended_by: str | None


class AgentOut(Out):
    """`state` is the one that people see, `own_state` what he is between calls."""

    id: str
    name: str
    team: str
    state: str
    own_state: str
    reason: str | None
    since: At | None
    wrap_up_left_s: int | None
    phone: str
    phone_state: str
    is_available: bool
    unavailable_because: str | None
    interactions: list[str]
    calls: int
    queues: dict[str, int]
    skills: dict[str, int]


class QueueOut(Out):
    """`staff`: its agents by the state that people see; `eligible`: who could take the next call."""

    id: str
    label: str
    strategy: str
    waiting: int
    offered: int
    longest_wait_s: int
    talking: int
    wrapping_up: int
    members: int
    signed_in: int
    eligible: int
    estimated_wait_ms: int | None = Field(description="Of one who came now; null: nobody can say")
    service_level: float | None = Field(description="Percent, of the running day; null where nothing counts")
    staff: dict[str, int]


class OfferCardOut(Out):
    """The contact request that is before an agent."""

    model_config = ConfigDict(extra="allow")

    interaction_id: str
    label: str
    status: str
    ani: str
    dnis: str
    queue_label: str
    variables: list[dict[str, Any]]
    timer_started_at: At
    deadline_at: At
    allowed_actions: list[str]
