"""Prompts on a leg that rings a telephone itself, as only FreeSWITCH does it: neither may spoil the other."""

from __future__ import annotations

import wave

import pytest

from deploy.lab.freeswitch import PROJECT_DIALPLAN, FreeSwitch
from deploy.lab.music import write_tone
from routing.core.commands import KeyInput, PlayPrompts, RecordMessage
from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    DialFailed,
    LegAnswered,
    LegEnded,
    LegRinging,
    PromptOutcome,
    PromptsEnded,
)
from tests.contract.freeswitch_lab import AGENTS, DIALPLAN, FreeswitchLab
from tests.contract.pbx_lab import Answers, IncomingCall, LabCaller, RingsForEver
from tests.contract.pbx_suite import connect, dial, hang_up, new_id, reach, room, take
from tests.contract.sip_people import PROMPT_HZ
from tests.system.test_freeswitch_link import in_lab

pytestmark = pytest.mark.freeswitch


def play(lab: FreeswitchLab, caller: LabCaller, interaction_id: str, name: str, keys: KeyInput | None = None) -> str:
    order = PlayPrompts(
        id=new_id("cmd"),
        pbx=lab.pbx,
        leg_id=caller.leg_id,
        interaction_id=interaction_id,
        prompts=(lab.prompt(name),),
        keys=keys,
    )
    lab.port.submit(order)
    return order.id


async def waits(lab: FreeswitchLab) -> tuple[LabCaller, str]:
    caller = await lab.call_in(IncomingCall())
    interaction_id = await take(lab, caller)
    await lab.hears_music(caller)
    return caller, interaction_id


@pytest.mark.req("ROUTE-11", "OFFER-01")
def test_who_hears_an_announcement_is_joined_as_fast_as_who_hears_music() -> None:
    async def scenario(lab: FreeswitchLab) -> None:
        caller, interaction_id = await waits(lab)
        announcement = play(lab, caller, interaction_id, "long")
        await lab.hears_prompt(caller, "long")
        lab.phone("1001").behave(Answers(0.5))
        order = dial(lab, lab.phone("1001"), interaction_id=interaction_id, joins=caller.leg_id)
        await lab.wait_fact(LegRinging, leg_id=order.leg_id)
        await lab.hears_music(caller)
        await lab.wait_fact(LegAnswered, leg_id=order.leg_id)
        ended = await lab.wait_fact(PromptsEnded, command_id=announcement)
        assert ended.outcome is PromptOutcome.INTERRUPTED
        await reach(lab, interaction_id, 2, room("main", caller.leg_id, order.leg_id))
        await lab.hears(caller, lab.phone("1001"))
        assert _join_ms(lab, order.leg_id) < 30

    in_lab(scenario, "1001")


def _join_ms(lab: FreeswitchLab, leg_id: str) -> float:
    """From the answer of a telephone to its bridge, by the PBX's clock."""
    at_us = {
        event["Event-Name"]: int(event["Event-Date-Timestamp"])
        for event in lab.observer.log
        if leg_id in (event.get("Unique-ID"), event.get("Bridge-B-Unique-ID"))
    }
    return (at_us["CHANNEL_BRIDGE"] - at_us["CHANNEL_ANSWER"]) / 1000


@pytest.mark.req("ROUTE-11", "OFFER-03")
def test_an_announcement_goes_on_when_nobody_has_answered() -> None:
    async def scenario(lab: FreeswitchLab) -> None:
        caller, interaction_id = await waits(lab)
        announcement = play(lab, caller, interaction_id, "long")
        await lab.hears_prompt(caller, "long")
        lab.phone("1001").behave(RingsForEver())
        order = dial(lab, lab.phone("1001"), interaction_id=interaction_id, joins=caller.leg_id)
        await lab.wait_fact(LegRinging, leg_id=order.leg_id)
        await lab.hears_music(caller)
        hang_up(lab, order.leg_id)
        await lab.wait_fact(DialFailed, leg_id=order.leg_id)
        await lab.hears_prompt(caller, "long")
        ended = await lab.wait_fact(PromptsEnded, command_id=announcement)
        assert ended.outcome is PromptOutcome.FINISHED
        await lab.hears_music(caller)

    in_lab(scenario, "1001")


@pytest.mark.req("ROUTE-11", "OFFER-03")
def test_an_announcement_never_disturbs_the_ringing() -> None:
    async def scenario(lab: FreeswitchLab) -> None:
        caller, interaction_id = await waits(lab)
        lab.phone("1001").behave(Answers(1.0))
        order = dial(lab, lab.phone("1001"), interaction_id=interaction_id, joins=caller.leg_id)
        announcement = play(lab, caller, interaction_id, "short")
        refused = await lab.wait_fact(CommandEnded, command_id=announcement)
        assert (refused.outcome, refused.cause) == (CommandOutcome.REFUSED, "busy")
        await lab.wait_fact(LegAnswered, leg_id=order.leg_id)
        await lab.hears(caller, lab.phone("1001"))
        await lab.phone("1001").hang_up()
        await lab.wait_fact(LegEnded, leg_id=order.leg_id)
        await reach(lab, interaction_id, 2, room("main", caller.leg_id, music="default"))
        again = play(lab, caller, interaction_id, "short")
        await lab.wait_fact(PromptsEnded, command_id=again)

    in_lab(scenario, "1001")


