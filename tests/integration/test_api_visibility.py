"""Who may see and do what with live interactions: queues, tenants, scopes, keys and agents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.lab.redis import RedisServer
from tests.integration.control_config import CUSTOMER, configuration
from tests.integration.control_site import Site, center


@pytest.fixture
def site(redis_server: RedisServer, tenant: Callable[[], str]) -> Iterator[Site]:
    with center(redis_server, configuration(tenant())) as made:
        yield made


def second(site: Site, call: str, name: str = "ben") -> None:
    """This agent is consulted and has answered."""
    site.sign_in(name)
    site.do(call, "consults", to={"type": "agent", "id": name})
    site.reaches(call, "consulting")


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
        ("GET", "teams", "agents:read"),
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
