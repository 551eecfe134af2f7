"""Callers who go through flows by the keys of their telephones, on each PBX with the same flow file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from routing.core.config import Result
from tests.system.center import MUSIC_HZ, Center, tone_of
from tests.system.flow_site import BACK_HZ, PROMPTS, FlowSite, ended, hears_prompt, play

NUMBERS = ["1001", "1002"]


@pytest.fixture(scope="module")
def site(pbx: str) -> Iterator[FlowSite]:
    with FlowSite(NUMBERS, pbx=pbx) as running:
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
