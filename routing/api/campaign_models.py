"""Shapes of answers about campaigns."""

from __future__ import annotations

from pydantic import Field

from routing.api.campaign_call_models import DispositionOut
from routing.api.schemas import At, Out, Path


class CampaignPath(Path):
    campaign_id: str = Field(max_length=64, json_schema_extra={"example": "spring"})


class DropsOut(Out):
    """Of the rolling legal window. The two measures are kept apart: no agent in time, and hung up while waiting."""

    window_days: int
    cap: float = Field(description="Highest share of dropped calls, 0 to 1; 0: the campaign never risks one")
    attempts: int
    live: int = Field(description="Calls that a person answered")
    dropped: int = Field(description="Of those: no agent within `max_wait_ms` of the answer")
    hung_up: int = Field(description="Of those: hung up while they waited")
    machines: int = Field(description="Calls that a machine answered")
    drop_rate: float | None = Field(description="`dropped` of `live`, 0 to 1; null while nobody has answered")
    hang_up_rate: float | None = Field(description="`hung_up` of `live`")


class CampaignOut(Out):
    """What is declared, and what is so now."""

    id: str
    label: str
    description: str
    mode: str = Field(description="preview, push_preview, progressive or predictive")
    state: str = Field(description="stopped (not loaded), loaded (agents may join), running, paused")
    since: At | None
    allowed_actions: list[str] = Field(description="What may be asked for in this state: load, start, pause, stop")
    teams: list[str] = Field(description="Whose agents may join")
    queue: str = Field(description="Whose wrap-up and music hold for its calls")
    ani: str = Field(description="The number shown to contacts")
    joined: list[str] = Field(description="Agents who have joined")
    ready: int = Field(description="Of those: who could be given a contact now")
    seated: int = Field(description="Of those: whose telephone is connected and waits for a contact")
    hopper: int = Field(description="Records that are ready to be dialed")
    records: dict[str, int] = Field(description="Records in the engine's hands, by state")
    calls: dict[str, int] = Field(description="Live interactions, by state")
    drops: DropsOut
    paced_at: At | None = Field(description="When the pacing last said how many calls to begin")
    pacing: dict[str, float] = Field(description="What that number was made of")


class CampaignListOut(Out):
    """By id."""

    items: list[CampaignOut]
    next_cursor: str | None


class LimitsOut(Out):
    """Most attempts."""

    record: int
    record_per_day: int
    number: int
    number_per_day: int


class RetryOut(Out):
    after_s: list[int] = Field(description="Rest after the first, second, ... such result; the last one repeats")
    most: int = Field(description="Attempts with that result until the number is spent")
    next_number: bool = Field(description="The contact's next number is taken, where he has one")


class CampaignRulesOut(Out):
    """What the configuration says."""

    entry_point: str
    pbx: str
    ring_timeout_s: int
    seize_agents: bool
    hold_dialing: bool
    hours: str = Field(description="Calling window by the contact's own clock; empty: 8 to 21")
    default_zone: str
    hopper: int
    limits: LimitsOut
    retries: dict[str, RetryOut]
    guarantee: str = Field(description="budget or worst_case")
    max_wait_ms: int
    machine_detection: bool
    blend: str
    dispositions: list[DispositionOut]
    require_disposition: bool
    single_disposition: bool
    has_guide: bool


class ListCountsOut(Out):
    """Records in the database; all but `reserved` add up to `total`."""

    due: int = Field(description="Open, and may be called now")
    window_closed: int = Field(description="Due, but it is not the time to call there")
    opens_at: At | None = Field(description="When the first of those windows opens")
    not_due: int = Field(description="They rest after an attempt, or were put off")
    callbacks_later: int
    next_due_at: At | None = Field(description="When the first of both comes")
    reserved: int = Field(description="Among the others: not dialed without an agent, since they were dropped")
    claimed: int = Field(description="In the engine's hands")
    closed: dict[str, int] = Field(description="By why")
    total: int


class CampaignDetailOut(CampaignOut):
    """With its rules and its lists."""

    rules: CampaignRulesOut
    list_counts: ListCountsOut | None = Field(description="Null while the database does not answer")


class DropSumsOut(Out):
    attempts: int
    live: int = Field(description="Calls that a person answered")
    in_time: int = Field(description="Of those: with an agent within two seconds")
    dropped: int = Field(description="Of those: no agent in time")
    hung_up: int = Field(description="Of those: hung up while they waited; who hangs up late is in both")
    machines: int


class DropPeriodOut(Out):
    """One day or month in the tenant's time zone."""

    period: str = Field(examples=["2026-11-21"])
    sums: DropSumsOut
    window: DropSumsOut = Field(description="Of the legal window that ends with it")
    rate: float | None = Field(description="Dropped of live within that window; null where nobody answered")
    cap: float
    is_over: bool


class DropGridOut(Out):
    """Oldest first. `now`: as it counts against the cap in this moment."""

    now: DropsOut
    items: list[DropPeriodOut]


class WhyReasonOut(Out):
    reason: str = Field(description="A stable word")
    count: int
    of: str = Field(description="What is counted: campaign, agents, records, calls, list or processes")
    meaning: str


class WhyOut(Out):
    """What keeps records from being dialed, most concerned first; empty: nothing does."""

    state: str
    is_dialing: bool = Field(description="Whether something is being called for it now")
    reasons: list[WhyReasonOut]
    list_counts: ListCountsOut | None = Field(description="Null while the database does not answer")
