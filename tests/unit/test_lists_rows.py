"""Rows as contacts: columns by name, numbers made dialable, time zones, and why rows are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.app.lists.columns import Columns, MappingRefused, bound
from routing.app.lists.reading import Position, Row
from routing.app.lists.rows import Given, GivenNumber, Normalizer, Refused, Taken, dialable, given_cells, given_json
from routing.app.lists.spec import DuplicateKey, ImportKind, ImportSpec, Mapping, NumberColumn, spec_from, spec_to
from routing.app.lists.zones import bounding, zone_of
from routing.core import numbers
from routing.core.config import Numbers

HOME = Numbers(country="1")
END = Position(10, 2)
ONE = "+12015550101"


def number(text: str = ONE, **fields: str) -> GivenNumber:
    return GivenNumber(text, **fields)


def made(rules: Numbers = HOME, *, settings: dict[str, Any] | None = None, **fields: Any) -> Taken | Refused:
    normalizer = Normalizer(rules=rules, **(settings or {}))
    return normalizer(7, Given(**{"numbers": (number(),), **fields}))


def taken(**fields: Any) -> Taken:
    found = made(**fields)
    assert isinstance(found, Taken), found
    return found


def why(**fields: Any) -> tuple[str, str]:
    found = made(**fields)
    assert isinstance(found, Refused), found
    return found.reason.value, found.detail


# ------------------------------------------------------------------ columns


@pytest.mark.req("DIALER-02")
def test_columns_are_bound_by_name_whatever_their_case() -> None:
    mapping = Mapping(numbers=(NumberColumn(column="tel", kind="home"),), name="WHO", data=("City",))
    found = bound(["Tel ", "Who", "city", "rest"], mapping)
    assert found == Columns(count=4, numbers=((0, "home"),), name=1, data=(("City", 2),))


@pytest.mark.req("DIALER-02")
def test_usual_names_need_no_mapping() -> None:
    header = ["ID", "Full name", "Phone_Home", "mobile", "Number 2", "tz", "Priority", "call after", "Plan", ""]
    found = bound(header, Mapping())
    assert found.numbers == ((2, "home"), (3, "mobile"), (4, ""))
    assert (found.external_id, found.name, found.time_zone, found.priority, found.due) == (0, 1, 5, 6, 7)
    assert found.data == (("Plan", 8),)


@pytest.mark.req("DIALER-02")
@pytest.mark.parametrize(
    ("header", "mapping"),
    [
        (["name", "city"], Mapping()),
        (["phone"], Mapping(name="who", numbers=(NumberColumn(column="phone"),))),
        (["phone", "Phone "], Mapping(numbers=(NumberColumn(column="phone"),))),
        (["phone", "x", "x"], Mapping()),
        (["phone", "y" * 129], Mapping()),
        (["phone", *(f"c{n}" for n in range(65))], Mapping()),
        ([f"phone {n}" for n in range(10)] + ["mobile"], Mapping()),
        ([], Mapping()),
    ],
)
def test_columns_that_do_not_fit_are_refused(header: list[str], mapping: Mapping) -> None:
    with pytest.raises(MappingRefused):
        bound(header, mapping)


def test_a_do_not_call_list_has_numbers_and_notes_alone() -> None:
    found = bound(["number", "name", "tz", "reason"], Mapping(), ImportKind.DO_NOT_CALL)
    assert found == Columns(count=4, numbers=((0, ""),), note=3)


def test_how_a_file_is_read_is_kept_as_json() -> None:
    spec = ImportSpec(mapping=Mapping(numbers=(NumberColumn(column="a"),), data=("b",)), key=DuplicateKey.BOTH)
    assert spec_from(spec_to(spec)) == spec


# ------------------------------------------------------------------ rows


def test_short_rows_are_filled_and_long_ones_refused_unless_their_rest_is_empty() -> None:
    read = given_cells(bound(["phone", "name", "city"], Mapping()))
    short = read(Row(2, END, [ONE]))
    assert short == Given(numbers=(number(),))
    assert read(Row(2, END, [ONE, "Ann", "", "", " "])) == Given(numbers=(number(),), name="Ann")
    long = read(Row(2, END, [ONE, "Ann", "Rome", "Italy"]))
    assert isinstance(long, Refused)
    assert long.reason == "ragged"


def test_json_rows_are_checked() -> None:
    assert given_json(Row(1, END, (f'{{"numbers": [{{"number": "{ONE}"}}], "priority": 3}}',))) == Given(
        numbers=(number(),), priority=3
    )
    for text in ("{", "[]", '{"numbers": "x"}', '{"other": 1}', '{"numbers": [], "data": {"a": 1}}'):
        found = given_json(Row(1, END, (text,)))
        assert isinstance(found, Refused)
        assert found.reason == "not_json"
    assert isinstance(given_json(Row(1, END, ('{"name": "a\\u0000"}',))), Refused)


@pytest.mark.req("DIALER-02")
@pytest.mark.parametrize(
    ("written", "rules", "dialed"),
    [
        ("+1 (201) 555-0101", HOME, ONE),
        ("201.555.0101", HOME, ONE),
        ("1-201-555-0101", HOME, ONE),
        ("011 44 20 7946 0123", HOME, "+442079460123"),
        ("020 7946 0123", Numbers(country="44"), "+442079460123"),
        ("0044 20 7946 0123", Numbers(country="44"), "+442079460123"),
        ("2015550101", Numbers(), "2015550101"),
        ("201555010", HOME, ""),
        ("+120155501012", HOME, ""),
        ("+999123456789", HOME, ""),
        ("112", HOME, ""),
        ("*82 2015550101", HOME, ""),
        ("call me", HOME, ""),
        ("=2015550101", HOME, ONE),
        ("٢٠١٥٥٥٠١٠١", HOME, ""),
        ("1" * 200, HOME, ""),
        ("", HOME, ""),
    ],
)
def test_numbers_are_made_dialable_by_the_tenants_rules_or_are_none(written: str, rules: Numbers, dialed: str) -> None:
    assert dialable(written, rules) == dialed


@given(st.text(max_size=40), st.sampled_from(["", "1", "44", "49"]))
def test_whatever_is_taken_for_a_number_may_be_dialed(written: str, country: str) -> None:
    rules = Numbers(country=country)
    if found := dialable(written, rules):
        numbers.require_telephone(numbers.parse(found, rules))
        assert dialable(found, rules) == found


@pytest.mark.req("DIALER-02")
def test_a_number_that_cannot_be_dialed_is_left_out_and_told_where_another_one_can() -> None:
    found = taken(numbers=(number("12"), number(kind="home"), number("(201) 555-0101"), number("  ")))
    assert [n.number for n in found.contact.numbers] == [ONE]
    assert [(dropped.line, dropped.reason, dropped.detail) for dropped in found.dropped] == [
        (7, "number_invalid", "12")
    ]


@pytest.mark.req("DIALER-02")
def test_reasons_are_stable_words() -> None:
    assert why(numbers=()) == ("number_missing", "")
    assert why(numbers=(number("12"),)) == ("number_invalid", "12")
    assert why(time_zone="Mars/Olympus") == ("time_zone_unknown", "Mars/Olympus")
    assert why(priority="high") == ("priority_invalid", "high")
    assert why(priority="0") == ("priority_invalid", "0")
    assert why(order="-1") == ("order_invalid", "-1")
    assert why(due="tomorrow") == ("due_invalid", "tomorrow")
    assert why(name="x" * 257)[0] == "too_large"
    assert why(data={"a": "x" * 1025}) == ("too_large", "a")
    assert why(settings={"key": DuplicateKey.EXTERNAL_ID}) == ("external_id_missing", "")


def test_a_due_time_without_offset_is_by_the_contacts_own_clock() -> None:
    winter = datetime(2027, 1, 15, 9, tzinfo=ZoneInfo("America/Denver"))
    assert taken(due="2027-01-15T09:00", time_zone="America/Denver").contact.due_ms == winter.timestamp() * 1000
    assert taken(due="2027-01-15T16:00:00Z", time_zone="America/Denver").contact.due_ms == winter.timestamp() * 1000
    assert taken().contact.due_ms == 0


# ------------------------------------------------------------------ time zones


@pytest.mark.req("DIALER-03")
def test_the_first_that_says_a_zone_is_believed_and_named() -> None:
    settings = {"list_zone": "America/Chicago", "campaign_zone": "Asia/Tokyo"}
    cases: list[tuple[dict[str, Any], tuple[str, str]]] = [
        ({"time_zone": "America/Denver", "settings": settings}, ("America/Denver", "contact")),
        ({"settings": settings}, ("America/Chicago", "list")),
        ({"settings": {"campaign_zone": "Asia/Tokyo"}}, ("America/New_York", "number")),
        (
            {"numbers": (number("5550101"),), "rules": Numbers(), "settings": {"campaign_zone": "Asia/Tokyo"}},
            ("Asia/Tokyo", "campaign"),
        ),
        ({"numbers": (number("5550101"),), "rules": Numbers()}, ("", "")),
    ]
    for fields, expected in cases:
        (found,) = taken(**fields).contact.numbers
        assert (found.zone, found.zone_source) == expected
    both = taken(numbers=(number(), number("+442079460123", time_zone="Europe/Paris")), time_zone="").contact.numbers
    assert [(n.zone, n.zone_source) for n in both] == [("America/New_York", "number"), ("Europe/Paris", "contact")]


@pytest.mark.req("DIALER-03")
@pytest.mark.parametrize(
    ("dialed", "zone"),
    [
        ("+12015550101", "America/New_York"),
        ("+442079460123", "Europe/London"),
        ("+447700900123", "Europe/London"),
        ("+61255501234", "Australia/Sydney"),
        ("+999123456789", ""),
        ("2015550101", ""),
        ("+", ""),
    ],
)
def test_a_range_tells_the_zone(dialed: str, zone: str) -> None:
    assert zone_of(dialed) == zone


def open_everywhere(zones: tuple[str, ...], at: datetime) -> bool:
    return all(8 <= at.astimezone(ZoneInfo(zone)).hour < 21 for zone in zones)


@pytest.mark.req("DIALER-03")
@pytest.mark.parametrize("code", ["1", "7", "52", "55", "61", "62", "34", "351", "44"])
def test_where_the_window_is_open_in_the_zones_that_are_kept_it_is_open_in_all_of_them(code: str) -> None:
    """Every half hour of days in all seasons, with the legal window; the ends of a wide range alone are not enough."""
    from phonenumbers.tzdata import TIMEZONE_DATA

    everyone = TIMEZONE_DATA[code]
    kept = bounding(everyone)
    assert len(kept) <= min(6, len(everyone))
    for week in range(0, 52, 2):
        day = datetime(2027, 1, 4, tzinfo=UTC) + timedelta(weeks=week)
        for half in range(48):
            at = day + timedelta(minutes=30 * half)
            assert open_everywhere(kept, at) == open_everywhere(everyone, at), at
