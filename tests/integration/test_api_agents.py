"""Agents sign in and out and change their state through the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from deploy.lab.redis import RedisServer
from routing.app.live.agents import agent_row
from routing.core.ringing import offer_card
from routing.core.world import World
from telephony.simulated.habits import Rejects, RingsOut
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


def test_what_is_read_of_one_agent_is_what_the_whole_state_says_of_him(site: Site) -> None:
    site.habit("ben", RingsOut())
    call = site.call(case="17")
    site.sign_in("ben", "dora")
    site.do(call, "consults", to={"type": "agent", "id": "ben"})
    wait_until(lambda: site.call_data(call).offers and site.call_data(call).offers[0].state.value == "ringing")
    whole, now_ms = World(site.front.load()), site.services.clock.now_ms()
    for name in ("anna", "ben", "cleo", "dora"):
        alone = World(site.front.around(name))
        assert agent_row(alone, name, now_ms) == agent_row(whole, name, now_ms)
    interaction = whole.interaction(call)
    (offer,) = interaction.offers
    (card,) = site.get("agents/ben/offer", "ben")["items"]
    expected = offer_card(whole, interaction, offer)
    assert (card["agent_name"], card["agent_dn"]) == ("Anna", "SIM/anna")
    assert {name: card[name] for name in ("variables", "agent_team", "label")} == {
        name: expected[name] for name in ("variables", "agent_team", "label")
    }
    assert site.get("agents/cleo/offer", "cleo") == {"items": []}, "who never signed in has none"


def test_a_page_of_agents_holds_more_than_one_of_other_lists(site: Site) -> None:
    names = [agent["id"] for agent in site.get("agents?limit=2000")["items"]]
    assert names == sorted(site.front.config().agents)
    assert site.get("agents?limit=2001", status=422)["code"] == "invalid-request"
    first = site.get("agents?limit=2")
    assert [agent["id"] for agent in first["items"]] == names[:2]
    assert [agent["id"] for agent in site.get(f"agents?cursor={first['next_cursor']}")["items"]] == names[2:]
