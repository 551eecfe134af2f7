"""Reports of a day, or of some days, per queue, entry point, agent or team; and the same as a table in a file."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from routing.api.principal import Scope
from routing.api.services import services
from routing.desk.door import person
from routing.desk.language import gettext, noop
from routing.desk.site import pages
from routing.desk.supervisor.clock import zone
from routing.desk.supervisor.frame import may, show
from routing.desk.supervisor.names import name_of, queue_label, team_label
from routing.desk.supervisor.sorting import By, Row, sorted_by

SUBJECTS = {
    "queues": noop("Queues"),
    "agents": noop("Agents"),
    "teams": noop("Teams"),
    "entry-points": noop("Entry points"),
}
INTERVALS = {
    "whole": noop("In all"),
    "day": noop("By day"),
    "hour": noop("By hour"),
    "15min": noop("By quarter of an hour"),
}
_NUMBERS = (
    "offered", "answered", "abandoned", "service_level", "average_answer_ms", "missed", "handled", "average_handle_ms",
    "occupancy",
)  # fmt: skip


def _by(name: str) -> By:
    return lambda row: row[name]


_COLUMNS: dict[str, By] = {"from": _by("from_at"), "name": lambda row: row["name"].casefold()} | {
    name: _by(name) for name in _NUMBERS
}


def _chosen() -> dict[str, str]:
    """Subject, span and interval; what makes no sense is today's."""
    today = datetime.fromtimestamp(services().clock.now_ms() / 1000, ZoneInfo(zone())).date()
    first, last = _day("from", today), _day("to", today)
    return {
        "subject": _one_of("subject", SUBJECTS),
        "interval": _one_of("interval", INTERVALS),
        "from": min(first, last).isoformat(),
        "to": last.isoformat(),
    }


def _one_of(name: str, known: dict[str, str]) -> str:
    asked = request.args.get(name, "")
    return asked if asked in known else next(iter(known))


def _day(name: str, usual: date) -> date:
    try:
        found = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return usual
    return found if found < date.max else usual  # the day behind it is asked for, too


def _query(chosen: dict[str, str]) -> dict[str, str]:
    """Of the API, where `to` is not included."""
    behind = date.fromisoformat(chosen["to"]) + timedelta(days=1)
    return {"from": chosen["from"], "to": behind.isoformat(), "interval": chosen["interval"]}


@pages.get("/supervisor/reports")
def reports_page() -> str | AnyResponse:
    if person().agent_id or not may(Scope.REPORTS_READ):
        return show("supervisor/reports.html", Scope.REPORTS_READ)
    chosen = _chosen()
    report = person().api.get(f"reports/{chosen['subject']}", **_query(chosen))
    rows, sorting = sorted_by(_named(report["items"], chosen["subject"]), _COLUMNS, "from")
    about: dict[str, Any] = {
        "chosen": chosen,
        "rows": rows,
        "sorting": sorting,
        "pending": report["pending_intervals"],
        "zone": report["time_zone"],
        "subjects": [(id_, gettext(text)) for id_, text in SUBJECTS.items()],
        "intervals": [(id_, gettext(text)) for id_, text in INTERVALS.items()],
        "table": "/desk/supervisor/reports.csv?" + urlencode(chosen),
    }
    return show("supervisor/reports.html", **about)


def _named(lines: list[Row], subject: str) -> list[Row]:
    """With the name that people know; the order of lines is that of time, then of names."""
    named = {"agents": name_of, "queues": queue_label, "teams": team_label}.get(subject, str)
    return [line | {"name": named(line["id"])} for line in lines]


@pages.get("/supervisor/reports.csv")
def report_table() -> Response:
    chosen = _chosen()
    return person().api.file(f"reports/{chosen['subject']}/csv", query=_query(chosen))
