"""The link to FreeSWITCH over both transports, against a scripted server: login, commands, answers, events."""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from telephony.answers import Answer, Answered
from telephony.freeswitch.codec import EslDecoder, EslEvent
from telephony.freeswitch.connection import SocketWire
from telephony.freeswitch.esl_threads import PythonEslMissing, wire_for
from telephony.freeswitch.link import COMMAND_SUBSCRIPTION, EVENT_SUBSCRIPTION, EslLink
from telephony.freeswitch.settings import FreeswitchSettings, TransportKind
from telephony.safety import UnsafeAction
from tests.integration.esl_server import (
    EPOCH,
    SECRET,
    TRANSPORTS,
    EslServer,
    Told,
    as_json,
    play,
    reply,
    response,
    wrapped,
)
from tests.waiting import until

WIRE = Path(__file__).parents[1] / "wire" / "freeswitch"
each_transport = pytest.mark.parametrize("kind", TRANSPORTS, ids=lambda kind: kind.value)


def recorded_events(name: str) -> list[bytes]:
    """The events of a recording in JSON, as they were on the wire."""
    messages = EslDecoder().feed(gzip.decompress((WIRE / f"{name}.raw.gz").read_bytes()))
    return [wrapped(message.body) for message in messages if message.content_type == "text/event-json"]


# ---------------------------------------------------------------------- login


QUEUED = "call-command: execute\nexecute-app-name"


@each_transport
def test_both_connections_log_in_and_subscribe_before_the_link_is_told_to_be_in(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.is_in)
        assert told.steps == ["connected", "login"]
        assert sorted(peer.commands[0] for peer in server.peers) == [f"auth {SECRET}"] * 2
        assert {peer.commands[1] for peer in server.peers} == {EVENT_SUBSCRIPTION, COMMAND_SUBSCRIPTION}
        assert link.outstanding == 0

    play(kind, scenario)


def test_custom_comes_last_in_the_subscription() -> None:
    words = EVENT_SUBSCRIPTION.split()
    assert words[:2] == ["event", "json"]
    assert all("::" in word for word in words[words.index("CUSTOM") + 1 :])
    assert not [word for word in words[: words.index("CUSTOM")] if "::" in word]


@each_transport
@pytest.mark.req("SAFE-02")
def test_a_wrong_password_is_told_as_a_refusal_and_only_once(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: "closed" in told.steps)
        assert [(login.how, login.text) for login in told.logins] == [(Answered.ERROR, "-ERR invalid")]

    play(kind, scenario, secret="wrong")


@each_transport
def test_a_refused_subscription_is_told_as_a_refusal_of_the_login(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.logins)
        assert (told.logins[0].how, told.logins[0].text) == (Answered.ERROR, "-ERR no keywords supplied")

    def prepare(server: EslServer) -> None:
        server.replies["event"] = lambda rest: reply("-ERR no keywords supplied" if "json" in rest else "+OK")

    play(kind, scenario, prepare)


def test_a_secret_that_cannot_be_sent_is_refused_at_once() -> None:
    with pytest.raises(UnsafeAction):
        EslLink(FreeswitchSettings(pbx="p", secret="s\n\napi fsctl shutdown"), Told())


# ---------------------------------------------------------------------- commands


@each_transport
@pytest.mark.parametrize(
    ("body", "how", "text"),
    [
        ("+OK Message sent\n", Answered.SUCCESS, "+OK Message sent"),
        ("a value", Answered.SUCCESS, "a value"),
        ("caf\u00e9 %41 \n\n", Answered.SUCCESS, "caf\u00e9 %41 \n"),
        ("-ERR No such channel!\n", Answered.ERROR, "-ERR No such channel!"),
        ("-USAGE: <uuid>", Answered.ERROR, "-USAGE: <uuid>"),
        ("-ERR x Command not found!\n", Answered.ERROR, "-ERR x Command not found!"),
        ("x" * 300_000, Answered.SUCCESS, "x" * 300_000),
    ],
)
def test_the_output_of_a_command_is_its_answer(kind: TransportKind, body: str, how: Answered, text: str) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        server.api["uuid_exists"] = lambda _: response(body)
        await until(lambda: told.is_in)
        answer = await link.ask("uuid_exists x")
        assert (answer.how, answer.text) == (how, text)
        assert server.commands.commands[-1] == "api uuid_exists x"

    play(kind, scenario)


