"""The tables of campaigns: lists that are called, how, when, by whom, and what agents say of the calls."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from routing.app.config.call_models import DialTable, ShownNumber
from routing.app.config.hours_models import TimeZone
from routing.app.config.scalars import Id, Label, Seconds, Table
from routing.core.campaign_rules import (
    DAY_S,
    MIN_RING_S,
    AttemptResult,
    Blend,
    DialMode,
    Guarantee,
    OnMachine,
)

Text = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
FieldName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
CaseField = Literal["label", "description", "number", "origin"]


class RetryTable(Table):
    """What follows an attempt with this result."""

    after_s: list[Seconds] = Field(
        min_length=1, max_length=20, description="Seconds until the next attempt, after each; the last one repeats"
    )
    most: int = Field(default=3, ge=1, le=100, description="Attempts with this result after which a number is spent")
    next_number: bool = Field(default=False, description="Try the contact's next number then, where he has one")


class AttemptLimitsTable(Table):
    """How often at most; a day is the contact's own."""

    record: int = Field(default=10, ge=1, le=1000, description="Attempts of a record in all")
    record_per_day: int = Field(default=3, ge=1, le=100, description="Attempts of a record in a day")
    number: int = Field(default=6, ge=1, le=1000, description="Attempts of one number in all")
    number_per_day: int = Field(default=2, ge=1, le=100, description="Attempts of one number in a day")


class PreviewTable(Table):
    """A record before an agent."""

    dial_on_accept: bool = Field(default=True, description="Accepting a record dials it")
    dial_after_s: int | None = Field(
        default=None, ge=1, le=3600, description="Seconds of preview after which it is dialed by itself; none: never"
    )
    timeout_s: int | None = Field(
        default=60, ge=5, le=3600, description="Seconds after which a record that nobody touches goes back; none: never"
    )
    decline_retry_s: Seconds = Field(default=900, description="Seconds until a declined record comes again")
    cool_off_s: Seconds = Field(
        default=300,
        description="Seconds for which a record does not go to who declined it, if anybody else can take it",
    )
    missed_limit: int = Field(
        default=3,
        ge=0,
        le=100,
        description="Previews in a row that an agent lets run out, after which he is in RONA; 0: never",
    )


class MachinesTable(Table):
    """Answering-machine detection."""

    detect: bool = Field(default=False, description="Listen who has answered before an agent is connected")
    deadline_ms: int = Field(
        default=1800,
        ge=300,
        le=5000,
        description="Time for the verdict; it counts into `pacing.max_wait_ms`, after it nobody knows. Who speaks "
        "for 1500 ms at once is a machine: with less time than that none is found",
    )
    on_machine: Annotated[OnMachine, Field(strict=False)] = Field(
        default=OnMachine.HANG_UP, description="What is done with a machine: `hang_up`, `leave_message`, `connect`"
    )
    on_unknown: Annotated[OnMachine, Field(strict=False)] = Field(
        default=OnMachine.CONNECT, description="The same where nobody knows"
    )
    message: Id | None = Field(default=None, description="Prompt that is left after the greeting")
    false_positives: float = Field(
        default=0.0, ge=0, le=0.5, description="Estimated share of machine verdicts that were persons: they are drops"
    )


class PacingTable(Table):
    """How many calls are begun for agents who are not free yet, and the law's cap on what comes of it."""

    cap: float = Field(
        default=0.03,
        ge=0,
        le=0.1,
        description="Share of calls answered by persons that may be dropped within the window; 0: progressive",
    )
    window_days: int = Field(default=30, ge=1, le=366, description="Days over which the cap is counted")
    guarantee: Annotated[Guarantee, Field(strict=False)] = Field(
        default=Guarantee.BUDGET,
        description="`budget`: the risk is steered by what is left of the window's budget; `worst_case`: even if all "
        "calls in flight were answered and dropped, the cap would hold",
    )
    max_wait_ms: int = Field(
        default=2000, ge=500, le=10_000, description="Time from the answer within which a person must have an agent"
    )
    min_agents: int = Field(
        default=3, ge=1, le=1000, description="With fewer agents one call is begun for each who is free"
    )
    lines: int | None = Field(
        default=None, ge=1, le=100_000, description="Calls of the campaign at once; none: no limit"
    )
    period_s: float = Field(default=1.0, ge=1, le=10, description="Seconds between two decisions")
    message: Id | None = Field(default=None, description="Prompt for persons who get no agent (safe harbour)")
    reserve_s: Seconds = Field(
        default=3 * DAY_S, description="Seconds for which such a person is not called without an agent reserved for him"
    )


class DispositionTable(Table):
    """A result that agents choose; the table's name is its code."""

    label: Label = Field(description="Name for people")
    closes: bool = Field(default=True, description="The record is done with it")
    retry_s: int | None = Field(default=None, ge=0, le=90 * DAY_S, description="Else: seconds until it is called again")
    do_not_call: bool = Field(default=False, description="It marks the number as not to be called, by anybody")

    @model_validator(mode="after")
    def _one_way(self) -> DispositionTable:
        if self.closes and self.retry_s is not None:
            raise ValueError("retry_s has no meaning where it closes the record")
        if not self.closes and self.retry_s is None:
            raise ValueError("closes = false needs retry_s")
        return self


