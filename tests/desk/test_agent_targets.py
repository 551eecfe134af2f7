"""The dialog in which a target is chosen: whom it shows as what, and what becomes of the choice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.lab.redis import RedisServer
from routing.store.sql import migrate
from telephony.simulated.habits import Answers, RingsOut
from tests.desk.agent_site import EVIL, cleared, desk_center, flat
from tests.desk.desk_site import AtDesk
from tests.integration.control_config import CUSTOMER, configuration
from tests.integration.control_site import Site
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def shared(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    database: Path = tmp_path_factory.mktemp("targets") / "desk.db"
    migrate.upgrade(f"sqlite:///{database}")
    with desk_center(redis_server, configuration("desk_targets"), database_url=f"sqlite:///{database}") as made:
        made.post("address-book", {"name": "Carla Rossi", "number": "+1 (202) 555-0143"}, status=201)
        yield made


@pytest.fixture
def site(shared: Site) -> Site:
    cleared(shared)
    return shared


@pytest.fixture
def anna(site: Site) -> AtDesk:
    return AtDesk(site, "anna")


def dialog(desk: AtDesk, call: str, action: str) -> str:
    return flat(desk.get(f"/desk/agent/calls/{call}/targets/{action}"))


def found(desk: AtDesk, call: str, action: str, q: str) -> str:
    return flat(desk.get(f"/desk/agent/calls/{call}/targets/{action}/list?q={q}"))


def options(html: str) -> list[str]:
    """Values of what can be chosen, in their order."""
    return [
        value
        for value, rest in re.findall(r'<button name="to" value="([^"]*)"([^>]*)>', html)
        if "disabled" not in rest
    ]


@pytest.mark.req("XFER-02", "XFER-03", "XFER-04")
def test_a_transfer_goes_to_agents_queues_entry_points_and_people_of_the_address_book(site: Site, anna: AtDesk) -> None:
    call = site.call("anna")
    site.free("ben")
    html = dialog(anna, call, "transfer")
    assert options(html) == [
        "agent:ben", "queue:help", "queue:sales", "entry_point:help", "entry_point:sales", "entry_point:wide",
        "number:+12025550143",
    ]  # fmt: skip
    assert 'data-modal data-once aria-labelledby="picker-title"' in html


@pytest.mark.req("CONS-02", "XFER-10")
def test_a_consult_has_no_entry_points_and_an_instant_transfer_neither_queues(site: Site, anna: AtDesk) -> None:
    call = site.call("anna")
    for action in ("consult", "invite"):
        kinds = {option.partition(":")[0] for option in options(dialog(anna, call, action))}
        assert kinds == {"queue", "number"}
    assert options(dialog(anna, call, "instant_transfer")) == ["number:+12025550143"]


@pytest.mark.req("XFER-07", "CONS-03")
def test_who_cannot_take_a_call_is_shown_with_the_reason_and_cannot_be_chosen(site: Site, anna: AtDesk) -> None:
    call = site.call("anna")
    html = dialog(anna, call, "transfer")
    (ben,) = re.findall(r'<button name="to" value="agent:ben".*?</button>', html)
    assert " disabled>" in ben
    assert '<span class="badge dot state-idle">Idle</span>' in ben
    assert "agent:anna" not in html


@pytest.mark.req("XFER-03", "STATE-10")
def test_an_available_agent_without_a_telephone_cannot_be_chosen_and_the_dialog_says_why(
    site: Site, anna: AtDesk
) -> None:
    call = site.call("anna")
    site.free("ben")
    pbx, phone = site.exchange.pbx, site.phone("ben")
    site.exchange.do(lambda: pbx.register(phone, False))
    try:
        wait_until(lambda: site.get("agents/ben")["phone_state"] == "unreachable")
        for action in ("transfer", "consult"):
            html = dialog(anna, call, action)
            assert "agent:ben" not in options(html)
            assert '<span class="hint">telephone cannot be reached</span>' in html
    finally:
        site.exchange.do(lambda: pbx.register(phone, True))
        wait_until(lambda: site.get("agents/ben")["phone_state"] == "free")


@pytest.mark.req("XFER-05")
def test_a_refresh_shows_everybody_as_of_now(site: Site, anna: AtDesk) -> None:
    call = site.call("anna")
    assert "agent:ben" not in options(dialog(anna, call, "transfer"))
    site.free("ben")
    assert "agent:ben" in options(found(anna, call, "transfer", ""))


@pytest.mark.req("XFER-03", "DIAL-14")
def test_a_search_finds_parts_of_names_everywhere(site: Site, anna: AtDesk) -> None:
    call = site.call("anna")
    assert options(found(anna, call, "transfer", "SAL")) == ["queue:sales", "entry_point:sales"]
    assert options(found(anna, call, "transfer", "rossi")) == ["number:+12025550143"]
    assert "Nothing found." in found(anna, call, "transfer", "zzz")


@pytest.mark.req("DIAL-02", "DIAL-03")
def test_a_pasted_number_is_shown_as_it_will_be_dialed(site: Site, anna: AtDesk) -> None:
    call = site.call("anna")
    for action in ("transfer", "consult", "invite", "instant_transfer"):
        html = found(anna, call, action, "%2B1 (201) 555-0150")
        assert options(html)[0] == f"number:{CUSTOMER}"
        assert f"Dial {CUSTOMER}" in html


@pytest.mark.req("XFER-13")
def test_an_outdial_is_not_offered_to_queues_without_the_right(site: Site, anna: AtDesk) -> None:
    site.outside(CUSTOMER, Answers())
    anna.post("/desk/agent/outdial", number=CUSTOMER)
    wait_until(lambda: site.get("agents/anna")["interactions"])
    (call,) = site.get("agents/anna")["interactions"]
    site.reaches(call, "connected")
    kinds = {option.partition(":")[0] for option in options(dialog(anna, call, "transfer"))}
    assert kinds == {"number"}


@pytest.mark.req("XFER-01", "XFER-11")
def test_the_choice_is_carried_out(site: Site, anna: AtDesk) -> None:
    call = site.call("anna")
    anna.post(f"/desk/agent/calls/{call}/to/transfer", 204, to="entry_point:help")
    assert site.call_data(call).entry_point == "help"
    assert "Finish wrap-up" in anna.region("calls")


@pytest.mark.req("CONS-01", "CONF-07")
def test_consult_and_instant_conference_go_the_same_way(site: Site, anna: AtDesk) -> None:
    for action, state in (("consult", "consulting"), ("invite", "conference")):
        cleared(site)
        call = site.call("anna")
        site.free("ben")
        anna.post(f"/desk/agent/calls/{call}/to/{action}", 204, to="agent:ben")
        site.reaches(call, state)


def test_a_number_goes_out(site: Site, anna: AtDesk) -> None:
    outside = site.outside(CUSTOMER, RingsOut())
    call = site.call("anna")
    anna.post(f"/desk/agent/calls/{call}/to/consult", 204, to=f"number:{CUSTOMER}")
    wait_until(lambda: outside.rings)


@pytest.mark.req("XFER-07")
def test_a_target_that_has_gone_is_refused_in_words(site: Site, anna: AtDesk) -> None:
    call = site.call("anna")
    answer = anna.sent(f"/desk/agent/calls/{call}/to/transfer", to="agent:ben")
    assert answer.headers["X-Desk-Problem"] == "agent-not-available"
    assert "The agent cannot take a call now" in answer.text
    assert "Not possible now: idle." in answer.text
    assert site.call_data(call).state.value == "connected"


@pytest.mark.req("DIAL-03", "DIAL-06")
def test_a_number_that_cannot_be_dialed_is_refused_in_words(site: Site, anna: AtDesk) -> None:
    call = site.call("anna")
    for action in ("transfer", "consult"):
        answer = anna.sent(f"/desk/agent/calls/{call}/to/{action}", to="number:12")
        assert "A number has at least 3 digits." in answer.text
    assert site.call_data(call).state.value == "connected"


def test_nonsense_is_no_target(site: Site, anna: AtDesk) -> None:
    call = site.call("anna")
    for to in ("", "agent", "moon:1", "number:", EVIL):
        answer = anna.sent(f"/desk/agent/calls/{call}/to/transfer", to=to)
        assert answer.headers["X-Desk-Problem"] == "invalid-request", to
        assert "<script" not in answer.text


def test_what_needs_no_target_has_no_dialog(site: Site, anna: AtDesk) -> None:
    call = site.call("anna")
    for action in ("hold", "nonsense"):
        anna.get(f"/desk/agent/calls/{call}/targets/{action}", 404)