@each_transport
def test_a_command_that_the_login_may_not_give_is_an_error(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        server.api["fsctl"] = lambda _: reply("-ERR permission denied")
        await until(lambda: told.is_in)
        answer = await link.ask("fsctl shutdown")
        assert (answer.how, answer.text) == (Answered.ERROR, "-ERR permission denied")

    play(kind, scenario)


@each_transport
def test_jobs_and_applications_go_out_with_their_headers(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        server.replies["bgapi"] = lambda _: reply("+OK Job-UUID: job-1\nJob-UUID: job-1")
        server.replies["sendmsg"] = lambda rest: reply("+OK" if rest.startswith("leg") else "-ERR invalid session id")
        await until(lambda: told.is_in)
        answers: list[Answer] = []
        link.background("originate user/1001 &park()", "job-1", answers.append)
        link.execute("leg", "playback", "tone_stream://%(100,0,440)", answers.append)
        link.execute("leg", "park", "", answers.append)
        link.execute("gone", "park", "", answers.append)
        await until(lambda: len(answers) == 4)
        assert [answer.is_success for answer in answers] == [True, True, True, False]
        assert server.commands.commands[2:] == [
            "bgapi originate user/1001 &park()\nJob-UUID: job-1",
            f"sendmsg leg\n{QUEUED}: playback\nevent-lock: true\nexecute-app-arg: tone_stream://%(100,0,440)",
            f"sendmsg leg\n{QUEUED}: park\nevent-lock: true",
            f"sendmsg gone\n{QUEUED}: park\nevent-lock: true",
        ]

    play(kind, scenario)


@each_transport
def test_many_answers_come_in_order_and_each_once_and_never_from_within_the_call(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        server.api["echo"] = lambda rest: response(rest)
        await until(lambda: told.is_in)
        answers: list[str] = []
        for number in range(500):
            link.api(f"echo {number}", lambda answer: answers.append(answer.text))
        assert not answers
        assert link.outstanding == 500
        await until(lambda: len(answers) >= 500)
        assert answers == [f"echo {number}" for number in range(500)]
        assert link.outstanding == 0

    play(kind, scenario, action_timeout_s=10.0)


@each_transport
@pytest.mark.req("SAFE-03")
def test_nothing_that_holds_a_line_end_reaches_the_wire(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.is_in)
        answers: list[Answer] = []
        for evil in ("x\n\napi fsctl shutdown", "x\rapi y", "x\0y"):
            attempts: list[Callable[[], None]] = [
                lambda evil=evil: link.api(f"uuid_setvar u n {evil}", answers.append),  # type: ignore[misc]
                lambda evil=evil: link.background("status", evil, answers.append),  # type: ignore[misc]
                lambda evil=evil: link.execute(evil, "park", "", answers.append),  # type: ignore[misc]
                lambda evil=evil: link.execute("u", evil, "", answers.append),  # type: ignore[misc]
                lambda evil=evil: link.execute("u", "set", evil, answers.append),  # type: ignore[misc]
            ]
            for attempt in attempts:
                with pytest.raises(UnsafeAction):
                    attempt()
        assert (await link.ask("uuid_exists last")).is_success
        assert server.commands.commands[2:] == ["api uuid_exists last"]
        assert answers == []

    play(kind, scenario)


@each_transport
def test_text_from_the_library_that_is_no_text_is_sent_as_a_question_mark(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.is_in)
        await link.ask("uuid_setvar u n caf\udce9 Zo\u00eb")
        assert server.commands.commands[-1] == "api uuid_setvar u n caf? Zo\u00eb"

    play(kind, scenario)


@each_transport
def test_a_ping_needs_both_connections_and_tells_the_clock_of_the_pbx(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.is_in)
        clocks: list[int | None] = []
        link.ping(clocks.append)
        await until(lambda: clocks)
        assert clocks == [EPOCH]
        assert [peer.commands.count("api strepoch") for peer in server.peers] == [1, 1]

    play(kind, scenario)


# ---------------------------------------------------------------------- events


@each_transport
def test_every_event_of_a_recorded_call_arrives_in_order(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.is_in)
        recorded = recorded_events("call_json")
        assert len(recorded) == 62
        server.say(b"".join(recorded))
        await until(lambda: len(told.events) >= 62)
        sent = [json.loads(event.partition(b"\n\n")[2]) for event in recorded]
        assert [e.get("Event-Sequence") for e in told.events] == [e["Event-Sequence"] for e in sent]
        for event, original in zip(told.events, sent, strict=True):
            values = {name: value for name, value in original.items() if isinstance(value, str) and name != "_body"}
            assert {name: event.headers[name] for name in values} == values

    play(kind, scenario)


@each_transport
def test_values_arrive_exactly_also_those_that_look_like_an_encoding(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.is_in)
        name = "Eve\nUnique-ID: victim\n\n%0A%41%s Zo\u00eb \u65e5\u672c"
        server.say(as_json("CHANNEL_CREATE", **{"Unique-ID": "u", "Caller-Name": name, "variable_a": ["one", "o%20"]}))
        server.say(wrapped(b'{"Event-Name":"CHANNEL_CREATE","Unique-ID":"v","Caller-Name":"caf\xe9"}'))
        await until(lambda: len(told.events) == 2)
        first, second = told.events
        assert (first.get("unique-id"), first.get("Caller-Name")) == ("u", name)
        assert first.variables() == {"a": "ARRAY::one|:o%20"}
        assert (second.get("unique-id"), second.get("Caller-Name")) == ("v", "caf\ufffd")

    play(kind, scenario)


@each_transport
def test_what_a_job_wrote_arrives_as_it_is_however_it_looks(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.is_in)
        body = "-ERR %s%n%n%99$s %d\n\nnext caf\u00e9"
        inner = f"Event-Name: BACKGROUND_JOB\nJob-UUID: j\nContent-Length: {len(body.encode())}\n\n{body}"
        server.commands.writer.write(wrapped(inner.encode(), "plain"))
        await until(lambda: told.events)
        (event,) = told.events
        assert (event.name, event.get("Job-UUID"), event.body) == ("BACKGROUND_JOB", "j", body)

    play(kind, scenario)


@each_transport
def test_events_that_come_in_one_piece_with_an_answer_are_not_left_lying(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        def job(name: str) -> bytes:
            return wrapped(f"Event-Name: BACKGROUND_JOB\nJob-UUID: {name}\n\n".encode(), "plain")

        server.api["both"] = lambda _: job("before") + response("+OK") + job("after") + job("last")
        await until(lambda: told.is_in)
        await asyncio.sleep(0.05)  # nothing else is on its way
        assert (await link.ask("both")).text == "+OK"
        await until(lambda: len(told.events) == 3)
        assert [event.get("Job-UUID") for event in told.events] == ["before", "after", "last"]

    play(kind, scenario)


@each_transport
def test_an_event_in_pieces_is_one_event(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.is_in)
        data = as_json("X", **{"Caller-Name": "Zo\u00eb", "Unique-ID": "u" * 500})
        for begin in range(0, len(data), 97):
            server.say(data[begin : begin + 97])
            await asyncio.sleep(0.001)
        await until(lambda: told.events)
        assert [e.get("unique-id") for e in told.events] == ["u" * 500]

    play(kind, scenario)


@each_transport
def test_a_flood_arrives_whole_and_in_order_and_delays_no_command(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.is_in)
        events = recorded_events("call_json")
        count = 12_000
        server.say(b"".join(events[number % len(events)] for number in range(count)))
        answers = [await link.ask("uuid_exists x") for _ in range(20)]
        assert len(told.events) < count  # the answers came in between
        assert all(answer.is_success for answer in answers)
        await until(lambda: len(told.events) == count, within=15)
        wanted = [json.loads(e.partition(b"\n\n")[2])["Event-Sequence"] for e in events]
        heard = [e.get("Event-Sequence") for e in told.events]
        assert heard == [wanted[number % len(wanted)] for number in range(count)]

    play(kind, scenario, action_timeout_s=10.0)


@each_transport
def test_events_from_before_the_login_are_not_told(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: any(peer.hears_jobs for peer in server.peers))
        link.on_event(EslEvent({"Event-Name": "EARLY"}))
        server.commands.writer.write(reply("+OK"))  # only now the other connection is in
        await until(lambda: told.is_in)
        server.say(as_json("LATE"))
        await until(lambda: told.events)
        assert [e.name for e in told.events] == ["LATE"]

    def prepare(server: EslServer) -> None:
        server.replies["event"] = lambda rest: b"" if "plain" in rest else reply("+OK")

    play(kind, scenario, prepare, action_timeout_s=5.0)


# ---------------------------------------------------------------------- the choice


def test_auto_takes_python_esl_where_it_imports_and_the_socket_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ESL", None)  # as if it were not installed
    assert wire_for(TransportKind.AUTO) is SocketWire
    assert wire_for(TransportKind.SOCKET) is SocketWire
    with pytest.raises(PythonEslMissing) as missing:
        wire_for(TransportKind.PYTHON_ESL)
    assert missing.value.code == "python-esl-missing"
    monkeypatch.delitem(sys.modules, "ESL")
    try:
        wire_for(TransportKind.PYTHON_ESL)
    except PythonEslMissing as why:
        pytest.skip(f"the other half is not tried: {why}")
    assert wire_for(TransportKind.AUTO) is not SocketWire
