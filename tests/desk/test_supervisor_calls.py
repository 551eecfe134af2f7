"""Live calls before a supervisor: who waits, who talks, and listening to them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest

from deploy.lab.redis import RedisServer
from routing.core.supervision import SupervisorConfig
from routing.desk.supervisor import calls as calls_module
from telephony.simulated.habits import Answers
from tests.desk.desk_site import AtDesk
from tests.desk.supervisor_site import words
from tests.integration.control_config import PBX, configuration
from tests.integration.control_site import Site, center
from tests.waiting import wait_until

CALLS = "supervisor/calls"
RITA = SupervisorConfig(id="rita", name="Rita <i>Royal</i>", pbx=PBX, phone="SIM/rita")


@pytest.fixture(scope="module")
def site(redis_server: RedisServer) -> Iterator[Site]:
    with center(redis_server, configuration(f"t{uuid4().hex[:12]}", supervisors={"rita": RITA})) as made:
        made.outside("rita", Answers())
        yield made


def row(desk: AtDesk, call: str, region: str) -> str:
    found = re.search(rf'<tr id="call-{call}">.*?</tr>', desk.region(region, CALLS), re.DOTALL)
    return found[0] if found else ""


@pytest.fixture
def call(site: Site) -> Iterator[str]:
    made = site.call("anna")
    yield made
    if site.call_data(made).ended_at_ms is None:
        site.do(made, "end")
        site.reaches(made, "ended")
    site.do(made, "wrap-up", reason="done")
    wait_until(lambda: site.get("agents/anna")["state"] == "available")


def test_of_very_many_who_wait_the_first_are_shown_and_all_are_counted(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls_module, "MOST", 2)
    desk, arrived = AtDesk(site, "user-sue"), [site.arrive("help") for _ in range(3)]
    wait_until(lambda: "The first 2 are shown" in words(desk.region("waiting", CALLS)))
    region = desk.region("waiting", CALLS)
    assert [call in region for call, _channel in arrived] == [True, True, False]
    assert "Waiting 3" in words(region)
    for call, channel in arrived:
        site.exchange.do(lambda channel=channel: site.exchange.pbx.hang_up(channel))  # type: ignore[misc]
        site.reaches(call, "ended")


@pytest.mark.req("DESK-02")
def test_who_waits_and_who_talks_are_two_lists(site: Site, call: str) -> None:
    desk = AtDesk(site, "crm")
    other, channel = site.arrive("help")
    site.reaches(other, "queued")
    wait_until(lambda: row(desk, other, "waiting"))
    wait_until(lambda: "Anna" in row(desk, call, "talking"))
    assert not row(desk, call, "waiting")
    assert not row(desk, other, "talking")
    assert other not in desk.get(f"/desk/{CALLS}?queue=sales")
    assert call in desk.get(f"/desk/{CALLS}?agent_id=anna")
    assert call not in desk.get(f"/desk/{CALLS}?agent_id=ben")
    site.exchange.do(lambda: site.exchange.pbx.hang_up(channel))
    site.reaches(other, "ended")
    wait_until(lambda: not row(desk, other, "waiting"))


@pytest.mark.req("DESK-02")
def test_a_supervisor_listens_speaks_along_and_stops(site: Site, call: str) -> None:
    desk, path = AtDesk(site, "user-rita"), f"/desk/supervisor/interactions/{call}/supervision"
    wait_until(lambda: "Monitor" in row(desk, call, "talking"))
    assert "You listen to calls at your telephone rita" in desk.get(f"/desk/{CALLS}")
    assert "Your telephone rings" in desk.post(path, mode="monitor")
    wait_until(lambda: site.get(f"interactions/{call}")["supervision"]["state"] == "active")
    wait_until(lambda: "hears it" in words(row(desk, call, "talking")))
    shown = row(desk, call, "talking")
    assert "Rita &lt;i&gt;Royal" in shown
    assert re.search(r'value="monitor"[^>]*aria-pressed="true"', shown)
    desk.post(path, mode="whisper", change="1")
    assert site.get(f"interactions/{call}")["supervision"]["mode"] == "whisper"
    assert "Nobody listens" in desk.post(path, mode="stop")
    assert site.get(f"interactions/{call}")["supervision"] is None


def test_one_without_a_telephone_of_his_own_chooses_one(site: Site, call: str) -> None:
    desk, path = AtDesk(site, "crm"), f"/desk/supervisor/interactions/{call}/supervision"
    assert '<option value="rita">' in desk.get(f"/desk/{CALLS}")
    assert 'id="listen-at"' in desk.get(f"/desk/supervisor/interactions/{call}")
    assert 'data-code="invalid-request"' in desk.post(path, mode="monitor")
    desk.post(path, mode="barge", supervisor="rita")
    wait_until(lambda: site.get(f"interactions/{call}")["supervision"]["state"] == "active")
    site.do(call, "end")


@pytest.mark.req("DESK-02")
def test_who_may_not_listen_gets_no_controls(site: Site, call: str) -> None:
    desk = AtDesk(site, "interactions:read-only")
    wait_until(lambda: row(desk, call, "talking"))
    page = desk.get(f"/desk/{CALLS}")
    assert "Monitor" not in page
    assert "listen-at" not in page
    path = f"/desk/supervisor/interactions/{call}/supervision"
    assert 'data-code="forbidden"' in desk.post(path, mode="monitor", supervisor="rita")
    assert site.get(f"interactions/{call}")["supervision"] is None


def test_without_a_database_the_page_says_so_and_shows_the_rest(site: Site, call: str) -> None:
    desk = AtDesk(site, "crm")
    page = words(desk.get(f"/desk/supervisor/interactions/{call}"))
    assert "The history does not answer" in page
    assert "Rings at Anna" in page
    assert "Anna is in the call" in page
    assert "Routing decision for queue Sales: Anna" in page
    assert 'http-equiv="refresh"' not in page
    searched = desk.get("/desk/supervisor/interactions", 503)
    assert "<h1>" in searched
