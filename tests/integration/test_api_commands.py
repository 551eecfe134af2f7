"""What agents do with calls through the API, and when an answer says that the PBX has done it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.lab.redis import RedisServer
from routing.core.events import EventType
from telephony.simulated.habits import Answers
from tests.integration.control_config import CUSTOMER, configuration
from tests.integration.control_site import Site, center
from tests.waiting import wait_until

TO_BEN = {"type": "agent", "id": "ben"}


@pytest.fixture
def site(redis_server: RedisServer, tenant: Callable[[], str]) -> Iterator[Site]:
    with center(redis_server, configuration(tenant())) as made:
        yield made


def heard(site: Site, name: str) -> tuple[set[str], str]:
    """Whom this telephone hears, and which music."""

    def listen() -> tuple[set[str], str]:
        live = site.phone(name).live
        if live is None:
            return set(), "hung up"
        hearing = site.exchange.pbx.hears(live)
        return set(hearing.parties), hearing.music

    return site.exchange.do(listen)


def consulting(site: Site, call: str) -> None:
    site.sign_in("ben")
    site.do(call, "consults", to=TO_BEN)
    site.reaches(call, "consulting")


# ---------------------------------------------------------------------- each verb, as the PBX has it


def test_hold_and_resume_are_answered_when_the_pbx_has_done_them(site: Site) -> None:
    call = site.call()
    before = site.get(f"interactions/{call}")["version"]
    held = site.do(call, "hold")
    assert (held["state"], held["is_confirmed"]) == ("held", True)
    assert held["version"] > before
    assert heard(site, "anna") == (set(), "")
    resumed = site.do(call, "resume")
    assert (resumed["state"], resumed["is_confirmed"]) == ("connected", True)
    assert len(heard(site, "anna")[0]) == 1


def test_a_consult_is_toggled_made_a_conference_and_handed_over(site: Site) -> None:
    call = site.call()
    consulting(site, call)
    assert heard(site, "anna")[0] == {"SIM/ben"}
    assert site.do(call, "consults/current/hold")["state"] == "consult_held"
    assert heard(site, "ben") == (set(), "default")
    assert site.do(call, "consults/current/resume")["state"] == "consulting"
    assert site.do(call, "resume")["state"] == "consult_held"
    assert site.do(call, "consults/current/conference")["state"] == "conference"
    assert len(heard(site, "ben")[0]) == 2
    done = site.do(call, "conferences/current/transfer")
    assert (done["state"], [p["agent_id"] for p in done["parties"]]) == ("connected", ["ben"])
    assert "finish_wrap_up" in done["allowed_actions"], "of him who handed it over"
    assert heard(site, "anna")[1] == "hung up"


@pytest.mark.parametrize(
    ("path", "who", "state"),
    [
        ("consults/current/end", "anna", "held"),
        ("consults/current/exit", "ben", "held"),
        ("consults/current/transfer", "anna", "connected"),
    ],
)
def test_a_consult_ends_in_each_way(site: Site, path: str, who: str, state: str) -> None:
    call = site.call()
    consulting(site, call)
    assert site.do(call, path, who)["state"] == state


@pytest.mark.parametrize(("path", "who", "state"), [("exit", "ben", "connected"), ("end", "anna", "ended")])
def test_an_instant_conference_ends_in_each_way(site: Site, path: str, who: str, state: str) -> None:
    call = site.call()
    site.sign_in("ben")
    asked = site.do(call, "conferences", to=TO_BEN)
    assert asked["customer_status"] == "Connected", "the customer is not held meanwhile"
    site.reaches(call, "conference")
    assert site.do(call, f"conferences/current/{path}", who)["state"] == state


@pytest.mark.parametrize(
    ("to", "state"),
    [
        (TO_BEN, "connected"),
        ({"type": "queue", "id": "help"}, "queued"),
        ({"type": "entry_point", "id": "help"}, "queued"),
        ({"type": "number", "number": "+1 (201) 555-0150"}, "connected"),
    ],
)
def test_a_transfer_goes_to_each_kind_of_target_and_the_agent_wraps_up(
    site: Site, to: dict[str, str], state: str
) -> None:
    outside = site.outside(CUSTOMER, Answers())
    site.sign_in("ben")
    site.put("agents/ben/state", {"state": "idle", "reason": "break"}, "ben")
    call = site.call(case="17", age="4")
    site.free("ben")
    told = site.do(call, "transfers", to=to)
    assert told["allowed_actions"] == ["add_note", "extend_wrap_up", "finish_wrap_up"]
    site.reaches(call, state)
    now = site.get(f"interactions/{call}")
    if to["type"] == "number":
        assert outside.live is not None
        assert now["parties"][0]["number"] == CUSTOMER
    elif to["type"] == "agent":
        assert now["parties"][0]["agent_id"] == "ben"
    else:
        assert now["queue"] == "help"
    # Of an entry point of its own declarations: what has another type there stays behind (EP-05).
    kept = {"case": "17"} if to["type"] == "entry_point" else {"case": "17", "age": "4"}
    assert {name: value for name, value in now["cad"]["variables"].items() if value} == kept


@pytest.mark.parametrize(
    ("verb", "to", "status", "code"),
    [
        ("transfers", {"type": "agent", "id": "cleo"}, 409, "agent-not-available"),
        ("transfers", {"type": "agent", "id": "nobody"}, 404, "agent-unknown"),
        ("transfers", {"type": "queue", "id": "nowhere"}, 422, "target-unknown"),
        ("transfers", {"type": "entry_point", "id": "nowhere"}, 422, "target-unknown"),
        ("transfers", {"type": "number", "number": "12"}, 422, "number-refused"),
        ("transfers", {"type": "number", "number": "7002"}, 422, "number-refused"),
        ("transfers", {"type": "number", "number": "+4930123456"}, 422, "number-refused"),
        ("transfers", {"type": "number", "number": "Carla"}, 422, "number-refused"),
        ("transfers", {"type": "number", "id": "ben"}, 422, "invalid-request"),
        ("transfers", {"type": "agent", "id": "ben", "number": CUSTOMER}, 422, "invalid-request"),
        ("transfers", {"type": "moon", "id": "ben"}, 422, "invalid-request"),
        ("transfers", {"type": "agent"}, 422, "invalid-request"),
        ("transfers", None, 422, "invalid-request"),
        ("consults", {"type": "entry_point", "id": "help"}, 422, "invalid-request"),
        ("consults", {"type": "agent", "id": "cleo"}, 409, "agent-not-available"),
        ("consults", {"type": "agent", "id": "anna"}, 409, "agent-not-available"),
        ("conferences", {"type": "entry_point", "id": "help"}, 422, "invalid-request"),
        ("conferences", {"type": "number", "number": "1"}, 422, "number-refused"),
    ],
)
def test_a_bad_target_is_refused_with_its_reason(
    talking: tuple[Site, str], verb: str, to: Any, status: int, code: str
) -> None:
    site, call = talking
    before = site.everything()
    refused = site.do(call, verb, status=status, to=to)
    assert refused["code"] == code
    if code == "number-refused":
        assert refused["rule"]
    if code == "invalid-request":
        assert refused["errors"]
    assert site.everything() == before


@pytest.fixture(scope="module")
def talking(redis_server: RedisServer) -> Iterator[tuple[Site, str]]:
    """A call that refusals are tried on."""
    with center(redis_server, configuration("refusals"), signed_in=["anna"]) as made:
        yield made, made.call()


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("resume", {}),
        ("consults/current/end", {}),
        ("consults/current/hold", {}),
        ("consults/current/cancel", {}),
        ("conferences/current/end", {}),
        ("cancel", {}),
        ("recording/resume", {}),
        ("wrap-up", {"reason": "done"}),
        ("wrap-up/extend", {}),
    ],
)
def test_what_the_state_does_not_allow_is_refused_with_what_it_does(
    talking: tuple[Site, str], verb: str, body: dict[str, Any]
) -> None:
    site, call = talking
    before = site.everything()
    refused = site.do(call, verb, status=409, **body)
    assert refused["code"] == "action-not-allowed"
    if "wrap" not in verb:
        assert refused["allowed_actions"] == site.get(f"interactions/{call}", "anna")["allowed_actions"]
    assert site.everything() == before


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("digits", {"digits": ""}),
        ("digits", {"digits": "12a"}),
        ("digits", {"digits": "1" * 33}),
        ("digits", {"digits": 12}),
        ("digits", {}),
        ("notes", {"text": "  "}),
        ("notes", {"text": "x" * 2001}),
        ("notes", {}),
        ("hold", {"why": "unknown member"}),
        ("hold", {"agent_id": 7}),
        ("consults/current/dance", {}),
    ],
)
def test_a_body_that_breaks_the_schema_is_refused_with_a_pointer(
    talking: tuple[Site, str], verb: str, body: dict[str, Any]
) -> None:
    site, call = talking
    before = site.everything()
    refused = site.do(call, verb, status=422, **body)
    assert refused["code"] == "invalid-request"
    assert refused["errors"]
    assert site.everything() == before


def test_roles_are_kept_apart(site: Site) -> None:
    """The consulted agent may leave, and nothing else (CONSROLE-12, CONFROLE-10)."""
    call = site.call()
    consulting(site, call)
    before = site.everything()
    for verb in ("consults/current/end", "consults/current/transfer", "resume", "end", "hold"):
        assert site.do(call, verb, "ben", 409)["allowed_actions"] == ["add_note", "edit_cad", "exit_consult"]
    assert site.everything() == before


def test_digits_reach_the_customer(site: Site) -> None:
    call, customer = site.arrive()
    site.reaches(call, "connected")
    site.do(call, "digits", digits="42#")
    assert site.exchange.do(lambda: customer.digits) == "42#"


@pytest.mark.req("REC-07")
def test_the_state_of_the_recording_is_shown_at_all_times(site: Site) -> None:
    call = site.call()
    wait_until(lambda: site.get(f"interactions/{call}")["recording"]["state"] == "recording")
    paused = site.do(call, "recording/pause")
    recording = paused["recording"]
    assert (recording["state"], recording["agent_id"]) == ("paused", "anna")
    assert recording["resume_at"] > recording["since"]
    assert "resume_recording" in paused["allowed_actions"]
    resumed = site.do(call, "recording/resume")["recording"]
    assert (resumed["state"], resumed["resume_at"]) == ("recording", None)
    site.do(call, "end")
    assert site.get(f"interactions/{call}")["recording"]["state"] == "off"
    site.sign_in("dora")
    other = site.call("dora", "help")
    assert site.get(f"interactions/{other}")["recording"]["state"] == "off", "his profile records nothing"
    assert site.do(other, "recording/pause", "dora", 409)["code"] == "action-not-allowed"


# ---------------------------------------------------------------------- notes and wrap-up


def test_a_wrap_up_belongs_to_its_call_and_ends_with_a_reason(site: Site) -> None:
    call = site.call()
    ended = site.do(call, "end")
    assert (ended["state"], ended["wrap_up_deadline_at"]) == ("ended", None)
    assert site.get("agents/anna")["state"] == "wrap_up"
    before = site.everything()
    assert site.do(call, "wrap-up", status=422, reason="bored")["code"] == "reason-unknown"
    assert site.do(call, "wrap-up", status=422)["code"] == "reason-unknown", "this queue has no default"
    assert site.do("int_nothing", "wrap-up", status=404, reason="done")["code"] == "interaction-unknown"
    assert site.do(call, "wrap-up/extend", status=409)["code"] == "action-not-allowed"
    assert site.everything() == before
    site.do(call, "notes", text="in wrap-up, too")
    assert site.do(call, "wrap-up", reason="later")["allowed_actions"] == []
    assert site.get("agents/anna")["state"] == "available"
    assert site.do(call, "wrap-up", status=409, reason="later")["code"] == "action-not-allowed"


def test_a_note_comes_from_an_agent_or_from_an_integration(site: Site) -> None:
    call = site.call()
    site.do(call, "notes", text="of anna")
    site.do(call, "notes", "crm", text="of the CRM")
    site.do(call, "notes", "crm", text="by the CRM for anna", agent_id="anna")
    authors = [event.values["author"] for event in site.events(EventType.NOTE_ADDED)]
    assert authors == ["anna", "key:crm", "anna"]
