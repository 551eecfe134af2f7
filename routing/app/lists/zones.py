"""In which time zones a number may be, by its range (DIALER-03).

A range may lie in several zones: mobile and toll-free numbers in all of their country. Whoever dials must find the
calling window open in each of them, so of many those are kept that stand for the others, in every week of a year: the
most western and the most eastern one, and between them one every four hours. Where a window of up to 20 hours is open
in those, it is open in all; with the two ends alone it might be open in both, but on two different days.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import timezone
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

SEPARATOR = ","
_YEAR = 2026  # whose daylight-saving changes are looked at; rules change seldom, and the window itself asks them anew
_UNKNOWN = timezone.UNKNOWN_TIMEZONE
_MOST_KEPT = 65_536
_GAP = timedelta(hours=4)


@functools.lru_cache(maxsize=1024)
def is_zone(name: str) -> bool:
    """Whether it is an IANA zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return bool(name)


def zone_of(number: str) -> str:
    """Of `+country...`; several joined with `SEPARATOR`, empty where nothing is known."""
    if not number.startswith("+"):
        return ""
    digits = number[1:]
    code = country_code(digits)
    if not code:
        return ""
    if len(TIMEZONE_DATA.get(code, ())) == 1:
        return TIMEZONE_DATA[code][0]
    return _by_range(code, digits[: _decisive_digits(code)], len(digits))


def country_code(digits: str) -> str:
    """With which these digits of `+country...` begin; empty: there is no such country."""
    return _country_code(digits[:3])


@functools.lru_cache(maxsize=1024)
def _country_code(digits: str) -> str:
    return next((digits[:n] for n in (1, 2, 3) if int(digits[:n] or 0) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), "")


@functools.lru_cache(maxsize=512)
def _decisive_digits(code: str) -> int:
    """So many digits tell zone and type: the longest prefix of its zones, and four behind an area code of two."""
    longest = max((len(prefix) for prefix in TIMEZONE_DATA if prefix.startswith(code)), default=0)
    return max(longest, min(len(code) + 6, TIMEZONE_LONGEST_PREFIX))


@functools.lru_cache(maxsize=_MOST_KEPT)
def _by_range(code: str, first: str, length: int) -> str:
    """Of a number that begins so; the rest of it, which only a subscriber's line tells, is made up."""
    national = (first + "2345678901"[len(first) - length :] if len(first) < length else first)[len(code) :]
    number = phonenumbers.PhoneNumber(
        country_code=int(code), national_number=int(national or 0), italian_leading_zero=national.startswith("0")
    )
    found = [zone for zone in timezone.time_zones_for_number(number) if zone != _UNKNOWN]
    return SEPARATOR.join(bounding(found or TIMEZONE_DATA.get(code, ())))


def bounding(zones: Iterable[str]) -> tuple[str, ...]:
    """As few of them as stand for all, from west to east."""
    return _bounding(tuple(sorted({zone for zone in zones if is_zone(zone)})))


@functools.lru_cache(maxsize=1024)
def _bounding(zones: tuple[str, ...]) -> tuple[str, ...]:
    if len(zones) < 2:
        return zones
    weeks = [datetime(_YEAR, 1, 1, 12, tzinfo=UTC) + timedelta(weeks=week) for week in range(53)]
    needed: list[frozenset[str]] = []
    for at in weeks:
        offsets = {zone: at.astimezone(ZoneInfo(zone)).utcoffset() or timedelta() for zone in zones}
        wanted = _marks(sorted(set(offsets.values())))
        needed += [frozenset(zone for zone, offset in offsets.items() if offset == mark) for mark in wanted]
    frequent, kept = _frequency(), list[str]()
    while needed:
        counts = Counter(zone for alike in needed for zone in alike)
        best = max(sorted(counts), key=lambda zone: (counts[zone], frequent[zone]))
        kept.append(best)
        needed = [alike for alike in needed if best not in alike]
    return tuple(sorted(kept, key=lambda zone: (weeks[0].astimezone(ZoneInfo(zone)).utcoffset(), zone)))


def _marks(offsets: list[timedelta]) -> Iterator[timedelta]:
    """The first, the last, and between them as few as leave no gap of more than `_GAP` that need not be."""
    last = offsets[0]
    yield last
    while last != offsets[-1]:
        near = [offset for offset in offsets if last < offset <= last + _GAP]
        last = near[-1] if near else next(offset for offset in offsets if offset > last)
        yield last


@functools.cache
def _frequency() -> Counter[str]:
    """In how many ranges each zone comes: of zones that are alike the one that people know."""
    return Counter(zone for zones in TIMEZONE_DATA.values() for zone in zones)
