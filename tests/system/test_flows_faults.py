"""Processes that die while callers are in the middle of flows: nobody is lost, and keys count all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from routing.core.config import Result
from tests.system.center import MUSIC_HZ, Center, tone_of
from tests.system.flow_site import PROMPTS, FlowSite, ended, hears_prompt, play, strike

NUMBERS = ["1001"]
pytestmark = pytest.mark.req("SAFE-01", "FLOW-01")


@pytest.fixture(scope="module")
def site(pbx: str) -> Iterator[FlowSite]:
    with FlowSite(NUMBERS, pbx=pbx) as running:
        yield running


@pytest.mark.parametrize("victim", ["engine", "connector", "redis"])
def test_a_caller_in_a_menu_goes_on_by_the_key_that_he_presses(site: FlowSite, victim: str) -> None:
    async def scene(c: Center) -> None:
        call = await c.caller("7010")
        await hears_prompt(call, "menu")
        await strike(c, site, victim)
        await hears_prompt(call, "menu", within=10.0)
        await call.dtmf("1")
        await hears_prompt(call, "account", within=10.0)
        await call.dtmf("815#")
        await call.hears(MUSIC_HZ, within=6.0)
        (interaction,) = (await c.state()).interactions.values()
        assert interaction.cad["account"] == "815"
        await call.hangup()

    play(site, scene)


@pytest.mark.parametrize("victim", ["engine", "connector"])
def test_what_a_caller_says_into_a_message_is_kept(site: FlowSite, victim: str) -> None:
    async def scene(c: Center) -> None:
        call = await c.caller("7011", ani=f"+1201555014{len(victim)}")
        await hears_prompt(call, "closed")
        await c.when(lambda s: any(i.asked_prompt and i.asked_prompt.file for i in s.interactions.values()))
        await call.hears_not(PROMPTS["closed"][0])
        await strike(c, site, victim)
        await c.when(lambda s: all(s.links.values()))
        await asyncio.sleep(2.0)  # he speaks
        await call.hangup()
        assert (await ended(c, "inbound", call)).result is Result.VOICEMAIL
        await c.agent("1001")
        await c.when_agent("1001", "connected")
        agent = c.calls_of["1001"]
        await agent.hears(tone_of(call), within=6.0)
        await agent.hangup()
        await ended(c, "voicemail", call)

    play(site, scene)
