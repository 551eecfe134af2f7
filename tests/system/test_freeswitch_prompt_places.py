"""The contexts of prompts and messages on a real FreeSWITCH, moved into by hand: what they do without a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.lab.esl import Seen
from deploy.lab.freeswitch import MUSIC_HZ, FreeSwitch
from deploy.lab.music import write_tone
from tests.system.freeswitch_calls import Lines, freeswitch, needs_freeswitch, play

pytestmark = needs_freeswitch
PROMPT_HZ = 620


@pytest.fixture(scope="module")
def pbx() -> Iterator[FreeSwitch]:
    for running in freeswitch():
        write_tone(prompt(running), PROMPT_HZ, 0.6)
        yield running


def prompt(pbx: FreeSwitch) -> Path:
    return pbx.directory / "prompt.wav"


async def ask(lines: Lines, uuid: str, place: str, question: str) -> int:
    """Ask and go there; the number of the first event from then on."""
    since = len(lines.esl.seen)
    await lines.mark(uuid, SR_ASK=question)
    await lines.move(uuid, place)
    return since


async def heard(lines: Lines, order: str, since: int) -> Seen:
    return await lines.esl.wait(lambda e: e.name == "switchroom::heard" and e["Order"] == order, since=since)


@pytest.mark.req("FLOW-04")
def test_a_prompt_is_heard_out_and_then_the_caller_is_not_kept_by_a_dead_server(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        call, arrived = await lines.call_in()
        await lines.beat(age_s=600)
        since = await ask(lines, arrived.uuid, "moh switchroom-prompt", f"cmd_1;0;0;0;none;{prompt(pbx)}")
        await call.hears(PROMPT_HZ)
        over = await heard(lines, "cmd_1", since)
        back = await lines.esl.wait(lambda e: e.name == "lab::back", since=since)
        assert back.at - over.at < 0.8
        assert back["variable_SR_RESULT"] == "unavailable"
        await call.hears_not(MUSIC_HZ)

    play(pbx, scenario, SR_DEAD_S=4, SR_CHECK_S=3)


def test_who_is_sent_to_prompts_that_nobody_asks_for_hears_his_music(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        call, arrived = await lines.call_in()
        for question in ("", "cmd_1;0;0;0;none;${system(id)}", "cmd_1;0;0;0;none;/a b"):
            await lines.move(arrived.uuid, "s switchroom-idle")
            await lines.mark(arrived.uuid, SR_ASK=question)
            for context in ("switchroom-prompt", "switchroom-message"):
                await lines.esl.api(f"uuid_transfer {arrived.uuid} moh XML {context}")
                await lines.at(arrived.uuid, "switchroom-wait", len(lines.esl.seen))
            await call.hears(MUSIC_HZ)

    play(pbx, scenario)


def test_two_hundred_prompts_cost_a_call_nothing(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        call, arrived = await lines.call_in()
        for number in range(200):
            since = await ask(
                lines, arrived.uuid, "moh switchroom-prompt", f"cmd_{number};0;0;0;none;silence_stream://20"
            )
            over = await heard(lines, f"cmd_{number}", since)
        assert int(over["variable_max_forwards"]) > 60
        assert over["variable_transfer_history"] == ""
        await call.hears(MUSIC_HZ)

    play(pbx, scenario)


@pytest.mark.parametrize("place", ["s switchroom-idle", "moh switchroom-wait", "abc switchroom-room"])
def test_what_is_said_in_the_next_place_belongs_to_no_message(pbx: FreeSwitch, place: str) -> None:
    async def scenario(lines: Lines) -> None:
        _, arrived = await lines.call_in()
        file = pbx.recordings / f"{place.split()[1]}.wav"
        await lines.mark(arrived.uuid, SR_MESSAGE=str(file))
        since = await ask(lines, arrived.uuid, "moh switchroom-message", "cmd_1;60;5000")
        await lines.esl.wait(lambda e: e.name == "switchroom::recording", since=since)
        await lines.move(arrived.uuid, place)
        stopped = await lines.esl.wait(lambda e: e.name == "RECORD_STOP", since=since)
        assert stopped["Record-File-Path"] == str(file)
        assert await lines.exists(arrived.uuid), "and he keeps his call"

    play(pbx, scenario)
