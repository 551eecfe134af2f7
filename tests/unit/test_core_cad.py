"""CAD values: typing, limits, order on the form, masking."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.core import cad
from routing.core.declarations import CadType, CadVariable

ASTRAL = "\N{GRINNING FACE}"


def variable(type_: CadType = CadType.STRING, name: str = "v") -> CadVariable:
    return CadVariable(name=name, label=name, type=type_)


@pytest.mark.req("CAD-08")
@pytest.mark.parametrize("letter", ["a", "ü", ASTRAL, "e\N{COMBINING ACUTE ACCENT}"])
def test_256_characters_are_accepted_and_257_refused_with_the_limit_named(letter: str) -> None:
    assert cad.canonical(variable(), letter * 256)
    with pytest.raises(ValueError, match="257 characters, at most 256"):
        cad.canonical(variable(), letter * 257)


@pytest.mark.req("CAD-08")
def test_the_stored_form_of_a_value_is_no_longer_than_a_value_may_be() -> None:
    with pytest.raises(ValueError, match="257 characters, at most 256"):
        cad.canonical(variable(CadType.DECIMAL), "." + "1" * 255)


@pytest.mark.req("CAD-10")
@pytest.mark.parametrize(
    ("type_", "text"),
    [
        (CadType.DATE, "2026-11-21"),
        (CadType.DATE, "20261121"),
        (CadType.DATETIME, "2026-11-21T14:30"),
        (CadType.DATETIME, "2026-11-21T14:30:00Z"),
        (CadType.DATETIME, "2026-11-21T14:30:00.250+01:00"),
        (CadType.DATETIME, "20261121T143000Z"),
    ],
)
def test_iso_8601_dates_are_accepted(type_: CadType, text: str) -> None:
    assert cad.canonical(variable(type_), text).startswith("2026-11-21")


@pytest.mark.req("CAD-10")
@pytest.mark.parametrize(
    ("type_", "text"),
    [
        (CadType.DATE, "21.11.2026"),
        (CadType.DATE, "11/21/2026"),
        (CadType.DATE, "2026-13-01"),
        (CadType.DATE, "2026-02-30"),
        (CadType.DATE, "2026-11-21T10:00"),
        (CadType.DATE, "tomorrow"),
        (CadType.DATETIME, "2026-11-21 14:30"),
        (CadType.DATETIME, "2026-11-21x14:30"),
        (CadType.DATETIME, "2026-11-21T25:00"),
        (CadType.DATETIME, "2026-11-21"),
        (CadType.DATETIME, "1795222348"),
    ],
)
def test_everything_else_is_no_date(type_: CadType, text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        cad.canonical(variable(type_), text)


@pytest.mark.req("CAD-05", "CAD-10")
@pytest.mark.parametrize(
    ("type_", "text"),
    [
        (CadType.DATE, "19870642"),
        (CadType.DATETIME, "1987-06-05T04:77"),
        (CadType.DATETIME, "1987-06-05T04:03+2776"),
        (CadType.DECIMAL, "1987-06-05"),
        (CadType.INTEGER, "1987-06-05"),
    ],
)
def test_a_refusal_repeats_nothing_of_the_value_which_may_be_secure(type_: CadType, text: str) -> None:
    with pytest.raises(ValueError, match=r".+") as refused:
        cad.canonical(variable(type_), text)
    said = str(refused.value).partition(" such as ")[0]
    assert not any(c.isdigit() for c in said.replace("8601", "").replace("18 digits", ""))


@pytest.mark.parametrize(
    ("type_", "text", "stored"),
    [
        (CadType.INTEGER, "+0042", "42"),
        (CadType.INTEGER, "-7", "-7"),
        (CadType.DECIMAL, "12.50", "12.50"),
        (CadType.BOOLEAN, "Yes", "true"),
        (CadType.BOOLEAN, "0", "false"),
        (CadType.INTEGER, "", ""),
    ],
)
def test_values_are_stored_in_one_form(type_: CadType, text: str, stored: str) -> None:
    assert cad.canonical(variable(type_), text) == stored


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        (CadType.INTEGER, "4.2"),
        (CadType.INTEGER, "\N{ARABIC-INDIC DIGIT FOUR}"),
        (CadType.INTEGER, "9" * 19),
        (CadType.DECIMAL, "NaN"),
        (CadType.DECIMAL, "twelve"),
        (CadType.BOOLEAN, "maybe"),
    ],
)
def test_values_of_another_type_are_refused(type_: CadType, text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        cad.canonical(variable(type_), text)


@given(st.sampled_from(CadType), st.text(max_size=300))
def test_any_text_is_either_stored_in_a_stable_form_or_refused(type_: CadType, text: str) -> None:
    try:
        stored = cad.canonical(variable(type_), text)
    except ValueError:
        return
    assert len(stored) <= 320
    assert cad.canonical(variable(type_), stored) == stored


@pytest.mark.req("CAD-03")
def test_the_first_30_shown_variables_in_configured_order_are_on_the_form() -> None:
    declared = {f"v{n}": CadVariable(name=f"v{n}", label="", order=100 - n, shown=n != 99) for n in range(100)}
    names = [v.name for v in cad.shown(declared)]
    assert len(names) == 30
    assert names[0] == "v98"
    assert names == [f"v{n}" for n in range(98, 68, -1)]


@pytest.mark.req("CAD-05")
def test_secure_and_undeclared_values_are_masked() -> None:
    declared = {"a": variable(name="a"), "s": CadVariable(name="s", label="", secure=True)}
    assert cad.masked(declared, {"a": "1", "s": "2", "x": "3"}) == {"a": "1", "s": cad.MASK, "x": cad.MASK}
    rows = cad.form(declared.values(), {"a": "1", "s": "2"})
    assert [(row["secure"], row["value"]) for row in rows] == [(False, "1"), (True, cad.MASK)]


def test_a_hand_over_keeps_what_fits_and_reports_the_rest() -> None:
    declared = {"n": variable(CadType.INTEGER, "n"), "t": variable(name="t")}
    values, refused = cad.take_over(declared, {"n": "x", "t": "\r\n,&{}|\"'" + ASTRAL, "other": "1"})
    assert values == {"t": "\r\n,&{}|\"'" + ASTRAL}
    assert set(refused) == {"n", "other"}
