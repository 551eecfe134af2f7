"""Lines of a report as programs get them: JSON, and CSV of the same figures."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from routing.app.reports.figures import Figures, Subject
from routing.app.reports.report import Line, Report
from routing.core.intervals import average_ms, local_begin, occupancy, service_level

READY = ("available", "reserved", "seated")
AWAY = ("idle", "rona")
# Columns of JSON objects that are spread over columns of their own in a CSV file.
SPREAD = ("outcomes", "misses", "states")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def shown(report: Report) -> dict[str, Any]:
    """The whole report."""
    query = report.query
    return {
        "subject": query.subject.value,
        "interval": query.size.value,
        "time_zone": query.zone.key,
        "kind": query.kind,
        "pending_intervals": report.pending,
        "items": [line_shown(report, line) for line in report.lines],
    }


def line_shown(report: Report, line: Line) -> dict[str, Any]:
    """One line, in the order of the columns."""
    figures = line.figures
    return {
        "from_at": _utc(line.bucket.from_ms),
        "until_at": _utc(line.bucket.until_ms),
        "from_local": local_begin(line.bucket.from_ms, report.query.zone),
        "id": line.id,
        **_calls(figures, has_queue=report.query.subject in (Subject.QUEUE, Subject.ENTRY_POINT)),
        **_work(figures),
        **_time(figures),
    }


def _calls(figures: Figures, *, has_queue: bool = True) -> dict[str, Any]:
    """Of agents and teams `offered` counts offers, which have no wait: `has_queue` is False."""
    decided = figures.offered - figures.waiting
    is_aimed = figures.target_percent is not None
    return {
        "offered": figures.offered,
        "answered": figures.answered,
        "answered_within": figures.answered_within,
        "abandoned": figures.abandoned,
        "short_abandoned": figures.short_abandoned,
        "waiting": figures.waiting,
        "service_level": service_level(figures.answered_within, decided, figures.short_abandoned) if is_aimed else None,
        "target_percent": figures.target_percent,
        "target_within_s": figures.target_within_s,
        "average_answer_ms": average_ms(figures.answer_wait_ms, figures.answered) if has_queue else None,
        "average_abandon_ms": average_ms(figures.abandon_wait_ms, figures.abandoned) if has_queue else None,
        "longest_wait_ms": figures.longest_wait_ms,
        "missed": figures.missed,
        "transfers_in": figures.transfers_in,
        "transfers_out": figures.transfers_out,
        "outcomes": dict(sorted(figures.outcomes.items())),
        "misses": dict(sorted(figures.misses.items())),
    }


def _work(figures: Figures) -> dict[str, Any]:
    handled_ms = figures.talk_ms + figures.hold_ms + figures.wrap_up_ms
    return {
        "handled": figures.handled,
        "talk_ms": figures.talk_ms,
        "hold_ms": figures.hold_ms,
        "wrap_up_ms": figures.wrap_up_ms,
        "average_handle_ms": average_ms(handled_ms, figures.handled),
        "consulted": figures.consulted,
        "consult_ms": figures.consult_ms,
    }


def _time(figures: Figures) -> dict[str, Any]:
    ready_ms = sum(figures.states[name] for name in READY)
    away_ms = sum(ms for name, ms in figures.states.items() if name.partition(":")[0] in AWAY)
    signed_in_ms = figures.states.total()
    handling_ms = signed_in_ms - ready_ms - away_ms
    return {
        "signed_in_ms": signed_in_ms,
        "handling_ms": handling_ms,
        "ready_ms": ready_ms,
        "occupancy": occupancy(handling_ms, ready_ms),
        "states": dict(sorted(figures.states.items())),
    }


def _utc(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_csv(report: Report) -> str:
    """RFC 4180 with a line of names. Outcomes, misses and states have a column for each word that occurs, behind the
    others: read columns by their names.
    """
    lines = [line_shown(report, line) for line in report.lines]
    words = [(name, word) for name in SPREAD for word in sorted({word for line in lines for word in line[name]})]
    fixed = [name for name in _columns() if name not in SPREAD]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*fixed, *(f"{name}:{word}" for name, word in words)])
    for line in lines:
        spread = [line[name].get(word, 0) for name, word in words]
        writer.writerow([_cell(value) for value in [*(line[name] for name in fixed), *spread]])
    return out.getvalue()


def _columns() -> Sequence[str]:
    empty = Figures()
    return ["from_at", "until_at", "from_local", "id", *_calls(empty), *_work(empty), *_time(empty)]


def _cell(value: object) -> object:
    """A name that a spreadsheet would take for a formula is no formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
