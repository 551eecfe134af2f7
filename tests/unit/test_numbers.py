"""Dial numbers: stripped, counted, recognized, allowed or refused by a named rule, and rendered for a trunk."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.core.config import Numbers
from routing.core.dial_rights import DialRights
from routing.core.errors import NumberRefused
from routing.core.numbers import (
    MAX_CHARACTERS,
    DialNumber,
    NumberForm,
    NumberRule,
    all_readings,
    digits_of,
    is_abroad,
    parse,
    permit,
    refuse_entry_point,
    render,
    sanitize,
)

RULES = Numbers()
HOME_1 = Numbers(country="1")
R, F = NumberRule, NumberForm


def broken(text: str, rules: Numbers = RULES, *, is_outdial: bool = False) -> str:
    with pytest.raises(NumberRefused) as caught:
        parse(text, rules, is_outdial=is_outdial)
    return str(caught.value.fields["rule"])


def barred(text: str, rights: DialRights, rules: Numbers = HOME_1) -> str:
    """The rule of the profile that bars it, empty when it may be dialed."""
    try:
        permit(parse(text, rules), rights, rules)
    except NumberRefused as error:
        return str(error.fields["rule"])
    return ""


@pytest.mark.req("DIAL-01", "DIAL-02")
@pytest.mark.parametrize(
    ("pasted", "clean"),
    [
        ("+1 (201) 553-2447", "+12015532447"),
        ("+1.201.553.2447", "+12015532447"),
        (" 201/553 2447\n", "2015532447"),
        ("*72#100:2", "*72#100:2"),
        ("1,2;3|4&5{6}7\r\n8", "12345678"),
        ("\u202a+49\u00a030\u2009901820\u202c", "+4930901820"),
        ("'\"<>\\$()`!%^=~@_?[]", ""),
    ],
)
def test_other_special_characters_are_stripped_and_the_supported_ones_kept(pasted: str, clean: str) -> None:
    assert sanitize(pasted) == clean


@pytest.mark.req("DIAL-10")
@pytest.mark.parametrize(
    "name", ["Anna", "1-800-FLOWERS", "+1201x12", "Zoë 12345", "\u0661\u0662\u0663\u0664", "12²34"]
)
def test_a_text_with_letters_or_other_scripts_is_a_name_and_not_a_number(name: str) -> None:
    assert broken(name) == R.NAME


@pytest.mark.req("DIAL-10")
@pytest.mark.parametrize("empty", ["", "   ", "()-", "+", "#*:", "+ * #"])
def test_a_text_without_digits_is_refused(empty: str) -> None:
    assert broken(empty) == R.NO_DIGITS


@pytest.mark.req("DIAL-04", "DIAL-05", "A1")
@pytest.mark.parametrize("special", ["{}", "+{}", "*{}#", "#:*{}::"])
@pytest.mark.parametrize(
    ("digits", "max_digits", "rule"),
    [(1, 14, R.TOO_SHORT), (2, 14, R.TOO_SHORT), (3, 14, ""), (14, 14, ""), (15, 14, R.TOO_LONG), (15, 15, "")],
)
def test_digits_are_counted_and_special_characters_are_not(
    special: str, digits: int, max_digits: int, rule: str
) -> None:
    text, rules = special.format("2345678901234567"[:digits]), Numbers(max_digits=max_digits)
    if rule:
        assert broken(text, rules) == rule
    else:
        assert parse(text, rules).text == text


@pytest.mark.req("DIAL-06")
def test_no_mass_of_special_characters_gets_through() -> None:
    assert parse("*" * (MAX_CHARACTERS - 3) + "123", RULES).text.endswith("123")
    assert broken("*" * (MAX_CHARACTERS - 2) + "123") == R.TOO_LONG
    assert broken("(" * 200 + "12345") == R.TOO_LONG


@pytest.mark.req("DIAL-06")
@pytest.mark.parametrize("text", ["12+345", "++12345", "*+12345"])
def test_a_plus_only_comes_first(text: str) -> None:
    assert broken(text) == R.PLUS_INSIDE


@pytest.mark.req("DIAL-07", "DIAL-08", "DIAL-09", "A3")
@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("+12015532447", F.US),
        ("+11234567890", F.E164),  # no area begins with 1
        ("+12011532447", F.E164),  # no exchange either
        ("+49301234", F.E164),
        ("+4930123", F.PLAIN),  # 7 digits
        ("+442079460000", F.E164),
        ("+0123456789", F.PLAIN),  # no country begins with 0
        ("01161123456789", F.IDD),
        ("00442079460000", F.IDD),
        ("0114420", F.PLAIN),
        ("01101234567", F.PLAIN),
        ("+4420794#1000", F.PLAIN),
        ("100", F.PLAIN),
        ("2015532447", F.PLAIN),
    ],
)
def test_the_result_says_which_form_matched(text: str, form: NumberForm) -> None:
    assert parse(text, RULES).form is form


@pytest.mark.req("DIAL-08", "A1", "A3")
def test_e164_ends_where_the_configured_length_ends() -> None:
    assert parse("+12345678901234", RULES).form is F.E164
    assert broken("+123456789012345") == R.TOO_LONG
    assert parse("+123456789012345", Numbers(max_digits=15)).form is F.E164


@pytest.mark.req("DIAL-09", "A3")
def test_the_idd_prefix_is_the_configured_one() -> None:
    assert parse("01161123456789", Numbers(idd=("00",))).form is F.PLAIN
    assert parse("81061123456789", Numbers(idd=("810",))).form is F.IDD


@pytest.mark.req("A2")
def test_an_outdial_demands_an_external_form_and_a_transfer_does_not() -> None:
    assert parse("100", RULES).form is F.PLAIN
    assert broken("100", is_outdial=True) == R.NOT_EXTERNAL
    for external in ("+12015532447", "+442079460000", "01161123456789"):
        assert parse(external, RULES, is_outdial=True).text == external


@pytest.mark.req("SAFE-04")
def test_nothing_is_allowed_that_no_prefix_allows() -> None:
    for text in ("100", "+12015532447", "*721", "01161123456789"):
        assert barred(text, DialRights()) == R.NOT_ALLOWED
        assert barred(text, DialRights(allowed=("9", "+7"), international=True, premium=True)) == R.NOT_ALLOWED
    assert barred("+12015532447", DialRights(allowed=("+1201",))) == ""
    assert barred("*72100", DialRights(allowed=("7",))) == R.NOT_ALLOWED, "a service code needs its own prefix"


@pytest.mark.req("SAFE-04")
@pytest.mark.parametrize("text", ["+442079460000", "011442079460000"[:14], "0044207946000", "0*11442079460"])
def test_international_numbers_are_off_by_default_in_whatever_way_they_are_written(text: str) -> None:
    rights = DialRights(allowed=("+", "0"))
    assert barred(text, rights) == R.INTERNATIONAL
    assert barred(text, replace(rights, international=True)) == ""


@pytest.mark.req("SAFE-04")
def test_the_home_country_is_not_abroad_and_without_one_everything_with_a_plus_is() -> None:
    rights = DialRights(allowed=("+",))
    assert barred("+12015532447", rights) == ""
    assert barred("01112015532447", rights) == ""
    assert barred("+12015532447", rights, RULES) == R.INTERNATIONAL
    assert not is_abroad("2015532447", RULES)


@pytest.mark.req("SAFE-04")
@pytest.mark.parametrize(
    "text",
    ["+19005550100", "01119005550100", "9005550100", "09005550100", "19005550100", "+1*9005550100", "9:005550100"],
)
def test_premium_ranges_are_off_by_default_in_whatever_way_they_are_written(text: str) -> None:
    rights = DialRights(allowed=("+", "0", "1", "9"), international=True)
    assert barred(text, rights) == R.PREMIUM
    assert barred(text, replace(rights, premium=True)) == ""


@pytest.mark.req("SAFE-04")
def test_denied_goes_before_allowed_and_lengths_are_kept() -> None:
    rights = DialRights(allowed=("+1",), denied=("+1201",), min_digits=8, max_digits=11)
    assert barred("+12015532447", rights) == R.DENIED
    assert barred("01112015532447", rights) == R.DENIED
    assert barred("+12125532447", rights) == ""
    assert barred("+1212553", rights) == R.PROFILE_LENGTH
    assert barred("+121255324471", rights) == R.PROFILE_LENGTH


@pytest.mark.req("DIAL-11", "CONS-02")
@pytest.mark.parametrize(
    ("text", "is_same"),
    [
        ("+12015550100", True),
        ("12015550100", True),
        ("01112015550100", True),
        ("2015550100", True),
        ("7001", True),
        ("70*01", True),
        ("+12015550101", False),
        ("7002", False),
        ("17001", False),
    ],
)
def test_the_number_of_an_entry_point_is_known_however_it_is_written(text: str, is_same: bool) -> None:
    number, entries = parse(text, HOME_1), all_readings(("7001", "+12015550100"), HOME_1)
    if is_same:
        with pytest.raises(NumberRefused) as caught:
            refuse_entry_point(number, entries, HOME_1)
        assert caught.value.fields["rule"] == R.ENTRY_POINT
    else:
        refuse_entry_point(number, entries, HOME_1)


@pytest.mark.req("A4")
def test_a_colon_is_kept_in_the_number_and_never_reaches_a_trunk_unmapped() -> None:
    number = parse("1:23", RULES)
    assert number.text == "1:23"
    assert render(number, "PJSIP/{number}@trunk", "") == "PJSIP/123@trunk"
    assert render(number, "PJSIP/{number}@trunk", "*") == "PJSIP/1*23@trunk"
    with pytest.raises(NumberRefused) as caught:
        render(number, "PJSIP/{number}@trunk", None)
    assert caught.value.fields["rule"] == R.COLON_UNMAPPED


@pytest.mark.req("SAFE-04")
def test_without_a_trunk_nothing_is_dialed() -> None:
    with pytest.raises(NumberRefused) as caught:
        render(parse("12345", RULES), "", "")
    assert caught.value.fields["rule"] == R.NO_TRUNK


@pytest.mark.req("SAFE-03", "DIAL-01", "DIAL-04", "DIAL-06", "A4")
@given(st.text(max_size=60) | st.text(alphabet="0123456789+#*:()- ,&{}|\r\n@/;", max_size=60))
def test_whatever_is_pasted_a_dial_string_holds_nothing_but_digits_and_three_marks(text: str) -> None:
    try:
        number = parse(text, RULES)
    except NumberRefused as error:
        NumberRule(str(error.fields["rule"]))
        return
    assert 3 <= len(digits_of(number.text)) <= 14
    rendered = render(number, "T/{number}@t", "*").removeprefix("T/").removesuffix("@t")
    assert set(rendered) <= set("0123456789+#*")
    assert parse(number.text, RULES) == number, "what is clean stays as it is"
    assert digits_of(number.text) == "".join(c for c in text if c in "0123456789")


@pytest.mark.req("SAFE-04")
@given(st.from_regex(r"\+?[0-9*#:]{3,20}", fullmatch=True), st.sampled_from([RULES, HOME_1]))
def test_no_way_of_writing_reaches_a_denied_range(text: str, rules: Numbers) -> None:
    rights = DialRights(allowed=("+", *"0123456789*#:"), denied=("+44", "99"), international=True, premium=True)
    number = DialNumber(text=text, form=F.PLAIN)
    digits = digits_of(text)
    try:
        permit(number, replace(rights, min_digits=0, max_digits=30), rules)
    except NumberRefused:
        return
    assert not digits.startswith(("44", "99", "01144", "0044"))
