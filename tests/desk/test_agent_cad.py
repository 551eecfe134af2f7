"""The form of call data: what it shows, that a save is all or nothing, and that nobody's words get lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from deploy.lab.redis import RedisServer
from routing.core.declarations import CadType, CadVariable
from routing.core.events import EventType
from tests.desk.agent_site import EVIL, card, cleared, desk_center, flat
from tests.desk.desk_site import AtDesk
from tests.desk.streaming import after_begin, until_region
from tests.integration.control_config import configuration
from tests.integration.control_site import Site
from tests.waiting import wait_until

YES_NO = CadVariable(name="vip", label="VIP", type=CadType.BOOLEAN, order=7)


@pytest.fixture(scope="module")
def shared(redis_server: RedisServer) -> Iterator[Site]:
    base = configuration("desk_cad")
    with desk_center(redis_server, replace(base, cad=(*base.cad, YES_NO))) as made:
        yield made


@pytest.fixture
def site(shared: Site) -> Site:
    cleared(shared)
    return shared


@pytest.fixture
def anna(site: Site) -> AtDesk:
    return AtDesk(site, "anna")


def values(version: int = 1, was: dict[str, str] | None = None, **typed: str) -> dict[str, Any]:
    """What the form sends: every editable variable as typed, what it was before, and the version shown."""
    before = was or {}
    return {
        "version": str(version),
        **{f"cad.{name}": value for name, value in (before | typed).items()},
        **{f"was.{name}": before.get(name, "") for name in before | typed},
    }


def save(desk: AtDesk, call: str, **sent: Any) -> Any:
    return desk.sent(f"/desk/agent/calls/{call}/cad", **values(**sent))


def field(html: str, name: str) -> str:
    """The tag of this variable's field."""
    found = re.search(rf'<(?:input|select)[^>]* name="cad\.{name}".*?>', html)
    assert found, html
    return found[0]


@pytest.mark.req("CAD-02", "CAD-03", "CAD-13")
def test_the_form_has_the_variables_in_their_order_with_their_types(site: Site, anna: AtDesk) -> None:
    site.call("anna", case="C-1", age="40", due="2026-11-22", at="2026-11-22T10:00:00+00:00", vip="true")
    html = card(anna)
    labels = re.findall(r'<label for="cad-[^"]*"[^>]*>(\w+)', html)
    assert labels == ["Case", "Card", "Age", "Due", "At", "Origin", "VIP"]
    assert 'inputmode="numeric"' in field(html, "age")
    assert 'type="date"' in field(html, "due")
    assert 'value="2026-11-22T10:00:00+00:00"' in field(html, "at")
    assert re.search(r'type="datetime-local" data-picks="cad-[^"]*-at"', html)
    assert '<option value="true" selected>' in html


@pytest.mark.req("CAD-04")
def test_what_is_not_editable_is_no_field(site: Site, anna: AtDesk) -> None:
    call = site.call("anna", origin="web")
    html = card(anna)
    assert 'name="cad.origin"' not in html
    assert ">web</output>" in html
    answer = save(anna, call, origin="mine", case="C-2")
    assert "You cannot change this." in answer.text
    assert site.call_data(call).cad == {"origin": "web"}


@pytest.mark.req("CAD-05")
def test_a_secure_variable_is_marked(site: Site, anna: AtDesk) -> None:
    site.call("anna", card="4111")
    html = card(anna)
    assert re.search(r'<label for="cad-[^"]*-card" class="secure">Card <span class="visually-hidden">\(secure\)', html)
    assert not re.search(r'<label for="cad-[^"]*-case" class="secure"', html)


@pytest.mark.req("CAD-09", "CAD-13")
def test_every_value_can_be_copied(site: Site, anna: AtDesk) -> None:
    site.call("anna", case="C-1", origin="web")
    html = card(anna)
    assert re.search(r'data-copy="cad-[^"]*-case"', html)
    assert re.search(r'data-copy="cad-[^"]*-origin"', html)
    assert not re.search(r'data-copy="cad-[^"]*-age"', html)


