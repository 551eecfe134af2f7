"""Targets of transfers and consults, queues and agents, as of now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from deploy.lab.redis import RedisServer
from routing.core.facts import LinkRestored, PhoneState
from routing.core.orders import ApplyConfig
from routing.store.redis_store import RedisStore
from telephony.simulated.habits import Answers
from tests.integration.control_config import AGENTS, CUSTOMER, agent, configuration
from tests.integration.control_site import Site, center
from tests.waiting import wait_until


@pytest.fixture
def site(redis_server: RedisServer, tenant: Callable[[], str]) -> Iterator[Site]:
    elsewhere = agent("gus", "default", "sales", pbx="sim2")
    people = {one.id: one for one in (*AGENTS, elsewhere)}
    config = configuration(tenant())
    config = replace(config, agents=people, pbxs=config.pbxs | {"sim2": replace(config.pbxs["sim1"], id="sim2")})
    with center(redis_server, config) as made:
        yield made


def targets(site: Site, call: str, kind: str, use: str = "transfer", who: str = "anna", **more: str) -> Any:
    query = "&".join(f"{name}={value}" for name, value in more.items())
    return site.get(f"transfer-targets?for={use}&interaction_id={call}&kind={kind}&{query}", who)["items"]


def ids(items: Any) -> list[str]:
    return [item["id"] for item in items]


@pytest.mark.req("XFER-03", "XFER-05")
def test_a_transfer_offers_available_agents_with_presence_as_of_this_moment(site: Site) -> None:
    call = site.call()
    assert targets(site, call, "agents") == []
    site.sign_in("ben", "cleo", "dora")
    (ben, cleo, dora) = targets(site, call, "agents")
    assert (ben["type"], ben["id"], ben["label"]) == ("agent", "ben", "Ben")
    assert (ben["agent"]["state"], ben["agent"]["is_available"]) == ("available", True)
    assert (cleo["id"], dora["id"]) == ("cleo", "dora")
    assert ids(targets(site, call, "agents", q="LEO")) == ["cleo"]
    assert ids(targets(site, call, "agents", q="nobody")) == []
    site.put("agents/ben/state", {"state": "idle", "reason": "break"}, "ben")
    assert ids(targets(site, call, "agents")) == ["cleo", "dora"], "at once"
    site.free("ben")
    assert ids(targets(site, call, "agents")) == ["ben", "cleo", "dora"]
    page = site.get(f"transfer-targets?for=transfer&interaction_id={call}&kind=agents&limit=2", "anna")
    rest = f"transfer-targets?for=transfer&interaction_id={call}&kind=agents&limit=2&cursor={page['next_cursor']}"
    assert ids(page["items"]) + ids(site.get(rest, "anna")["items"]) == ["ben", "cleo", "dora"]


@pytest.mark.req("XFER-03", "XFER-05")
def test_every_agent_who_is_offered_can_be_chosen_and_nobody_else(site: Site) -> None:
    site.sign_in("dora")
    call = site.call()
    assert ids(targets(site, call, "agents")) == ["dora"]
    before = site.everything()
    for other in ("ben", "gus", "anna"):
        refused = site.do(call, "transfers", status=409, to={"type": "agent", "id": other})
        assert refused["code"] == "agent-not-available"
        assert refused["because"]
    assert site.everything() == before
    site.do(call, "transfers", to={"type": "agent", "id": "dora"})


@pytest.mark.req("OPS-05", "XFER-03", "XFER-07")
@pytest.mark.parametrize("trunks", [{}, {"sim2": "SIM/{number}@to-sim2"}])
def test_agents_of_another_pbx_are_targets_where_a_trunk_leads_to_them(site: Site, trunks: dict[str, str]) -> None:
    config = site.front.load().config
    here = replace(config.pbxs["sim1"], trunks=trunks)
    site.ask(ApplyConfig, config=replace(config, pbxs=config.pbxs | {"sim1": here}))
    gus = config.agents["gus"]

    async def link_up() -> None:
        store = RedisStore(site.services.server.redis_url, config.tenant)
        await store.beat("sim2", 60_000)
        await store.append_input(LinkRestored(pbx="sim2", phones={gus.phone: PhoneState.FREE}))
        await store.close()

    asyncio.run(link_up())
    wait_until(lambda: site.front.load().links.get("sim2"))
    site.sign_in("dora", "gus")
    call = site.call()
    assert ids(targets(site, call, "agents")) == ["dora", *(["gus"] if trunks else [])]
    assert ids(targets(site, call, "agents", "consult"))[-1] == "gus"
    status = 200 if trunks else 409
    answer = site.do(call, "transfers", status=status, to={"type": "agent", "id": "gus"})
    assert trunks or answer["because"] == "other_pbx"


@pytest.mark.req("CONS-03")
def test_a_consult_shows_everybody_with_his_presence_but_those_in_the_call(site: Site) -> None:
    site.sign_in("ben")
    site.put("agents/ben/state", {"state": "idle", "reason": "break"}, "ben")
    call = site.call()
    found = {item["id"]: item["agent"] for item in targets(site, call, "agents", "consult")}
    assert list(found) == ["ben", "cleo", "dora", "emil", "gus"]
    assert (found["ben"]["state"], found["ben"]["reason"], found["ben"]["is_available"]) == ("idle", "break", False)
    assert found["cleo"]["state"] == "logged_out"
    site.free("ben")
    assert targets(site, call, "agents", "consult")[0]["agent"]["is_available"] is True


@pytest.mark.req("XFER-04")
def test_queues_and_entry_points_are_offered_with_their_figures(site: Site) -> None:
    site.arrive("help")
    call = site.call()
    (help_, sales) = targets(site, call, "queues")
    assert (help_["type"], help_["id"], help_["label"]) == ("queue", "help", "Help")
    assert (help_["waiting"], help_["eligible"], sales["waiting"]) == (1, 0, 0)
    assert ids(targets(site, call, "queues", q="sal")) == ["sales"]
    assert ids(targets(site, call, "queues", "consult")) == ["help", "sales"]
    assert ids(targets(site, call, "entry_points")) == ["help", "sales", "wide"]
    assert ids(targets(site, call, "entry_points", q="wi")) == ["wide"]
    path = f"transfer-targets?for=consult&interaction_id={call}&kind=entry_points"
    assert site.get(path, "anna", 422)["code"] == "target-unknown"


@pytest.mark.req("XFER-13")
@pytest.mark.parametrize(("who", "may"), [("anna", False), ("emil", True)])
def test_an_outdial_goes_to_a_queue_only_where_the_profile_says_so(site: Site, who: str, may: bool) -> None:
    site.outside(CUSTOMER, Answers())
    site.sign_in(*{who, "dora"} - {"anna"})
    if who != "anna":
        site.post("agents/anna/sign-out", None, "anna")
    call = site.post("outdials", {"number": CUSTOMER}, who, 202)["id"]
    site.reaches(call, "connected")
    for kind in ("queues", "entry_points"):
        assert bool(targets(site, call, kind, who=who)) is may
        assert bool(targets(site, call, kind, who="crm")) is may, "agent 1's profile counts"
    assert "dora" in ids(targets(site, call, "agents", who=who))
    assert ids(targets(site, call, "queues", "consult", who=who)) == ["help", "sales"], "a consult may"
    before = site.everything()
    answer = site.send("POST", f"interactions/{call}/transfers", who, {"to": {"type": "queue", "id": "help"}})
    if may:
        assert answer.status_code == 200
    else:
        assert (answer.status_code, answer.json["code"]) == (422, "target-not-allowed")
        assert answer.json["rule"] == "outdial_to_queue"
        assert site.everything() == before


def test_targets_are_those_of_a_call_that_one_may_see(site: Site) -> None:
    call = site.call()
    for who, asked in (("dora", call), ("anna", "int_nothing"), ("stranger", call)):
        path = f"transfer-targets?for=transfer&interaction_id={asked}&kind=agents"
        assert site.get(path, who, 404)["code"] == "interaction-unknown"
    for bad in (
        "",
        "for=transfer",
        f"for=moon&interaction_id={call}&kind=agents",
        f"for=transfer&interaction_id={call}",
    ):
        assert site.get(f"transfer-targets?{bad}", "anna", 422)["code"] == "invalid-request"


# ---------------------------------------------------------------------- lists of the centre


def test_agents_are_listed_and_filtered(site: Site) -> None:
    site.sign_in("dora")
    assert ids(site.get("agents")["items"]) == ["anna", "ben", "cleo", "dora", "emil", "gus"]
    assert ids(site.get("agents?queue=help")["items"]) == ["dora"]
    assert ids(site.get("agents?state=logged_out&q=E")["items"]) == ["ben", "cleo", "emil"]
    assert site.get("agents?team=other")["items"] == []
    page = site.get("agents?limit=4")
    assert ids(site.get(f"agents?limit=4&cursor={page['next_cursor']}")["items"]) == ["emil", "gus"]
    shown = site.get("agents/anna", "ben")
    assert (shown["name"], shown["team"], shown["queues"]) == ("Anna", "floor", {"sales": 1})
    assert site.get("agents/nobody", status=404)["code"] == "agent-unknown"
    assert site.get("agents/nobody/offer", status=404)["code"] == "agent-unknown"


def test_queues_show_their_figures_and_people(site: Site) -> None:
    site.arrive("help")
    call = site.call()
    sales = site.get("queues/sales")
    assert (sales["talking"], sales["waiting"], sales["members"], sales["signed_in"]) == (1, 0, 5, 1)
    assert sales["staff"] == {"connected": 1, "logged_out": 4}
    site.do(call, "end")
    wait_until(lambda: site.get("queues/sales")["staff"] == {"wrap_up": 1, "logged_out": 4}, 1.0)
    assert site.get("queues/sales")["wrapping_up"] == 1
    assert [(q["id"], q["waiting"]) for q in site.get("queues")["items"]] == [("help", 1), ("sales", 0)]
    assert site.get("queues/nowhere", status=404)["code"] == "not-found"
    assert [p["id"] for p in site.get("entry-points")["items"]] == ["help", "sales", "wide"]
    assert site.get("idle-reasons") == {"items": ["break"]}
    assert site.get("wrap-up-reasons") == {"items": ["done", "later"]}


def test_the_status_tells_whether_calls_are_served(site: Site) -> None:
    shown = site.get("status")
    assert (shown["is_served"], shown["config_revision"]) == (True, 1)
    assert shown["pbx_links"] == {"sim1": True, "sim2": False}
    assert shown["is_healthy"] is False, "one PBX is not there"
    assert shown["agents"] == {"available": 1, "logged_out": 5}
    site.exchange.stop_engine()
    try:
        assert site.get("status")["is_served"] is False
    finally:
        site.exchange.start_engine()
