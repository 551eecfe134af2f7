"""Contacts on the agent's desk: found, shown, edited by two at once, created, and told of who calls."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.desk.desk_site import AtDesk
from tests.desk.work_site import EVIL, buttons, text_of
from tests.integration.control_config import CALLER
from tests.integration.control_site import Site


@pytest.fixture
def site(plain: Site) -> Site:
    return plain


@pytest.fixture
def anna(site: Site) -> AtDesk:
    return AtDesk(site, "anna")


def panel(desk: AtDesk, name: str) -> str:
    return desk.get(f"/desk/agent/work/{name}")


def saved(site: Site, **changes: Any) -> dict[str, Any]:
    channels = [{"kind": "phone", "value": "+12025550143"}, {"kind": "email", "value": "eve@example.com"}]
    body = {"name": "Eve Adams", "external_id": "C-9", "attributes": {"Plan": "Gold"}, "channels": channels}
    made: dict[str, Any] = site.post("contacts", body | changes, status=201)
    return made


def fields(name: str = "Eve Adams", version: int = 1, **changes: Any) -> dict[str, Any]:
    """What the form sends."""
    base: dict[str, Any] = {
        "do": "save",
        "version": version,
        "name": name,
        "external_id": "C-9",
        "channel_kind": ["phone", "phone"],
        "channel_value": ["+12025550143", ""],
        "channel_label": ["", ""],
        "attribute_name": ["Plan", ""],
        "attribute_value": ["Gold", ""],
    }
    return base | changes


@pytest.mark.req("ACT-03", "ACT-04")
def test_a_contact_is_found_and_shown_with_the_ways_to_reach_him(site: Site, anna: AtDesk) -> None:
    made = saved(site, name="Frida Berg")
    assert str(made["id"]) in panel(anna, "contacts?q=berg")
    assert str(made["id"]) not in panel(anna, "contacts?q=nobody")
    html = panel(anna, f"contacts/{made['id']}")
    assert 'href="mailto:eve%40example.com"' in html
    assert "Call" in buttons(html)
    assert "Gold" in html


@pytest.mark.req("ACT-04")
def test_a_contact_is_edited_and_what_is_emptied_goes(site: Site, anna: AtDesk) -> None:
    made = saved(site)
    path = f"/desk/agent/work/contacts/{made['id']}"
    assert "Eve Adams" in panel(anna, f"contacts/{made['id']}/edit")
    html = anna.post(path, **fields("Eve Brown", channel_value=["+12025550150", ""], attribute_name=["", ""]))
    assert "The contact is saved." in html
    now = site.get(f"contacts/{made['id']}")
    assert (now["name"], [c["value"] for c in now["channels"]]) == ("Eve Brown", ["+12025550150"])
    assert now["attributes"] == {}


def test_an_edit_that_comes_too_late_is_told_with_what_is_stored_and_keeps_what_was_typed(
    site: Site, anna: AtDesk
) -> None:
    made = saved(site)
    path = f"/desk/agent/work/contacts/{made['id']}"
    anna.post(path, **fields("First"))
    html = anna.post(path, **fields("Second"))
    assert "Somebody else has changed this contact meanwhile." in text_of(html)
    assert "<q>First</q>" in html
    assert 'value="Second"' in html
    assert site.get(f"contacts/{made['id']}")["name"] == "First"
    anna.post(path, **fields("Second", version=2))
    assert site.get(f"contacts/{made['id']}")["name"] == "Second"


def test_a_row_is_added_without_saving_and_without_losing_what_is_typed(site: Site, anna: AtDesk) -> None:
    made = saved(site)
    path = f"/desk/agent/work/contacts/{made['id']}"
    html = anna.post(path, **fields("Half done", do="channel"))
    assert html.count('name="channel_value"') == 3
    assert 'value="Half done"' in html
    assert site.get(f"contacts/{made['id']}")["name"] == "Eve Adams"


def test_what_is_beside_a_search_takes_nothing_over_from_it(anna: AtDesk) -> None:
    """What htmx is told by a form holds for buttons inside of it, too: another target, another part of the answer."""
    for name in ("contacts", "book", "responses"):
        for form in re.findall(r"<form[^>]*hx-select.*?</form>", panel(anna, name), re.DOTALL):
            assert form.count("hx-get") == 1, name


def test_a_contact_is_created_and_a_refused_one_is_told_with_what_was_typed(site: Site, anna: AtDesk) -> None:
    assert 'value="+12025550111"' in panel(anna, "contact/new?number=%2B12025550111")
    new: dict[str, Any] = {"version": 0, "channel_value": ["+12025550111", ""]}
    html = anna.post("/desk/agent/work/contact/new", **fields(EVIL, **new))
    assert "The contact is created." in html
    assert EVIL not in html
    refused = anna.post("/desk/agent/work/contact/new", **fields("", **new))
    assert 'role="alert"' in refused
    assert 'value="+12025550111"' in refused


@pytest.mark.req("ACT-04")
def test_who_calls_is_told_from_the_contacts(site: Site, anna: AtDesk) -> None:
    site.free("anna")
    call = site.call("anna")
    assert "nobody's number" in anna.region("caller").replace("&#39;", "'")
    assert "Create a contact" in buttons(anna.region("caller"))
    made = saved(site, name=f"Carla {EVIL}", channels=[{"kind": "phone", "value": CALLER}])
    html = anna.region("caller")
    assert f"/desk/agent/work/contacts/{made['id']}" in html
    assert EVIL not in html
    site.do(call, "end")
    site.do(call, "wrap-up", reason="done")
    assert str(made["id"]) not in anna.region("caller")
