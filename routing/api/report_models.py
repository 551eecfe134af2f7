"""The shapes of reports, for the document of the API; `routing.app.reports.shape` makes them."""

from __future__ import annotations

from pydantic import Field

from routing.api.schemas import Out
from routing.api.views_models import At

Share = Field(description="Percent, null where nothing counts")


class ReportLineOut(Out):
    """One member in one interval. `offered` = `answered` + `abandoned` + `waiting` + all of `outcomes`."""

    from_at: At
    until_at: At
    from_local: str = Field(description="`from_at` in the time zone of the report")
    id: str = Field(description="Of the queue, entry point, agent or team")
    offered: int = Field(description="Calls that came; of agents and teams: offers")
    answered: int
    answered_within: int = Field(description="Within the aim that was in force when the call came")
    abandoned: int
    short_abandoned: int = Field(description="Part of `abandoned`: given up within the queue's `short_abandon_s`")
    waiting: int = Field(description="Neither answered nor over yet")
    service_level: float | None = Field(
        description="Percent: answered_within / (offered - waiting - short_abandoned); null where nothing counts"
    )
    target_percent: int | None = Field(description="The latest aim of the interval")
    target_within_s: int | None
    average_answer_ms: int | None = Field(description="Wait of those who were answered")
    average_abandon_ms: int | None = Field(description="Wait of those who gave up")
    longest_wait_ms: int = Field(description="Of the waits that are over")
    missed: int = Field(description="Offers that agents missed")
    transfers_in: int
    transfers_out: int
    outcomes: dict[str, int] = Field(description="What else came of it, e.g. timeout, full, closed, callback")
    misses: dict[str, int] = Field(description="`missed` by cause: no_answer, rejected, busy, unreachable")
    handled: int = Field(description="Agents who have had such a call as theirs")
    talk_ms: int
    hold_ms: int
    wrap_up_ms: int
    average_handle_ms: int | None = Field(description="(talk + hold + wrap-up) / handled")
    consulted: int = Field(description="Agents who were asked for help")
    consult_ms: int
    signed_in_ms: int
    handling_ms: int = Field(description="In a call or wrapping up")
    ready_ms: int = Field(description="Available, or being rung")
    occupancy: float | None = Field(description="Percent: handling_ms / (handling_ms + ready_ms)")
    states: dict[str, int] = Field(description="ms in each state, of idle as idle:REASON")


class ReportOut(Out):
    """Lines by time and id. Where a member has no figures in an interval it has no line."""

    subject: str
    interval: str
    time_zone: str
    kind: str
    pending_intervals: int = Field(description="Quarters of an hour in it that are about to be computed (again)")
    items: list[ReportLineOut]
