"""Counts of the running day and the running quarter of an hour, of a queue and of an agent (ROUTE-13), as values.

They change with every call, so they are one flat row of numbers each: what a step costs is what it adds up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from routing.core.intervals import SLOT_MS, midnight_ms, slot_of


class Count(IntEnum):
    """Of a queue: its callers by how their stay ended; who still waits is counted where he is (`Stay`).

    Of an agent: his offers (`OFFERED`), and his time in states, where `READY_MS` is available or being rung.
    """

    OFFERED = 0
    ANSWERED = 1
    ANSWERED_WITHIN = 2
    ABANDONED = 3
    SHORT_ABANDONED = 4
    LET_GO = 5
    ANSWER_WAIT_MS = 6
    LONGEST_WAIT_MS = 7
    MISSED = 8
    HANDLED = 9
    TALK_MS = 10
    HOLD_MS = 11
    WRAP_UP_MS = 12
    READY_MS = 13


class Place(IntEnum):
    """Where things are in a row. The times of day and quarter, the counts of either, and what is known besides.

    Of a queue, what was learned: sums in which what is older counts less and less, so that they follow the day.
    `BUSY_MS`: of agents with those `HANDLED` calls, ring, hold and wrap-up included. `ABANDONED`: among callers who
    have waited `WAITED_MS` together. Of an agent: the count in which his time runs (-1: none), and since when.
    """

    DAY_BEGUN_MS = 0
    DAY_UNTIL_MS = 1
    QUARTER_BEGUN_MS = 2
    QUARTER_UNTIL_MS = 3
    DAY = 4
    QUARTER = 18
    HANDLED = 32
    BUSY_MS = 33
    ABANDONED = 34
    WAITED_MS = 35
    DOING = 32
    SINCE_MS = 33


_P = Place
# Plain numbers: looking up members of an enumeration costs more than adding.
_DAY_BEGUN, _DAY_UNTIL, _QUARTER_BEGUN, _QUARTER_UNTIL, _DAY, _QUARTER, _END = map(
    int,
    (_P.DAY_BEGUN_MS, _P.DAY_UNTIL_MS, _P.QUARTER_BEGUN_MS, _P.QUARTER_UNTIL_MS, _P.DAY, _P.QUARTER, _P.HANDLED),
)
_COUNTS = len(Count)
_LENGTH = 36
_NONE = [0] * _COUNTS
NOTHING = -1  # in DOING


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of a queue or an agent: a number per `Place`, and behind `DAY` and `QUARTER` one per `Count`."""

    row: tuple[int | float, ...]

    def at(self, place: Place) -> float:
        return self.row[place]

    def day(self, now_ms: int) -> tuple[int, ...]:
        """Counts of the day; none when another one has begun."""
        return self._counts(_P.DAY, is_over=now_ms >= self.row[_P.DAY_UNTIL_MS])

    def quarter(self, now_ms: int) -> tuple[int, ...]:
        return self._counts(_P.QUARTER, is_over=now_ms >= self.row[_P.QUARTER_UNTIL_MS])

    def _counts(self, first: Place, *, is_over: bool) -> tuple[int, ...]:
        found = _NONE if is_over else self.row[first : first + _COUNTS]
        return tuple(int(number) for number in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A caller's stay in a queue and the call that came of it. `owned_at_ms`: since when it is the call of its agent;
    `held_ms`: its hold before that. `told`: what the caller's leg was last marked with.
    """

    queue: str
    begun_at_ms: int
    is_open: bool = True
    owned_at_ms: int = 0
    held_ms: int = 0
    told: str = ""


Figure = Figures | Stay
QUEUE, AGENT, STAY = "queue:", "agent:", "stay:"  # keys begin so, and go on with the id
FIGURE_OF: dict[str, type[Figure]] = {QUEUE: Figures, AGENT: Figures, STAY: Stay}


class Sheet:
    """A row that is being added to."""

    __slots__ = ("row",)

    def __init__(self, figures: Figures | None, now_ms: int, time_zone: str) -> None:
        """With new days and quarters in the place of those that are over."""
        row: list[int | float] = list(figures.row) if figures else [0] * _LENGTH
        if now_ms >= row[_DAY_UNTIL]:
            row[_DAY_BEGUN], row[_DAY_UNTIL] = day_at(now_ms, time_zone)
            row[_DAY:_QUARTER] = _NONE
        if now_ms >= row[_QUARTER_UNTIL]:
            row[_QUARTER_BEGUN] = slot_of(now_ms)
            row[_QUARTER_UNTIL] = row[_QUARTER_BEGUN] + SLOT_MS
            row[_QUARTER:_END] = _NONE
        self.row = row

    def add(self, count: Count, number: int, at_ms: int) -> None:
        """Counts what belongs to `at_ms`."""
        row = self.row
        if at_ms >= row[_QUARTER_BEGUN]:
            row[_QUARTER + count] += number
            row[_DAY + count] += number
        elif at_ms >= row[_DAY_BEGUN]:
            row[_DAY + count] += number

    def longest(self, count: Count, span_ms: int, at_ms: int) -> None:
        row = self.row
        if at_ms >= row[_DAY_BEGUN]:
            row[_DAY + count] = max(row[_DAY + count], span_ms)
        if at_ms >= row[_QUARTER_BEGUN]:
            row[_QUARTER + count] = max(row[_QUARTER + count], span_ms)

    def add_span(self, count: int, begin_ms: int, end_ms: int) -> None:
        """As much of it as lies in the day and in the quarter; it ends now."""
        row = self.row
        row[_DAY + count] += max(0, end_ms - max(begin_ms, int(row[_DAY_BEGUN])))
        row[_QUARTER + count] += max(0, end_ms - max(begin_ms, int(row[_QUARTER_BEGUN])))

    def figures(self) -> Figures:
        return Figures(row=tuple(self.row))


def new_agent(now_ms: int, time_zone: str) -> Figures:
    """Of one who is away."""
    sheet = Sheet(None, now_ms, time_zone)
    sheet.row[_P.DOING] = NOTHING
    return sheet.figures()


def day_at(now_ms: int, time_zone: str) -> tuple[int, int]:
    """Begin and end of the running day in that zone; UTC where it is unknown here."""
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    today = datetime.fromtimestamp(now_ms // 1000, UTC).astimezone(zone).date()
    after = today + timedelta(days=1)
    return midnight_ms(today.year, today.month, today.day, zone), midnight_ms(after.year, after.month, after.day, zone)


def summed(rows: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """Counts of several members together; of waits the longest."""
    total = list(_NONE)
    for row in rows:
        longest = max(total[Count.LONGEST_WAIT_MS], row[Count.LONGEST_WAIT_MS])
        total = [one + other for one, other in zip(total, row, strict=True)]
        total[Count.LONGEST_WAIT_MS] = longest
    return tuple(total)
