"""Opening hours (ROUTE-12): when a place is open, in its own time zone, with exceptions and holidays.

`zoneinfo` reads the zone's rules from the standard library's database, the only thing here that is not an argument;
public holidays are dates that the configuration has already looked up, so that a replay sees the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

DAY_MIN = 24 * 60
LOOK_AHEAD_DAYS = 400  # a place that does not open within a year and a month is closed for good


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Part of a day by the clock on the wall: minutes since midnight, `until_min` not included (1440: midnight)."""

    from_min: int
    until_min: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """`week`: spans of Monday to Sunday, seven entries. `exceptions`: ISO date -> spans of that day, () = closed.

    `holidays`: ISO date -> name; closed, unless the date is among the exceptions.
    """

    id: str
    time_zone: str
    week: tuple[tuple[Span, ...], ...]
    exceptions: dict[str, tuple[Span, ...]] = field(default_factory=dict)
    holidays: dict[str, str] = field(default_factory=dict)


def is_open(hours: Hours, now_ms: int) -> bool:
    """By the clock on the wall there; an hour that comes twice is open twice, one that is left out never."""
    local = _local(hours, now_ms)
    minute = local.hour * 60 + local.minute
    return any(span.from_min <= minute < span.until_min for span in spans_of(hours, local.date()))


def holiday_name(hours: Hours, now_ms: int) -> str:
    """The holiday that closes the place today; empty on other days, and where an exception says otherwise."""
    today = _local(hours, now_ms).date().isoformat()
    return "" if today in hours.exceptions else hours.holidays.get(today, "")


def spans_of(hours: Hours, day: date) -> tuple[Span, ...]:
    """When the place is open on that day: its exception, else nothing on a holiday, else as every week."""
    text = day.isoformat()
    if text in hours.exceptions:
        return hours.exceptions[text]
    return () if text in hours.holidays else hours.week[day.weekday()]


def next_open_ms(hours: Hours, now_ms: int) -> int | None:
    """The first moment from `now_ms` on at which it is open; None where it does not open within 400 days."""
    if is_open(hours, now_ms):
        return now_ms
    today = _local(hours, now_ms).date()
    for ahead in range(LOOK_AHEAD_DAYS):
        starts = (at for at in _starts(hours, today + timedelta(days=ahead)) if at > now_ms and is_open(hours, at))
        if (first := min(starts, default=None)) is not None:
            return first
    return None


def _starts(hours: Hours, day: date) -> Iterator[int]:
    """Every moment, ms UTC, at which a span of that day begins: two where the clock is put back over it."""
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - of the wall, which `replace` below makes known
    for span in spans_of(hours, day):
        wall = midnight + timedelta(minutes=span.from_min)
        for fold in (0, 1):
            yield round(wall.replace(tzinfo=ZoneInfo(hours.time_zone), fold=fold).timestamp() * 1000)


def _local(hours: Hours, now_ms: int) -> datetime:
    return datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(ZoneInfo(hours.time_zone))
