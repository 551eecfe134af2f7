"""Slots, hours and days: across midnight, daylight saving and odd offsets."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.core.intervals import (
    SLOT_MS,
    Bucket,
    BucketSize,
    average_ms,
    buckets,
    clipped_ms,
    local_begin,
    midnight_ms,
    occupancy,
    service_level,
    slot_of,
    slots,
)

HOUR_MS = 4 * SLOT_MS
ZONES = (
    "UTC",
    "America/New_York",
    "America/Santiago",
    "Africa/Cairo",
    "America/Havana",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Europe/London",
)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1000


def hours(bucket: Bucket) -> float:
    return (bucket.until_ms - bucket.from_ms) / HOUR_MS


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("America/New_York", "2026-11-02", 24),
        ("Europe/London", "2026-03-29", 23),
        ("Europe/London", "2026-10-25", 25),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("America/Santiago", "2026-09-06", 23),  # midnight itself is skipped
        ("America/Santiago", "2026-04-04", 25),  # the last hour before midnight comes twice
        ("America/Havana", "2026-11-01", 25),  # the hour after midnight comes twice
        ("Asia/Kathmandu", "2026-06-01", 24),
    ],
)
def test_a_day_is_as_long_as_it_is_there(zone: str, day: str, length: float) -> None:
    there = ZoneInfo(zone)
    year, month, number = map(int, day.split("-"))
    begin_ms = midnight_ms(year, month, number, there)
    (found,) = buckets(begin_ms, begin_ms + 1, BucketSize.DAY, there)
    assert (found.from_ms, hours(found)) == (begin_ms, length)
    assert local_begin(found.from_ms, there).startswith(day)
    assert local_begin(found.until_ms - 1000, there).startswith(day)


def test_an_hour_that_the_wall_shows_twice_is_two_and_a_skipped_one_is_none() -> None:
    there = ZoneInfo("America/New_York")
    begin_ms = midnight_ms(2026, 11, 1, there)
    found = buckets(begin_ms, begin_ms + 4 * HOUR_MS, BucketSize.HOUR, there)
    assert [local_begin(b.from_ms, there)[11:] for b in found] == [
        "00:00:00-04:00",
        "01:00:00-04:00",
        "01:00:00-05:00",
        "02:00:00-05:00",
    ]
    spring_ms = midnight_ms(2026, 3, 8, there)
    found = buckets(spring_ms, spring_ms + 3 * HOUR_MS, BucketSize.HOUR, there)
    assert [local_begin(b.from_ms, there)[11:16] for b in found] == ["00:00", "01:00", "03:00"]


def test_hours_of_a_zone_of_45_minutes_begin_on_its_own_full_hour() -> None:
    there = ZoneInfo("Asia/Kathmandu")
    found = buckets(at("2026-06-01T10:00:00+00:00"), at("2026-06-01T11:00:00+00:00"), BucketSize.HOUR, there)
    assert [local_begin(b.from_ms, there) for b in found] == ["2026-06-01T15:00:00+05:45", "2026-06-01T16:00:00+05:45"]
    assert {hours(b) for b in found} == {1}


def test_half_an_hour_of_daylight_saving_leaves_half_hours() -> None:
    there = ZoneInfo("Australia/Lord_Howe")
    begin_ms = midnight_ms(2026, 4, 5, there)
    found = buckets(begin_ms, begin_ms + 3 * HOUR_MS, BucketSize.HOUR, there)
    assert [(local_begin(b.from_ms, there)[11:], hours(b)) for b in found] == [
        ("00:00:00+11:00", 1),
        ("01:00:00+11:00", 1),
        ("01:30:00+10:30", 0.5),
        ("02:00:00+10:30", 1),
    ]


@given(
    zone=st.sampled_from(ZONES),
    size=st.sampled_from(BucketSize),
    from_ms=st.integers(at("2024-01-01T00:00:00+00:00"), at("2030-01-01T00:00:00+00:00")),
    length_ms=st.integers(1, 3 * 24 * HOUR_MS),
)
def test_buckets_hold_every_slot_once_and_whole(zone: str, size: BucketSize, from_ms: int, length_ms: int) -> None:
    found = buckets(from_ms, from_ms + length_ms, size, ZoneInfo(zone))
    assert found[0].from_ms <= from_ms
    assert found[-1].until_ms >= from_ms + length_ms
    assert all(one.until_ms == other.from_ms for one, other in itertools.pairwise(found))
    covered = [slot for b in found for slot in slots(b.from_ms, b.until_ms)]
    assert covered == list(range(found[0].from_ms, found[-1].until_ms, SLOT_MS))
    # Asked for one of its moments, a bucket is the same: none is cut by the span that was asked for.
    if size is not BucketSize.WHOLE:
        for bucket in found:
            assert buckets(bucket.until_ms - 1, bucket.until_ms, size, ZoneInfo(zone)) == (bucket,)


def test_no_span_has_no_bucket() -> None:
    assert buckets(5, 5, BucketSize.DAY, UTC) == ()


def test_a_span_has_the_slots_it_touches() -> None:
    assert list(slots(SLOT_MS - 1, SLOT_MS)) == [0]
    assert list(slots(SLOT_MS - 1, SLOT_MS + 1)) == [0, SLOT_MS]
    assert slot_of(SLOT_MS - 1) == 0


@given(
    begin_ms=st.integers(0, 10 * SLOT_MS),
    length_ms=st.integers(0, 5 * SLOT_MS),
)
def test_a_span_that_is_clipped_into_slots_loses_nothing(begin_ms: int, length_ms: int) -> None:
    end_ms = begin_ms + length_ms
    parts = [clipped_ms(begin_ms, end_ms, slot, slot + SLOT_MS) for slot in range(0, 20 * SLOT_MS, SLOT_MS)]
    assert sum(parts) == length_ms
    assert all(0 <= part <= SLOT_MS for part in parts)


@pytest.mark.req("ROUTE-13")
def test_formulas() -> None:
    assert service_level(8, 12, 2) == 80.0
    assert service_level(0, 2, 2) is None
    assert occupancy(45, 15) == 75.0
    assert occupancy(0, 0) is None
    assert average_ms(10, 4) == 2
    assert average_ms(0, 0) is None
