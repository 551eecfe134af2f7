"""Live interactions as the API shows them: who may see what, and what each may do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.lab.redis import RedisServer
from routing.core.roles import OUTSIDE_TABLE, ROLE_TABLE, Action
from telephony.simulated.habits import RingsOut
from tests.integration.control_config import CALLER, CUSTOMER, configuration
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


# ---------------------------------------------------------------------- who sees what


def test_an_agent_sees_his_own_calls_and_those_of_his_queues_alone(site: Site) -> None:
    site.sign_in("dora")
    mine, theirs = site.call(), site.call("dora", "help")
    assert [i["id"] for i in site.get("interactions")["items"]] == [mine, theirs]
    assert [i["id"] for i in site.get("interactions", "anna")["items"]] == [mine]
    assert [i["id"] for i in site.get("interactions", "cleo")["items"]] == [mine], "of his queue"
    assert [i["id"] for i in site.get("interactions", "dora")["items"]] == [theirs]
    for path in ("", "/cad", "/explain"):
        assert site.get(f"interactions/{mine}{path}", "dora", 404)["code"] == "interaction-unknown"
    before = site.everything()
    assert site.do(mine, "hold", "dora", 404)["code"] == "interaction-unknown"
    assert site.save(mine, {"case": "1"}, "dora", 1).status_code == 404
    assert site.do(mine, "hold", "cleo", 409)["code"] == "agent-not-engaged"
    assert site.everything() == before


def test_a_consulted_agent_of_another_queue_sees_the_call_and_goes_on_seeing_it(site: Site) -> None:
    call = site.call()
    site.get(f"interactions/{call}", "dora", 404)
    second(site, call, "dora")
    assert "exit_consult" in site.get(f"interactions/{call}", "dora")["allowed_actions"]
    left = site.do(call, "consults/current/exit", "dora")
    assert left["allowed_actions"] == []


def test_another_tenant_sees_nothing(site: Site) -> None:
    call = site.call()
    before = site.everything()
    for path in ("", "/cad", "/explain"):
        site.get(f"interactions/{call}{path}", "stranger", 404)
    for verb, body in (("hold", {}), ("end", {}), ("transfers", {"to": {"type": "queue", "id": "sales"}})):
        assert site.do(call, verb, "stranger", 404, agent_id="anna", **body)["code"] == "interaction-unknown"
    assert site.save(call, {"case": "1"}, "stranger", 1).status_code == 404
    site.get("agents/anna", "stranger", 404)
    site.get("queues/sales", "stranger", 404)
    assert site.get("interactions", "stranger") == {"items": [], "next_cursor": None}
    assert site.everything() == before


def test_lists_are_filtered_and_come_in_pages(site: Site) -> None:
    waiting = [site.arrive("help")[0] for _ in range(3)]
    mine = site.call()
    everything = [*waiting, mine]
    assert [i["id"] for i in site.get("interactions")["items"]] == everything
    assert [i["id"] for i in site.get("interactions?state=queued")["items"]] == waiting
    assert [i["id"] for i in site.get("interactions?queue=sales")["items"]] == [mine]
    assert [i["id"] for i in site.get("interactions?agent_id=anna")["items"]] == [mine]
    first = site.get("interactions?limit=2")
    rest = site.get(f"interactions?limit=2&cursor={first['next_cursor']}")
    assert [i["id"] for i in first["items"] + rest["items"]] == everything
    assert rest["next_cursor"] is None
    assert site.get("interactions?cursor=bm8", status=422)["code"] == "cursor-invalid"
    assert site.get("interactions?state=asleep", status=422)["code"] == "invalid-request"


def test_why_a_call_went_to_whom_is_explained(site: Site) -> None:
    call = site.call()
    (decision,) = site.get(f"interactions/{call}/explain")["decisions"]
    assert (decision["queue"], decision["winners"]) == ("sales", ["anna"])
    removed = {c["agent_id"]: c["removed_by"] for c in decision["candidates"]}
    assert removed["anna"] == ""
    assert removed["ben"]
    site.get("interactions/int_nothing/explain", status=404)


def test_an_ended_call_is_still_shown_and_one_that_never_was_is_not(site: Site) -> None:
    call = site.call()
    site.do(call, "end")
    shown = site.get(f"interactions/{call}")
    assert (shown["is_live"], shown["state"], shown["ended_by"]) == (False, "ended", "anna")
    assert site.get("interactions")["items"] == []
    assert site.get("interactions/int_nothing", status=404)["code"] == "interaction-unknown"
    assert site.do(call, "hold", status=404)["code"] == "interaction-unknown"


# ---------------------------------------------------------------------- scopes


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "interactions", "interactions:read"),
        ("GET", "interactions/{call}", "interactions:read"),
        ("GET", "interactions/{call}/explain", "interactions:read"),
        ("GET", "interactions/{call}/cad", "interactions:read"),
        ("PATCH", "interactions/{call}/cad", "cad:write"),
        *(
            ("POST", f"interactions/{{call}}/{verb}", "interactions:control")
            for verb in (
                *("hold", "resume", "end", "transfers", "consults", "consults/current/end", "conferences"),
                *("conferences/current/end", "recording/pause", "recording/resume", "digits", "notes"),
                *("wrap-up", "wrap-up/extend"),
            )
        ),
        ("POST", "interactions/{call}/cancel", "outdial"),
        ("POST", "outdials", "outdial"),
        ("GET", "outdial-anis", "outdial"),
        ("GET", "transfer-targets", "interactions:read"),
        ("GET", "agents", "agents:read"),
        ("GET", "agents/anna", "agents:read"),
        ("GET", "agents/anna/interactions", "interactions:read"),
        ("GET", "agents/anna/offer", "interactions:read"),
        ("PUT", "agents/anna/state", "agents:control"),
        ("POST", "agents/anna/sign-in", "agents:control"),
        ("POST", "agents/anna/sign-out", "agents:control"),
        ("GET", "queues", "agents:read"),
        ("GET", "queues/sales", "agents:read"),
        ("GET", "entry-points", "agents:read"),
        ("GET", "idle-reasons", "agents:read"),
        ("GET", "wrap-up-reasons", "agents:read"),
        ("GET", "cad-variables", "agents:read"),
        ("GET", "status", "agents:read"),
    ],
)
def test_every_route_needs_its_scope(shared: Site, method: str, path: str, scope: str) -> None:
    before = shared.everything()
    answer = shared.send(method, path.format(call="int_1"), "metrics:read-only", {})
    assert answer.status_code == 403
    assert scope in answer.json["missing_scopes"]
    assert shared.everything() == before


@pytest.fixture(scope="module")
def shared(redis_server: RedisServer) -> Iterator[Site]:
    with center(redis_server, configuration("scopes")) as made:
        yield made


def test_an_agent_cannot_act_for_another_one(site: Site) -> None:
    site.sign_in("ben")
    before = site.everything()
    requests: tuple[tuple[str, str, Any], ...] = (
        ("PUT", "agents/anna/state", {"state": "idle", "reason": "break"}),
        ("POST", "agents/anna/sign-out", {}),
        ("POST", "outdials", {"agent_id": "anna", "number": CUSTOMER}),
        ("GET", "agents/anna/interactions", None),
        ("GET", "agents/anna/offer", None),
    )
    for method, path, body in requests:
        answer = site.send(method, path, "ben", body)
        assert (answer.status_code, answer.json["code"]) == (403, "forbidden"), path
    assert site.everything() == before


def test_a_key_says_for_whom_it_acts(site: Site) -> None:
    call = site.call()
    before = site.everything()
    refused = site.do(call, "hold", "crm", 422)
    assert refused["errors"] == [{"pointer": "/agent_id", "detail": "needed, since this key acts for any agent"}]
    assert site.do(call, "hold", "crm", 404, agent_id="nobody")["code"] == "agent-unknown"
    assert site.everything() == before
    assert site.do(call, "hold", "crm", agent_id="anna")["allowed_for"] == "anna"
