"""The link over both transports against a real FreeSWITCH: commands, jobs, events, a shutdown and a kill."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from deploy.lab.freeswitch import FreeSwitch
from telephony.answers import Answer, Answered
from telephony.freeswitch.codec import EslEvent
from telephony.freeswitch.link import EslLink
from telephony.freeswitch.settings import FreeswitchSettings, TransportKind
from telephony.safety import UnsafeAction
from tests.integration.esl_server import TRANSPORTS, Told, require, threads
from tests.waiting import run, until

pytestmark = [pytest.mark.pbx, pytest.mark.freeswitch]
each_transport = pytest.mark.parametrize("kind", TRANSPORTS, ids=lambda kind: kind.value)
Scenario = Callable[[EslLink, Told], Awaitable[None]]


@pytest.fixture(scope="module")
def freeswitch() -> Iterator[FreeSwitch]:
    with FreeSwitch() as pbx:
        yield pbx


def play(pbx: FreeSwitch, kind: TransportKind, scenario: Scenario, **changes: Any) -> None:
    async def inner() -> None:
        told = Told()
        fields: dict[str, Any] = {"secret": pbx.esl_secret, **changes}
        link = EslLink(FreeswitchSettings(pbx="p", port=pbx.esl_port, transport=require(kind), **fields), told)
        try:
            await scenario(link, told)
        finally:
            link.abandon()
            await until(lambda: not threads())

    run(inner())


def seen(told: Told, name: str, uuid: str) -> list[EslEvent]:
    return [event for event in told.events if event.name == name and event.get("Unique-ID") == uuid]


@each_transport
def test_login_commands_refusals_and_the_clock(freeswitch: FreeSwitch, kind: TransportKind) -> None:
    async def scenario(link: EslLink, told: Told) -> None:
        await until(lambda: told.is_in)
        clocks: list[int | None] = []
        link.ping(clocks.append)
        await until(lambda: clocks)
        assert clocks[0] is not None
        assert abs(clocks[0] - time.time()) < 3
        refused = [await link.ask(line) for line in ("uuid_kill x NORMAL_CLEARING", "uuid_bridge", "nosuch thing")]
        assert [answer.how for answer in refused] == [Answered.ERROR] * 3
        texts = ["-ERR No such channel!", "-USAGE: <uuid> <other_uuid>", "-ERR nosuch Command not found!"]
        assert [answer.text for answer in refused] == texts
        assert (await link.ask("global_setvar SR_TEST=Zoë %41")).is_success
        assert (await link.ask("global_getvar SR_TEST")).text == "Zoë %41"

    play(freeswitch, kind, scenario)


@each_transport
def test_a_wrong_secret_is_refused(freeswitch: FreeSwitch, kind: TransportKind) -> None:
    async def scenario(link: EslLink, told: Told) -> None:
        await until(lambda: told.logins)
        assert [(login.how, login.text) for login in told.logins] == [(Answered.ERROR, "-ERR invalid")]

    play(freeswitch, kind, scenario, secret="wrong")


@each_transport
def test_a_channel_is_seen_from_its_creation_to_its_end(freeswitch: FreeSwitch, kind: TransportKind) -> None:
    async def scenario(link: EslLink, told: Told) -> None:
        await until(lambda: told.is_in)
        leg, job = f"leg-{kind.value}", f"job-{kind.value}"
        answers: list[Answer] = []
        link.background(f"originate {{origination_uuid={leg}}}null/x &park()", job, answers.append)
        await until(lambda: seen(told, "CHANNEL_ANSWER", leg))
        await until(lambda: [e for e in told.events if e.get("Job-UUID") == job])
        (done,) = (e for e in told.events if e.get("Job-UUID") == job)
        assert (done.name, done.body.strip()) == ("BACKGROUND_JOB", f"+OK {leg}")
        assert [answer.is_success for answer in answers] == [True]
        value = "Zoë %41%s, [::1]"  # quotes and backslashes are for `actions` to escape
        assert (await link.ask(f"uuid_setvar {leg} SR_X {value}")).is_success
        link.execute(leg, "event", "Event-Name=CUSTOM,Event-Subclass=switchroom::at", answers.append)
        await until(lambda: seen(told, "CUSTOM", leg))
        (announced,) = seen(told, "CUSTOM", leg)
        assert announced.subclass == "switchroom::at"
        assert announced.variables()["SR_X"] == value
        assert (await link.ask(f"uuid_kill {leg} NORMAL_CLEARING")).is_success
        await until(lambda: seen(told, "CHANNEL_HANGUP_COMPLETE", leg))
        (gone,) = seen(told, "CHANNEL_HANGUP_COMPLETE", leg)
        assert gone.get("Hangup-Cause") == "NORMAL_CLEARING"
        assert [e.name for e in told.events if e.name in ("CHANNEL_STATE", "CHANNEL_CALLSTATE")] == []

    play(freeswitch, kind, scenario)


@each_transport
@pytest.mark.req("SAFE-03")
def test_an_attempt_to_send_a_second_command_changes_nothing(freeswitch: FreeSwitch, kind: TransportKind) -> None:
    async def scenario(link: EslLink, told: Told) -> None:
        await until(lambda: told.is_in)
        with pytest.raises(UnsafeAction):
            await link.ask("uuid_exists x\n\napi global_setvar SR_FORGED yes")
        assert (await link.ask("global_getvar SR_FORGED")).text == "-ERR no reply"
        assert (await link.ask("uuid_exists x")).text == "false"

    play(freeswitch, kind, scenario)


@each_transport
def test_answers_stay_in_order_under_load_with_events_in_between(freeswitch: FreeSwitch, kind: TransportKind) -> None:
    async def scenario(link: EslLink, told: Told) -> None:
        await until(lambda: told.is_in)
        answers: list[str] = []
        for number in range(300):
            link.api(f"eval {number}", lambda answer: answers.append(answer.text))
            if number % 10 == 0:
                link.background("originate null/y &hangup()", f"load-{number}", lambda _: None)
        await until(lambda: len(answers) == 300, within=15)
        assert answers == [str(number) for number in range(300)]
        await until(lambda: sum(e.name == "CHANNEL_HANGUP_COMPLETE" for e in told.events) >= 30, within=15)

    play(freeswitch, kind, scenario, action_timeout_s=15.0)


@each_transport
@pytest.mark.req("SAFE-02")
def test_a_shutdown_is_told_and_a_kill_is_noticed_at_once(kind: TransportKind) -> None:
    with FreeSwitch() as pbx:

        async def killed(link: EslLink, told: Told) -> None:
            await until(lambda: told.is_in)
            begin = time.monotonic()
            pbx.kill()
            await until(lambda: told.reasons)
            assert time.monotonic() - begin < 2

        async def shut(link: EslLink, told: Told) -> None:
            await until(lambda: told.is_in)
            answers: list[Answer] = []
            link.api("fsctl shutdown", answers.append)
            await until(lambda: told.reasons, within=15)
            assert [e.name for e in told.events][-1] == "SHUTDOWN"

        play(pbx, kind, killed)
        pbx.start()
        play(pbx, kind, shut)
