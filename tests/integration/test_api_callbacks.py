"""Callbacks and the do-not-call list through the API: a real engine, a simulated PBX, the process of look-ups."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy.lab.process import Child
from deploy.lab.redis import RedisServer
from routing.core.callback import CallbackRules
from routing.core.events import EventType
from telephony.simulated.habits import Answers, Constant, RingsOut
from tests.integration.cli_site import ROOT
from tests.integration.control_config import CUSTOMER, RIGHTS, configuration
from tests.integration.control_site import Site, center, checked
from tests.integration.databases import sqlite_with_tables
from tests.waiting import wait_until

RULES = CallbackRules(dial=RIGHTS, retry_s=(1,), max_attempts=2, ring_timeout_s=1)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return sqlite_with_tables(tmp_path / "history.db")


@pytest.fixture
def lookups(redis_server: RedisServer, tenant: Callable[[], str], database_url: str, tmp_path: Path) -> Iterator[str]:
    """The process that looks numbers up; the name of its tenant."""
    name = tenant()
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "center.toml").write_text("")
    environment = {
        "SWITCHROOM_REDIS": redis_server.url,
        "SWITCHROOM_TENANT": name,
        "SWITCHROOM_CONFIG": str(tmp_path / "config"),
        "SWITCHROOM_DATABASE": database_url,
    }
    child = Child([sys.executable, "-m", "routing.cli.main", "lookups"], tmp_path / "lookups.log", ROOT, environment)
    yield name
    child.stop()


@pytest.fixture
def site(redis_server: RedisServer, lookups: str, database_url: str) -> Iterator[Site]:
    """Nobody is signed in, so that callbacks wait."""
    with center(
        redis_server, replace(configuration(lookups), callbacks=RULES), signed_in=[], database_url=database_url
    ) as made:
        yield made


def asked(site: Site, **body: Any) -> Any:
    return site.post("callbacks", {"number": CUSTOMER, "queue": "sales"} | body, status=202)


def is_due(site: Site, id_: str) -> None:
    """Its number has been looked up."""
    wait_until(lambda: site.get(f"interactions/{id_}")["callback"]["state"] == "due", 10)


def none_waits(site: Site) -> None:
    """Lists are up to 250 ms old."""
    wait_until(lambda: site.get("callbacks")["items"] == [])


@pytest.mark.req("CBQ-01", "CBQ-03", "CBQ-05", "CBQ-06")
def test_a_program_asks_and_the_customer_is_called_as_soon_as_an_agent_has_picked_up(site: Site) -> None:
    telephone = site.outside(CUSTOMER, Answers(Constant(100)))
    made = asked(site, name="Carla", cad={"case": "17"}, entered="2026-01-01T08:00:00Z")
    assert (made["kind"], made["label"], made["ani"]) == ("callback", "callback", CUSTOMER)
    assert made["cad"]["variables"]["case"] == "17"
    assert made["entered_at"] == "2026-01-01T08:00:00.000Z"
    assert made["callback"]["source"] == "api"
    is_due(site, made["id"])
    assert [item["id"] for item in site.get("callbacks")["items"]] == [made["id"]]
    assert telephone.rings == 0, "nobody is there to talk"

    site.habit("anna", Answers(Constant(300)))
    site.sign_in("anna")
    wait_until(lambda: site.get(f"interactions/{made['id']}")["offers"])
    (reserved,) = site.events(EventType.OFFER_RESERVED)
    assert reserved.values["label"] == "callback"
    site.reaches(made["id"], "connected")
    assert telephone.rings == 1
    assert "hold" in site.get(f"interactions/{made['id']}", "anna")["allowed_actions"]
    none_waits(site)


@pytest.mark.req("CBQ-07", "CBQ-09")
def test_a_customer_who_does_not_answer_is_tried_again_and_then_given_up(site: Site) -> None:
    telephone = site.outside(CUSTOMER, RingsOut())
    made = asked(site)
    is_due(site, made["id"])
    site.sign_in("anna")
    wait_until(lambda: site.events(EventType.CALLBACK_MISSED), 10)
    resting = site.get(f"interactions/{made['id']}")
    assert resting["callback"]["attempts"] == 1
    assert resting["entered_at"] == made["entered_at"], "its place is as it was"
    wait_until(lambda: site.events(EventType.CALLBACK_GIVEN_UP), 15)
    assert telephone.rings == RULES.max_attempts
    assert site.get(f"interactions/{made['id']}")["result"] == "failed"
    assert site.get("agents/anna")["state"] == "available"


@pytest.mark.req("CBQ-09")
def test_one_number_has_one_callback_in_flight(site: Site) -> None:
    made = asked(site)
    again = site.send("POST", "callbacks", "crm", {"number": "+1 (201) 555-0150", "queue": "sales"})
    problem = checked(again, 409)
    assert problem["reason"] == "in_flight"
    assert [item["id"] for item in site.get("callbacks")["items"]] == [made["id"]]


@pytest.mark.req("SAFE-04")
def test_a_number_that_may_not_be_dialed_is_refused_and_changes_nothing(site: Site) -> None:
    before = site.everything()
    for number, reason in (("+4912345678", "not_allowed"), ("12", "number_invalid"), ("anonymous", "number_invalid")):
        answer = site.send("POST", "callbacks", "crm", {"number": number, "queue": "sales"})
        assert checked(answer, 409)["reason"] == reason
    checked(site.send("POST", "callbacks", "crm", {"number": CUSTOMER}), 422)
    unfit = {"number": CUSTOMER, "entry_point": "sales", "cad": {"case": "17", "age": "old", "none": "x"}}
    assert set(checked(site.send("POST", "callbacks", "crm", unfit), 422)["problems"]) == {"age", "none"}
    checked(site.send("POST", "callbacks", "crm", {"number": CUSTOMER, "queue": "nowhere"}), 422)
    assert site.everything() == before


def test_a_callback_is_cancelled_while_it_waits_and_not_when_an_agent_has_it(site: Site) -> None:
    made = asked(site)
    assert site.send("DELETE", f"callbacks/{made['id']}", "crm").status_code == 204
    none_waits(site)
    checked(site.send("DELETE", f"callbacks/{made['id']}", "crm"), 404)

    site.outside(CUSTOMER, Answers())
    site.habit("anna", Answers(Constant(60_000)))
    other = asked(site)
    is_due(site, other["id"])
    site.sign_in("anna")
    wait_until(lambda: site.get(f"interactions/{other['id']}")["offers"])
    assert checked(site.send("DELETE", f"callbacks/{other['id']}", "crm"), 409)["reason"] == "agent_has_it"


@pytest.mark.req("DISP-05", "CBQ-01")
def test_a_marked_number_is_not_called_whoever_asked_and_when(site: Site) -> None:
    made = asked(site)
    is_due(site, made["id"])
    mark = {"number": "201-555-0150", "note": "by letter"}
    assert site.post("do-not-call", mark, status=201)["number"].endswith("2015550150")
    none_waits(site)
    (over,) = site.events(EventType.CALLBACK_GIVEN_UP)
    assert over.values["cause"] == "do_not_call"
    assert site.post("do-not-call", {"number": "2015550150"}, status=200)["note"] == "by letter"
    assert site.get("do-not-call/check?number=201%20555%200150") == {"is_marked": True}
    assert [item["note"] for item in site.get("do-not-call")["items"]] == ["by letter"]

    later = site.send("POST", "callbacks", "crm", {"number": "2015550150", "queue": "sales"})
    assert checked(later, 423)["code"] == "do-not-call"


@pytest.mark.req("API-08")
def test_who_may_ask_look_and_mark_is_a_question_of_scopes(site: Site) -> None:
    body = {"number": CUSTOMER, "queue": "sales"}
    checked(site.send("POST", "callbacks", "anna", body), 403)
    checked(site.send("POST", "do-not-call", "anna", {"number": CUSTOMER}), 403)
    checked(site.send("GET", "do-not-call", "anna"), 403)
    made = site.post("callbacks", body, "callbacks:write-only", 202)
    assert [i["id"] for i in site.get("callbacks", "anna")["items"]] == [made["id"]], "her own queue"
    assert site.get("callbacks", "dora")["items"] == [], "another queue"
    assert site.get("callbacks", "stranger")["items"] == []
    checked(site.send("DELETE", f"callbacks/{made['id']}", "stranger"), 404)
    assert site.get("callbacks")["items"]
