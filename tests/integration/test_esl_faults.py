"""The link to FreeSWITCH over both transports when the other side stalls, lies, chokes or goes: every order ends."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from telephony.answers import Answer, Answered
from telephony.freeswitch.codec import EslEvent
from telephony.freeswitch.connection import MAX_UNSENT_BYTES
from telephony.freeswitch.esl_threads import MAX_WAITING
from telephony.freeswitch.link import EslLink
from telephony.freeswitch.settings import FreeswitchSettings, TransportKind
from tests.integration.esl_server import (
    NOTICE,
    TRANSPORTS,
    EslServer,
    Told,
    as_json,
    play,
    play_on_uvloop,
    reply,
    require,
    response,
    threads,
    wrapped,
)
from tests.waiting import run, until

each_transport = pytest.mark.parametrize("kind", TRANSPORTS, ids=lambda kind: kind.value)

ROOT = Path(__file__).parents[2]
LONGEST_PAUSE_S = 1.0  # a call into a stalled peer would hold the loop for as long as the peer stalls: for ever


class Pulse:
    """Beats in the event loop, and knows the longest time between two beats."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._beats = [self._loop.time()]
        self._task = self._loop.create_task(self._beat())

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(0.01)
            self._beats.append(self._loop.time())

    def stop(self) -> float:
        self._task.cancel()
        return max(later - earlier for earlier, later in pairwise([*self._beats, self._loop.time()]))


# ---------------------------------------------------------------------- the end of a link


@each_transport
@pytest.mark.req("SAFE-02")
def test_at_a_cut_the_link_is_told_closed_and_what_is_outstanding_ends_once_as_cut(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.is_in)
        server.silent.add("uuid_kill")
        answers: list[tuple[Answered, int]] = []
        for _ in range(3):
            link.api("uuid_kill x", lambda answer: answers.append((answer.how, len(told.reasons))))
        await until(lambda: server.sent("api"))
        server.cut()
        await until(lambda: len(answers) == 3)
        assert answers == [(Answered.CUT, 1)] * 3  # the listener knew before
        assert told.steps == ["connected", "login", "closed"]
        assert (await link.ask("status")).how is Answered.UNSENT
        await until(lambda: all(peer.is_over for peer in server.peers))  # the other connection is left, too

    play(kind, scenario, action_timeout_s=5.0)


@each_transport
@pytest.mark.parametrize("which", ["events", "commands"])
def test_a_disconnect_notice_ends_the_link(kind: TransportKind, which: str) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.is_in)
        getattr(server, which).writer.write(NOTICE)
        await until(lambda: told.reasons)
        # python-ESL keeps the text to itself
        wanted = "the PBX ended the connection: Disconnected, goodby"
        assert told.reasons == [wanted if kind is TransportKind.SOCKET else "connection closed by the PBX"]

    play(kind, scenario)


@each_transport
def test_a_rude_rejection_ends_the_link_before_it_is_in(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.reasons)
        assert not told.logins
        if kind is TransportKind.SOCKET:
            assert told.reasons == ["the PBX ended the connection: Access Denied, go away."]

    def prepare(server: EslServer) -> None:
        text = b"Access Denied, go away.\n"
        server.greeting = b"Content-Type: text/rude-rejection\nContent-Length: %d\n\n%b" % (len(text), text)
        server.silent.add("connect")

    play(kind, scenario, prepare)


@each_transport
def test_where_nobody_listens_the_link_is_told_closed(kind: TransportKind) -> None:
    async def scenario() -> None:
        told = Told()
        settings = FreeswitchSettings(pbx="p", secret="s", port=1, transport=require(kind))
        link = EslLink(settings, told)
        await until(lambda: told.reasons)
        assert told.steps == ["closed"]
        assert told.reasons[0].startswith("cannot connect")
        assert (await link.ask("status")).how is Answered.UNSENT
        await until(lambda: not threads())

    run(scenario())


@each_transport
def test_after_abandoning_nothing_is_told_any_more_and_nothing_is_left(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.is_in)
        server.silent.add("uuid_kill")
        answers: list[Answered] = []
        link.api("uuid_kill x", lambda answer: answers.append(answer.how))
        server.say(as_json("LATE") * 50)
        link.abandon()
        assert answers == [Answered.CUT]
        link.abandon()
        await until(lambda: all(peer.is_over for peer in server.peers) and not threads())
        assert (told.steps, told.events) == (["connected", "login"], [])

    play(kind, scenario)


