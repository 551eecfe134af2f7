"""Live interactions as the API shows them: who may see what, and what each may do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from deploy.lab.redis import RedisServer
from routing.core.roles import OUTSIDE_TABLE, ROLE_TABLE, Action
from telephony.simulated.habits import RingsOut
from tests.integration.control_config import CALLER, configuration
from tests.integration.control_site import Site, center
from tests.waiting import wait_until

AT_ONCE = ["add_note", "consult", "edit_cad", "end", "hold", "instant_transfer", "invite", "pause_recording"]
CONNECTED = sorted([*AT_ONCE, "send_digits", "transfer"])


@pytest.fixture
def site(redis_server: RedisServer, tenant: Callable[[], str]) -> Iterator[Site]:
    with center(redis_server, configuration(tenant())) as made:
        yield made


def second(site: Site, call: str, name: str = "ben") -> None:
    """This agent is consulted and has answered."""
    site.sign_in(name)
    site.do(call, "consults", to={"type": "agent", "id": name})
    site.reaches(call, "consulting")


# ---------------------------------------------------------------------- what is shown


def test_a_live_call_is_shown_with_all_that_its_card_needs(site: Site) -> None:
    call = site.call(case="17")
    shown = site.get(f"interactions/{call}")
    expected = {
        "id": call,
        "kind": "inbound",
        "label": "incoming call",
        "ani": CALLER,
        "ani_name": "Carla",
        "dnis": "7000",
        "queue": "sales",
        "queue_label": "Sales",
        "state": "connected",
        "status": "Connected",
        "customer_status": "Connected",
        "is_live": True,
        "is_confirmed": True,
        "allowed_for": "anna",
        "failure": None,
        "consult": None,
        "result": "answered",
    }
    assert {name: shown[name] for name in expected} == expected
    (party,) = shown["parties"]
    assert (party["agent_id"], party["name"], party["role"]) == ("anna", "Anna", "owner")
    assert shown["entered_at"] <= shown["answered_at"] <= shown["bridged_at"]
    assert shown["entered_at"].endswith("Z")
    assert shown["ended_at"] is None


@pytest.mark.req("OFFER-02", "OFFER-06", "API-10")
def test_an_offer_is_before_its_agent_with_timer_and_page_and_nothing_can_be_done_with_it_yet(site: Site) -> None:
    site.habit("anna", RingsOut())
    call, _ = site.arrive(case="A 1/2&x", card="4111")
    wait_until(lambda: site.call_data(call).offers and site.call_data(call).offers[0].state.value == "ringing")
    (card,) = site.get("agents/anna/offer", "anna")["items"]
    assert (card["label"], card["status"], card["queue_label"]) == ("incoming call", "ringing", "Sales")
    assert (card["ani"], card["dnis"], card["interaction_id"]) == (CALLER, "7000", call)
    assert card["timer_started_at"] < card["deadline_at"]
    assert card["screen_pop"] == "https://crm.example/open?case=A%201%2F2%26x&from=%2B12015550143&agent=anna"
    values = {row["name"]: row["value"] for row in card["variables"]}
    assert values["case"] == "A 1/2&x"
    assert values["card"] == "••••"
    shown = site.get(f"interactions/{call}", "anna")
    assert (shown["status"], shown["allowed_actions"]) == ("Ringing", [])
    assert shown["screen_pop"] == card["screen_pop"]
    before = site.everything()
    for verb, body in (
        ("hold", {}),
        ("end", {}),
        ("transfers", {"to": {"type": "queue", "id": "help"}}),
        ("recording/pause", {}),
        ("notes", {"text": "x"}),
    ):
        refused = site.do(call, verb, status=409, **body)
        assert (refused["code"], refused["allowed_actions"]) == ("action-not-allowed", [])
    assert site.save(call, {"case": "2"}).status_code == 409
    assert site.everything() == before


def test_an_offer_is_gone_once_it_is_answered(site: Site) -> None:
    site.call()
    assert site.get("agents/anna/offer", "anna") == {"items": []}


@pytest.mark.req("API-05")
def test_what_may_be_done_is_that_of_the_one_who_asks(site: Site) -> None:
    call = site.call()
    assert site.get(f"interactions/{call}", "anna")["allowed_actions"] == CONNECTED
    assert site.get(f"interactions/{call}")["allowed_actions"] == CONNECTED, "a key: agent 1's"
    second(site, call)
    roles = {"anna": "owner", "ben": "consulted"}
    for state, change in (
        ("consulting", None),
        ("consult_held", ("consults/current/hold", "anna")),
        ("conference", ("consults/current/conference", "anna")),
    ):
        if change:
            site.do(call, change[0], change[1])
        site.reaches(call, state)
        for name, role in roles.items():
            shown = site.get(f"interactions/{call}", name)
            wanted = {a.value for (s, r), actions in ROLE_TABLE.items() if (s, r) == (state, role) for a in actions}
            may_pause = {Action.PAUSE_RECORDING.value} if name == "anna" and state != "consulting" else set()
            assert set(shown["allowed_actions"]) == wanted | may_pause, (state, name)
            assert shown["allowed_for"] == name
            by_key = site.get(f"interactions/{call}?agent_id={name}")
            assert by_key["allowed_actions"] == shown["allowed_actions"]
            parties = {party["agent_id"]: party["allowed_actions"] for party in by_key["parties"]}
            assert parties[name] == shown["allowed_actions"]
    assert site.get(f"interactions/{call}?agent_id=cleo")["allowed_actions"] == [], "he has no part in it"


@pytest.mark.req("API-05")
def test_every_answer_with_an_interaction_says_what_may_be_done_next(site: Site) -> None:
    call = site.call()
    held = site.do(call, "hold")
    assert "resume" in held["allowed_actions"]
    assert "resume" in site.get("interactions")["items"][0]["allowed_actions"]
    assert "resume" in site.get("agents/anna/interactions")["items"][0]["allowed_actions"]
    site.do(call, "resume")
    ended = site.do(call, "end")
    wrap_up = sorted(action.value for action in OUTSIDE_TABLE[next(s for s in OUTSIDE_TABLE if s.value == "wrap_up")])
    assert ended["allowed_actions"] == wrap_up
    assert site.do(call, "wrap-up", reason="done")["allowed_actions"] == []


@pytest.mark.req("HOLD-04")
def test_a_held_call_says_so_and_cannot_be_ended(site: Site) -> None:
    call = site.call()
    shown = site.do(call, "hold")
    assert (shown["status"], shown["customer_status"]) == ("on hold", "on hold")
    assert "end" not in shown["allowed_actions"]
    assert shown["clocks"]["held_since"] is not None
    before = site.everything()
    refused = site.do(call, "end", status=409)
    assert refused["allowed_actions"] == sorted(shown["allowed_actions"])
    assert site.everything() == before
    back = site.do(call, "resume")
    assert (back["status"], "end" in back["allowed_actions"]) == ("Connected", True)


@pytest.mark.req("CONS-06", "CONS-09", "CONS-10")
def test_the_status_of_a_consult_from_request_to_hold(site: Site) -> None:
    site.sign_in("ben")
    site.habit("ben", RingsOut())
    site.put("agents/ben/state", {"state": "idle", "reason": "break"}, "ben")
    call = site.call()
    site.free("ben")
    asked = site.do(call, "consults", to={"type": "agent", "id": "ben"})
    assert (asked["status"], asked["customer_status"]) == ("consult requested", "on hold")
    assert (asked["consult"]["status"], asked["consult"]["to_agent"]) == ("consult requested", "ben")
    site.do(call, "consults/current/cancel")
    assert site.get(f"interactions/{call}")["status"] == "on hold"
    site.habit("ben", type(site.phone("anna").habit)())
    site.do(call, "consults", to={"type": "agent", "id": "ben"})
    site.reaches(call, "consulting")
    talking = site.get(f"interactions/{call}")
    assert (talking["status"], talking["customer_status"]) == ("consulting", "on hold")
    toggled = site.do(call, "consults/current/hold")
    assert (toggled["status"], toggled["customer_status"]) == ("consult on hold", "Connected")


@pytest.mark.req("END-05")
def test_the_status_of_a_call_is_connected_on_hold_or_ended_with_the_number(site: Site) -> None:
    call = site.call()
    found = []
    for verb in ("hold", "resume", "end"):
        shown = site.do(call, verb)
        found.append((shown["status"], shown["ani"]))
    assert found == [("on hold", CALLER), ("Connected", CALLER), ("Ended", CALLER)]


@pytest.mark.req("API-10")
def test_an_entry_point_without_a_template_has_no_page(site: Site) -> None:
    assert site.get(f"interactions/{site.call(entry_point='wide')}")["screen_pop"] is None
