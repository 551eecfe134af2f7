"""Callers who go through flows by the keys of their telephones, on each PBX with the same flow file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.lab.people import order
from routing.core.config import Result
from routing.core.orders import EditCad, Transfer
from tests.system.center import MUSIC_HZ, Center, tone_of
from tests.system.flow_crm import Crm
from tests.system.flow_site import BACK_HZ, PROMPTS, FlowSite, ended, hears_prompt, play

NUMBERS = ["1001", "1002"]


@pytest.fixture(scope="module")
def crm() -> Iterator[Crm]:
    with Crm() as running:
        yield running


@pytest.fixture(scope="module")
def site(pbx: str, crm: Crm) -> Iterator[FlowSite]:
    with FlowSite(NUMBERS, pbx=pbx, crm_port=crm.port) as running:
        yield running


@pytest.mark.req("FLOW-01", "FLOW-02")
def test_keys_lead_through_the_menu_and_digits_reach_the_agents_offer(site: FlowSite) -> None:
    async def scene(c: Center) -> None:
        call = await c.caller("7010")
        await hears_prompt(call, "welcome")
        await hears_prompt(call, "menu")
        await call.dtmf("1")
        await hears_prompt(call, "account")
        await call.dtmf("4711#")
        await call.hears(MUSIC_HZ)
        await c.agent("1001")
        pair = await c.pair(call)
        await pair.hear_each_other()
        (interaction,) = (await c.state()).interactions.values()
        assert interaction.cad["account"] == "4711"
        assert interaction.cad["topic"] == "account 4711"
        assert interaction.cad["customer_id"] == call.phone.user
        await call.hangup()

    play(site, scene)


@pytest.mark.req("FLOW-01")
def test_a_wrong_key_is_said_to_be_wrong_and_who_presses_none_is_let_go(site: FlowSite) -> None:
    async def scene(c: Center) -> None:
        call = await c.caller("7010")
        await hears_prompt(call, "menu")
        await call.dtmf("8")
        await hears_prompt(call, "wrong")
        await hears_prompt(call, "menu")
        await call.dtmf("9")
        await hears_prompt(call, "sorry")
        await call.ended()

    play(site, scene)


@pytest.mark.req("FLOW-01", "FLOW-03")
def test_a_star_gives_the_caller_back_to_his_dialplan_with_a_reason(site: FlowSite) -> None:
    async def scene(c: Center) -> None:
        call = await c.caller("7010")
        await hears_prompt(call, "menu")
        await call.dtmf("*")
        await call.hears(BACK_HZ)
        assert site.node.logged(r"back with (\S+) star"), site.pbx.cli("core show channels")
        await call.hangup()

    play(site, scene)


@pytest.mark.req("FLOW-01", "ROUTE-09")
def test_nobody_there_leads_on_by_the_exit_of_the_queue(site: FlowSite) -> None:
    async def scene(c: Center) -> None:
        call = await c.caller("7010")
        await hears_prompt(call, "menu")
        await call.dtmf("2")
        await hears_prompt(call, "sorry")
        await call.ended()

    play(site, scene)


@pytest.mark.req("FLOW-01", "ROUTE-12")
def test_out_of_hours_a_caller_leaves_a_message_which_an_agent_hears(site: FlowSite) -> None:
    async def scene(c: Center) -> None:
        call = await c.caller("7011", ani="+12015550111")
        await hears_prompt(call, "closed")
        await call.hears_not(PROMPTS["closed"][0])
        await asyncio.sleep(2.0)  # he speaks: a beep and more than a second
        await call.dtmf("#")
        await hears_prompt(call, "thanks")
        await call.ended()
        left = await ended(c, "inbound", call)
        assert (left.result, left.ended_by) == (Result.VOICEMAIL, "flow")
        await c.agent("1001")
        await c.when_agent("1001", "connected")
        agent = c.calls_of["1001"]
        await agent.hears(tone_of(call))
        await agent.hears_not(tone_of(call), within=6.0)
        await agent.hangup()
        heard = await ended(c, "voicemail", call)
        assert (heard.queue, heard.result) == ("general", Result.ANSWERED)

    play(site, scene)


@pytest.mark.req("ROUTE-11")
def test_who_waits_is_told_so_and_hears_music_again(site: FlowSite) -> None:
    async def scene(c: Center) -> None:
        call = await c.caller("7012")
        await call.hears(MUSIC_HZ)
        await hears_prompt(call, "comfort")
        await call.hears(MUSIC_HZ)
        await call.hears_not(PROMPTS["comfort"][0])
        await hears_prompt(call, "choice")
        await c.agent("1001")
        pair = await c.pair(call)
        await pair.hear_each_other()
        await call.hears_not(PROMPTS["choice"][0], MUSIC_HZ)
        await call.hangup()

    play(site, scene)


@pytest.mark.req("FLOW-05")
def test_what_the_crm_answers_decides_who_gets_the_call(site: FlowSite, crm: Crm) -> None:
    async def scene(c: Center) -> None:
        crm.answers({"cad": {"tier": "gold"}, "priority": 9, "preferred_agent": "a1002"})
        await c.agent("1001")  # the longest idle one
        await c.agent("1002")
        await c.when_free(NUMBERS)
        call = await c.caller("7010", ani="+12015550131")
        await hears_prompt(call, "menu")
        await call.dtmf("5")
        pair = await c.pair(call)
        await pair.hear_each_other()
        (interaction,) = (await c.state()).interactions.values()
        assert (interaction.cad["tier"], interaction.priority) == ("gold", 9)
        assert (pair.agent.phone.user, c.rung["1001"]) == ("1002", 0)
        assert crm.asked[-1] == "/customers/%2B12015550131"
        await call.hangup()

    play(site, scene)


@pytest.mark.req("FLOW-05")
@pytest.mark.parametrize("fault", ["late", "broken", "no JSON", "down"])
def test_a_crm_that_is_late_wrong_or_down_costs_the_caller_only_the_deadline(
    site: FlowSite, crm: Crm, fault: str
) -> None:
    async def scene(c: Center) -> None:
        crm.fails(fault)
        call = await c.caller("7010", ani="+12015550132")
        await hears_prompt(call, "menu")
        begun_s = time.monotonic()
        await call.dtmf("5")
        await call.hears(MUSIC_HZ)
        assert time.monotonic() - begun_s < 2.5
        (interaction,) = (await c.state()).interactions.values()
        assert interaction.cad["tier"] == "unknown"
        await call.hangup()

    try:
        play(site, scene)
    finally:
        crm.mends()


@pytest.mark.req("CAD-01", "FLOW-01")
def test_an_agent_sends_a_caller_into_a_flow_with_what_is_known_of_him(site: FlowSite) -> None:
    async def scene(c: Center) -> None:
        await c.agent("1001")
        await c.when_free(["1001"])
        call = await c.caller("7012", ani="+12015550133")
        pair = await c.pair(call)
        (interaction,) = (await c.state()).interactions.values()
        ids: dict[str, Any] = {"agent_id": "a1001", "interaction_id": interaction.id}
        await c.when_agent("1001", "connected")
        assert (await order(c.store, EditCad, **ids, values={"tier": "silver"})).code == "ok"
        assert (await order(c.store, Transfer, **ids, to_entry_point="helpline")).code == "ok"
        await hears_prompt(call, "welcome")
        await pair.agent.ended()
        await hears_prompt(call, "menu")
        await call.dtmf("1")
        await hears_prompt(call, "account")
        await call.dtmf("123#")
        await call.hears(MUSIC_HZ)
        await c.agent("1002")
        await (await c.pair(call)).hear_each_other()
        (same,) = (await c.state()).interactions.values()
        assert same.id == interaction.id
        assert (same.cad["tier"], same.cad["account"], same.queue) == ("silver", "123", "general")
        await call.hangup()

    play(site, scene)
