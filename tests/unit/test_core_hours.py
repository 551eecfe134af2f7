"""Opening hours by the clock on the wall, over the days when that clock is changed (ROUTE-12)."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.core.hours import Hours, Span, holiday_name, is_open, next_open_ms

BERLIN = "Europe/Berlin"
OFFICE = (Span(from_min=9 * 60, until_min=12 * 60), Span(from_min=13 * 60, until_min=17 * 60 + 30))
WEEK = (OFFICE,) * 5 + ((), ())


def hours(zone: str = BERLIN, **changes: object) -> Hours:
    return Hours(**{"id": "office", "time_zone": zone, "week": WEEK} | changes)  # type: ignore[arg-type]


def at(text: str, zone: str = BERLIN, fold: int = 0) -> int:
    """ms UTC of a time on the wall."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)


@pytest.mark.req("ROUTE-12")
@pytest.mark.parametrize(
    ("wall", "expected"),
    [
        ("2026-11-20T08:59", False),
        ("2026-11-20T09:00", True),
        ("2026-11-20T11:59", True),
        ("2026-11-20T12:00", False),
        ("2026-11-20T13:00", True),
        ("2026-11-20T17:29", True),
        ("2026-11-20T17:30", False),
        ("2026-11-21T10:00", False),
    ],
)
def test_a_place_is_open_by_its_own_wall(wall: str, expected: bool) -> None:
    assert is_open(hours(), at(wall)) is expected


@pytest.mark.req("ROUTE-12")
def test_the_same_moment_is_another_hour_elsewhere() -> None:
    moment = at("2026-11-20T09:30")
    assert is_open(hours(), moment)
    assert not is_open(hours("America/New_York"), moment)
    assert is_open(hours("Asia/Kolkata"), moment), "14:00 there"


@pytest.mark.req("ROUTE-12")
def test_a_day_of_summer_time_opens_at_the_same_hour_of_the_wall() -> None:
    """In Berlin the clock goes from UTC+1 to UTC+2 on 29 March 2026."""
    for day in ("2026-03-27", "2026-03-30"):
        assert next_open_ms(hours(), at(f"{day}T06:00")) == at(f"{day}T09:00")
    assert at("2026-03-30T09:00") - at("2026-03-27T09:00") == (3 * 24 - 1) * 3_600_000


@pytest.mark.req("ROUTE-12")
def test_a_holiday_is_closed_and_an_exception_goes_before_it() -> None:
    place = hours(
        holidays={"2026-12-25": "Christmas Day", "2026-12-24": "Christmas Eve"},
        exceptions={"2026-12-24": (Span(from_min=9 * 60, until_min=11 * 60),), "2026-12-28": ()},
    )
    assert not is_open(place, at("2026-12-25T10:00"))
    assert holiday_name(place, at("2026-12-25T10:00")) == "Christmas Day"
    assert is_open(place, at("2026-12-24T10:00"))
    assert not is_open(place, at("2026-12-24T11:00"))
    assert holiday_name(place, at("2026-12-24T10:00")) == "", "it is no holiday here"
    assert not is_open(place, at("2026-12-28T10:00"))
    assert next_open_ms(place, at("2026-12-24T11:00")) == at("2026-12-29T09:00"), "after the holiday, Sunday, and 28th"


@pytest.mark.req("ROUTE-12")
def test_what_is_open_until_midnight_is_open_through_it_with_the_next_day() -> None:
    place = hours(week=((Span(from_min=0, until_min=24 * 60),),) * 7)
    assert is_open(place, at("2026-11-20T23:59"))
    assert is_open(place, at("2026-11-21T00:00"))


@pytest.mark.req("ROUTE-12")
def test_an_hour_that_comes_twice_is_open_twice_and_one_that_is_left_out_never() -> None:
    night = hours(week=((Span(from_min=150, until_min=180),),) * 7)
    first, second = at("2026-10-25T02:30"), at("2026-10-25T02:30", fold=1)
    assert second - first == 3_600_000
    assert is_open(night, first)
    assert is_open(night, second)
    assert next_open_ms(night, first + 40 * 60_000) == second, "closed in between"
    left_out = at("2026-03-29T00:00")
    assert next_open_ms(night, left_out) == at("2026-03-30T02:30")


def test_a_place_that_never_opens_has_no_next_opening() -> None:
    assert next_open_ms(hours(week=((),) * 7), at("2026-11-20T10:00")) is None


MINUTES = st.integers(0, 24 * 60)
SPANS = st.tuples(MINUTES, MINUTES).filter(lambda m: m[0] < m[1]).map(lambda m: Span(from_min=m[0], until_min=m[1]))
ZONES = st.sampled_from(
    [BERLIN, "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]
)


@pytest.mark.req("ROUTE-12")
@given(
    week=st.tuples(*[st.lists(SPANS, max_size=2).map(tuple)] * 7),
    zone=ZONES,
    now=st.integers(
        round(datetime(2026, 1, 1, tzinfo=UTC).timestamp()), round(datetime(2027, 1, 1, tzinfo=UTC).timestamp())
    ),
)
def test_the_next_opening_is_open_and_the_minute_before_it_is_not(
    week: tuple[tuple[Span, ...], ...], zone: str, now: int
) -> None:
    place = hours(zone, week=week)
    opens = next_open_ms(place, now * 1000)
    if opens is None:
        assert not is_open(place, now * 1000)
        return
    assert is_open(place, opens)
    if opens > now * 1000:
        assert not is_open(place, now * 1000)
        # Lord Howe puts its clock by half an hour: whole minutes are always on the grid.
        assert not is_open(place, max(now * 1000, opens - 60_000))
