"""Agents sign in and out and change their state through the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from deploy.lab.redis import RedisServer
from telephony.simulated.habits import Rejects
from tests.integration.control_config import configuration
from tests.integration.control_site import Site, center
from tests.waiting import wait_until


@pytest.fixture
def site(redis_server: RedisServer, tenant: Callable[[], str]) -> Iterator[Site]:
    with center(redis_server, configuration(tenant())) as made:
        yield made


def test_agents_sign_in_and_out_and_change_their_state(site: Site) -> None:
    assert site.get("agents/ben")["state"] == "logged_out"
    assert site.post("agents/ben/sign-in", {"idle_reason": "break"}, "ben")["state"] == "idle"
    shown = site.put("agents/ben/state", {"state": "available"}, "ben")
    assert (shown["state"], shown["is_available"], shown["unavailable_because"]) == ("available", True, None)
    before = site.everything()
    bad: tuple[Any, ...] = ({"state": "idle"}, {"state": "available", "reason": "break"}, {"state": "asleep"}, {})
    for body in bad:
        assert site.put("agents/ben/state", body, "ben", 422)["code"] == "invalid-request"
    assert site.put("agents/ben/state", {"state": "idle", "reason": "bored"}, "ben", 422)["code"] == "reason-unknown"
    assert site.put("agents/nobody/state", {"state": "available"}, "crm", 404)["code"] == "agent-unknown"
    assert site.everything() == before
    site.post("agents/ben/sign-out", None, "ben")
    call = site.call()
    before = site.everything()
    assert site.post("agents/anna/sign-out", None, "anna", 409)["code"] == "agent-engaged"
    assert site.everything() == before
    assert site.get("agents/anna")["interactions"] == [call]


def test_an_agent_whose_telephone_is_gone_is_shown_with_the_reason(site: Site) -> None:
    site.exchange.do(lambda: site.exchange.pbx.register(site.phone("anna"), False))
    wait_until(lambda: not site.get("agents/anna")["is_available"])
    shown = site.get("agents/anna")
    assert (shown["unavailable_because"], shown["phone_state"]) == ("phone_unreachable", "unreachable")


@pytest.mark.req("STATE-06")
def test_rona_is_left_for_available_or_idle(site: Site) -> None:
    site.habit("anna", Rejects())
    for body, state in (({"state": "idle", "reason": "break"}, "idle"), ({"state": "available"}, "available")):
        call, customer = site.arrive()
        wait_until(lambda: site.get("agents/anna")["state"] == "rona")
        site.exchange.do(partial(site.exchange.pbx.hang_up, customer))
        site.reaches(call, "ended")
        assert site.put("agents/anna/state", body, "anna")["state"] == state
        site.free("anna")