@pytest.mark.req("ROUTE-11", "FLOW-01")
def test_keys_count_while_a_telephone_rings() -> None:
    async def scenario(lab: FreeswitchLab) -> None:
        caller, interaction_id = await waits(lab)
        keys = KeyInput(max_digits=1, timeout_ms=3000, next_ms=1000)
        offer_to_call_back = play(lab, caller, interaction_id, "long", keys)
        await lab.hears_prompt(caller, "long")
        lab.phone("1001").behave(RingsForEver())
        order = dial(lab, lab.phone("1001"), interaction_id=interaction_id, joins=caller.leg_id)
        await lab.wait_fact(LegRinging, leg_id=order.leg_id)
        await lab.hears_prompt(caller, "long")
        await caller.press("2")
        ended = await lab.wait_fact(PromptsEnded, command_id=offer_to_call_back)
        assert (ended.outcome, ended.digits) == (PromptOutcome.FINISHED, "2")
        hang_up(lab, order.leg_id)
        await lab.hears_music(caller)

    in_lab(scenario, "1001")


@pytest.mark.req("FLOW-01")
def test_a_message_ends_where_a_talk_begins() -> None:
    async def scenario(lab: FreeswitchLab) -> None:
        caller, interaction_id = await waits(lab)
        file = new_id("msg")
        message = RecordMessage(
            id=new_id("cmd"),
            pbx=lab.pbx,
            leg_id=caller.leg_id,
            interaction_id=interaction_id,
            file=file,
            max_s=30,
            silence_s=3,
        )
        lab.port.submit(message)
        await lab.wait_fact(CommandEnded, command_id=message.id)
        await lab.pass_time(0.6)
        agent = await connect(lab, lab.phone("1001"), interaction_id=interaction_id)
        await reach(lab, interaction_id, 2, room("main", caller.leg_id, agent))
        await lab.hears(caller, lab.phone("1001"))
        with wave.open(str(lab.recording(file))) as said:
            assert said.getnframes() > 0, "it is complete"

    in_lab(scenario, "1001")


@pytest.mark.req("SAFE-06", "FLOW-01")
def test_digits_are_not_left_on_the_channel() -> None:
    """They may be those of a card."""

    async def scenario(lab: FreeswitchLab) -> None:
        caller, interaction_id = await waits(lab)
        keys = KeyInput(max_digits=16, timeout_ms=3000, next_ms=1000)
        asked = play(lab, caller, interaction_id, "long", keys)
        await lab.hears_prompt(caller, "long")
        await caller.press("4111#")
        assert (await lab.wait_fact(PromptsEnded, command_id=asked)).digits == "4111"
        await lab.hears_music(caller)
        assert await caller.variable("SR_KEYS") == ""
        broken_off = play(lab, caller, interaction_id, "long", keys)
        await lab.hears_prompt(caller, "long")
        await caller.press("4222")
        await reach(lab, interaction_id, 2, room("main", caller.leg_id))
        assert (await lab.wait_fact(PromptsEnded, command_id=broken_off)).outcome is PromptOutcome.INTERRUPTED
        assert await caller.variable("SR_KEYS") == ""

    in_lab(scenario)


@pytest.mark.req("SAFE-01", "FLOW-01")
def test_an_older_dialplan_file_costs_no_caller_his_call() -> None:
    """A channel that is sent to a context which is not there is hung up."""

    async def scenario(lab: FreeswitchLab) -> None:
        caller, interaction_id = await waits(lab)
        asked = play(lab, caller, interaction_id, "short")
        refused = await lab.wait_fact(CommandEnded, command_id=asked)
        assert (refused.outcome, "older version" in refused.cause) == (CommandOutcome.REFUSED, True)
        await lab.hears_music(caller)
        root = lab.freeswitch.directory / "conf" / "freeswitch.xml"
        root.write_text(root.read_text().replace(str(old), str(PROJECT_DIALPLAN)))
        lab.freeswitch.cli("reloadxml")
        play(lab, caller, interaction_id, "short")  # it is looked again
        await lab.settle()
        again = play(lab, caller, interaction_id, "short")
        await lab.wait_fact(PromptsEnded, command_id=again)

    with FreeSwitch(agents=AGENTS, dialplan=DIALPLAN) as pbx:
        old = pbx.directory / "old.xml"
        text = PROJECT_DIALPLAN.read_text()
        old.write_text(text.replace('name="switchroom-prompt"', 'name="switchroom-was-not-yet"'))
        root = pbx.directory / "conf" / "freeswitch.xml"
        root.write_text(root.read_text().replace(str(PROJECT_DIALPLAN), str(old)))
        pbx.cli("reloadxml")
        in_lab(scenario, own=pbx)


@pytest.mark.req("ROUTE-11")
@pytest.mark.parametrize(("language", "tone"), [("en", "short"), ("fr", "other")])
def test_numbers_are_sounds_of_the_pbx_in_the_language(language: str, tone: str) -> None:
    """Packages have them in a folder of the rate, which FreeSWITCH itself looks into."""

    async def scenario(lab: FreeswitchLab) -> None:
        folder = lab.freeswitch.directory / "sounds"
        for package, own in (("en/us/callie", "short"), ("fr/ca/june", "other")):
            (folder / package / "digits" / "8000").mkdir(parents=True, exist_ok=True)
            write_tone(folder / package / "digits" / "8000" / "3.wav", PROMPT_HZ[own], 0.6)
        lab.freeswitch.cli(f"global_setvar SR_SOUNDS=fr:{folder}/fr/ca/june")
        await lab.restart_connector()
        caller, interaction_id = await waits(lab)
        order = PlayPrompts(
            id=new_id("cmd"),
            pbx=lab.pbx,
            leg_id=caller.leg_id,
            interaction_id=interaction_id,
            prompts=("digits/3",),
            language=language,
        )
        lab.port.submit(order)
        await lab.hears_prompt(caller, tone)
        assert (await lab.wait_fact(PromptsEnded, command_id=order.id)).outcome is PromptOutcome.FINISHED

    in_lab(scenario)
