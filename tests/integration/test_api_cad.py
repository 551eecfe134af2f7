"""Call data through the API: what a form gets, and saves of which the first one wins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from deploy.lab.redis import RedisServer
from routing.core.cad import MASK
from routing.core.events import EventType
from tests.integration.control_config import MANY, configuration
from tests.integration.control_site import Site, center, checked


@pytest.fixture
def site(redis_server: RedisServer, tenant: Callable[[], str]) -> Iterator[Site]:
    with center(redis_server, configuration(tenant())) as made:
        yield made


def values_of(site: Site, call: str, who: str = "crm") -> dict[str, str]:
    found: dict[str, str] = site.get(f"interactions/{call}/cad", who)["variables"]
    return found


def saved(site: Site, call: str, values: dict[str, Any], who: str = "anna") -> Any:
    return checked(site.save(call, values, who), 200)


# ---------------------------------------------------------------------- what is shown


@pytest.mark.req("CAD-02", "CAD-13", "CAD-09")
def test_a_form_says_type_format_and_value_of_each_variable_in_the_configured_order(site: Site) -> None:
    call = site.call(case="17", age="4")
    form = site.get(f"interactions/{call}/cad", "anna")["form"]
    assert [row["name"] for row in form] == ["case", "card", "age", "due", "at", "origin"]
    by_name = {row["name"]: row for row in form}
    assert by_name["case"] == {
        "name": "case",
        "label": "Case",
        "type": "string",
        "format": None,
        "editable": True,
        "secure": False,
        "value": "17",
    }
    assert (by_name["age"]["type"], by_name["age"]["format"], by_name["age"]["value"]) == ("integer", "integer", "4")
    assert (by_name["due"]["type"], by_name["due"]["format"]) == ("date", "date")
    assert (by_name["at"]["type"], by_name["at"]["format"]) == ("datetime", "date-time")
    assert (by_name["origin"]["editable"], by_name["card"]["secure"]) == (False, True)
    shown = site.get(f"interactions/{call}", "anna")
    assert shown["cad"]["form"] == form
    declared = site.get("cad-variables", "anna")["items"]
    assert declared == [{name: value for name, value in row.items() if name != "value"} for row in form]


@pytest.mark.req("CAD-03", "A17")
def test_thirty_variables_are_shown_the_first_in_the_configured_order_and_the_rest_stays(site: Site) -> None:
    call = site.call(entry_point="wide", v00="last", v31="early", internal="hidden")
    cad = site.get(f"interactions/{call}/cad")
    names = [row["name"] for row in cad["form"]]
    ordered = ["case", "card", "age", "due", "at", "origin"]
    ordered += [variable.name for variable in sorted(MANY, key=lambda variable: variable.order)]
    assert names == ordered[:30]
    assert len(ordered) > 30
    assert cad["variables"] == {"v00": "last", "v31": "early", "internal": "hidden"}
    assert "v31" in names
    assert not {"v00", "internal"} & set(names)
    assert [v["name"] for v in site.get("cad-variables?entry_point=wide")["items"]] == names
    assert checked(site.save(call, {"v00": "still there"}), 200)["variables"]["v00"] == "still there"


@pytest.mark.req("CAD-05", "SAFE-06")
def test_secure_values_are_for_those_who_have_the_permission_alone(site: Site) -> None:
    call = site.call(card="4111111111111111", case="17")
    for path in (f"interactions/{call}", f"interactions/{call}/cad", "interactions", "agents/anna/interactions"):
        assert "4111" not in site.send("GET", path, "plain").text
        assert "4111111111111111" in site.send("GET", path, "crm").text
    masked = site.get(f"interactions/{call}/cad", "plain")
    assert masked["variables"] == {"card": MASK, "case": "17"}
    (row,) = [row for row in masked["form"] if row["name"] == "card"]
    assert (row["secure"], row["value"]) == (True, MASK)
    answer = checked(site.save(call, {"card": "4222222222222222"}, "plain"), 200)
    assert answer["variables"]["card"] == MASK
    assert values_of(site, call)["card"] == "4222222222222222"


@pytest.mark.req("CAD-05", "SAFE-06")
def test_an_agent_of_the_queue_who_has_no_part_in_the_call_is_shown_no_secure_value(site: Site) -> None:
    site.sign_in("cleo")
    call = site.call(card="4111111111111111", case="17")
    for path in (f"interactions/{call}", f"interactions/{call}/cad", "interactions"):
        assert "4111111111111111" in site.send("GET", path, "anna").text
        assert "4111" not in site.send("GET", path, "cleo").text
    assert values_of(site, call, "cleo") == {"card": MASK, "case": "17"}
    site.do(call, "consults", to={"type": "agent", "id": "cleo"})
    assert values_of(site, call, "cleo")["card"] == "4111111111111111"


@pytest.mark.req("CAD-05")
def test_a_mask_is_no_value_and_does_not_overwrite_what_it_hides(site: Site) -> None:
    call = site.call(card="4111111111111111")
    before = site.everything()
    refused = checked(site.save(call, {"card": MASK, "case": "18"}, "plain"), 422)
    assert (refused["code"], set(refused["problems"])) == ("cad-refused", {"card"})
    assert site.everything() == before
    saved(site, call, {"case": MASK})


# ---------------------------------------------------------------------- one save


@pytest.mark.req("CAD-06", "CAD-09", "CAD-14", "CAD-16")
def test_several_values_are_saved_together_and_read_back(site: Site) -> None:
    call = site.call(case="17")
    read = site.send("GET", f"interactions/{call}/cad", "anna")
    assert read.headers["ETag"] == f'"{read.json["version"]}"'
    answer = site.save(call, {"case": "18", "age": "+7", "due": "2026-11-21"})
    told = checked(answer, 200)
    assert {n: told["variables"][n] for n in ("case", "age", "due")} == {"case": "18", "age": "7", "due": "2026-11-21"}
    assert (told["author"], told["version"]) == ("anna", read.json["version"] + 1)
    assert answer.headers["ETag"] == f'"{told["version"]}"'
    assert site.get(f"interactions/{call}/cad", "anna") == told
    assert site.get(f"interactions/{call}", "anna")["cad_version"] == told["version"]


@pytest.mark.req("CAD-04", "CAD-17")
def test_what_agents_may_not_edit_an_integration_writes(site: Site) -> None:
    call = site.call()
    assert checked(site.save(call, {"origin": "web"}, "anna"), 422)["problems"] == {"origin": "not editable"}
    by_agent = checked(
        site.send("PATCH", f"interactions/{call}/cad?agent_id=anna", "crm", {"origin": "w"}, If_Match="*"), 422
    )
    assert by_agent["problems"] == {"origin": "not editable"}
    told = saved(site, call, {"origin": "web"}, "crm")
    assert (told["variables"]["origin"], told["author"]) == ("web", "key:crm")
    assert site.get(f"interactions/{call}", "anna")["cad_version"] == told["version"], "the view says which it shows"


@pytest.mark.req("CAD-17")
def test_an_integration_writes_while_the_customer_still_waits_and_an_agent_does_not(site: Site) -> None:
    call, _ = site.arrive("help", case="17")
    assert saved(site, call, {"case": "18"}, "crm")["variables"]["case"] == "18"
    refused = site.send("PATCH", f"interactions/{call}/cad?agent_id=anna", "crm", {"case": "19"}, If_Match="*")
    assert checked(refused, 409)["code"] == "agent-not-engaged"
    assert values_of(site, call)["case"] == "18"


@pytest.mark.req("CAD-07")
def test_who_has_passed_the_call_on_does_not_edit_it_any_more(site: Site) -> None:
    call = site.call(case="17")
    site.do(call, "transfers", to={"type": "queue", "id": "help"})
    before = site.everything()
    refused = checked(site.save(call, {"case": "18"}), 409)
    assert "edit_cad" not in refused["allowed_actions"]
    assert site.everything() == before


@pytest.mark.req("CAD-07")
def test_call_data_are_edited_in_an_accepted_call_alone(site: Site) -> None:
    call = site.call(case="17")
    saved(site, call, {"case": "18"})
    site.do(call, "end")
    for who in ("anna", "crm"):
        refused = site.save(call, {"case": "19"}, who)
        assert refused.status_code in (404, 409), refused.text
    assert values_of(site, call)["case"] == "18"


def test_null_clears_and_what_is_not_named_stays(site: Site) -> None:
    call = site.call(case="17", age="4")
    told = saved(site, call, {"case": None})
    assert (told["variables"].get("case", ""), told["variables"]["age"]) == ("", "4")
    assert next(row["value"] for row in told["form"] if row["name"] == "case") == ""


def test_a_save_of_nothing_changes_nothing(site: Site) -> None:
    call = site.call(case="17")
    before, version = site.everything(), site.call_data(call).cad_version
    answer = site.save(call, {})
    assert (answer.status_code, answer.headers["ETag"]) == (200, f'"{version}"')
    assert checked(site.save(call, {}, version=version + 1), 412)["current_version"] == version
    assert site.everything() == before


# ---------------------------------------------------------------------- two at a time


@pytest.mark.req("CAD-11", "CAD-12", "A19", "API-04")
def test_the_first_save_wins_and_the_second_learns_of_it(site: Site) -> None:
    site.sign_in("ben")
    site.put("agents/ben/state", {"state": "idle", "reason": "break"}, "ben")
    call = site.call(case="17", card="4111")
    site.free("ben")
    site.do(call, "consults", to={"type": "agent", "id": "ben"})
    site.reaches(call, "consulting")
    version = site.get(f"interactions/{call}/cad", "anna")["version"]
    assert site.get(f"interactions/{call}/cad", "ben")["version"] == version
    checked(site.save(call, {"case": "of ben", "card": "4222"}, "ben", version), 200)
    before = site.everything()
    lost = site.save(call, {"case": "of anna", "card": "4333", "age": "1"}, "anna", version)
    told = checked(lost, 412)
    assert (told["code"], told["author"]) == ("cad-conflict", "ben")
    assert told["current"] == {"case": "of ben", "card": MASK, "age": ""}
    assert told["yours"] == {"case": "of anna", "card": MASK, "age": "1"}
    assert told["current_version"] == version + 1
    assert lost.headers["ETag"] == f'"{version + 1}"'
    assert site.everything() == before
    assert checked(site.save(call, {"case": "of both"}, "anna", told["current_version"]), 200)["author"] == "anna"


@pytest.mark.req("CAD-11", "CAD-12")
def test_of_saves_at_the_same_moment_one_wins_and_all_others_are_told_its_value(site: Site) -> None:
    call = site.call(case="17")
    version = site.call_data(call).cad_version
    texts = [f"save {n}" for n in range(8)]
    with ThreadPoolExecutor(len(texts)) as pool:
        answers = list(pool.map(lambda text: site.save(call, {"case": text}, "crm", version), texts))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
    (won,) = [answer.json["variables"]["case"] for answer in answers if answer.status_code == 200]
    assert {answer.json["current"]["case"] for answer in answers if answer.status_code == 412} == {won}
    assert (values_of(site, call)["case"], site.call_data(call).cad_version) == (won, version + 1)


@pytest.mark.req("CAD-12", "CAD-17")
def test_everybody_is_told_of_a_save_with_its_author_and_version(site: Site) -> None:
    call = site.call(case="17", card="4111")
    told = saved(site, call, {"case": "18", "card": "4222"})
    (event,) = site.events(EventType.CAD_CHANGED)
    assert event.values["author"] == "anna"
    assert event.values["cad_version"] == told["version"]
    assert event.values["cad"] == {"case": "18", "card": MASK}
    assert event.values["previous"] == {"case": "17", "card": MASK}


@pytest.mark.req("CAD-11", "CAD-15", "API-04")
def test_a_save_says_which_version_it_is_based_on(site: Site) -> None:
    call = site.call(case="17")
    before, path = site.everything(), f"interactions/{call}/cad"
    assert checked(site.send("PATCH", path, "anna", {"case": "1"}), 428)["code"] == "version-needed"
    for bad in ("7", "W/x", '"seven"', '"1", "2"'):
        assert checked(site.save(call, {"case": "1"}, version=bad), 400)["code"] == "version-invalid"
    for other in (0, 2, 999_999):
        assert checked(site.save(call, {"case": "1"}, version=other), 412)["code"] == "cad-conflict"
    assert site.everything() == before
    checked(site.save(call, {"case": "1"}, version="*"), 200)


@pytest.mark.req("CAD-18")
def test_a_save_that_no_engine_answers_is_reported_as_failed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    call = site.call(case="17")
    version = site.call_data(call).cad_version
    monkeypatch.setattr("routing.api.orders.REPLY_S", 0.3)
    before = site.everything()
    site.exchange.stop_engine()
    refused = checked(site.save(call, {"case": "18"}, version=version), 503)
    assert refused["code"] == "no-reply"
    assert values_of(site, call)["case"] == "17"
    site.exchange.start_engine()
    monkeypatch.undo()
    site.do(call, "notes", text="the engine is there again")
    assert site.everything() == before, "nor is it saved behind his back later"
    assert saved(site, call, {"case": "19"})["version"] == version + 1
