"""Calls through a real engine and the recorder, read back and called again through `/v1/history`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy.lab.redis import RedisServer
from routing.core.cad import MASK
from routing.core.interaction import InteractionState
from routing.core.orders import (
    AddNote,
    ApplyConfig,
    EditCad,
    EndInteraction,
    FinishWrapUp,
    GoIdle,
    Hold,
    OnConsult,
    PauseRecording,
    Resume,
    ResumeRecording,
    SendDigits,
    SignIn,
    SignOut,
    StartConsult,
    Transfer,
)
from routing.core.roles import Action
from routing.store.sql.database import Database
from tests.integration.history_site import CALLER, Site, center
from tests.waiting import wait_until


@pytest.fixture
def site(redis_server: RedisServer, database: Database, tenant: Callable[[], str], tmp_path: Path) -> Iterator[Site]:
    with center(redis_server, database, tenant(), tmp_path) as made:
        yield made


def finish(site: Site, interaction_id: str, agent_id: str = "anna", reason: str = "done") -> None:
    site.ask(EndInteraction, agent_id=agent_id, interaction_id=interaction_id)
    wait_until(lambda: site.front.agents([agent_id])[agent_id].engagements[interaction_id].deadline_ms is None)
    site.ask(FinishWrapUp, agent_id=agent_id, reason=reason)
    site.record()


def ids(answer: Any) -> list[str]:
    return [item["interaction_id"] for item in answer["items"]]


@pytest.mark.req("DISP-06", "ACT-02", "REC-08", "CAD-16")
def test_the_whole_story_of_a_call_is_told(site: Site) -> None:
    me = {"agent_id": "anna", "interaction_id": site.call(case="17", card="4111111111111111")}
    call = me["interaction_id"]
    site.ask(Hold, **me)
    site.ask(Resume, **me)
    site.ask(PauseRecording, **me)
    site.ask(ResumeRecording, **me)
    site.ask(EditCad, **me, values={"case": "18", "card": "4222222222222222"}, expected_version=1)
    site.ask(AddNote, **me, text="wants a call back")
    site.ask(SendDigits, **me, digits="12#")
    wait_until(lambda: not site.front.call(call).interaction.asked_digits)  # type: ignore[union-attr]
    finish(site, call)

    told = site.json(f"history/{call}")
    assert (told["id"], told["kind"], told["ani"], told["queue"], told["result"]) == (
        call,
        "inbound",
        CALLER,
        "sales",
        "answered",
    )
    assert [(leg["role"], leg["agent_id"]) for leg in told["legs"]] == [("customer", None), ("owner", "anna")]
    assert all(leg["left_at"] > leg["joined_at"] for leg in told["legs"])
    assert [(offer["agent_id"], offer["outcome"]) for offer in told["offers"]] == [("anna", "answered")]
    assert len(told["holds"]) == 1
    assert told["holds"][0]["resumed_at"] >= told["holds"][0]["held_at"]
    (recording,) = told["recordings"]
    marks = [(mark["kind"], mark["by"], mark["how"]) for mark in recording["marks"]]
    assert marks == [("paused", "agent:anna", "manual"), ("resumed", "agent:anna", "manual")]
    assert [(note["text"], note["author"]) for note in told["notes"]] == [("wants a call back", "anna")]
    assert [(d["digits"], d["agent_id"]) for d in told["digits"]] == [("12#", "anna")]
    assert [(w["agent_id"], w["reason"]) for w in told["wrap_ups"]] == [("anna", "done")]
    assert told["cad"] == {"case": "18", "card": MASK}
    versions = site.json(f"history/{call}/cad/versions")["items"]
    assert versions == told["cad_versions"]
    assert [(v["version"], v["changes"]["case"]) for v in versions] == [(1, "17"), (2, "18")]
    assert "anna" in versions[1]["author"]


@pytest.mark.req("CAD-05")
def test_secure_call_data_are_masked_in_the_history_for_everybody(site: Site) -> None:
    call = site.call(card="4111111111111111")
    finish(site, call)
    for who in ("crm", "anna"):
        for path in (f"history/{call}", f"history/{call}/cad/versions", "history", "audit"):
            answer = site.get(path, who)
            assert "4111" not in answer.text
    assert site.json(f"history/{call}", "anna")["cad"]["card"] == MASK


@pytest.mark.req("CAD-05")
def test_what_became_secure_after_it_was_saved_is_masked_too(site: Site) -> None:
    call = site.call(case="17")
    finish(site, call)
    assert site.json(f"history/{call}")["cad"]["case"] == "17"
    config = site.front.config()
    secret = tuple(replace(v, secure=True) for v in config.cad)
    site.ask(ApplyConfig, actor="operator", config=replace(config, cad=secret))
    told = site.json(f"history/{call}")
    assert told["cad"]["case"] == told["cad_versions"][0]["changes"]["case"] == MASK
    assert site.json(f"history/{call}/cad/versions")["items"][0]["changes"]["case"] == MASK


@pytest.mark.req("HIST-01")
def test_an_agents_list_holds_his_calls_by_view_customer_and_time(site: Site) -> None:
    first = site.call(ani="+12015550111")
    finish(site, first)
    second = site.call(ani="2015550143")
    finish(site, second)
    assert ids(site.json("history?agent_id=anna")) == [second, first]
    assert ids(site.json("history?agent_id=anna&view=calls")) == [second, first]
    assert ids(site.json("history", "anna")) == [second, first], "an agent: his own"
    assert ids(site.json("history?agent_id=anna&number=%2B1 (201) 555-0143")) == [second], "however it is written"
    items = site.json("history?agent_id=anna")["items"]
    assert (items[0]["customer_number"], items[0]["role"], items[0]["reason"]) == (CALLER, "owner", "done")
    at = items[0]["at"]
    assert ids(site.json(f"history?agent_id=anna&from={at}")) == [second]
    assert ids(site.json(f"history?agent_id=anna&to={at}")) == [first]
    page = site.json("history?agent_id=anna&limit=1")
    assert ids(page) == [second]
    rest = site.json(f"history?agent_id=anna&limit=1&cursor={page['next_cursor']}")
    assert (ids(rest), rest["next_cursor"]) == ([first], None)
    assert ids(site.json("history")) == [second, first], "a key: all of them"
    assert ids(site.json("history?number=12015550111")) == [first]


@pytest.mark.req("HIST-01")
def test_the_view_of_calls_leaves_out_where_he_was_only_consulted(site: Site) -> None:
    call = site.call()
    site.ask(SignIn, agent_id="ben")
    site.ask(StartConsult, agent_id="anna", interaction_id=call, to_agent="ben")
    wait_until(lambda: site.front.call(call).interaction.state is InteractionState.CONSULTING)  # type: ignore[union-attr]
    site.ask(OnConsult, agent_id="ben", interaction_id=call, action=Action.EXIT_CONSULT.value)
    site.ask(Resume, agent_id="anna", interaction_id=call)
    finish(site, call)
    assert ids(site.json("history?agent_id=ben&view=all")) == [call]
    assert site.json("history?agent_id=ben")["items"][0]["role"] == "consulted"
    assert ids(site.json("history?agent_id=ben&view=calls")) == []
    assert ids(site.json("history?agent_id=anna&view=calls")) == [call]


def test_a_transferred_call_tells_who_passed_it_to_whom_and_is_in_both_lists(site: Site) -> None:
    call = site.call()
    site.ask(SignIn, agent_id="ben")
    site.ask(Transfer, agent_id="anna", interaction_id=call, to_agent="ben")
    wait_until(lambda: call in site.talking("ben"))
    wait_until(lambda: "wrap_up" in {e.state.value for e in site.front.agents(["anna"])["anna"].engagements.values()})
    site.ask(FinishWrapUp, agent_id="anna", reason="later")
    finish(site, call, "ben")
    told = site.json(f"history/{call}")
    assert [(t["by"], t["to_agent"], t["outcome"]) for t in told["transfers"]] == [("agent:anna", "ben", "ok")]
    assert (told["first_agent"], told["last_agent"]) == ("anna", "ben")
    reasons = {who: site.json(f"history?agent_id={who}&view=calls")["items"][0]["reason"] for who in ("anna", "ben")}
    assert reasons == {"anna": "later", "ben": "done"}


def test_an_agent_sees_others_calls_only_with_customers_whom_he_has_had_himself(site: Site) -> None:
    call = site.call()
    finish(site, call)
    anonymous = site.call(ani="anonymous")
    finish(site, anonymous)
    assert site.get(f"history/{call}", "ben").status_code == 404
    assert site.get(f"history/{call}/cad/versions", "ben").status_code == 404
    assert site.json("history?number=%2B12015550143", "ben")["items"] == []
    assert site.get("history?agent_id=anna", "ben").status_code == 403

    site.ask(SignOut, agent_id="anna")
    site.ask(SignIn, agent_id="ben")
    his = site.call("ben", ani="2015550143")
    finish(site, his, "ben")
    nobody = site.call("ben", ani="anonymous")
    finish(site, nobody, "ben")
    assert site.json(f"history/{call}", "ben")["id"] == call
    assert ids(site.json("history?number=%2B12015550143", "ben")) == [his, call]
    assert ids(site.json("history", "ben")) == [nobody, his]
    assert site.get(f"history/{anonymous}", "ben").status_code == 404, "those who hide their number are not one person"


@pytest.mark.req("OPS-06")
def test_another_tenant_finds_nothing(site: Site) -> None:
    call = site.call()
    finish(site, call)
    recording = site.json(f"history/{call}")["recordings"][0]["id"]
    for path in (f"history/{call}", f"history/{call}/cad/versions", f"recordings/{recording}"):
        answer = site.get(path, "stranger")
        assert (answer.status_code, answer.json["code"]) == (404, "not-found")  # type: ignore[index]
    for path in ("history", "history?agent_id=anna", "history?number=%2B12015550143", "audit"):
        assert site.json(path, "stranger")["items"] == []
    answer = site.send("POST", f"history/{call}/call", "stranger", {"agent_id": "anna"})
    assert answer.status_code == 404


# ---------------------------------------------------------------------- calling from the history


@pytest.mark.req("HIST-02")
def test_a_call_is_listed_and_called_again_only_after_a_wrap_up_reason(site: Site) -> None:
    call = site.call()
    site.ask(EndInteraction, agent_id="anna", interaction_id=call)
    site.record()
    assert ids(site.json("history?agent_id=anna")) == []
    refused = site.send("POST", f"history/{call}/call", "anna")
    assert (refused.status_code, refused.json["code"]) == (409, "not-wrapped-up")  # type: ignore[index]
    site.ask(FinishWrapUp, agent_id="anna", reason="done")
    site.record()
    assert ids(site.json("history?agent_id=anna")) == [call]
    started = site.send("POST", f"history/{call}/call", "anna")
    assert started.status_code == 202, started.text
    assert started.json["number"] == CALLER  # type: ignore[index]


@pytest.mark.req("HIST-05")
def test_the_call_is_an_outdial_in_the_name_of_the_history(site: Site) -> None:
    call = site.call(ani="2015550143")
    finish(site, call)
    body = {"agent_id": "anna", "ani": "+12015550001"}
    started = site.send("POST", f"history/{call}/call", "crm", body, Idempotency_Key="once").json
    assert started is not None
    new = started["interaction_id"]
    wait_until(lambda: new in site.talking("anna"))
    view = site.front.call(new)
    assert view is not None
    assert view.interaction.outdial is not None
    assert (view.interaction.outdial.number, view.interaction.outdial.source.value) == (CALLER, "history")
    assert (view.interaction.outdial.name, view.interaction.ani) == ("Carla", "+12015550001")
    again = site.send("POST", f"history/{call}/call", "crm", body, Idempotency_Key="once")
    assert again.json == started, "repeated with its key it is done once"
    finish(site, new)
    assert site.json(f"history/{new}")["kind"] == "outdial"
    assert ids(site.json("history?number=%2B12015550143")) == [new, call], "a customer is one, whoever called"
    assert site.json(f"history?agent_id=anna&number={CALLER.replace('+', '%2B')}")["items"][0]["kind"] == "outdial"


@pytest.mark.req("HIST-03")
def test_calling_from_the_history_is_refused_during_a_call(site: Site) -> None:
    call = site.call()
    finish(site, call)
    site.call(ani="+12015550199")
    refused = site.send("POST", f"history/{call}/call", "anna")
    assert (refused.status_code, refused.json["code"]) == (409, "agent-engaged")  # type: ignore[index]


@pytest.mark.req("HIST-04")
def test_the_number_may_be_edited_and_passes_the_whole_check(site: Site) -> None:
    call = site.call()
    finish(site, call)
    rules = {
        "12": "too_short",
        "+1201555012345678": "too_long",
        "5550123": "not_external",
        "7000": "entry_point",
        "+442079460000": "not_allowed",
        "Carla": "name",
        "()": "no_digits",
    }
    for number, rule in rules.items():
        refused = site.send("POST", f"history/{call}/call", "anna", {"number": number})
        assert (refused.status_code, refused.json["code"]) == (422, "number-refused"), refused.text  # type: ignore[index]
        assert refused.json["rule"] == rule, number  # type: ignore[index]
    started = site.send("POST", f"history/{call}/call", "anna", {"number": "+1 (201) 555-0199"})
    assert (started.status_code, started.json["number"]) == (202, "+12015550199")  # type: ignore[index]


@pytest.mark.req("PERM-04", "HIST-04")
def test_without_the_dial_pad_an_edited_number_must_be_of_the_address_book(site: Site) -> None:
    site.ask(SignOut, agent_id="anna")
    site.ask(SignIn, agent_id="ben")
    call = site.call("ben")
    finish(site, call, "ben")
    site.ask(GoIdle, agent_id="ben", reason="break")
    refused = site.send("POST", f"history/{call}/call", "ben", {"number": "+12015550199"})
    assert (refused.status_code, refused.json["code"], refused.json["rule"]) == (403, "outdial-not-allowed", "dial_pad")  # type: ignore[index]
    entry = {"name": "Zoe", "number": "+1 201 555 0199"}
    assert site.send("POST", "address-book", body=entry).status_code == 201
    started = site.send("POST", f"history/{call}/call", "ben", {"number": "+12015550199"})
    assert started.status_code == 202, started.text


def test_without_the_dial_pad_the_customers_own_number_may_be_written_in_another_way(site: Site) -> None:
    site.ask(SignOut, agent_id="anna")
    site.ask(SignIn, agent_id="ben")
    call = site.call("ben")
    finish(site, call, "ben")
    started = site.send("POST", f"history/{call}/call", "ben", {"number": "01112015550143"})
    assert started.status_code == 202, started.text


def test_from_the_history_an_agent_calls_only_customers_of_his_own_calls(site: Site) -> None:
    call = site.call()
    finish(site, call)
    refused = site.send("POST", f"history/{call}/call", "crm", {"agent_id": "ben"})
    assert (refused.status_code, refused.json["code"]) == (409, "not-in-history")  # type: ignore[index]
    assert site.send("POST", f"history/{call}/call", "ben").status_code == 404
    assert site.send("POST", f"history/{call}/call", "crm").status_code == 422, "for whom?"
    assert site.send("POST", f"history/{call}/call", "poor", {"agent_id": "anna"}).status_code == 403
