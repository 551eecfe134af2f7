"""The URL of an offer: filled in, encoded, checked."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from routing.core.config import EntryPoint
from routing.core.declarations import CadVariable
from routing.core.events import EventType
from routing.core.orders import EditCad, Transfer
from routing.core.screen_pop import PLACEHOLDERS, mistakes, screen_pop
from tests.unit.core_driver import Driver, agent, config, queue

CRM = "https://crm.example/open?case={cad.case}&from={ani}&id={interaction_id}"
SECURE = {"case": False, "card": True}


def driver(template: str = CRM, **changes: Any) -> Driver:
    point = EntryPoint(id="sales", queue="sales", screen_pop=template)
    return Driver(config([agent("anna")], [queue()], entry_points={"sales": point}, **changes))


@pytest.mark.req("API-10")
def test_an_offer_carries_the_url_with_the_call_filled_in() -> None:
    d = driver()
    call = d.call(cad={"case": "7"})
    d.ring(call, "anna")
    wanted = f"https://crm.example/open?case=7&from=%2B12015550100&id={call}"
    cards = d.told(EventType.OFFER_RESERVED, EventType.OFFER_RINGING)
    assert [e.values["screen_pop"] for e in cards] == [wanted, wanted]
    assert screen_pop(d.world.config, d.interaction(call), "anna") == wanted


def test_every_placeholder_has_its_value() -> None:
    d = driver("https://crm.example/" + "/".join(f"{name}={{{name}}}" for name in PLACEHOLDERS))
    call = d.call()
    url = screen_pop(d.world.config, d.interaction(call), "anna")
    parts = ["ani=%2B12015550100", "dnis=7000", "queue=sales", "entry_point=sales", f"interaction_id={call}"]
    assert urlsplit(url).path[1:].split("/") == [*parts, "agent_id=anna"]


def test_without_a_template_there_is_no_url() -> None:
    d = driver("")
    assert screen_pop(d.world.config, d.interaction(d.call()), "anna") == ""
    assert d.told(EventType.OFFER_RESERVED)[0].values["screen_pop"] == ""


def test_it_follows_changed_data_and_the_entry_point_that_the_call_went_to() -> None:
    points = {
        "sales": EntryPoint(id="sales", queue="sales", screen_pop=CRM),
        "other": EntryPoint(id="other", queue="sales", screen_pop="https://other.example/{cad.case}"),
    }
    d = Driver(config([agent("anna"), agent("ben")], [queue()], entry_points=points), ready=("anna",))
    call = d.call(cad={"case": "7"})
    d.answer(call, "anna")
    d.order(EditCad, agent_id="anna", interaction_id=call, values={"case": "8"})
    assert "case=8&" in screen_pop(d.world.config, d.interaction(call), "anna")
    d.order(Transfer, agent_id="anna", interaction_id=call, to_entry_point="other")
    assert screen_pop(d.world.config, d.interaction(call), "ben") == "https://other.example/8"


@pytest.mark.req("API-10", "CAD-05", "SAFE-06")
def test_a_variable_that_became_secure_is_left_out() -> None:
    secured = (CadVariable(name="case", label="", secure=True),)
    d = driver(cad=secured)
    assert "?case=&" in screen_pop(d.world.config, d.interaction(d.call(cad={"case": "7"})), "anna")


@pytest.mark.req("API-10", "SAFE-03")
@given(st.text(max_size=256))
@example(".")
@example("..")
def test_no_value_changes_the_shape_of_the_url(value: str) -> None:
    d = driver("https://crm.example/open/{cad.tier}/end?q={cad.tier}&x=1#f={cad.tier}")
    call = d.call(cad={"tier": value})
    stored = d.interaction(call).cad["tier"]
    parts = urlsplit(screen_pop(d.world.config, d.interaction(call), "anna"))
    assert (parts.scheme, parts.netloc) == ("https", "crm.example")
    assert (parts.path.count("/"), parts.path[:6], parts.path[-4:]) == (3, "/open/", "/end")
    assert not {".", ".."} & {*parts.path.split("/")}
    found = parse_qs(parts.query, keep_blank_values=True, errors="surrogatepass")
    expected = stored if stored.strip(".") else ""
    assert found == {"q": [expected.encode("utf-8", "replace").decode()], "x": ["1"]}


@pytest.mark.req("API-10")
@pytest.mark.parametrize(
    ("template", "wrong"),
    [
        (CRM, None),
        ("http://10.0.0.1:8080/", None),
        ("https://crm.example", None),
        ("https://[2001:db8::1]:8443/open#{agent_id}", None),
        ("javascript:alert({ani})", "must begin with http"),
        ("ftp://crm.example/{ani}", "must begin with http"),
        ("//crm.example/{ani}", "must begin with http"),
        ("https://{cad.case}/open", "must begin with http"),
        ("https://crm.example{ani}/", "must begin with http"),
        ("https://user:pw@crm.example/", "must begin with http"),
        ("https://crm.example\\@evil.example/", "must begin with http"),
        ("https://crm.example/{caller}", "there is no placeholder {caller}"),
        ("https://crm.example/{}", "there is no placeholder {}"),
        ("https://crm.example/{cad.nothing}", "no CAD variable 'nothing' is declared"),
        ("https://crm.example/{cad.card}", "the CAD variable 'card' is secure"),
        ("https://crm.example/{ani", "'{' and '}' enclose"),
        ("https://crm.example/ani}", "'{' and '}' enclose"),
        ("https://crm.example/a b", "ASCII without spaces"),
        ("https://crm.example/\n", "ASCII without spaces"),
        ("https://crm.example/ü", "ASCII without spaces"),
        ("https://crm.example/" + "a" * 1000, "at most 1000 characters"),
    ],
)
def test_a_template_is_checked(template: str, wrong: str | None) -> None:
    found = list(mistakes(template, SECURE))
    if wrong is None:
        assert found == []
    else:
        assert [wrong in reason for reason in found] == [True]
