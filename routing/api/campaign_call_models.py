"""Shapes of a campaign's call, and of the card of its record."""

from __future__ import annotations

from pydantic import Field

from routing.api.schemas import At, Out


class DispositionOut(Out):
    code: str
    label: str
    closes: bool = Field(description="The record is done with it, and is not called again")
    do_not_call: bool = Field(description="Chosen, it marks the number as one that must not be called")


class CardFieldOut(Out):
    name: str
    label: str
    value: str


class CardNumberOut(Out):
    """One of the contact's numbers; dial it by `number`."""

    number: str
    kind: str
    zone: str
    attempts: int
    attempts_today: int
    is_next: bool = Field(description="Whose turn it is")


class PlannedCallbackOut(Out):
    """As scheduled so far; it stands when the record is marked done."""

    at: At
    zone: str
    number: str
    number_kind: str
    is_personal: bool


class RecordCardOut(Out):
    """What an agent sees of a record, before, during and after its call."""

    record_id: str
    state: str = Field(description="ready, checking, previewed, calling, talking or finishing")
    name: str
    external_id: str
    contact_id: str | None = Field(description="Of /v1/contacts, where the contact's other channels are")
    list_id: str
    priority: int
    attempts: int
    case: list[CardFieldOut] = Field(description="Of the campaign, as configured")
    record: list[CardFieldOut] = Field(description="Columns of the list, as configured")
    numbers: list[CardNumberOut]
    codes: list[str] = Field(description="Dispositions chosen so far, the primary one first")
    do_not_call: bool
    callback: PlannedCallbackOut | None
    guide_done: bool
    other_number: bool = Field(description="His profile allows a number that the record does not have")
    personal_callback: bool = Field(description="His profile allows callbacks that only he makes")


class CampaignCallOut(Out):
    """Of a campaign's call, or of a seat: a telephone that is connected and waits for a contact."""

    id: str
    label: str
    mode: str
    record_id: str | None = Field(description="Null: a seat, of which nothing is known before a contact is connected")
    agent_id: str | None = Field(description="For whom it is dialed; null: for who is free when it is answered")
    name: str
    origin: str = Field(description="callback or personal callback; empty: the list")
    number: str = Field(description="That is dialed, or was last")
    number_kind: str
    ani: str = Field(description="The number shown to the contact")
    attempt: int
    dialed_at: At | None
    reached_at: At | None = Field(description="When somebody, or a machine, has answered")
    verdict: str = Field(description="human, machine, unknown; empty: not detected")
    result: str | None
    is_dropped: bool
    dial_at: At | None = Field(description="When it is dialed by itself")
    deadline_at: At | None = Field(description="When the record is taken away again if nothing is done with it")
    accepted_at: At | None
    dispositions: list[DispositionOut] = Field(description="What may be chosen")
    require_disposition: bool = Field(description="It cannot be marked done without one")
    single_disposition: bool
    has_guide: bool
    responses: int = Field(description="Standard answers of this campaign; see /v1/campaigns/ID/responses")
    card: RecordCardOut | None = Field(description="Null when the record has left the agent's hands")
