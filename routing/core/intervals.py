"""Quarters of an hour in UTC, and the hours and days of a time zone that they make up; the formulas of reports.

Every zone of today differs from UTC by whole quarters (+05:45, Lord Howe's half hour of daylight saving), so hours and
days of any zone are whole slots. `zoneinfo` is the standard library's, and the zone is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from itertools import groupby
from zoneinfo import ZoneInfo

SLOT_MS = 15 * 60 * 1000


class BucketSize(StrEnum):
    """WHOLE: the span that was asked for, as one."""

    SLOT = "15min"
    HOUR = "hour"
    DAY = "day"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """From `from_ms` until before `until_ms`, both at the edge of a slot. A day may have 23 or 25 hours, an hour 30
    minutes.
    """

    from_ms: int
    until_ms: int


def slot_of(at_ms: int) -> int:
    """The begin of the slot that holds this time."""
    return at_ms - at_ms % SLOT_MS


def slots(from_ms: int, until_ms: int) -> range:
    """Begins of the slots that hold the times from `from_ms` until before `until_ms`."""
    return range(slot_of(from_ms), until_ms, SLOT_MS)


def clipped_ms(begin_ms: int, end_ms: int, from_ms: int, until_ms: int) -> int:
    """How much of the span from `begin_ms` to `end_ms` lies between the other two times."""
    return max(0, min(end_ms, until_ms) - max(begin_ms, from_ms))


def buckets(from_ms: int, until_ms: int, size: BucketSize, zone: tzinfo) -> tuple[Bucket, ...]:
    """The buckets that hold the times from `from_ms` until before `until_ms`, in order, each of them whole.

    An hour that the clock on the wall shows twice is two buckets, one that it skips is none.
    """
    if until_ms <= from_ms:
        return ()
    if size is BucketSize.WHOLE:
        return (Bucket(from_ms=slot_of(from_ms), until_ms=slots(from_ms, until_ms)[-1] + SLOT_MS),)
    begin_ms = _edge(slot_of(from_ms), size, zone, -SLOT_MS)
    last_ms = _edge(slots(from_ms, until_ms)[-1], size, zone, SLOT_MS)
    grouped = groupby(range(begin_ms, last_ms + SLOT_MS, SLOT_MS), lambda slot_ms: _name(slot_ms, size, zone))
    found = [list(members) for _name, members in grouped]
    return tuple(Bucket(from_ms=members[0], until_ms=members[-1] + SLOT_MS) for members in found)


def _edge(slot_ms: int, size: BucketSize, zone: tzinfo, step_ms: int) -> int:
    """The slot furthest in that direction that is still in the same bucket."""
    name = _name(slot_ms, size, zone)
    while _name(slot_ms + step_ms, size, zone) == name:
        slot_ms += step_ms
    return slot_ms


def _name(slot_ms: int, size: BucketSize, zone: tzinfo) -> tuple[object, ...]:
    """What all slots of a bucket have in common, and their neighbors have not."""
    if size is BucketSize.SLOT:
        return (slot_ms,)
    wall = datetime.fromtimestamp(slot_ms // 1000, zone)
    return (wall.date(),) if size is BucketSize.DAY else (wall.date(), wall.hour, wall.utcoffset())


def midnight_ms(year: int, month: int, day: int, zone: ZoneInfo) -> int:
    """When that day begins there: where the clock is put forward at midnight, with the first moment after it."""
    begin = datetime(year, month, day, tzinfo=zone)
    return int(begin.timestamp()) * 1000


def local_begin(at_ms: int, zone: tzinfo) -> str:
    """`2026-11-21T09:00:00-05:00`: a time as the wall there shows it."""
    return datetime.fromtimestamp(at_ms / 1000, zone).isoformat(timespec="seconds")


def service_level(answered_within: int, offered: int, short_abandoned: int) -> float | None:
    """Percent of the calls that were answered in time; None: there was none that counts.

    answered within y / (offered - short abandons). Of `offered` leave out who still waits.
    """
    counted = offered - short_abandoned
    return round(100 * answered_within / counted, 2) if counted > 0 else None


def occupancy(handling_ms: int, ready_ms: int) -> float | None:
    """Percent of the time in which agents could work that they spent on calls; None: nobody could.

    handling / (handling + ready); ready: available, or being rung.
    """
    able_ms = handling_ms + ready_ms
    return round(100 * handling_ms / able_ms, 2) if able_ms > 0 else None


def average_ms(total_ms: int, count: int) -> int | None:
    return round(total_ms / count) if count else None
