"""What a real Asterisk does around prompts: languages, secrets, a dead server, and how fast an agent is there."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import pytest
from structlog.testing import capture_logs

from deploy.lab.music import write_tone
from routing.core.commands import Command, KeyInput, ReturnLeg
from routing.core.config import Result
from routing.core.facts import CommandOutcome, Fact, LegEnded, PromptOutcome, RoomsReached
from tests.contract.asterisk_lab import AsteriskLab
from tests.contract.pbx_prompts import KEYS, began, detect, finished, on_hold, over, play, record
from tests.contract.pbx_suite import connect, ended, new_id, reach, room, rooms
from tests.contract.sip_people import PROMPT_HZ, SipCaller
from tests.system.test_asterisk_dialplan import in_lab

SECRETS = ("SR_DIGITS", "SR_PRESSED", "WAITDIGITRESULT", "CPLAYBACKSTOPKEY")


def test_a_prompt_is_played_in_its_language_and_the_call_goes_back_in_its_own() -> None:
    async def scenario(lab: AsteriskLab) -> None:
        folder = lab.directory / "prompts" / "de"
        folder.mkdir(exist_ok=True)
        write_tone(folder / "missing.wav", PROMPT_HZ["other"], 2.0)
        try:
            held = await on_hold(lab)
            assert (await over(lab, play(lab, held.leg_id, "missing"))).outcome is PromptOutcome.FAILED
            order = play(lab, held.leg_id, "missing", language="de")
            await lab.hears_prompt(held.caller, "other")
            assert await held.caller.variable("CHANNEL(language)") == "de"
            await finished(lab, order, "")
        finally:
            (folder / "missing.wav").unlink()
        back = ReturnLeg(id=new_id("cmd"), pbx=lab.pbx, leg_id=held.leg_id, result=Result.TIMEOUT)
        lab.port.submit(back)
        await held.caller.is_back_in_dialplan()
        assert await held.caller.variable("CHANNEL(language)") == "en"

    in_lab(scenario)


@pytest.mark.parametrize("keys", [None, KEYS])
def test_who_falls_out_of_a_conversation_hears_music_and_not_the_rest_of_his_prompts(keys: KeyInput | None) -> None:
    async def scenario(lab: AsteriskLab) -> None:
        held, agent = await on_hold(lab), lab.phone("1001")
        leg = await connect(lab, agent, interaction_id=held.interaction_id)
        await began(lab, play(lab, held.leg_id, "short", "long", "other", keys=keys))
        await reach(lab, held.interaction_id, 2, room("main", held.leg_id, leg))
        await lab.hears(held.caller, agent)
        await agent.hang_up()
        await lab.hears_music(held.caller, within_s=0.6)

    in_lab(scenario, "1001")


@pytest.mark.req("OPS-01", "SAFE-02")
def test_prompts_for_a_pbx_with_an_older_dialplan_cost_nobody_his_call() -> None:
    async def scenario(lab: AsteriskLab) -> None:
        held = await on_hold(lab)
        asks: dict[str, Callable[[], Command]] = {
            "switchroom-prompt": lambda: play(lab, held.leg_id, "short"),
            "switchroom-message": lambda: record(lab, held.leg_id),
            "switchroom-machine": lambda: detect(lab, held.leg_id),
        }
        for context, ask in asks.items():
            await asyncio.to_thread(lab.asterisk.cli, f"dialplan remove context {context}")
            with capture_logs() as logs:
                await lab.restart_connector()
            assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["dialplan_outdated"]
            end = await ended(lab, ask(), CommandOutcome.REFUSED)
            assert "older version" in end.cause
            await lab.hears_music(held.caller)
            await asyncio.to_thread(lab.asterisk.cli, "dialplan reload")
            await ended(lab, ask(), CommandOutcome.REFUSED)
            await ended(lab, ask())
            await finished(lab, play(lab, held.leg_id, "short"), "")

    in_lab(scenario)


def test_keys_come_by_sip_info_too() -> None:
    async def scenario(lab: AsteriskLab) -> None:
        held = await on_hold(lab)
        order = play(lab, held.leg_id, "long", keys=KEYS)
        await began(lab, order)
        assert isinstance(held.caller, SipCaller)
        for digit in "1*0#":
            await held.caller.call.info(digit)
        await finished(lab, order, "1*0")

    in_lab(scenario)


@pytest.mark.req("SAFE-03")
def test_keys_are_not_left_on_the_channel_and_are_told_in_one_event() -> None:
    async def scenario(lab: AsteriskLab) -> None:
        held = await on_hold(lab)
        for name in ("long", "short"):  # in the middle of a prompt, and behind it
            order = play(lab, held.leg_id, name, keys=KEYS)
            await began(lab, order)
            await lab.pass_time(1.0)
            await held.caller.press("4711#")
            await finished(lab, order, "4711")
            assert [await held.caller.variable(secret) for secret in SECRETS] == ["", "", "", ""]
        told = [event for event in lab.observer.log if "4711" in event.headers.values()]
        assert [event.get("userevent") for event in told] == ["SwitchroomHeard"] * 2

    in_lab(scenario)


@pytest.mark.req("FLOW-04")
@pytest.mark.parametrize("what", ["prompts", "keys", "message"])
def test_a_caller_who_hears_prompts_goes_back_too_when_the_server_stays_dead(what: str) -> None:
    async def scenario(lab: AsteriskLab) -> None:
        held = await on_hold(lab)
        match what:
            case "prompts":
                order = play(lab, held.leg_id, "other", "other")
            case "keys":
                order = play(lab, held.leg_id, "other", keys=replace(KEYS, timeout_ms=4000))
            case _:
                await began(lab, record(lab, held.leg_id, max_s=5))
        if what != "message":
            await began(lab, order)
        await lab.port.stop()
        await held.caller.is_back_in_dialplan(within_s=20.0)
        assert await held.caller.variable("SR_RESULT") == "unavailable"

    in_lab(scenario, SR_DEAD_S=4, SR_CHECK_S=1)


@pytest.mark.req("ROUTE-11")
def test_an_agent_is_there_as_fast_from_a_prompt_as_from_music(capsys: pytest.CaptureFixture[str]) -> None:
    """SetRooms submitted to RoomsReached, medians of 10, in ms."""
    took: dict[bool, list[float]] = {False: [], True: []}

    async def scenario(lab: AsteriskLab) -> None:
        held = await on_hold(lab)
        leg = await connect(lab, lab.phone("1001"), interaction_id=held.interaction_id)
        version, at_s = 2, dict[int, float]()

        def sink(fact: Fact) -> None:
            lab.facts.append(fact)
            if isinstance(fact, RoomsReached):
                at_s[fact.version] = time.perf_counter()

        await lab.port.start(sink)  # only takes the new sink over: the link is up already
        for turn in range(20):
            with_prompt = turn % 2 == 1
            if with_prompt:
                await began(lab, play(lab, held.leg_id, "long", keys=KEYS))
                await lab.settle()
            submitted_s = time.perf_counter()
            rooms(lab, held.interaction_id, version, room("main", held.leg_id, leg))
            await lab.wait_fact(RoomsReached, version=version)
            took[with_prompt].append((at_s[version] - submitted_s) * 1000)
            parts = (room("main", held.leg_id, music="default"), room("agent", leg))
            await reach(lab, held.interaction_id, version + 1, *parts)
            await lab.settle()
            version += 2
        assert not [fact for fact in lab.facts if isinstance(fact, LegEnded)]

    in_lab(scenario, "1001")
    for with_prompt, values in took.items():
        with capsys.disabled():
            where = "prompt" if with_prompt else "music"
            sys.stdout.write(f"\n{where}_to_bridge_ms: median {median(values):.1f}, worst {max(values):.1f}")
    assert median(took[True]) < median(took[False]) + 15
