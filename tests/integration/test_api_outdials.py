"""Calls to customers through the API: who may call whom, with which number, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.lab.redis import RedisServer
from routing.core.facts import DialOutcome
from routing.core.limits import CallLimits
from telephony.simulated.habits import Answers, Constant, Habit, Rejects, RingsOut
from tests.integration.control_config import ANI, CUSTOMER, OWN_ANI, PROFILES, configuration
from tests.integration.control_site import Site, center, checked
from tests.integration.databases import sqlite_with_tables
from tests.waiting import wait_until

LISTED = "+12015550151"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return sqlite_with_tables(tmp_path / "book.db")


@pytest.fixture
def site(redis_server: RedisServer, tenant: Callable[[], str], database_url: str) -> Iterator[Site]:
    """Anna may enter numbers; Cleo has the address book alone."""
    with center(redis_server, configuration(tenant()), signed_in=["anna", "cleo"], database_url=database_url) as made:
        yield made


@pytest.fixture(scope="module")
def shared(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """For refusals."""
    url = sqlite_with_tables(tmp_path_factory.mktemp("shared") / "book.db")
    with center(redis_server, configuration("outdials"), signed_in=["anna", "cleo"], database_url=url) as made:
        yield made


def listed(site: Site) -> None:
    site.post("address-book", {"name": "Carla Client", "number": LISTED}, status=201)
    site.post("address-book", {"name": "Conrad Client", "number": "+12015550152"}, status=201)


def dialed(site: Site, who: str = "anna", **body: Any) -> Any:
    """The interaction of an outdial that was begun."""
    return site.post("outdials", {"number": CUSTOMER} | body, who, 202)


def test_an_outdial_rings_the_agent_then_the_customer_and_is_a_call_like_any_other(site: Site) -> None:
    site.habit("anna", Answers(Constant(100)))
    customer = site.outside(CUSTOMER, Answers(Constant(100)))
    answer = site.send("POST", "outdials", "anna", {"number": "+1 (201) 555-0150", "name": "Carla"})
    assert answer.status_code == 202
    begun = answer.json
    assert answer.headers["Location"] == f"/v1/interactions/{begun['id']}"
    assert (begun["kind"], begun["label"], begun["status"]) == ("outdial", "outdial call", "Ringing")
    assert (begun["dnis"], begun["queue"]) == (CUSTOMER, "sales")
    assert begun["allowed_actions"] == ["cancel_outdial"]
    assert customer.rings == 0, "his own telephone is rung first"
    site.reaches(begun["id"], "connected")
    shown = site.get(f"interactions/{begun['id']}", "anna")
    assert {"hold", "end", "consult", "transfer", "pause_recording"} <= set(shown["allowed_actions"])
    site.do(begun["id"], "end")
    site.do(begun["id"], "wrap-up", reason="done")


@pytest.mark.req("OUT-09", "OUT-10", "OUT-12")
def test_the_numbers_to_show_are_listed_by_label_with_the_default(shared: Site) -> None:
    listed_ = shared.get("outdial-anis", "anna")
    assert listed_ == {
        "items": [{"label": "Alpha", "number": OWN_ANI}, {"label": "zeta", "number": ANI}],
        "default": ANI,
        "sources": ["dial_pad", "address_book"],
    }
    assert shared.get("outdial-anis?agent_id=anna") == listed_
    assert shared.get("outdial-anis", "cleo")["items"] == []
    assert shared.get("outdial-anis?agent_id=nobody", status=404)["code"] == "agent-unknown"
    assert shared.get("outdial-anis", status=422)["code"] == "invalid-request"


@pytest.mark.req("OUT-02", "PERM-04")
def test_an_agent_is_told_where_his_numbers_may_come_from(shared: Site) -> None:
    assert shared.get("outdial-anis", "cleo")["sources"] == ["address_book"]
    assert shared.get("outdial-anis", "emil")["sources"] == ["dial_pad"]
    assert shared.get("outdial-anis", "dora")["sources"] == []


@pytest.mark.req("OUT-08", "OUT-11", "OUT-12")
@pytest.mark.parametrize(("chosen", "shown"), [(OWN_ANI, OWN_ANI), (None, ANI), ("", ANI)])
def test_the_customer_is_shown_the_chosen_number_or_the_default(site: Site, chosen: str | None, shown: str) -> None:
    customer = site.outside(CUSTOMER, Answers())
    begun = dialed(site, ani=chosen)
    assert begun["ani"] == shown
    site.reaches(begun["id"], "connected")
    assert site.exchange.do(lambda: customer.calls[0].shown_caller).startswith(shown)


@pytest.mark.req("OUT-07", "PERM-04")
def test_a_number_of_the_address_book_must_be_listed_where_there_is_no_dial_pad(site: Site) -> None:
    listed(site)
    site.outside(LISTED, Answers())
    before = site.everything()
    unlisted = site.post("outdials", {"number": CUSTOMER, "source": "address_book"}, "cleo", 422)
    assert (unlisted["code"], unlisted["rule"]) == ("number-refused", "not_listed")
    pad = site.post("outdials", {"number": LISTED}, "cleo", 403)
    assert (pad["code"], pad["rule"]) == ("outdial-not-allowed", "dial_pad")
    assert site.everything() == before
    found = site.get("address-book?q=carla", "cleo")["items"]
    assert [entry["number"] for entry in found] == [LISTED]
    begun = dialed(site, "cleo", number=found[0]["number"], source="address_book", name="Carla Client")
    assert begun["dnis"] == LISTED


@pytest.mark.req("OUT-07", "DIAL-10", "DIAL-14")
def test_a_name_in_the_place_of_a_number_is_answered_with_candidates(site: Site) -> None:
    listed(site)
    before = site.everything()
    refused = site.post("outdials", {"number": "client"}, "anna", 422)
    assert (refused["code"], refused["rule"]) == ("number-refused", "name")
    names = [entry["name"] for entry in refused["candidates"]]
    assert names == ["Carla Client", "Conrad Client"]
    assert refused["candidates"][0]["number"] == LISTED
    assert site.post("outdials", {"number": "nobody of that name"}, "anna", 422)["candidates"] == []
    assert site.everything() == before


@pytest.mark.parametrize(
    ("body", "who", "status", "code"),
    [
        ({"number": "12"}, "anna", 422, "number-refused"),
        ({"number": "5550143"}, "anna", 422, "number-refused"),
        ({"number": "+4930123456"}, "anna", 422, "number-refused"),
        ({"number": "7000"}, "anna", 422, "number-refused"),
        ({"number": "+1" + "2" * 14}, "anna", 422, "number-refused"),
        ({"number": ""}, "anna", 422, "invalid-request"),
        ({"number": "1" * 129}, "anna", 422, "invalid-request"),
        ({"number": 12015550150}, "anna", 422, "invalid-request"),
        ({"number": CUSTOMER, "ani": "+12015559999"}, "anna", 422, "ani-refused"),
        ({"number": CUSTOMER, "source": "history"}, "anna", 422, "invalid-request"),
        ({"number": CUSTOMER, "source": "crystal ball"}, "anna", 422, "invalid-request"),
        ({"number": CUSTOMER, "agent_id": "nobody"}, "crm", 404, "agent-unknown"),
        ({"number": CUSTOMER, "agent_id": "dora"}, "crm", 403, "outdial-not-allowed"),
        ({"number": CUSTOMER, "agent_id": "ben"}, "crm", 409, "outdial-not-possible"),
        ({"number": CUSTOMER}, "crm", 422, "invalid-request"),
        ({}, "anna", 422, "invalid-request"),
    ],
)
def test_a_refused_outdial_says_why_and_changes_nothing(
    shared: Site, body: dict[str, Any], who: str, status: int, code: str
) -> None:
    before = shared.everything()
    refused = shared.post("outdials", body, who, status)
    assert refused["code"] == code
    if code == "number-refused":
        assert refused["rule"]
    assert shared.everything() == before


def test_a_second_call_of_one_agent_is_refused(site: Site) -> None:
    site.habit("anna", RingsOut())
    begun = dialed(site)
    wait_until(lambda: site.call_data(begun["id"]).offers[0].state.value == "ringing")
    before = site.everything()
    assert site.post("outdials", {"number": CUSTOMER}, "anna", 409)["code"] == "agent-engaged"
    assert site.everything() == before


@pytest.mark.req("OUT-03", "OUT-04", "OUT-05", "API-02")
@pytest.mark.parametrize(("limits", "server", "reason_code"), [
    (CallLimits(tenant_calls=1), {}, 27),
    (CallLimits(), {"data_centre_calls": 1}, 26),
    (CallLimits(tenant_calls=1), {"data_centre_calls": 1}, 26),
])  # fmt: skip
def test_a_full_tenant_or_data_centre_is_told_by_its_reason_code(
    tenant: Callable[[], str], limits: CallLimits, server: dict[str, Any], reason_code: int
) -> None:
    with (
        RedisServer() as own,
        center(own, configuration(tenant(), limits=limits), signed_in=["anna", "ben"], **server) as site,
    ):
        site.outside(CUSTOMER, Answers())
        first = dialed(site)
        site.reaches(first["id"], "connected")
        before = site.everything()
        refused = site.post("outdials", {"number": LISTED}, "ben", 429)
        assert (refused["code"], refused["reason_code"]) == ("capacity-reached", reason_code)
        assert site.everything() == before
        site.do(first["id"], "end")
        dialed(site, "ben")


@pytest.mark.req("SAFE-04")
def test_who_dials_too_much_is_told_when_to_go_on(redis_server: RedisServer, tenant: Callable[[], str]) -> None:
    limits = CallLimits(dials_per_minute=1)
    with center(redis_server, configuration(tenant(), limits=limits)) as site:
        begun = dialed(site)
        site.reaches(begun["id"], "ended")
        wait_until(lambda: site.get("agents/anna")["phone_state"] == "free")
        before = site.everything()
        answer = site.send("POST", "outdials", "anna", {"number": CUSTOMER})
        assert checked(answer, 429)["code"] == "dial-rate-reached"
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert int(answer.headers["Retry-After"]) == answer.json["retry_after_s"]
        assert site.everything() == before


FAILURES: list[tuple[str, Habit | None, Habit | None, str, str]] = [
    ("not connected", None, None, "not_connected", "invalid"),
    ("congestion", None, Rejects(DialOutcome.CONGESTION), "not_connected", "congestion"),
    ("agent busy", Rejects(DialOutcome.BUSY), Answers(), "agent_declined", "busy"),
    ("agent declines", Rejects(), Answers(), "agent_declined", "rejected"),
    ("customer rejects", None, Rejects(), "customer_rejected", "rejected"),
    ("customer busy", None, Rejects(DialOutcome.BUSY), "customer_rejected", "busy"),
    ("customer does not answer", None, RingsOut(), "customer_no_answer", "no_answer"),
]


@pytest.mark.req("OUT-16", "OUT-17", "OUT-18", "OUT-19")
@pytest.mark.parametrize("case", FAILURES, ids=[case[0] for case in FAILURES])
def test_each_failure_is_told_apart(
    redis_server: RedisServer, tenant: Callable[[], str], case: tuple[str, Habit | None, Habit | None, str, str]
) -> None:
    _, agents, customers, failure, outcome = case
    rules = replace(configuration("").outdial, customer_ring_timeout_s=1)
    with center(redis_server, configuration(tenant(), outdial=rules)) as site:
        if agents:
            site.habit("anna", agents)
        if customers:
            site.outside(CUSTOMER, customers)
        begun = dialed(site)
        site.reaches(begun["id"], "ended")
        shown = site.get(f"interactions/{begun['id']}", "anna")
        assert (shown["failure"], shown["outcome"], shown["result"]) == (failure, outcome, "failed")
        wait_until(lambda: site.get("agents/anna")["state"] in ("available", "wrap_up"))
        assert site.get("agents/anna")["state"] == "available", "nobody is blamed, nothing is wrapped up"


@pytest.mark.req("OUT-15")
def test_an_outdial_that_rings_is_given_up(site: Site, redis_server: RedisServer, tenant: Callable[[], str]) -> None:
    site.outside(CUSTOMER, RingsOut())
    begun = dialed(site)
    site.reaches(begun["id"], "calling_customer")
    told = site.do(begun["id"], "cancel")
    assert (told["state"], told["result"], told["failure"]) == ("ended", "cancelled", None)
    bound = PROFILES | {"full": replace(PROFILES["full"], end_calls=False)}
    with center(redis_server, configuration(tenant(), profiles=bound)) as other:
        other.habit("anna", RingsOut())
        ringing = dialed(other)
        assert ringing["allowed_actions"] == []
        wait_until(lambda: other.call_data(ringing["id"]).offers[0].state.value == "ringing")
        before = other.everything()
        assert other.do(ringing["id"], "cancel", status=409)["code"] == "action-not-allowed"
        assert other.everything() == before


@pytest.mark.req("API-03")
def test_the_same_key_dials_once(site: Site) -> None:
    customer = site.outside(CUSTOMER, Answers())
    first, second = (
        site.send("POST", "outdials", "anna", {"number": CUSTOMER}, Idempotency_Key='"one"') for _ in range(2)
    )
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json == second.json
    site.reaches(first.json["id"], "connected")
    site.do(first.json["id"], "end")
    site.do(first.json["id"], "wrap-up", reason="done")
    late = site.send("POST", "outdials", "anna", {"number": CUSTOMER}, Idempotency_Key="one")
    assert (late.status_code, late.json["id"]) == (202, first.json["id"])
    assert (site.phone("anna").rings, customer.rings) == (1, 1)


NUMBER = st.one_of(
    st.text(max_size=140),
    st.text(alphabet="+#*:0123456789 -()./\r\n,&|{}$@;'\"", max_size=40),
    st.from_regex(r"\+?1?[0-9]{0,16}", fullmatch=True),
)
REFUSED = {"number-refused", "invalid-request"}


@given(number=NUMBER, verb=st.sampled_from(["outdials", "transfers", "consults", "conferences"]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_given_as_a_number_is_refused_with_a_reason(forbidding: Site, number: str, verb: str) -> None:
    """No profile permits any number here, so that each is judged in every other way first and no telephone rings."""
    site = forbidding
    before = site.everything()
    path = verb if verb == "outdials" else f"interactions/{site.get('interactions')['items'][0]['id']}/{verb}"
    body = {"number": number} if verb == "outdials" else {"to": {"type": "number", "number": number}}
    answer = site.send("POST", path, "dora" if verb != "outdials" else "anna", body)
    assert checked(answer, answer.status_code)["code"] in REFUSED, answer.text
    assert site.everything() == before


@pytest.fixture(scope="module")
def forbidding(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """No profile may dial anything at all; Dora has a call."""
    url = sqlite_with_tables(tmp_path_factory.mktemp("numbers") / "book.db")
    bound = {name: replace(profile, dial=replace(profile.dial, allowed=())) for name, profile in PROFILES.items()}
    config = configuration("numbers", profiles=bound)
    with center(redis_server, config, signed_in=["anna", "dora"], database_url=url) as made:
        made.call("dora", "help")
        yield made
