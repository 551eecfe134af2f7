"""Campaigns through the API: loaded and started by supervisors, joined by agents of their teams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.lab.redis import RedisServer
from routing.core.events import EventType
from tests.integration.campaign_config import card
from tests.integration.campaign_site import campaign_center, fill, loaded, preview
from tests.integration.control_site import Site, checked
from tests.waiting import wait_until


@pytest.fixture
def site(redis_server: RedisServer, tenant: Callable[[], str], tmp_path: Path) -> Iterator[Site]:
    with campaign_center(redis_server, tenant(), tmp_path) as made:
        yield made


@pytest.mark.req("CAMP-02", "CAMP-07")
def test_every_configured_campaign_is_listed_with_its_mode_and_teams(site: Site) -> None:
    found = {item["id"]: item for item in site.get("campaigns")["items"]}
    assert {id_: item["mode"] for id_, item in found.items()} == {
        "autumn": "progressive",
        "office": "preview",
        "spring": "preview",
        "winter": "predictive",
    }
    assert {item["state"] for item in found.values()} == {"stopped"}
    assert found["office"]["teams"] == ["office"]
    assert found["winter"]["drops"]["cap"] == 0.03
    assert found["winter"]["drops"]["drop_rate"] is None
    assert [item["id"] for item in site.get("campaigns?mode=predictive")["items"]] == ["winter"]
    assert [item["id"] for item in site.get("campaigns?team=office")["items"]] == ["office"]
    rules = site.get("campaigns/spring")["rules"]
    assert [one["code"] for one in rules["dispositions"]] == ["sold", "later", "angry"]
    assert rules["has_guide"]
    assert site.get("campaigns/nothing", status=404)["code"] == "campaign-unknown"


@pytest.mark.req("CAMP-04")
def test_load_start_pause_and_stop_follow_the_table_and_tell_their_teams(site: Site) -> None:
    assert site.post("campaigns/spring/start", status=409)["code"] == "illegal-transition"
    assert site.get("campaigns/spring")["allowed_actions"] == ["load"]
    for action, state in (("load", "loaded"), ("start", "running"), ("pause", "paused"), ("start", "running")):
        assert site.post(f"campaigns/spring/{action}")["state"] == state
    assert site.get("campaigns/spring")["allowed_actions"] == ["pause", "stop"]
    assert [item["id"] for item in site.get("campaigns?state=running")["items"]] == ["spring"]
    assert site.post("campaigns/spring/stop")["state"] == "stopped"
    told = site.events(EventType.CAMPAIGN_LOADED, EventType.CAMPAIGN_STARTED)
    assert [event.type.value for event in told] == ["campaign.loaded", "campaign.started", "campaign.started"]
    assert {tuple(event.values["teams"]) for event in told} == {("floor",)}  # type: ignore[arg-type]
    assert site.post("campaigns/nothing/load", status=404)["code"] == "campaign-unknown"


@pytest.mark.req("API-03")
def test_a_repeated_load_with_its_key_is_done_once(site: Site) -> None:
    for _ in range(2):
        assert site.post("campaigns/spring/load", Idempotency_Key="one")["state"] == "loaded"
    assert len(site.events(EventType.CAMPAIGN_LOADED)) == 1
    checked(site.app.test_client().post("/v1/campaigns/spring/start", headers={"Authorization": "Bearer crm"}), 400)


@pytest.mark.req("CAMP-03", "CAMP-06")
def test_my_campaigns_are_those_of_my_team_that_are_loaded(site: Site) -> None:
    assert site.get("agents/anna/campaigns", "anna")["items"] == []
    for name in ("spring", "office", "winter"):
        site.post(f"campaigns/{name}/load")
    (spring, winter) = site.get("agents/anna/campaigns", "anna")["items"]
    assert (spring["id"], spring["state"], spring["gets_records"], spring["joined_at"]) == (
        "spring",
        "loaded",
        True,
        None,
    )
    assert (winter["id"], winter["gets_records"]) == ("winter", False)
    assert [item["id"] for item in site.get("agents/dora/campaigns", "dora")["items"]] == ["office"]
    checked(site.send("GET", "agents/dora/campaigns", "anna"), 403)


@pytest.mark.req("DIALER-11")
def test_an_agent_who_is_ready_is_told_what_holds_his_campaign_back(site: Site) -> None:
    loaded(site)
    (spring,) = site.get("agents/anna/campaigns", "anna")["items"]
    assert (spring["ready"], spring["waiting"], spring["held_back_by"]) == (True, 1, [])
    shown = preview(site)
    (spring,) = site.get("agents/anna/campaigns", "anna")["items"]
    assert (spring["unready_because"], spring["held_back_by"]) == ("preview", []), "his own reason comes first"
    site.do(shown["id"], "record/decline", choice="never")
    (spring,) = site.get("agents/anna/campaigns", "anna")["items"]
    assert (spring["ready"], spring["held_back_by"]) == (True, ["hopper_empty"])
    site.post("campaigns/spring/pause")
    (spring,) = site.get("agents/anna/campaigns", "anna")["items"]
    assert set(spring["held_back_by"]) == {"hopper_empty", "paused"}


@pytest.mark.req("CAMP-03")
def test_who_is_not_of_its_team_cannot_join_nor_see_a_campaign(site: Site) -> None:
    loaded(site)
    site.sign_in("dora")
    refused = site.post("agents/dora/campaigns/spring/join", {}, "dora", 403)
    assert (refused["code"], refused["because"]) == ("campaign-not-of-team", "team")
    assert site.post("agents/dora/campaigns/spring/records", {}, "dora", 409)["code"] == "campaign-not-joined"
    assert site.get("campaigns/spring/responses", "dora", 404)["code"] == "campaign-unknown"
    shown = preview(site)
    assert site.get(f"interactions/{shown['id']}", "dora", 404)["code"] == "interaction-unknown"


@pytest.mark.req("CAMP-03")
def test_a_record_before_a_colleague_is_not_shown_to_the_others_of_the_queue(site: Site) -> None:
    loaded(site)
    shown = preview(site)
    wait_until(lambda: [i["id"] for i in site.get("interactions", "anna")["items"]] == [shown["id"]])
    assert site.get("interactions", "ben")["items"] == []
    assert site.get(f"interactions/{shown['id']}", "ben", 404)["code"] == "interaction-unknown"
    assert site.get(f"interactions/{shown['id']}/record", "ben", 404)["code"] == "interaction-unknown"


@pytest.mark.req("CAMP-05", "PREV-02")
def test_nothing_is_delivered_before_an_agent_has_joined_nor_by_joining_alone(site: Site) -> None:
    for action in ("load", "start"):
        site.post(f"campaigns/spring/{action}")
    fill(site, card())
    refused = site.post("agents/anna/campaigns/spring/records", {}, "anna", 409)
    assert refused["code"] == "campaign-not-joined"
    joined = site.post("agents/anna/campaigns/spring/join", {}, "anna")
    assert joined["joined_at"]
    assert joined["waiting"] == 1
    assert site.get("agents/anna/interactions", "anna")["items"] == []
    assert site.events(EventType.RECORD_SHOWN) == []
    left = site.post("agents/anna/campaigns/spring/leave", {}, "anna")
    assert left["joined_at"] is None
    assert site.post("agents/anna/campaigns/spring/records", {}, "anna", 409)["code"] == "campaign-not-joined"


@pytest.mark.req("CAMP-04")
def test_a_campaign_that_is_only_loaded_is_joined_and_gives_out_nothing(site: Site) -> None:
    site.post("campaigns/spring/load")
    site.post("agents/anna/campaigns/spring/join", {}, "anna")
    fill(site, card())
    assert site.post("agents/anna/campaigns/spring/records", {}, "anna", 409)["code"] == "campaign-not-running"
    wait_until(lambda: site.get("campaigns/spring")["hopper"] == 1)


def test_what_a_campaign_does_is_counted(site: Site) -> None:
    loaded(site, "spring", card(1), card(2), card(3))
    preview(site)
    wait_until(lambda: site.get("campaigns/spring")["hopper"] == 2)
    found = site.get("campaigns/spring")
    assert found["joined"] == ["anna"]
    assert found["records"] == {"previewed": 1, "ready": 2}
    assert found["calls"] == {"previewing": 1}
    site.post("campaigns/spring/stop")
    assert site.get("campaigns/spring")["records"] == {}
    assert site.get("campaigns/spring")["joined"] == []


@pytest.mark.req("API-08")
def test_scopes_decide_who_sees_and_steers_campaigns(site: Site) -> None:
    for path in ("campaigns", "campaigns/spring", "campaigns/spring/drops"):
        checked(site.send("GET", path, "anna"), 403)
        site.get(path, "campaigns:read-only")
    checked(site.send("POST", "campaigns/spring/load", "campaigns:read-only"), 403)
    checked(site.send("POST", "campaigns/spring/load", "anna"), 403)
    assert site.post("campaigns/spring/load", who="campaigns:control-only")["state"] == "loaded"
    assert site.get("campaigns", "stranger")["items"] == []


@pytest.mark.req("ACT-05")
def test_responses_are_those_of_the_campaign_then_those_for_all(site: Site) -> None:
    assert [one["id"] for one in site.get("responses", "anna")["items"]] == ["hours"]
    found = site.get("campaigns/spring/responses", "anna")["items"]
    assert [(one["id"], one["campaign"]) for one in found] == [("price", "spring"), ("hours", None)]
    assert found[0]["text"] == "From 9 a month."


@pytest.mark.req("CAMP-03", "CAMP-04", "API-07")
def test_both_notifications_reach_the_agents_of_the_team_and_nobody_else(site: Site) -> None:
    for name in ("office", "spring"):
        site.post(f"campaigns/{name}/load")
        site.post(f"campaigns/{name}/start")

    def told(who: str, query: str = "") -> list[tuple[str, str]]:
        found = site.get(f"events?after=0&wait=0&limit=500&types=campaign.*{query}", who)["events"]
        return [(event["type"], event["data"]["campaign"]) for event in found]

    assert told("anna") == [("campaign.loaded", "spring"), ("campaign.started", "spring")]
    assert told("dora") == [("campaign.loaded", "office"), ("campaign.started", "office")]
    assert len(told("crm")) == 4
    assert told("crm", "&campaign=office") == told("dora")


@pytest.mark.req("CAMP-07", "PROG-08", "CAMP-03")
def test_in_a_progressive_campaign_a_record_comes_by_itself_to_one_agent_alone(site: Site) -> None:
    site.sign_in("ben")
    loaded(site, "autumn")
    wait_until(lambda: site.events(EventType.RECORD_SHOWN))
    (shown,) = site.get("agents/anna/interactions", "anna")["items"]
    assert (shown["state"], shown["campaign"]["mode"]) == ("previewing", "progressive")
    types = ("anna", "ben")
    seen = {who: site.get("events?after=0&wait=0&limit=500&types=record.*", who)["events"] for who in types}
    assert [event["type"] for event in seen["anna"]] == ["record.shown"]
    assert seen["ben"] == []
    assert site.post("agents/anna/campaigns/autumn/records", {}, "anna", 409)["reason"] == "mode"


@pytest.mark.req("DIALER-12")
@pytest.mark.timeout(120)
def test_advice_names_a_mode_and_says_why(site: Site) -> None:
    found = site.get("campaigns/spring/advice?agents=2&rate=0.3")
    assert found["mode"] in {"preview", "progressive", "predictive"}
    assert [one["mode"] for one in found["expected"]] == ["preview", "progressive", "predictive"]
    assert found["reasons"]
    assert site.get("campaigns/spring/advice?agents=2", status=422)["code"] == "advice-not-possible"
    assert site.get("campaigns/spring/advice?rate=0.3", status=422)["code"] == "advice-not-possible"
