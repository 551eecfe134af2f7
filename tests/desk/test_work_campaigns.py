"""Campaigns on the agent's desk: told, joined, asked for records, and why nothing comes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from routing.app.clock import SystemClock
from routing.core.record import RecordNumber
from routing.core.windows import is_open
from tests.desk.desk_site import AtDesk
from tests.desk.work_site import buttons, cleared, hands, running, shown, text_of
from tests.integration.campaign_config import card
from tests.integration.campaign_site import fill
from tests.integration.control_site import Site
from tests.waiting import wait_until


@pytest.fixture
def site(campaigns: Site) -> Iterator[Site]:
    yield campaigns
    cleared(campaigns)


def until(stream: Iterator[tuple[str, str]], name: str, text: str) -> str:
    """What the stream sends for that region, as soon as it holds the text."""
    return next(html for event, html in stream if event == name and text in html)


@pytest.mark.req("CAMP-04", "CAMP-05", "CAMP-06")
def test_an_agent_is_told_when_a_campaign_is_loaded_and_when_it_is_started_and_joins_with_ok(site: Site) -> None:
    anna = AtDesk(site, "anna")
    assert "Spring" not in anna.region("campaigns")
    stream = anna.stream()
    site.post("campaigns/spring/load")
    html = until(stream, "campaigns", "has been loaded")
    assert buttons(html) == ["OK, join"]
    anna.post("/desk/agent/campaigns/spring/join")
    html = until(stream, "campaigns", "has not been started yet")
    assert "Leave" in buttons(html)
    assert "Get record" not in buttons(html), "nothing is given out before it runs"
    site.post("campaigns/spring/start")
    assert "Get record" not in buttons(until(stream, "campaigns", "Running")), "no record is ready yet"
    fill(site, card(91, campaign="spring"))
    wait_until(lambda: "Get record" in buttons(anna.region("campaigns")))
    assert hands(site) == [], "nothing comes before she asks"
    anna.post("/desk/agent/campaigns/spring/leave")
    assert buttons(until(stream, "campaigns", "has been started")) == ["OK, join"]


@pytest.mark.req("CAMP-03")
def test_a_campaign_of_another_team_is_not_there(site: Site) -> None:
    for campaign in ("spring", "office"):
        site.post(f"campaigns/{campaign}/load")
    assert "Office" not in AtDesk(site, "anna").region("campaigns")
    assert "Spring" not in AtDesk(site, "dora").region("campaigns")
    assert "Office" in AtDesk(site, "dora").region("campaigns")


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("idle", "You are idle."),
        ("paused", "The campaign is paused."),
        ("record", "You have a record before you."),
        ("empty", "No record is ready"),
        ("night", "The contacts must not be called at this time."),
    ],
)
def test_why_nothing_comes_is_said_in_words(site: Site, state: str, told: str) -> None:
    anna = AtDesk(site, "anna")
    running(site)
    if state == "idle":
        anna.post("/desk/agent/state", state="idle", reason="break")
    elif state == "paused":
        site.post("campaigns/spring/pause")
    elif state == "record":
        shown(anna)
    elif state == "night":
        zones = ("Asia/Tokyo", "Africa/Lagos", "America/Phoenix")  # eight hours apart: somewhere it is night
        dark = next(zone for zone in zones if not is_open(None, zone, SystemClock().now_ms()))
        number = RecordNumber(number="+12015550199", zone=dark, zone_source="list")
        running(site, "night", numbers=(number,))
    else:
        anna.post(f"/desk/agent/records/{shown(anna)}/decline", choice="never")
    html = anna.region("campaigns")
    assert told in text_of(html)
    assert ("Get record" in buttons(html)) is (state == "night"), "it can be asked for where she and a record are ready"


def test_what_the_api_refuses_is_said_and_changes_nothing(site: Site) -> None:
    site.post("campaigns/spring/load")
    anna = AtDesk(site, "anna")
    refused = anna.post("/desk/agent/campaigns/spring/record")
    assert 'data-code="campaign-not-joined"' in refused
    assert "campaign-unknown" in AtDesk(site, "anna").post("/desk/agent/campaigns/none/join")
    assert hands(site) == []