@each_transport
def test_a_link_abandoned_while_it_connects_leaves_nothing(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        link.abandon()
        await until(lambda: not threads() and all(peer.is_over for peer in server.peers))
        assert told.steps == []

    play(kind, scenario)


@each_transport
def test_the_event_loop_of_the_engine_sees_the_same(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.is_in)
        assert (await link.ask("uuid_exists x")).is_success
        server.say(as_json("X"))
        await until(lambda: told.events)
        server.silent.add("uuid_kill")
        answers: list[Answered] = []
        link.api("uuid_kill x", lambda answer: answers.append(answer.how))
        await until(lambda: answers)
        server.cut()
        await until(lambda: told.reasons)
        assert answers == [Answered.OVERDUE]

    play_on_uvloop(kind, scenario)


# ---------------------------------------------------------------------- silence


def _silent_on(*words: str) -> Callable[[EslServer], None]:
    return lambda server: server.silent.update(words)


def _says(greeting: bytes) -> Callable[[EslServer], None]:
    def prepare(server: EslServer) -> None:
        server.greeting = greeting
        server.silent.add("connect")

    return prepare


@each_transport
@pytest.mark.req("SAFE-02")
@pytest.mark.parametrize(
    "prepare",
    [
        _says(b""),
        _says(b"Content-Type: auth/re"),
        _says(b"Content-Type: text/x\nContent-Length: 100\n\nhalf"),
        _silent_on("auth"),
        _silent_on("event"),
    ],
    ids=["no greeting", "half a greeting", "half a body", "no answer to auth", "no answer to event"],
)
def test_a_peer_that_stalls_before_the_login_is_left_in_time(
    kind: TransportKind, prepare: Callable[[EslServer], None]
) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        pulse = Pulse()
        await until(lambda: told.reasons)
        assert told.reasons == ["no login in time"]
        assert not told.is_in
        await until(lambda: not threads() and all(peer.is_over for peer in server.peers))
        assert pulse.stop() < LONGEST_PAUSE_S

    play(kind, scenario, prepare)


@each_transport
@pytest.mark.req("SAFE-02")
@pytest.mark.parametrize("which", ["events", "commands"])
@pytest.mark.parametrize(
    "half", [b"Content-Type: text/ev", as_json("X", a="b" * 500)[:-100]], ids=["in a header", "in a body"]
)
def test_a_peer_that_stalls_in_the_middle_of_a_message_is_left_in_time(
    kind: TransportKind, which: str, half: bytes
) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.is_in)
        pulse = Pulse()
        getattr(server, which).writer.write(half)
        await until(lambda: told.reasons)
        assert told.reasons == ["the PBX stalled in the middle of a message or a reply"]
        await until(lambda: not threads())
        assert pulse.stop() < LONGEST_PAUSE_S

    play(kind, scenario)


@each_transport
@pytest.mark.req("SAFE-02")
def test_a_late_answer_is_swallowed_and_shifts_no_other(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.is_in)
        server.silent.add("slow")
        server.api["echo"] = lambda rest: response(rest)
        answers: list[Answer] = []
        link.api("slow", answers.append)
        await until(lambda: answers)
        assert answers[0].how is Answered.OVERDUE
        assert link.outstanding == 0
        server.commands.writer.write(response("late"))  # FreeSWITCH, too, answers in the order of the commands
        for number in range(5):
            link.api(f"echo {number}", answers.append)
        await until(lambda: len(answers) == 6)
        assert [answer.text for answer in answers[1:]] == [f"echo {number}" for number in range(5)]
        assert told.reasons == []

    play(kind, scenario)


@each_transport
@pytest.mark.req("SAFE-02")
def test_every_order_to_a_silent_pbx_ends_in_time_and_a_ping_is_not_answered(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.is_in)
        server.silent.update({"api", "bgapi", "sendmsg"})
        pulse = Pulse()
        answers: list[Answered] = []
        clocks: list[int | None] = []
        link.api("status", lambda answer: answers.append(answer.how))
        link.background("status", "j", lambda answer: answers.append(answer.how))
        link.execute("u", "park", "", lambda answer: answers.append(answer.how))
        link.ping(clocks.append)
        await until(lambda: len(answers) == 3)
        assert answers == [Answered.OVERDUE] * 3
        assert clocks == []
        assert pulse.stop() < LONGEST_PAUSE_S

    play(kind, scenario)


@each_transport
def test_a_ping_that_only_one_connection_answers_is_none(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.is_in)
        clocks: list[int | None] = []
        server.silent.add("api")
        link.ping(clocks.append)
        await until(lambda: len(server.sent("api")) == 2)
        server.events.writer.write(response("1"))
        await until(lambda: link.outstanding == 0)
        assert clocks == []

    play(kind, scenario)


# ---------------------------------------------------------------------- too much


@each_transport
@pytest.mark.req("SAFE-02")
def test_a_choked_link_refuses_what_it_cannot_send(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.is_in)
        server.silent.add("api")
        answers: list[Answered] = []
        for _ in range(8):
            link.api("status", lambda answer: answers.append(answer.how))
        await until(lambda: len(answers) == 3)
        assert answers == [Answered.UNSENT] * 3
        assert link.outstanding == 5

    play(kind, scenario, max_outstanding=5, action_timeout_s=5.0)


