"""A report: rows of slots as lines of hours, days or the whole span, per member."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from operator import add
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from routing.app.reports.figures import COUNTERS, SUMS, Figures, Subject
from routing.core.errors import DomainError
from routing.core.intervals import Bucket, BucketSize, buckets, midnight_ms
from routing.store.sql.report_rows import RowFilter, marked_between, rows_between

INBOUND, ALL = "inbound", "all"
MAX_DAYS = 400
MAX_LINES = 10_000
MAX_ROWS = 400_000
_DAY_MS = 24 * 3600 * 1000
_YEARS = range(2000, 2200)
_AIM = ("target_percent", "target_within_s")


class BadReport(DomainError):
    """`field`: from, to, time_zone or kind."""

    code = "report-not-possible"
    template = "{reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportQuery:
    """Times in ms UTC; buckets that they cut are whole in the report. `ids` empty: every member.

    `kind`: of the calls, `all`: of all kinds together.
    """

    subject: Subject
    from_ms: int
    until_ms: int
    size: BucketSize
    zone: ZoneInfo
    ids: tuple[str, ...] = ()
    kind: str = ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    bucket: Bucket
    id: str
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Lines by time and member; a member without any figures in a bucket has none. `pending`: slots of the span of
    which something has changed that is not counted yet.
    """

    query: ReportQuery
    lines: tuple[Line, ...]
    pending: int


def usual_kind(subject: Subject) -> str:
    """What is counted where nobody asks for a kind: queues and entry points serve callers, agents do all their work."""
    return INBOUND if subject in (Subject.QUEUE, Subject.ENTRY_POINT) else ALL


def zone_of(name: str) -> ZoneInfo:
    """The zone of that IANA name. Raises BadReport."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # ZoneInfo takes the name for a path, and folders are no zones
        raise BadReport(field="time_zone", reason=f"there is no time zone {name[:64]!r}") from None


def day_begin_ms(text: str, zone: ZoneInfo, field: str) -> int:
    """The begin of the day `2026-11-21` there. Raises BadReport."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadReport(field=field, reason=f"{text[:64]!r} is no day") from None
    if day.year not in _YEARS:
        raise BadReport(field=field, reason=f"the year {day.year} is out of reach")
    return midnight_ms(day.year, day.month, day.day, zone)


def read_report(connection: Connection, tenant: str, query: ReportQuery) -> Report:
    """Raises BadReport for a span that is empty, too long, or would have too many lines."""
    _check(query)
    found = buckets(query.from_ms, query.until_ms, query.size, query.zone)
    span = (found[0].from_ms, found[-1].until_ms)
    stored = Subject.AGENT if query.subject is Subject.TEAM else query.subject
    by = "team" if query.subject is Subject.TEAM else "member"
    kinds = () if query.kind == ALL else (query.kind, "")
    columns = ("slot_ms", by, "longest_wait_ms", *_AIM, *COUNTERS, *SUMS)
    wanted = RowFilter(subject=stored.value, by=by, ids=query.ids, kinds=kinds, columns=columns, limit=MAX_ROWS)
    lines = lines_of(found, _rows(connection, tenant, wanted, span))
    if len(lines) > MAX_LINES:
        raise BadReport(field="to", reason=f"{len(lines)} lines: ask for fewer members, or larger intervals")
    return Report(query=query, lines=lines, pending=marked_between(connection, tenant, span))


def _check(query: ReportQuery) -> None:
    low_ms, high_ms = (midnight_ms(year, 1, 1, ZoneInfo("UTC")) for year in (_YEARS[0], _YEARS[-1]))
    if not low_ms <= query.from_ms <= high_ms or not low_ms <= query.until_ms <= high_ms:
        raise BadReport(field="from", reason="the time is out of reach")
    if query.until_ms <= query.from_ms:
        raise BadReport(field="to", reason="the end is not after the begin")
    if query.until_ms - query.from_ms > MAX_DAYS * _DAY_MS:
        raise BadReport(field="to", reason=f"more than {MAX_DAYS} days")


def _rows(connection: Connection, tenant: str, wanted: RowFilter, span: tuple[int, int]) -> Iterator[Sequence[Any]]:
    """A day at a time: other requests of the process get their turn in between. Raises BadReport for too many."""
    total = 0
    for from_ms in range(*span, _DAY_MS):
        rows = rows_between(connection, tenant, wanted, (from_ms, min(from_ms + _DAY_MS, span[1])))
        total += len(rows)
        if total >= MAX_ROWS:
            raise BadReport(field="to", reason="too many figures: ask for fewer members or a shorter time")
        yield from rows


def lines_of(found: Sequence[Bucket], rows: Iterable[Sequence[Any]]) -> tuple[Line, ...]:
    """Rows, oldest first, added up by bucket and by their second column."""
    lines: list[Line] = []
    place, sums = 0, dict[str, _Sum]()

    def finish() -> None:
        lines.extend(Line(bucket=found[place], id=id_, figures=sums[id_].figures()) for id_ in sorted(sums))
        sums.clear()

    for row in rows:
        while row[0] >= found[place].until_ms:
            finish()
            place += 1
        sums.setdefault(row[1], _Sum()).add(row)
    finish()
    return tuple(lines)


class _Sum:
    """Figures while rows are added; a report of a month adds a hundred thousand."""

    __slots__ = ("aim", "counters", "counts", "longest_ms")

    def __init__(self) -> None:
        self.counts: Sequence[int] = (0,) * len(SUMS)
        self.longest_ms = 0
        self.aim: tuple[int | None, int | None] = (None, None)
        self.counters: tuple[Counter[str], ...] = tuple(Counter() for _ in COUNTERS)

    def add(self, row: Sequence[Any]) -> None:
        _slot_ms, _by, longest_ms, percent, within_s, *rest = row
        self.counts = list(map(add, self.counts, rest[len(COUNTERS) :]))
        self.longest_ms = max(self.longest_ms, longest_ms)
        if percent is not None:
            self.aim = (percent, within_s)
        for counter, counted in zip(self.counters, rest[: len(COUNTERS)], strict=True):
            for word, number in counted.items():
                counter[word] += number

    def figures(self) -> Figures:
        named: dict[str, Any] = dict(zip(SUMS, self.counts, strict=True))
        named |= dict(zip(_AIM, self.aim, strict=True)) | dict(zip(COUNTERS, self.counters, strict=True))
        return Figures(longest_wait_ms=self.longest_ms, **named)
