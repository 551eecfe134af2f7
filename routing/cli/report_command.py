"""`report`: figures of queues, entry points, agents and teams per interval, from the SQL database."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer

from routing.app.reports.asking import ReportWords, report_query
from routing.app.reports.figures import Subject
from routing.app.reports.report import Report, read_report, zone_of
from routing.app.reports.shape import as_csv, shown
from routing.cli.db_commands import DatabaseOption, database_url
from routing.cli.output import PlainTable, now_ms, say, show_json, span
from routing.cli.session import Session, command
from routing.core.intervals import BucketSize


class Subjects(StrEnum):
    """As in the paths of the API."""

    QUEUES = "queues"
    ENTRY_POINTS = "entry-points"
    AGENTS = "agents"
    TEAMS = "teams"


_SUBJECTS = dict(zip(Subjects, (Subject.QUEUE, Subject.ENTRY_POINT, Subject.AGENT, Subject.TEAM), strict=True))
_CALLS = ("offered", "answered", "abandoned", "short", "waiting", "other", "level", "answer", "longest")
_WORK = ("offered", "answered", "missed", "handled", "average", "talk", "hold", "wrap-up", "occupancy", "signed in")

SubjectArgument = Annotated[Subjects, typer.Argument(metavar="SUBJECT", help="queues, entry-points, agents or teams.")]
FromOption = Annotated[
    str | None,
    typer.Option("--from", metavar="WHEN", help="A day, or a date and time of RFC 3339; default: today."),
]
ToOption = Annotated[
    str | None, typer.Option("--to", metavar="WHEN", help="Likewise, not included; default: a day after --from's day.")
]
IntervalOption = Annotated[
    BucketSize, typer.Option("--interval", metavar="INTERVAL", help="15min, hour, day, or whole: the span as one.")
]
IdOption = Annotated[list[str] | None, typer.Option("--id", metavar="ID", help="Of one member; repeat it.")]
KindOption = Annotated[
    str | None,
    typer.Option("--kind", metavar="KIND", help="Of calls, or `all`; default: inbound of queues, all of agents."),
]
ZoneOption = Annotated[
    str | None, typer.Option("--time-zone", metavar="ZONE", help="IANA name; default: the tenant's own.")
]
CsvOption = Annotated[bool, typer.Option("--csv", help="A table for spreadsheets.")]


@command
def report_command(
    session: Session,
    subject: SubjectArgument,
    begin: FromOption = None,
    end: ToOption = None,
    interval: IntervalOption = BucketSize.HOUR,
    ids: IdOption = None,
    kind: KindOption = None,
    time_zone: ZoneOption = None,
    csv: CsvOption = False,
    database: DatabaseOption = None,
) -> None:
    """Show what came, was answered and was lost, and what agents did, per quarter of an hour, hour, day or span."""
    zone = time_zone or tenants_zone(session)
    begin = begin or _today(zone)
    words = ReportWords(
        subject=_SUBJECTS[subject],
        begin=begin,
        end=end or _day_after(begin),
        size=interval,
        time_zone=zone,
        ids=tuple(ids or ()),
        kind=kind,
    )
    found = _read(session, words, database)
    if session.json:
        show_json(shown(found))
    elif csv:
        sys.stdout.write(as_csv(found))
    else:
        say(_table(found))


def _read(session: Session, words: ReportWords, database: str | None) -> Report:
    from routing.store.sql.database import Database

    asked = report_query(words)
    opened = Database.at(database_url(session.server, database))
    try:
        with opened.read() as connection:
            return read_report(connection, session.server.tenant, asked)
    finally:
        opened.close()


def tenants_zone(session: Session) -> str:
    """Of the configuration in force."""
    from routing.store.front import Front, connect

    redis = connect(session.server.redis_url)
    try:
        return Front(redis, session.server.tenant).config().time_zone
    finally:
        redis.close()


def _today(zone: str) -> str:
    return datetime.fromtimestamp(now_ms() / 1000, zone_of(zone)).date().isoformat()


def _day_after(begin: str) -> str:
    """Of what `report_query` refuses anyway, itself."""
    try:
        return (datetime.fromisoformat(begin[:10]).date() + timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return begin


def _table(report: Report) -> PlainTable:
    has_queue = report.query.subject in (Subject.QUEUE, Subject.ENTRY_POINT)
    items = shown(report)["items"]
    rows = [(_when(item), item["id"], *(_of_calls(item) if has_queue else _of_work(item))) for item in items]
    columns = ("from", report.query.subject.value.replace("_", " "), *(_CALLS if has_queue else _WORK))
    pending = f"about to be computed anew: {report.pending} x 15 min" if report.pending else ""
    kind = "" if report.query.kind == "all" else f", {report.query.kind} calls"
    title = f"per {report.query.size.value}{kind}, {report.query.zone.key}"
    return PlainTable(title, columns, rows, least=("longest", "waiting", "short", "hold", "talk"), note=pending)


def _when(item: dict[str, Any]) -> str:
    return str(item["from_local"])[:16].replace("T", " ")


def _of_calls(item: dict[str, Any]) -> tuple[object, ...]:
    counts = (item[name] for name in ("offered", "answered", "abandoned", "short_abandoned", "waiting"))
    other = sum(item["outcomes"].values())
    return (
        *counts,
        other,
        _percent(item["service_level"]),
        _ms(item["average_answer_ms"]),
        _ms(item["longest_wait_ms"]),
    )


def _of_work(item: dict[str, Any]) -> tuple[object, ...]:
    counts = (item[name] for name in ("offered", "answered", "missed", "handled"))
    times = (_ms(item[name]) for name in ("average_handle_ms", "talk_ms", "hold_ms", "wrap_up_ms"))
    return (*counts, *times, _percent(item["occupancy"]), _ms(item["signed_in_ms"]))


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} %"


def _ms(value: int | None) -> str:
    return "" if value is None else span(value / 1000)
