"""`/v1/reports`: figures of queues, entry points, agents and teams, per quarter of an hour, hour, day or span."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from routing.api.database import reading
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.report_models import ReportOut
from routing.api.schemas import Path, Query
from routing.api.services import services
from routing.app.reports.asking import ReportWords, report_query
from routing.app.reports.figures import Subject
from routing.app.reports.report import Report, read_report
from routing.app.reports.shape import as_csv, shown
from routing.core.intervals import BucketSize

TABLE: dict[str, Any] = {"text/csv": {"schema": {"type": "string"}}}

api = APIBlueprint("reports", __name__, url_prefix="/v1")


class Subjects(StrEnum):
    QUEUES = "queues"
    ENTRY_POINTS = "entry-points"
    AGENTS = "agents"
    TEAMS = "teams"


_SUBJECTS = dict(zip(Subjects, (Subject.QUEUE, Subject.ENTRY_POINT, Subject.AGENT, Subject.TEAM), strict=True))


class ReportPath(Path):
    subject: Subjects = Field(description="What the lines are about")


class ReportsQuery(Query):
    """`from` is included, `to` is not; intervals that they cut are given whole."""

    begin: str = Field(
        alias="from",
        max_length=40,
        description="A day, which begins at midnight there, or a date and time of RFC 3339",
        json_schema_extra={"example": "2026-11-21"},
    )
    end: str = Field(
        alias="to", max_length=40, description="Likewise; not included", json_schema_extra={"example": "2026-11-22"}
    )
    interval: BucketSize = Field(default=BucketSize.HOUR, description="whole: the span as one")
    id: str | None = Field(default=None, max_length=64, description="Of one queue, entry point, agent or team")
    kind: str | None = Field(
        default=None,
        max_length=32,
        description="Of calls: inbound, outdial, callback, campaign, voicemail, or all; of queues and entry points "
        "else inbound",
    )
    time_zone: str | None = Field(default=None, max_length=64, description="IANA name; else the tenant's own")


@api.get("/reports/<subject>", operation_id="getReport", responses={200: ReportOut})
@needs(Scope.REPORTS_READ)
def get_report(path: ReportPath, query: ReportsQuery) -> dict[str, Any]:
    """Figures per interval, computed a few seconds after what they count. An agent sees his own."""
    return shown(_report(path, query))


@api.get("/reports/<subject>/csv", operation_id="getReportTable", responses={200: {"content": TABLE}})
@needs(Scope.REPORTS_READ)
def get_report_table(path: ReportPath, query: ReportsQuery) -> Response:
    """The same as a table, `text/csv` with a line of names; outcomes, misses and states are columns of their own."""
    table = as_csv(_report(path, query))
    headers = {"Content-Disposition": f'attachment; filename="{path.subject.value}.csv"'}
    return Response(table, mimetype="text/csv", headers=headers)


def _report(path: ReportPath, query: ReportsQuery) -> Report:
    words = ReportWords(
        subject=_SUBJECTS[path.subject],
        begin=query.begin,
        end=query.end,
        size=query.interval,
        time_zone=query.time_zone or services().front(current().tenant).config().time_zone,
        ids=_ids(path.subject, query.id),
        kind=query.kind,
    )
    asked = report_query(words)
    with reading() as connection:
        return read_report(connection, current().tenant, asked)


def _ids(subject: Subjects, wanted: str | None) -> tuple[str, ...]:
    """An agent has his own figures and no others. Raises Problem forbidden."""
    own = current().agent_id
    if not own:
        return (wanted,) if wanted else ()
    if subject is not Subjects.AGENTS:
        raise Problem("forbidden", "an agent sees his own figures: /v1/reports/agents")
    return (current().acts_for(wanted),)
