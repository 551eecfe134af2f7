"""What happened in one interaction: its own part of the event stream (ROUTE-17)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.lab.redis import RedisServer
from routing.api import interaction_events
from routing.core.cad import MASK
from tests.integration.control_config import configuration
from tests.integration.control_site import Site, center


@pytest.fixture
def site(redis_server: RedisServer, tenant: Callable[[], str]) -> Iterator[Site]:
    with center(redis_server, configuration(tenant())) as made:
        yield made


def all_of(site: Site, interaction: str) -> list[dict[str, Any]]:
    found, after = [], ""
    while True:
        page = site.get(f"interactions/{interaction}/events?after={after}")
        found += page["items"]
        after = page["next_after"]
        if page["reached_end"]:
            return found


def test_the_events_of_one_call_are_told_in_order_and_no_others(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    first = site.call("anna", card="4111")
    other, _ = site.arrive()
    site.do(first, "hold")
    site.reaches(first, "held")
    site.do(first, "resume")
    site.reaches(first, "connected")
    site.do(first, "end")
    site.reaches(first, "ended")
    told = all_of(site, first)
    types = [event["type"] for event in told]
    assert types[:2] == ["interaction.arrived", "interaction.queued"]
    assert {"offer.ringing", "interaction.connected", "hold.started", "interaction.ended"} <= set(types)
    assert {event["interaction_id"] for event in told} == {first}
    assert told[0]["data"]["cad"]["card"] == MASK
    monkeypatch.setattr(interaction_events, "_MOST_READ", 3)
    assert all_of(site, first) == told
    assert not site.get(f"interactions/{first}/events")["reached_end"]
    assert all_of(site, other)[0]["interaction_id"] == other


def test_it_goes_on_behind_the_last_position(site: Site) -> None:
    call = site.call("anna")
    before = site.get(f"interactions/{call}/events")
    assert before["reached_end"]
    assert not before["begins_later"]
    site.do(call, "hold")
    site.reaches(call, "held")
    since = site.get(f"interactions/{call}/events?after={before['next_after']}")
    assert "hold.started" in [event["type"] for event in since["items"]]
    assert not {e["id"] for e in since["items"]} & {e["id"] for e in before["items"]}


def test_agents_strangers_and_nonsense_are_refused(site: Site) -> None:
    call = site.call("anna")
    assert site.get(f"interactions/{call}/events", "anna", 403)["code"] == "forbidden"
    assert site.get(f"interactions/{call}/events", "stranger", 404)["code"] == "interaction-unknown"
    assert site.get(f"interactions/{call}/events", "interactions:read-only", 403)["missing_scopes"] == ["events:read"]
    for nonsense in ("x", "1-x", f"{1 << 70}-0", "-1-0"):
        assert site.get(f"interactions/{call}/events?after={nonsense}", status=422)["errors"][0]["pointer"] == "/after"
    assert site.get(f"interactions/{call}/events?after={1 << 50}-0")["items"] == []


def test_what_is_no_longer_kept_is_said(site: Site) -> None:
    call = site.call("anna")
    events = site.front.keys("events")
    newest = site.get(f"interactions/{call}/events")["items"][-1]["id"]
    site.services.redis.xtrim(events, minid=newest, approximate=False)
    told = site.get(f"interactions/{call}/events")
    assert told["begins_later"]
    assert len(told["items"]) == 1
