"""The flows of the example configuration, as they are, played through by callers on each PBX (FLOW-02)."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Iterator

import pytest

from deploy.lab.call import Call
from deploy.lab.demo import EXAMPLE, example_files
from deploy.lab.people import order
from routing.core.config import Result
from routing.core.orders import SignIn
from tests.system.center import MUSIC_HZ, Center, tone_of
from tests.system.flow_site import BACK_HZ, PromptSite, dialplans, ended, hears_prompt, play

pytestmark = pytest.mark.req("FLOW-02", "FLOW-01")
ENTRY_POINTS = {"7001": "service", "7002": "reception", "7003": "survey"}
ALWAYS = '[hours.office]\ndaily = ["00:00-24:00"]\n[hours.callbacks]\ndaily = ["00:00-24:00"]\n'
NEVER = ALWAYS.replace('["00:00-24:00"]', "[]", 1)
_NAMES = sorted(tomllib.loads((EXAMPLE / "prompts.toml").read_text("utf-8"))["prompts"])
# Clear of music, people and each other: English from 560 Hz on, German from 1700 Hz on.
TONES = {
    f"{language}/{name}": (lowest_hz + 30 * place, 1.5)
    for language, lowest_hz in (("en", 560), ("de", 1700))
    for place, name in enumerate(_NAMES)
}


@pytest.fixture(scope="module")
def site(pbx: str) -> Iterator[PromptSite]:
    files, people = example_files(8)
    files["hours.toml"] = ALWAYS
    numbers = [number for _, number in people]
    with PromptSite(numbers, files, TONES, pbx=pbx, dialplan=dialplans(ENTRY_POINTS), tenant="example") as running:
        yield running


async def hears(call: Call, name: str) -> None:
    await hears_prompt(call, name, within=5.0, tones=TONES)


async def signs_in(c: Center, agent_id: str, number: str) -> None:
    await c.agent(number, sign_in=False)
    await c.when_free([number])
    assert (await order(c.store, SignIn, agent_id=agent_id)).code == "ok"


def test_the_reception_greets_and_the_caller_waits_for_an_agent(site: PromptSite) -> None:
    async def scene(c: Center) -> None:
        call = await c.caller("7002")
        await hears(call, "en/welcome")
        await call.hears(MUSIC_HZ)
        await signs_in(c, "anna", "1001")
        await (await c.pair(call)).hear_each_other()
        await call.hangup()

    play(site, scene)


def test_an_english_caller_with_a_bill_says_his_account_and_gets_an_accountant(site: PromptSite) -> None:
    async def scene(c: Center) -> None:
        call = await c.caller("7001")
        await hears(call, "en/choose_language")
        await call.dtmf("1")
        await hears(call, "en/welcome")
        await hears(call, "en/enter_account")
        await call.dtmf("123456")
        await hears(call, "en/menu")
        await call.dtmf("1")
        await call.hears(MUSIC_HZ)
        await signs_in(c, "dan", "1004")
        await (await c.pair(call)).hear_each_other()
        (interaction,) = (await c.state()).interactions.values()
        assert (interaction.queue, interaction.cad["account"]) == ("billing", "123456")
        assert interaction.cad["topic"] == "bill of account 123456"
        await call.hangup()

    play(site, scene)


def test_a_german_caller_is_spoken_to_in_german_and_gets_somebody_who_speaks_it(site: PromptSite) -> None:
    async def scene(c: Center) -> None:
        await signs_in(c, "ben", "1002")  # who speaks none
        call = await c.caller("7001")
        await hears(call, "en/choose_language")
        await call.dtmf("2")
        await hears(call, "de/welcome")
        await hears(call, "de/enter_account")
        await call.dtmf("12#")
        await hears(call, "de/not_an_account")
        await hears(call, "de/enter_account")
        await call.dtmf("654321")
        await hears(call, "de/menu")
        await call.dtmf("3")
        await call.hears(MUSIC_HZ)
        await signs_in(c, "greta", "1007")
        pair = await c.pair(call)
        assert (pair.agent.phone.user, c.rung["1002"]) == ("1007", 0)
        await call.hangup()

    play(site, scene)


def test_a_survey_gives_the_caller_back_with_what_he_thinks(site: PromptSite) -> None:
    async def scene(c: Center) -> None:
        call = await c.caller("7003")
        await hears(call, "en/rate_us")
        await call.dtmf("4")
        await call.hears(BACK_HZ)
        assert "good" in {found.strip() for found in site.node.logged(r"back with \S* (\w+)")}
        await call.hangup()

    play(site, scene)


def test_out_of_hours_the_caller_is_told_so_and_may_leave_a_message(site: PromptSite) -> None:
    async def scene(c: Center) -> None:
        call = await c.caller("7001", ani="+12015550151")
        await hears(call, "en/choose_language")
        await call.dtmf("1")
        await hears(call, "en/closed")
        await call.hears_not(TONES["en/closed"][0])
        await asyncio.sleep(2.0)  # the beep, and he speaks
        await call.dtmf("#")
        await hears(call, "en/thank_you")
        await call.ended()
        assert (await ended(c, "inbound", call)).result is Result.VOICEMAIL
        await signs_in(c, "chloe", "1003")
        await c.when(lambda s: s.agents["chloe"].shown_state == "connected")
        await c.calls_of["1003"].hears(tone_of(call))
        await c.calls_of["1003"].hangup()
        await ended(c, "voicemail", call)

    site.files["hours.toml"] = NEVER
    site.write_config()
    site.switchroom("apply", "--yes")
    play(site, scene)
