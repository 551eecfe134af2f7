"""The shapes of answers about the past, for the document of the API; `history_views` makes them."""

from __future__ import annotations

from pydantic import Field

from routing.api.schemas import Out
from routing.api.views_models import At


class HistoryItemOut(Out):
    """One call of a list. In an agent's list `at` and `left_at` are his own part, and so are `role` and `reason`."""

    interaction_id: str
    kind: str = Field(description="inbound, outdial, ...")
    customer_number: str = Field(description="Normalized, for comparing")
    ani: str
    ani_name: str
    dnis: str
    queue: str
    agent_id: str | None = Field(description="Whose part it is; in other lists the last agent who had the call")
    role: str | None
    at: At
    left_at: At | None
    result: str | None
    reason: str | None = Field(description="Of his wrap-up")


class HistoryListOut(Out):
    """Newest first."""

    items: list[HistoryItemOut]
    next_cursor: str | None


class LegOut(Out):
    """Somebody's presence in the call. `role`: customer, owner or consulted."""

    id: str
    role: str
    agent_id: str | None
    number: str | None
    joined_at: At
    left_at: At | None


class PastOfferOut(Out):
    """`outcome`: null while it runs."""

    id: str
    agent_id: str | None
    number: str | None
    queue: str | None
    purpose: str | None
    offered_at: At
    ringing_at: At | None
    ended_at: At | None
    outcome: str | None


class HoldOut(Out):
    """A span in which the customer heard music although he had an agent."""

    held_at: At
    resumed_at: At | None


class MarkOut(Out):
    """A pause or its end: by whom, by hand or by the server."""

    at: At
    kind: str
    by: str
    how: str


class RecordingMetadataOut(Out):
    """`deleted_at`: null while there is a file."""

    id: str
    interaction_id: str
    agent_id: str | None
    leg_id: str | None
    started_at: At | None
    stopped_at: At | None
    deleted_at: At | None
    marks: list[MarkOut]


class CadVersionOut(Out):
    """One save: the values it wrote. Secure ones are masked for everybody."""

    version: int
    author: str = Field(description="Empty: as the call brought it")
    at: At
    changes: dict[str, str]


class CadVersionsOut(Out):
    """Oldest first; version 1 is what the call brought."""

    items: list[CadVersionOut]


class WrapUpOut(Out):
    """Of one part of an agent. `by`: agent, timeout or queue."""

    agent_id: str
    leg_id: str
    queue: str | None
    reason: str | None
    by: str | None
    started_at: At | None
    ended_at: At | None


class NoteOut(Out):
    id: str
    author: str
    text: str
    at: At


class DigitsOut(Out):
    """DTMF that was sent to the customer's side; masked where the recording was paused."""

    id: str
    agent_id: str | None
    digits: str
    at: At


class TransferOut(Out):
    """An order to pass the call on. `outcome`: ok, or why it was refused."""

    at: At
    by: str
    agent_id: str
    to_agent: str | None
    to_queue: str | None
    to_entry_point: str | None
    to_number: str | None
    outcome: str


class HistoryOut(Out):
    """The whole story of one interaction, each list in the order of time."""

    id: str
    kind: str
    pbx: str | None
    ani: str | None
    ani_name: str | None
    dnis: str | None
    customer_number: str | None
    queue: str | None
    entry_point: str | None
    first_agent: str | None
    last_agent: str | None
    entered_at: At
    answered_at: At | None
    bridged_at: At | None
    ended_at: At | None
    result: str | None
    ended_by: str | None
    waited_ms: int | None
    talked_ms: int | None
    held_ms: int | None
    cad: dict[str, str]
    cad_version: int
    legs: list[LegOut]
    offers: list[PastOfferOut]
    holds: list[HoldOut]
    recordings: list[RecordingMetadataOut]
    cad_versions: list[CadVersionOut]
    wrap_ups: list[WrapUpOut]
    notes: list[NoteOut]
    digits: list[DigitsOut]
    transfers: list[TransferOut]
