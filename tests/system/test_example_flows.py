"""The example flows as they are delivered, on each PBX, with callers who press keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from deploy.lab.call import Call
from deploy.lab.prompt_tones import Tone, write_tones
from deploy.lab.site import ROOT, Site
from tests.system.center import MUSIC_HZ, Center
from tests.system.flow_site import BACK_HZ, DATABASE, DIALPLANS, FlowSite, play

EXAMPLE = ROOT / "deploy" / "example"
NUMBERS = ["1001", "1002"]
AGENT = """
[agents.a{number}]
name = "Agent {number}"
team = "front"
phone = "{number}"
skills = {{ english = 8, german = 8, billing = 8, broadband = 8 }}
queues = {{ general = 1, billing = 1, technical = 1 }}
"""


class ExampleSite(FlowSite):
    """The example's own files, but for its people and PBX; always open, and every prompt is a tone."""

    def __init__(self, phones: Sequence[str], *, pbx: str, **options: Any) -> None:
        files = {file.name: file.read_text(encoding="utf-8") for file in EXAMPLE.glob("*.toml")}
        files["agents.toml"] = "".join(AGENT.format(number=number) for number in phones)
        files["hours.toml"] = "".join(f'[hours.{name}]\ndaily = ["00:00-24:00"]\n' for name in ("office", "callbacks"))
        for number, flow in (("7010", "service"), ("7020", "reception"), ("7030", "survey")):
            files[f"way{number}.toml"] = f'[entry_points.to{number}]\nflow = "{flow}"\nnumbers = ["{number}"]\n'
        files["database.toml"] = DATABASE
        Site.__init__(self, phones, files, pbx=pbx, dialplan=DIALPLANS, tenant="example", **options)
        self.prompts = self.directory / "prompts"
        self.tones: dict[tuple[str, str], Tone] = {}

    def write_config(self) -> None:
        """As Site, with the prompts and where the PBX sees them."""
        Site.write_config(self)
        with (self.config / "pbx.toml").open("a") as file:
            file.write(f'prompts = "{self.prompts}"\n')
        self.tones = {(tone.prompt, tone.language): tone for tone in write_tones(self.config, self.prompts)}

    async def hears(self, call: Call, prompt: str, language: str = "en") -> None:
        await call.hears(self.tones[prompt, language].hertz, within=6.0)


@pytest.fixture(scope="module")
def site(pbx: str) -> Iterator[ExampleSite]:
    with ExampleSite(NUMBERS, pbx=pbx) as running:
        yield running


@pytest.mark.req("FLOW-01", "FLOW-02", "FLOW-05")
def test_a_german_caller_whom_no_crm_knows_comes_to_an_agent_with_his_account(site: ExampleSite) -> None:
    async def scene(c: Center) -> None:
        call = await c.caller("7010")
        await site.hears(call, "choose_language", "en")
        await call.dtmf("2")
        await site.hears(call, "welcome", "de")
        await site.hears(call, "enter_account", "de")
        await call.dtmf("12#")
        await site.hears(call, "not_an_account", "de")
        await site.hears(call, "enter_account", "de")
        await call.dtmf("654321")
        await site.hears(call, "menu", "de")
        await call.dtmf("3")
        await call.hears(MUSIC_HZ)
        await c.agent("1001")
        pair = await c.pair(call)
        await pair.hear_each_other()
        (interaction,) = (await c.state()).interactions.values()
        assert (interaction.cad["account"], interaction.language, interaction.queue) == ("654321", "de", "general")
        await call.hangup()

    play(site, scene)


@pytest.mark.req("FLOW-01", "FLOW-02")
def test_the_smallest_flow_greets_and_puts_through(site: ExampleSite) -> None:
    async def scene(c: Center) -> None:
        await c.agent("1002")
        call = await c.caller("7020")
        await site.hears(call, "welcome")
        await (await c.pair(call)).hear_each_other()
        await call.hangup()

    play(site, scene)


@pytest.mark.req("FLOW-01", "FLOW-02", "FLOW-03")
def test_the_survey_gives_its_word_to_the_dialplan(site: ExampleSite) -> None:
    async def scene(c: Center) -> None:
        call = await c.caller("7030")
        await site.hears(call, "rate_us")
        await call.dtmf("5")
        await call.hears(BACK_HZ, within=15.0)
        assert site.node.logged(r"back with \S+ good")
        await call.hangup()

    play(site, scene)