@each_transport
@pytest.mark.req("SAFE-02")
def test_a_peer_that_reads_nothing_costs_bounded_memory_and_no_time(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.is_in)
        server.is_reading.clear()
        pulse = Pulse()
        answers: list[Answered] = []
        line = "uuid_setvar u n " + "x" * 60_000
        for _ in range(400):
            link.api(line, lambda answer: answers.append(answer.how))
            assert link._commands._wire.unsent_bytes < MAX_UNSENT_BYTES + 100_000
            await asyncio.sleep(0)
        await until(lambda: len(answers) == 400)
        assert set(answers) <= {Answered.UNSENT, Answered.OVERDUE, Answered.CUT}
        assert answers.count(Answered.UNSENT) > 100
        assert pulse.stop() < LONGEST_PAUSE_S

    play(kind, scenario)


@each_transport
def test_a_loop_that_is_slow_to_take_events_gets_them_all_in_the_end(kind: TransportKind) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.is_in)
        keep, count = told.on_event, 3 * MAX_WAITING
        most = 0

        def slow(event: EslEvent) -> None:
            nonlocal most
            keep(event)
            if len(told.events) == 1:
                time.sleep(2.0)  # the loop itself is held up: the thread goes on reading meanwhile
                most = len(getattr(link._events._wire, "_incoming", ()))

        told.on_event = slow  # type: ignore[method-assign]
        server.say(b"".join(as_json("X", n=str(number)) for number in range(count)))
        await until(lambda: len(told.events) == count, within=15)
        assert [event.get("n") for event in told.events] == [str(number) for number in range(count)]
        assert 0 < most <= MAX_WAITING or kind is TransportKind.SOCKET

    play(kind, scenario, action_timeout_s=10.0)


# ---------------------------------------------------------------------- lies


@each_transport
@pytest.mark.parametrize(
    ("which", "said"),
    [
        ("events", wrapped(b"{")),
        ("commands", reply("+OK nobody asked")),
        ("commands", response("nobody asked")),
    ],
    ids=["half JSON", "a reply too many", "an answer too many"],
)
def test_what_cannot_be_trusted_ends_the_link(kind: TransportKind, which: str, said: bytes) -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.is_in)
        getattr(server, which).writer.write(said)
        await until(lambda: told.reasons)
        assert told.steps == ["connected", "login", "closed"]

    play(kind, scenario)


def test_a_length_beyond_reason_ends_the_link() -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.is_in)
        server.say(b"Content-Type: text/event-json\nContent-Length: 99999999999\n\n")
        await until(lambda: told.reasons)
        assert told.reasons == ["the event socket sent the length '99999999999'"]

    play(TransportKind.SOCKET, scenario)


def test_a_server_of_another_kind_ends_the_link() -> None:
    async def scenario(link: EslLink, server: EslServer, told: Told) -> None:
        await until(lambda: told.reasons)
        assert told.reasons == ["the event socket sent a message without a type"]

    play(TransportKind.SOCKET, scenario, _says(b"HTTP/1.1 400 Bad Request\nServer: x\n\n"))


# ---------------------------------------------------------------------- the end of the process

LEAVING = """
import asyncio, sys
from telephony.freeswitch.link import EslLink
from telephony.freeswitch.settings import FreeswitchSettings, TransportKind
from tests.integration.esl_server import SECRET, Told
from tests.waiting import until

async def main():
    told = Told()
    settings = FreeswitchSettings(
        pbx="p", secret=SECRET, port=int(sys.argv[1]), transport=TransportKind.PYTHON_ESL, nudge_interval_s=0
    )
    link = EslLink(settings, told)
    await until(lambda: len(told.events) > 200)
    if sys.argv[2] == "abandon":
        link.abandon()

asyncio.run(main())
"""


@pytest.mark.parametrize("way", ["abandon", "leave"])
def test_a_process_may_end_whatever_the_library_is_doing(way: str) -> None:
    """A thread that comes out of C++ while Python ends takes the process down with an abort."""
    require(TransportKind.PYTHON_ESL)

    async def scenario() -> None:
        server = EslServer()
        flood = b"".join(as_json("X", n=str(number)) for number in range(20_000))
        server.replies["event"] = lambda rest: reply("+OK") + (flood if "json" in rest else b"")
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        for _ in range(4):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", LEAVING, str(port), way, cwd=ROOT, stderr=asyncio.subprocess.PIPE
            )
            _, said = await process.communicate()
            assert (process.returncode, said) == (0, b"")
        listening.close()
        for peer in server.peers:
            peer.writer.transport.abort()

    run(scenario(), within=50)