@pytest.mark.req("CAD-06", "CAD-14")
def test_one_save_takes_all_that_was_changed_and_nothing_else(site: Site, anna: AtDesk) -> None:
    call = site.call("anna", case="C-1", age="40")
    site.save(call, {"due": "2026-12-24"}, version=1)
    answer = save(anna, call, version=2, was={"case": "C-1", "age": "40", "due": "2026-12-24"}, age="41", case="C-2")
    assert "Call data saved." in answer.text
    assert answer.headers["X-Desk-Version"] == "3"
    assert site.call_data(call).cad == {"case": "C-2", "age": "41", "due": "2026-12-24"}
    assert site.events(EventType.CAD_CHANGED)[-1].values["cad"] == {"case": "C-2", "age": "41"}


@pytest.mark.req("CAD-06", "CAD-08", "CAD-10")
def test_what_is_wrong_stands_at_its_field_and_everything_typed_is_kept(site: Site, anna: AtDesk) -> None:
    call = site.call("anna", case="C-1")
    answer = save(anna, call, was={"case": "C-1"}, case="x" * 257, due="tomorrow", age="12")
    assert answer.headers["X-Desk-Problem"] == "cad-refused"
    assert answer.headers["HX-Retarget"] == f"#cad-{call}"
    html = flat(answer.text)
    assert "257 characters; at most 256 are allowed." in html
    assert "This is no date such as 2026-11-21." in html
    assert 'aria-invalid="true"' in field(html, "due")
    assert 'aria-invalid="true"' not in field(html, "age")
    assert 'value="tomorrow" data-saved=""' in field(html, "due")
    assert 'value="12" data-saved=""' in field(html, "age")
    assert f'value="{"x" * 257}" data-saved="C-1"' in field(html, "case")
    assert site.call_data(call).cad == {"case": "C-1"}


@pytest.mark.req("CAD-08")
def test_the_browser_cuts_nothing_off_and_counts_to_the_limit(site: Site, anna: AtDesk) -> None:
    call = site.call("anna")
    html = card(anna)
    assert "maxlength" not in field(html, "case")
    assert 'data-max="256"' in field(html, "case")
    assert "Call data saved." in save(anna, call, case="🙂" * 256).text


@pytest.mark.req("CAD-11", "CAD-12")
def test_who_comes_second_sees_both_values_and_can_take_his_own_with_one_press(site: Site, anna: AtDesk) -> None:
    call = site.call("anna", case="C-1", age="40")
    site.save(call, {"case": "winner"}, "crm", version=1)
    answer = save(anna, call, was={"case": "C-1", "age": "40"}, case="loser", age="41")
    assert answer.headers["X-Desk-Problem"] == "cad-conflict"
    html = flat(answer.text)
    assert 'value="winner" data-saved="winner"' in field(html, "case")
    assert "You wrote:</span>" in html or "You wrote: <q>loser</q>" in html
    assert f'data-use="loser" data-for="cad-{call}-case"' in html
    assert "Somebody has saved first: Another program." in html
    # What the winner left alone is still typed there, to be saved on the version of now.
    assert 'value="41" data-saved="40"' in field(html, "age")
    assert 'name="version" value="2"' in html
    assert site.call_data(call).cad == {"case": "winner", "age": "40"}


@pytest.mark.req("CAD-12")
def test_an_agent_who_saved_first_is_named(site: Site, anna: AtDesk) -> None:
    call = site.call("anna", case="C-1")
    site.free("ben")
    site.do(call, "consults", to={"type": "agent", "id": "ben"})
    site.reaches(call, "consulting")
    assert "Call data saved." in save(AtDesk(site, "ben"), call, was={"case": "C-1"}, case="from ben").text
    html = save(anna, call, was={"case": "C-1"}, case="from anna").text
    assert "Somebody has saved first: Ben." in html
    assert "from ben" in field(html, "case")


