"""An agent who is taken out of the configuration while she works: she finishes what she is doing, at her page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from deploy.lab.redis import RedisServer
from routing.core.orders import ApplyConfig
from tests.desk.agent_site import actions, card, desk_center
from tests.desk.desk_site import AtDesk
from tests.desk.streaming import after_begin, until_region
from tests.integration.control_config import configuration
from tests.integration.control_site import Site


@pytest.fixture
def site(redis_server: RedisServer) -> Iterator[Site]:
    with desk_center(redis_server, configuration("desk_removed")) as found:
        yield found


def removed(site: Site, name: str) -> None:
    config = site.front.config()
    others = {id_: agent for id_, agent in config.agents.items() if id_ != name}
    site.ask(ApplyConfig, config=replace(config, revision=config.revision + 1, agents=others))


def test_she_finishes_her_call_at_a_page_that_she_loads_again(site: Site) -> None:
    site.put("agents/ben/state", {"state": "idle", "reason": "break"}, "ben")
    desk, call = AtDesk(site, "anna"), site.call()
    removed(site, "anna")
    assert {"hold", "end"} <= actions(card(desk))
    desk.post(f"/desk/agent/calls/{call}/do/hold", status=204)
    site.reaches(call, "held")
    desk.post(f"/desk/agent/calls/{call}/do/resume", status=204)
    site.reaches(call, "connected")
    desk.post(f"/desk/agent/calls/{call}/do/end", status=204)
    site.reaches(call, "ended")
    assert "extend_wrap_up" in actions(card(desk)) or "Finish" in card(desk)
    for path in ("outdial-anis", "agents/anna/campaigns"):
        assert site.get(path, "anna")["items"] == []
    assert "outdial-number" not in desk.region("outdial")
    with after_begin(desk) as stream:
        desk.post(f"/desk/agent/calls/{call}/wrap-up", reason="done")
        assert 'role="alert"' in until_region(stream, "me", "There is no such agent")
    assert "There is no such agent" in desk.get("/desk/agent", status=404)
    site.get("outdial-anis", "anna", status=404)
