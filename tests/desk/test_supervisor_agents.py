"""Agents before a supervisor: who is there, sorted and filtered, and changes of their state."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from deploy.lab.redis import RedisServer
from routing.core.config import Team
from tests.desk.desk_site import AtDesk
from tests.integration.control_config import configuration
from tests.integration.control_site import Site, center
from tests.waiting import wait_until

PAGE = "supervisor/agents"


@pytest.fixture(scope="module")
def site(redis_server: RedisServer) -> Iterator[Site]:
    config = configuration(f"t{uuid4().hex[:12]}")
    agents = config.agents | {"cleo": replace(config.agents["cleo"], name="<b>Cleo</b>", team="night")}
    teams = {"night": Team(id="night", label="Night & day")}
    with center(redis_server, replace(config, agents=agents, teams=teams), signed_in=("anna", "ben")) as made:
        yield made


def names(html: str) -> list[str]:
    return re.findall(r'<tr id="agent-(\w+)">', html)


def row(desk: AtDesk, agent: str) -> str:
    found = re.search(rf'<tr id="agent-{agent}">.*?</tr>', desk.get(f"/desk/{PAGE}"), re.DOTALL)
    assert found
    return found[0]


@pytest.mark.req("DESK-02")
def test_teams_are_called_by_their_labels(site: Site) -> None:
    desk = AtDesk(site, "crm")
    assert "Night &amp; day" in row(desk, "cleo")
    assert '<option value="night">Night &amp; day</option>' in desk.get(f"/desk/{PAGE}")
    assert site.get("teams") == {"items": [{"id": "night", "label": "Night & day"}]}


@pytest.mark.req("DESK-02")
def test_a_supervisor_changes_an_agents_state(site: Site) -> None:
    desk = AtDesk(site, "crm")
    form = desk.get(f"/desk/{PAGE}/ben/state")
    assert 'value="idle:break"' in form
    assert 'value="sign_in"' not in form
    assert "The state has changed" in desk.post(f"/desk/{PAGE}/ben/state", state="idle:break")
    wait_until(lambda: "Idle" in row(desk, "ben"))
    assert "break" in row(desk, "ben")
    desk.post(f"/desk/{PAGE}/ben/state", state="sign_out")
    wait_until(lambda: "Signed out" in row(desk, "ben"))
    form = desk.get(f"/desk/{PAGE}/ben/state")
    assert 'value="sign_in"' in form
    assert 'value="available"' not in form
    desk.post(f"/desk/{PAGE}/ben/state", state="sign_in")
    desk.post(f"/desk/{PAGE}/ben/state", state="available")
    wait_until(lambda: "Available" in row(desk, "ben"))


def test_what_the_server_refuses_is_said(site: Site) -> None:
    desk = AtDesk(site, "crm")
    said = desk.post(f"/desk/{PAGE}/anna/state", state="idle:holiday")
    assert 'role="alert"' in said
    assert site.get("agents/anna")["state"] == "available"


@pytest.mark.req("DESK-02")
def test_the_list_is_filtered_and_sorted_by_the_server(site: Site) -> None:
    desk = AtDesk(site, "crm")
    assert names(desk.get(f"/desk/{PAGE}?sort=name"))[-4:] == ["anna", "ben", "dora", "emil"]
    html = desk.get(f"/desk/{PAGE}?sort=-name&team=floor")
    assert names(html) == ["emil", "dora", "ben", "anna"]
    assert 'aria-sort="descending"><a class="sort" id="sort-name" href="?sort=name&amp;team=floor"' in html
    assert names(desk.get(f"/desk/{PAGE}?queue=help")) == ["dora"]
    assert names(desk.get(f"/desk/{PAGE}?state=logged_out&q=EM")) == ["emil"]
    assert "No agent is like that" in desk.get(f"/desk/{PAGE}?q=nobody")
    assert names(desk.get(f"/desk/{PAGE}?sort=nonsense"))[:2] == ["anna", "ben"]


def test_the_stream_keeps_the_filter_of_the_page(site: Site) -> None:
    desk = AtDesk(site, "crm")
    assert 'sse-connect="/desk/stream/agents?team=night&amp;sort=name"' in desk.get(
        f"/desk/{PAGE}?team=night&sort=name"
    )
    stream = desk.stream("agents?team=night")
    html = next(text for name, text in stream if name == "agents")
    stream.close()
    assert names(html) == ["cleo"]
    assert "&lt;b&gt;Cleo" in html
    assert "<b>Cleo" not in html


def test_who_may_only_look_gets_no_control(site: Site) -> None:
    desk = AtDesk(site, "agents:read-only")
    assert names(desk.get(f"/desk/{PAGE}"))
    assert "Change state" not in desk.get(f"/desk/{PAGE}")
    assert 'data-code="forbidden"' in desk.post(f"/desk/{PAGE}/anna/state", state="sign_out")
    assert "agents:read" in AtDesk(site, "campaigns:read-only").get(f"/desk/{PAGE}", 403)
    assert site.get("agents/anna")["state"] == "available"


@pytest.mark.req("DESK-02")
def test_an_agents_call_is_one_click_away(site: Site) -> None:
    desk = AtDesk(site, "crm")
    desk.post(f"/desk/{PAGE}/ben/state", state="idle:break")
    call = site.call("anna")
    wait_until(lambda: f'href="/desk/supervisor/interactions/{call}"' in row(desk, "anna"))
    assert "Connected" in row(desk, "anna")
    site.do(call, "end")
