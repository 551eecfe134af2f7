"""Shapes of records and of attempts, as SQL keeps them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from routing.api.schemas import At, Out, PageQuery, Path
from routing.api.spans import SpanQuery
from routing.core.campaign_rules import AttemptResult
from routing.store.sql.campaign_listing import RecordKind


class RecordPath(Path):
    record_id: str = Field(max_length=64, json_schema_extra={"example": "rec_01JD3Q8V6M0Z9X7C5B3N1M2K4H"})


class RecordsQuery(PageQuery):
    q: str = Field(
        default="", max_length=256, description="Part of the name, a whole number in any form, or the external id"
    )
    state: RecordKind | None = Field(
        default=None,
        description="due; resting: due later; callback: one is planned; claimed: in the engine's hands; closed",
    )
    list_id: str = Field(default="", max_length=64, description="Only of this list")


class AttemptsQuery(SpanQuery):
    record_id: str = Field(default="", max_length=64)
    agent_id: str = Field(default="", max_length=64)
    result: AttemptResult | None = Field(default=None)
    dropped: bool = Field(default=False, description="Only those that had no agent in time")


class RecordNumberOut(Out):
    number: str
    kind: str
    zone: str = Field(description="IANA; several where its range lies in several")
    zone_source: str = Field(description="Where that is known from: list, number, contact, campaign, agent")
    attempts: int
    results: dict[str, int]


class DueCallbackOut(Out):
    at: At
    zone: str
    number: str
    agent_id: str | None = Field(description="Whose it is; null: any agent's")


class LiveRecordOut(Out):
    """Where it is in the engine's hands."""

    state: str = Field(description="ready, checking, previewed, calling, talking or finishing")
    agent_id: str | None
    interaction_id: str | None


class RecordOut(Out):
    """A contact in a campaign's list."""

    id: str
    campaign: str
    list_id: str
    contact_id: str | None
    external_id: str
    name: str
    numbers: list[RecordNumberOut]
    blocked: list[str] = Field(description="Numbers that must not be called, taken out for good")
    data: dict[str, str] = Field(description="Columns of the list; those that become secure call data are masked")
    priority: int
    state: str = Field(description="open, claimed or closed")
    live: LiveRecordOut | None
    due_at: At | None
    attempts: int
    next_number: int = Field(description="Index of the number whose turn it is")
    reserve_until: At | None = Field(description="Not dialed without an agent before: it was dropped once")
    callback: DueCallbackOut | None
    last_result: str
    last_attempt_at: At | None
    closed_because: str
    closed_at: At | None
    version: int
    created_at: At
    updated_at: At


class RecordListOut(Out):
    """In the order of the list."""

    items: list[RecordOut]
    next_cursor: str | None


class AttemptOut(Out):
    """One dialing of a record. What is not known yet is null."""

    id: str
    record_id: str | None
    interaction_id: str | None
    agent_id: str | None
    attempt: int | None
    number: str | None
    number_kind: str | None
    ani: str | None
    mode: str | None
    started_at: At | None
    reached_at: At | None
    ended_at: At | None
    result: str | None
    verdict: str | None
    cause: str | None
    ring_ms: int | None
    wait_ms: int | None = Field(description="From the answer to an agent, or to the end")
    is_live: bool
    is_dropped: bool
    is_hung_up: bool


class AttemptListOut(Out):
    """Newest first."""

    items: list[AttemptOut]
    next_cursor: str | None


class LedgerEntryOut(Out):
    """`hash`: SHA-256 of the hash before it, and `body`, both as UTF-8."""

    sequence: int
    attempt_id: str
    kind: str = Field(description="started or ended")
    at: At
    told: dict[str, Any] = Field(description="`body`, read")
    body: str = Field(description="JSON with sorted keys, as it was sealed")
    hash: str


class LedgerOut(Out):
    """In order."""

    items: list[LedgerEntryOut]
    next_cursor: str | None


class LedgerCheckOut(Out):
    """`holds`: every row is there, unchanged and in order."""

    holds: bool
    sequence: int | None = Field(description="The first row where the chain does not hold")
    why: str | None = Field(description="missing, changed or cut_off")