class AnswerTable(Table):
    """One of the answers to a question."""

    id: FieldName = Field(description="Stable name of the answer")
    label: Label = Field(description="Text for people")
    next: FieldName | None = Field(
        default=None, description="Question that follows, or `end`; none: as the question says"
    )


class QuestionTable(Table):
    """A question of the call guide. Without `answers` it is answered with text."""

    id: FieldName = Field(description="Stable name of the question; `end` is none")
    text: Text = Field(description="What the agent asks")
    answers: list[AnswerTable] = Field(default_factory=list, max_length=50, description="To choose from")
    next: FieldName | None = Field(default=None, description="Question that follows, or `end`; none: the next in order")
    optional: bool = Field(default=False, description="May be left unanswered")


class ResponseTable(Table):
    """A standard answer to read to the contact; the table's name is its id."""

    title: Label = Field(description="What it is about")
    text: Text = Field(description="What to say")


class CampaignTable(Table):
    """An outbound campaign; the table's name is its id. Its list is imported with `switchroom list import`."""

    label: Label | None = Field(default=None, description="Name for people; the id where it is not given")
    description: Annotated[str, StringConstraints(max_length=1000)] = Field(default="", description="What it is about")
    mode: Annotated[DialMode, Field(strict=False)] = Field(
        description="`preview`: agents ask for records and dial; `push_preview`: records are laid before them; "
        "`progressive`: one call per free agent; `predictive`: calls for agents who will be free"
    )
    queue: Id = Field(description="Queue whose wrap-up, music and ring time hold for its calls")
    teams: list[Id] = Field(min_length=1, description="Teams whose agents may join")
    ani: ShownNumber = Field(description="Number that contacts see; it must be one of yours")
    entry_point: Id | None = Field(
        default=None, description="Entry point whose CAD its calls have; columns of the list fill it by name"
    )
    pbx: Id | None = Field(default=None, description="PBX that dials; none: the first one with a trunk")
    dial: DialTable = Field(default_factory=DialTable, description="Numbers that it may dial")
    ring_timeout_s: int = Field(default=25, ge=MIN_RING_S, le=120, description="Seconds that a contact is rung")
    seize_agents: bool | None = Field(
        default=None,
        description="An agent's telephone is connected before there is a contact for him (ASM); none: in predictive",
    )
    hold_dialing: bool = Field(default=True, description="Without seizing: nothing is dialed before he accepts")
    hours: Id | None = Field(
        default=None, description="Calling window, by the contact's own clock; none: 8 to 21 every day"
    )
    time_zone: TimeZone | None = Field(default=None, description="Of contacts whose zone is not known otherwise")
    hopper: int = Field(default=200, ge=1, le=10_000, description="Records that are kept ready")
    limits: AttemptLimitsTable = Field(default_factory=AttemptLimitsTable, description="Attempts at most")
    retries: dict[Annotated[AttemptResult, Field(strict=False)], RetryTable] = Field(
        default_factory=dict, description="What follows which result, instead of the default"
    )
    preview: PreviewTable = Field(default_factory=PreviewTable, description="Records before agents")
    machines: MachinesTable = Field(default_factory=MachinesTable, description="Answering machines")
    pacing: PacingTable = Field(default_factory=PacingTable, description="Pace and cap")
    blend: Annotated[Blend, Field(strict=False)] = Field(
        default=Blend.INBOUND_FIRST,
        description="Waiting callers of its agents' queues: `inbound_first`, only below the queue's service level "
        "(`service_level`), or `campaign_first`",
    )
    case_fields: dict[CaseField, Label] = Field(
        default_factory=dict, description="Of the campaign, with their labels, shown with a record"
    )
    record_fields: dict[FieldName, Label] = Field(
        default_factory=dict, description="Columns of the list, with their labels, shown with a record"
    )
    dispositions: dict[FieldName, DispositionTable] = Field(
        default_factory=dict, description="Results that agents choose from"
    )
    require_disposition: bool = Field(default=False, description="A record cannot be marked done without a result")
    single_disposition: bool = Field(default=False, description="Only one result per record")
    guide: list[QuestionTable] = Field(default_factory=list, max_length=200, description="Questions to the contact")
    responses: dict[FieldName, ResponseTable] = Field(
        default_factory=dict, description="Standard answers of this campaign, beside the common ones"
    )

    @model_validator(mode="after")
    def _sound(self) -> CampaignTable:
        if self.require_disposition and not self.dispositions:
            raise ValueError("require_disposition needs dispositions")
        if self.machines.message is None and OnMachine.LEAVE_MESSAGE in (
            self.machines.on_machine,
            self.machines.on_unknown,
        ):
            raise ValueError("machines.message is required to leave a message")
        if self.machines.detect and self.machines.deadline_ms >= self.pacing.max_wait_ms:
            raise ValueError("machines.deadline_ms must leave time within pacing.max_wait_ms")
        return self
