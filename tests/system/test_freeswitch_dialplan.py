"""What integrators see of the dialplan on FreeSWITCH: the hand-over, results, the way back, and no server."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.lab.freeswitch import MUSIC_HZ, FreeSwitch
from tests.system.freeswitch_calls import (
    BACK_HZ,
    CALLER,
    Lines,
    freeswitch,
    needs_freeswitch,
    play,
)

pytestmark = needs_freeswitch
README = Path(__file__).parents[2] / "dialplan" / "freeswitch" / "README.md"


@pytest.fixture(scope="module")
def pbx() -> Iterator[FreeSwitch]:
    yield from freeswitch()


@pytest.mark.req("FLOW-03")
def test_one_line_hands_a_call_over_with_everything_the_server_wants_to_know(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        _, call = await lines.call_in()
        told = {name: call[f"variable_{name}"] for name in ("SR_ENTRY", "SR_OPTIONS", "SR_DNIS", "SR_ANI")}
        options = ",priority=7,requires=german:5+vip:1"
        assert told == {"SR_ENTRY": "sales", "SR_OPTIONS": options, "SR_DNIS": "7001", "SR_ANI": CALLER}
        assert call["variable_SR_LEG"] == f"leg_{call.uuid}"
        assert call["variable_SR_CAD_customer_id"] == "42"
        assert call["variable_SR_CAD_note"] == "a, b;c = 'd' Zoë"
        assert call["variable_SR_RESULT"] == "abandoned"
        assert call["Answer-State"] == "answered"

    play(pbx, scenario)


@pytest.mark.req("FLOW-04")
def test_a_call_that_no_server_takes_comes_back_as_unavailable(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        call, arrived = await lines.call_in()
        back = await lines.esl.wait(lambda e: e.name == "lab::back", within=4.0)
        assert 0.8 < back.at - arrived.at < 1.5
        assert back.place == ("from-trunk", "switchroom-result")
        assert back["variable_SR_RESULT"] == "unavailable"
        await call.hears(BACK_HZ)
        assert not [e for e in lines.esl.seen if e.name == "lab::behind"], "it also went on behind the line"

    play(pbx, scenario, SR_TAKE_S=1)


@pytest.mark.req("FLOW-03")
def test_the_server_gives_a_call_back_with_its_result_once_and_lets_go_of_it(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        call, arrived = await lines.call_in()
        await lines.move(arrived.uuid, "moh switchroom-wait")
        await lines.mark(arrived.uuid, SR_RESULT="full")
        await lines.esl.api(f"uuid_transfer {arrived.uuid} s XML switchroom-return")
        back = await lines.esl.wait(lambda e: e.name == "lab::back")
        await call.hears(BACK_HZ)
        assert back["variable_SR_RESULT"] == "full"
        left = [e for e in lines.esl.seen if e.name == "switchroom::left"]
        assert [e["variable_SR_LEG"] for e in left] == [f"leg_{arrived.uuid}"]
        ours = "SR_LEG SR_IID transfer_after_bridge hangup_after_bridge continue_on_fail playback_terminators".split()
        ours += "force_transfer_context force_transfer_dialplan max_session_transfers".split()
        ours += ["uuid_bridge_continue_on_cancel", "park_after_bridge"]
        assert [name for name in ours if back[f"variable_{name}"]] == []

    play(pbx, scenario)


def test_a_call_pulled_back_after_it_was_given_back_goes_on_in_its_dialplan(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        call, arrived = await lines.call_in()
        await lines.mark(arrived.uuid, SR_RESULT="timeout")
        await lines.esl.api(f"uuid_transfer {arrived.uuid} s XML switchroom-return")
        await lines.esl.wait(lambda e: e.name == "lab::back")
        for place in ("moh XML switchroom-wait", "s XML switchroom-idle", "abc XML switchroom-room"):
            since = len(lines.esl.seen)
            await lines.esl.api(f"uuid_transfer {arrived.uuid} {place}")
            back = await lines.esl.wait(lambda e: e.name == "lab::back", since=since)
            assert back["variable_SR_RESULT"] == "timeout"
        await call.hears(BACK_HZ)

    play(pbx, scenario)


@pytest.mark.req("FLOW-03")
def test_the_integrator_says_where_the_call_comes_back_and_what_was_dialled(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        _, arrived = await lines.call_in("7002")
        assert (arrived["variable_SR_DNIS"], arrived["variable_SR_ENTRY"]) == ("4930123", "")
        back = await lines.esl.wait(lambda e: e.name == "lab::back", within=4.0)
        assert back.place == ("fallback", "after-all")

    play(pbx, scenario, SR_TAKE_S=1)


@pytest.mark.req("FLOW-03")
def test_a_call_can_be_handed_over_twice(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        call, first = await lines.call_in("7005")
        await lines.mark(first.uuid, SR_RESULT="no_agents")
        since = len(lines.esl.seen)
        await lines.esl.api(f"uuid_transfer {first.uuid} s XML switchroom-return")
        second = await lines.esl.wait(lambda e: e.name == "switchroom::call", since=since)
        told = (second["variable_SR_ENTRY"], second["variable_SR_DNIS"], second["variable_SR_RESULT"])
        assert told == ("help", "7005", "abandoned")
        assert second["variable_SR_LEG"] == f"leg_{first.uuid}"
        await lines.move(first.uuid, "moh switchroom-wait")
        await call.hears(MUSIC_HZ)
        await lines.mark(first.uuid, SR_RESULT="timeout")
        await lines.esl.api(f"uuid_transfer {first.uuid} s XML switchroom-return")
        await call.hears(BACK_HZ)

    play(pbx, scenario)


def test_a_malformed_hand_over_comes_back_at_once_and_is_no_call(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        _, back = await lines.call_in("7003", name="lab::back")
        assert back["variable_SR_RESULT"] == "unavailable"
        assert not [e for e in lines.esl.seen if e.name == "switchroom::call"]

    play(pbx, scenario)


@pytest.mark.req("FLOW-04")
def test_a_call_that_does_not_say_whence_it_came_ends_and_never_goes_round(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        call, _ = await lines.call_in("7004")
        await call.ended(within=4.0)
        assert len([e for e in lines.esl.seen if e.name == "switchroom::call"]) == 1
        assert "has nowhere to go back to" in pbx.messages

    play(pbx, scenario, SR_TAKE_S=1)


@pytest.mark.req("FLOW-03")
@pytest.mark.parametrize("place", ["handed over", "waiting", "talking", "conference"])
def test_a_call_record_says_how_a_call_stood_when_the_caller_left(pbx: FreeSwitch, place: str) -> None:
    async def scenario(lines: Lines) -> None:
        call, arrived = await lines.call_in()
        expected = "abandoned"
        if place == "waiting":
            await lines.move(arrived.uuid, "moh switchroom-wait")
        elif place != "handed over":
            _, leg, _ = await lines.ring()
            await lines.bridge(arrived.uuid, leg)
            expected = "answered"
            await lines.mark(arrived.uuid, SR_RESULT=expected)
            if place == "conference":
                await lines.move(arrived.uuid, "abc switchroom-room", both=leg)
        await call.hangup()
        record = await lines.esl.wait(lambda e: e.name == "CHANNEL_HANGUP_COMPLETE" and e.uuid == arrived.uuid)
        assert record["variable_SR_RESULT"] == expected

    play(pbx, scenario)


@pytest.mark.req("FLOW-03", "FLOW-04")
@pytest.mark.parametrize("place", ["moh switchroom-wait", "ringback switchroom-wait", "s switchroom-idle"])
def test_a_waiting_caller_goes_back_when_the_server_stays_dead(pbx: FreeSwitch, place: str) -> None:
    async def scenario(lines: Lines) -> None:
        call, arrived = await lines.call_in()
        await lines.move(arrived.uuid, place)
        await lines.beat()
        begun = time.monotonic()
        back = await lines.esl.wait(lambda e: e.name == "lab::back", within=12.0)
        assert back["variable_SR_RESULT"] == "unavailable"
        assert 2.5 < back.at - begun < 7.5
        await call.hears(BACK_HZ)

    play(pbx, scenario, SR_DEAD_S=4, SR_CHECK_S=2)


@pytest.mark.req("SAFE-01", "FLOW-04")
def test_a_waiting_caller_keeps_his_music_while_a_server_lives(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        call, arrived = await lines.call_in()
        await lines.move(arrived.uuid, "moh switchroom-wait")
        await call.hears(MUSIC_HZ)
        since = len(lines.esl.seen)
        for _ in range(25):
            await lines.beat(age_s=1)
            await asyncio.sleep(0.4)
            await call.hears(MUSIC_HZ, within=1.0)
        looks = [e for e in lines.esl.seen[since:] if e.name == "PLAYBACK_START"]
        assert len(looks) >= 2
        await lines.beat()
        since = len(lines.esl.seen)
        await call.dtmf("123#*")
        await lines.esl.wait(lambda e: e.name == "DTMF" and e["DTMF-Digit"] == "*", since=since)
        await call.hears(MUSIC_HZ, within=0.5)
        assert not [e for e in lines.esl.seen[since:] if e.name == "PLAYBACK_START"], "a digit ended the music"
        assert not [e for e in lines.esl.seen if e.name == "lab::back"]

    play(pbx, scenario, SR_DEAD_S=4, SR_CHECK_S=2)


@pytest.mark.req("FLOW-04")
def test_a_dialled_leg_ends_by_itself_when_the_server_stays_dead(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        call, _, _ = await lines.ring()
        await lines.beat()
        await call.ended(within=12.0)

    play(pbx, scenario, SR_DEAD_S=4, SR_CHECK_S=2)


def test_a_leg_that_was_let_go_of_is_kept_no_longer_than_a_look(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        call, leg, _ = await lines.ring()
        await lines.esl.api(f"uuid_setvar {leg} SR_LEG")
        await call.ended(within=4.0)

    play(pbx, scenario, SR_CHECK_S=2)


def test_the_example_of_the_readme_is_a_dialplan_that_works() -> None:
    """The caller of no server ends up in the site's own queue, as the example says."""
    examples = re.findall(r"```xml\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    entry, features, trunk = examples
    own_queue = """
<context name="default">
  <extension name="own-queue">
    <condition field="destination_number" expression="^own-queue$">
      <action application="event" data="Event-Name=CUSTOM,Event-Subclass=lab::back"/>
      <action application="playback" data="tone_stream://%(60000,0,1209)"/>
    </condition>
  </extension>
</context>"""
    from_agent = f'<context name="from-agent">{features}</context>'
    text = entry.replace("public", "from-trunk") + own_queue + from_agent + f'<context name="other">{trunk}</context>'

    async def scenario(lines: Lines) -> None:
        call, arrived = await lines.call_in("4930123")
        assert (arrived["variable_SR_ENTRY"], arrived["variable_SR_DNIS"]) == ("sales", "4930123")
        back = await lines.esl.wait(lambda e: e.name == "lab::back", within=4.0)
        assert (back.place, back["variable_SR_RESULT"]) == (("default", "own-queue"), "unavailable")
        await call.hears(BACK_HZ)
        agent = await lines.phones.agent("1001")
        await agent.dial("*63")
        code = await lines.esl.wait(lambda e: e.name == "switchroom::feature")
        assert code["variable_SR_CODE"] == "available"

    with FreeSwitch(agents=("1001",), dialplan=text) as site:
        play(site, scenario, SR_TAKE_S=1)
