"""`/v1/figures`: how the running day and the running quarter of an hour go, by queue, agent or team."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from routing.api.principal import Scope, current, needs
from routing.api.schemas import Query
from routing.api.services import services
from routing.api.times import rfc3339
from routing.api.views_models import At, Out
from routing.app.live.figures import FigureSubject, live_figures

api = APIBlueprint("figures", __name__, url_prefix="/v1")


class FiguresQuery(Query):
    subject: FigureSubject = Field(default=FigureSubject.QUEUE, description="Whose figures")


class FiguresOut(Out):
    """Names and formulas as in reports. Of agents and teams `offered` are offers, and there is no service level."""

    offered: int = Field(description="answered + abandoned + let_go + waiting")
    answered: int
    answered_within: int = Field(description="Within the queue's aim")
    abandoned: int
    short_abandoned: int = Field(description="Part of `abandoned`: given up within the queue's `short_abandon_s`")
    let_go: int = Field(description="Neither answered nor given up: turned away, sent elsewhere, back to the dialplan")
    waiting: int = Field(description="Came in this time and still wait")
    service_level: float | None = Field(
        description="Percent: answered_within / (offered - waiting - short_abandoned); null where nothing counts"
    )
    average_answer_ms: int | None = Field(description="Wait of those who were answered")
    longest_wait_ms: int = Field(description="Of the waits that are over")
    missed: int = Field(description="Offers that agents missed")
    handled: int = Field(description="Calls whose agent has left them")
    talk_ms: int
    hold_ms: int
    wrap_up_ms: int
    average_handle_ms: int | None = Field(description="(talk + hold + wrap-up) / handled")
    ready_ms: int = Field(description="Of agents: available, or being rung")
    occupancy: float | None = Field(description="Of agents, percent: handling / (handling + ready)")


class MemberFiguresOut(Out):
    id: str
    estimated_wait_ms: int | None = Field(description="Of a queue, for one who came now; null: nobody can say")
    day: FiguresOut
    quarter: FiguresOut


class FiguresListOut(Out):
    """By id."""

    subject: FigureSubject
    time_zone: str = Field(description="In which the day begins")
    at: At
    day_begun_at: At
    quarter_begun_at: At
    items: list[MemberFiguresOut]


@api.get("/figures", operation_id="getFigures", responses={200: FiguresListOut})
@needs(Scope.AGENTS_READ)
def get_figures(query: FiguresQuery) -> dict[str, Any]:
    """Live figures; what is over is in the reports."""
    now_ms = services().clock.now_ms()
    world = services().live(current().tenant).world(now_ms)
    found = live_figures(world, query.subject, now_ms)
    return {
        "subject": query.subject.value,
        "time_zone": found.time_zone,
        "at": rfc3339(now_ms),
        "day_begun_at": rfc3339(found.day_begun_at_ms),
        "quarter_begun_at": rfc3339(found.quarter_begun_at_ms),
        "items": [asdict(item) for item in found.items],
    }
