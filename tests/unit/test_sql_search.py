"""What the SQL side decides without a database: comparing names and numbers, cursors, merged rows, the package."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.core.config import Numbers
from routing.store.sql import history_tables as tables
from routing.store.sql import migrate
from routing.store.sql.ids import new_id
from routing.store.sql.rows import MAX_KEY, BadValue, Rows, clean
from routing.store.sql.search import lookup_number, name_key, same_numbers

HOME = Numbers(country="1")
GERMAN = Numbers(country="49", idd=("00",))


@pytest.mark.parametrize(
    ("text", "rules", "found"),
    [
        ("+1 (202) 555-0143", HOME, "+12025550143"),
        ("202.555.0143", HOME, "+12025550143"),
        ("12025550143", HOME, "+12025550143"),
        ("01112025550143", HOME, "+12025550143"),
        ("0012025550143", HOME, "+12025550143"),
        ("5550143", HOME, "5550143"),
        ("4711", HOME, "4711"),
        ("0301234567", GERMAN, "+49301234567"),
        ("0049301234567", GERMAN, "+49301234567"),
        ("2025550143", replace(HOME, country=""), "2025550143"),
        ("Anonymous ", HOME, "anonymous"),
        ("", HOME, ""),
    ],
)
def test_one_number_is_one_text_however_it_is_written(text: str, rules: Numbers, found: str) -> None:
    assert lookup_number(text, rules) == found
    assert lookup_number(found, rules) == found, "what was looked up once stays so"


@given(st.text(max_size=40), st.sampled_from([HOME, GERMAN, Numbers()]))
def test_a_number_is_among_its_own_forms(text: str, rules: Numbers) -> None:
    found = lookup_number(text, rules)
    assert not found or found in same_numbers(text, rules)


def test_names_are_compared_without_case_accents_and_spaces() -> None:
    assert name_key("  Émile   ZOLA ") == name_key("emile zola") == "emile zola"


@given(st.text())
def test_a_clean_text_can_be_written_and_is_clean(text: str) -> None:
    assert "\0" not in clean(text)
    assert clean(text).encode() == clean(clean(text)).encode()


def test_ids_sort_by_time_and_do_not_repeat() -> None:
    ids = [new_id("con", 1000 + n // 10) for n in range(1000)]
    assert len(set(ids)) == 1000
    assert sorted(ids, key=lambda id_: id_[:14]) == ids


@pytest.mark.parametrize("values", [{"id": 7}, {"id": "x", "joined_at_ms": "soon"}, {"id": "x", "joined_at_ms": 2**63}])
def test_a_value_that_does_not_fit_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(BadValue):
        Rows().put(tables.legs, tenant="a", **values)


def test_a_row_without_its_whole_key_is_refused() -> None:
    with pytest.raises(BadValue):
        Rows().put(tables.legs, tenant="a", id="")
    Rows().put(tables.legs, tenant="a", id="x" * 10 * MAX_KEY)


def test_the_migrations_are_in_the_package() -> None:
    """Run against the wheel as well."""
    assert migrate.head() == "0007"
