"""Calls that a FreeSWITCH dialplan hands over, from the variables of their channels (FLOW-03)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.core.facts import FeatureDialed, LegArrived
from telephony.freeswitch.arrivals import arrival, feature
from telephony.handover import MAX_CAD_BYTES, MAX_NAMES

pytestmark = pytest.mark.req("FLOW-03")
BASE = {"SR_ENTRY": "sales", "SR_DNIS": "100", "SR_ANI": "+12015550100", "SR_ANI_NAME": "Zoë"}


def arrived(names: tuple[str, ...] | None = (), **variables: str) -> LegArrived:
    return arrival("p", "u", BASE | variables, names)


def test_entry_point_numbers_and_name_are_those_of_the_dialplan() -> None:
    wanted = LegArrived(
        pbx="p", leg_id="leg_u", entry_point="sales", dnis="100", ani="+12015550100", ani_name="Zoë", cad={}, options={}
    )
    assert arrived() == wanted


def test_a_channel_without_any_of_our_variables_is_a_call_of_nobody_to_nowhere() -> None:
    empty = arrival("p", "u", {}, ())
    assert (empty.entry_point, empty.dnis, empty.ani, empty.ani_name) == ("", "", "", "")
    assert (empty.cad, empty.options) == ({}, {})


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (",priority=7", {"priority": "7"}),
        (",priority=7,requires=german:5+vip:1", {"priority": "7", "requires": "german:5,vip:1"}),
        (",,priority=,x", {"priority": ""}),
        (",=7", {}),
        ("", {}),
    ],
)
def test_options_are_named_values_and_a_plus_is_a_comma(text: str, options: dict[str, str]) -> None:
    assert arrived(SR_OPTIONS=text).options == options


def test_only_declared_names_are_taken_over_in_whatever_case_they_come() -> None:
    found = arrived(("customer_id", "Case"), sr_cad_x="1", SR_CAD_Customer_ID="42", SR_CAD_case="7", SR_CAD_other="x")
    assert found.cad == {"customer_id": "42", "Case": "7"}


def test_the_prefix_itself_is_ours_alone() -> None:
    assert arrived(("x",), SR_CADx="1", XSR_CAD_x="2").cad == {}


def test_while_nobody_has_declared_names_all_are_taken_but_not_without_end() -> None:
    many = {f"SR_CAD_n{number}": "v" for number in range(MAX_NAMES + 1)}
    assert arrived(None, SR_CAD_a="1", SR_CAD_B="2").cad == {"a": "1", "B": "2"}
    assert len(arrived(None, **many).cad) == MAX_NAMES


def test_a_value_that_is_too_long_is_named_and_left_out_and_one_that_just_fits_is_not() -> None:
    fits, long = "ä" * (MAX_CAD_BYTES // 2), "ä" * (MAX_CAD_BYTES // 2) + "x"
    found = arrived(("b", "a", "c"), SR_CAD_a=long, SR_CAD_b=long, SR_CAD_c=fits, SR_OPTIONS=",priority=3")
    assert found.cad == {"c": fits}
    assert found.options == {"priority": "3", "cad_too_long": "a,b"}


def test_an_undeclared_value_that_is_too_long_is_nobodys_business() -> None:
    assert arrived(("a",), SR_CAD_b="x" * 5000).options == {}


@given(st.dictionaries(st.text(max_size=10), st.text(max_size=20), max_size=8), st.text(max_size=40))
def test_whatever_a_stranger_sends_is_read_without_a_fault(cads: dict[str, str], options: str) -> None:
    found = arrival("p", "u", {f"SR_CAD_{name}": value for name, value in cads.items()} | {"SR_OPTIONS": options}, None)
    assert set(found.cad) <= set(cads)


# ---------------------------------------------------------------------- feature codes


@pytest.mark.parametrize("code", ["sign_in", "sign_out", "available", "idle", "wrap_up_done"])
def test_a_feature_code_names_the_telephone_and_its_digits(code: str) -> None:
    variables = {"SR_CODE": code, "SR_PHONE": "user/1001", "SR_DIGITS": "2"}
    assert feature("p", "u", variables) == FeatureDialed(
        pbx="p", leg_id="leg_u", phone="user/1001", code=code, argument="2"
    )


def test_a_code_that_we_do_not_know_is_none() -> None:
    assert feature("p", "u", {"SR_CODE": "self_destruct"}) is None
    assert feature("p", "u", {}) is None