@pytest.mark.req("CAD-17")
def test_the_form_says_which_version_it_shows_and_follows_others(site: Site, anna: AtDesk) -> None:
    call = site.call("anna", case="C-1")
    assert "Version 1, as the call came" in card(anna)
    with after_begin(anna) as stream:
        site.save(call, {"case": "C-2"}, "crm", version=1)
        html = flat(until_region(stream, "calls", "C-2"))
    assert "Version 2, saved by: Another program" in html
    assert 'data-shown-version="2"' in html


@pytest.mark.req("CAD-15", "CAD-16")
def test_the_form_carries_what_the_page_needs_to_warn_and_to_revert(site: Site, anna: AtDesk) -> None:
    call = site.call("anna", case="C-1")
    html = card(anna)
    assert re.search(rf'<form [^>]*id="cad-{call}" data-keep data-version="1"', html)
    assert 'data-saved="C-1"' in field(html, "case")
    assert re.search(r'<input type="hidden" name="was\.case" value="C-1" data-of="cad-[^"]*-case">', html)
    assert re.search(r"<button [^>]*data-revert", html)


@pytest.mark.req("CAD-18", "CAD-07")
def test_a_save_that_fails_says_so_and_takes_nothing_away(site: Site, anna: AtDesk) -> None:
    call = site.call("anna", case="C-1")
    site.do(call, "end")
    answer = save(anna, call, was={"case": "C-1"}, case="too late")
    assert answer.headers["X-Desk-Problem"] == "interaction-unknown"
    assert answer.headers["HX-Retarget"] == "#messages"
    assert 'role="alert"' in answer.text
    assert site.call_data(call).cad == {"case": "C-1"}


@pytest.mark.req("CAD-18")
def test_without_an_engine_a_save_is_told_as_failed_and_what_works_is_said(
    site: Site, anna: AtDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = site.call("anna", case="C-1")
    monkeypatch.setattr("routing.api.orders.REPLY_S", 0.3)
    site.exchange.stop_engine()
    try:
        answer = save(anna, call, was={"case": "C-1"}, case="typed")
        assert answer.headers["X-Desk-Problem"] == "no-reply"
        assert answer.headers["HX-Retarget"] == "#messages"
        wait_until(lambda: "The routing engine does not answer." in anna.region("status"))
        assert "C-1" in card(anna)
    finally:
        site.exchange.start_engine()
    wait_until(lambda: "The routing engine does not answer." not in anna.region("status"))


def test_a_value_of_several_lines_keeps_them(site: Site, anna: AtDesk) -> None:
    call = site.call("anna", case="one\ntwo")
    html = anna.region("calls")
    assert re.search(r'<textarea [^>]*name="cad\.case" data-saved="one\ntwo"[^>]*>\none\ntwo</textarea>', html)
    assert "Nothing was changed." in save(anna, call, was={"case": "one\r\ntwo"}).text
    save(anna, call, was={"case": "one\r\ntwo"}, case="one\r\nthree")
    assert site.call_data(call).cad == {"case": "one\nthree"}


def test_nothing_changed_is_nothing_saved(site: Site, anna: AtDesk) -> None:
    call = site.call("anna", case="C-1")
    assert "Nothing was changed." in save(anna, call, was={"case": "C-1"}).text
    assert site.call_data(call).cad_version == 1


def test_a_form_without_a_version_is_refused(site: Site, anna: AtDesk) -> None:
    call = site.call("anna", case="C-1")
    answer = anna.sent(f"/desk/agent/calls/{call}/cad", **{"cad.case": "x", "was.case": "C-1"})
    assert answer.headers["X-Desk-Problem"] == "version-needed"


def test_markup_stays_text_in_the_form_in_errors_and_in_conflicts(site: Site, anna: AtDesk) -> None:
    call = site.call("anna", case=EVIL, origin=EVIL)
    pages = [card(anna), save(anna, call, was={"case": EVIL}, due=EVIL).text]
    site.save(call, {"case": EVIL + "2"}, "crm", version=1)
    pages.append(save(anna, call, was={"case": EVIL}, case=EVIL + "1").text)
    for html in pages:
        assert "&lt;script&gt;" in html
        assert "<script>alert" not in html
        assert "<img" not in re.sub(r'<img src="/desk/static[^>]*>', "", html)
