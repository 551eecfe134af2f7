"""What people and programs write to ask for a report, as a query."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from routing.app.reports.figures import Subject
from routing.app.reports.report import BadReport, ReportQuery, day_begin_ms, usual_kind, zone_of
from routing.core.intervals import BucketSize

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportWords:
    """`begin` and `end`: a day in that time zone, or a date and time of RFC 3339. `kind` None: what is usual."""

    subject: Subject
    begin: str
    end: str
    size: BucketSize
    time_zone: str
    ids: tuple[str, ...] = ()
    kind: str | None = None


def report_query(words: ReportWords) -> ReportQuery:
    """Raises BadReport."""
    zone = zone_of(words.time_zone)
    return ReportQuery(
        subject=words.subject,
        from_ms=_instant_ms(words.begin, zone, "from"),
        until_ms=_instant_ms(words.end, zone, "to"),
        size=words.size,
        zone=zone,
        ids=words.ids,
        kind=words.kind or usual_kind(words.subject),
    )


def _instant_ms(text: str, zone: ZoneInfo, field: str) -> int:
    upper = text.strip().upper()
    if _DAY.fullmatch(upper):
        return day_begin_ms(upper, zone, field)
    if not _INSTANT.fullmatch(upper):
        wanted = "neither a day such as 2026-11-21 nor a date and time such as 2026-11-21T14:30:00Z"
        raise BadReport(field=field, reason=f"{text[:64]!r} is {wanted}")
    try:
        return int(datetime.fromisoformat(upper).timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise BadReport(field=field, reason=f"{text[:64]!r} is no time: {error}") from None
