"""The link over panoramisk against a scripted server: each fault of that library stays closed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from telephony.answers import Answer, Answered
from telephony.asterisk.codec import AmiDecoder, AmiMessage
from telephony.asterisk.port import AsteriskPort
from telephony.asterisk.session import AmiSession
from telephony.asterisk.settings import AsteriskSettings
from telephony.safety import UnsafeAction
from tests.waiting import run, until


class Server:
    """Answers Login, Ping and what `answers` names; keeps every action; `silent` answers nothing."""

    def __init__(self) -> None:
        self.actions: list[AmiMessage] = []
        self.connections: list[asyncio.StreamWriter] = []
        self.answers: dict[str, Callable[[AmiMessage], str]] = {}
        self.is_silent = False
        self.login = "Success"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        decoder = _Requests()
        while data := await reader.read(4096):
            for action in decoder.feed(data):
                self.actions.append(action)
                if not self.is_silent:
                    writer.write(self._answer(action).encode())
        writer.close()

    def _answer(self, action: AmiMessage) -> str:
        name = action.get("action")
        if name == "Login":
            text = "Authentication accepted" if self.login == "Success" else "Authentication failed"
            booted = "Event: FullyBooted\r\nStatus: Fully Booted\r\n\r\n" if self.login == "Success" else ""
            return reply(action, self.login, text) + booted
        if name == "Ping":
            return reply(action, "Success", "Pong", Timestamp="1795222300.5")
        answer = self.answers.get(name)
        return answer(action) if answer else ""

    def names(self, *without: str) -> list[str]:
        return [a.get("action") for a in self.actions if a.get("action") not in without]

    def say(self, text: str) -> None:
        self.connections[-1].write(text.encode())

    def cut(self) -> None:
        self.connections[-1].transport.abort()


class _Requests:
    """Actions have neither Event nor Response, so the decoder is told that they are events."""

    def __init__(self) -> None:
        self._decoder = AmiDecoder()

    def feed(self, data: bytes) -> list[AmiMessage]:
        return self._decoder.feed(data.replace(b"Action: ", b"Event: x\r\nAction: "))


def reply(action: AmiMessage, response: str, message: str = "", **headers: str) -> str:
    lines = {"Response": response, "ActionID": action.get("actionid"), "Message": message, **headers}
    return "".join(f"{k}: {v}\r\n" for k, v in lines.items()) + "\r\n"


class Owner:
    """What a port is to its session."""

    def __init__(self) -> None:
        self.events: list[AmiMessage] = []
        self.told: list[str] = []
        self.fault: Exception | None = None

    async def sync(self) -> None:
        self.told.append("sync")
        if self.fault is not None:
            raise self.fault

    def on_event(self, event: AmiMessage) -> None:
        self.events.append(event)

    def on_up(self) -> None:
        self.told.append("up")

    def on_down(self, reason: str) -> None:
        self.told.append(f"down: {reason}")

    def on_alive(self, epoch_s: int) -> None:
        assert epoch_s == 1795222300


@asynccontextmanager
async def session(**changes: Any) -> Any:
    server, owner = Server(), Owner()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    quick = {"ping_interval_s": 0.05, "ping_deadline_s": 0.1, "backoff_first_s": 0.02, "action_timeout_s": 0.3}
    settings = AsteriskSettings(pbx="p", username="u", secret="s", port=port, **{**quick, **changes})
    it = AmiSession(settings, owner, asyncio.get_running_loop().time)
    it.start()
    try:
        yield it, server, owner
    finally:
        it.stop()
        listening.close()
        for writer in server.connections:
            writer.close()
        await asyncio.sleep(0)


def play(scenario: Callable[[AmiSession, Server, Owner], Awaitable[None]], **changes: Any) -> None:
    async def inner() -> None:
        async with session(**changes) as (it, server, owner):
            await scenario(it, server, owner)

    run(inner())


def test_nothing_is_sent_before_login_and_boot_and_then_pings_go_on() -> None:
    async def scenario(it: AmiSession, server: Server, owner: Owner) -> None:
        await until(lambda: server.names().count("Ping") >= 3)
        assert server.names()[0] == "Login"
        assert server.actions[0].get("events") == "system,call,user"
        assert owner.told == ["sync", "up"]

    play(scenario)


@pytest.mark.req("SAFE-02")
def test_an_action_unanswered_at_a_cut_is_never_sent_again_and_ends_once() -> None:
    async def scenario(it: AmiSession, server: Server, owner: Owner) -> None:
        await until(lambda: it.is_up)
        answers: list[Answer] = []
        it.send({"Action": "Originate", "Channel": "PJSIP/1"}, answers.append)
        await until(lambda: "Originate" in server.names())
        server.cut()
        await until(lambda: len(server.connections) == 2 and it.is_up)
        await until(lambda: server.names().count("Ping") >= 3)
        assert server.names().count("Originate") == 1
        assert [a.how for a in answers] == [Answered.CUT]
        assert owner.told[2].startswith("down")

    play(scenario)


@pytest.mark.req("SAFE-02")
def test_every_action_ends_also_when_no_answer_comes_or_there_is_no_link() -> None:
    async def scenario(it: AmiSession, server: Server, owner: Owner) -> None:
        unsent = await it.ask({"Action": "Setvar"})
        await until(lambda: it.is_up)
        overdue = await it.ask({"Action": "Nothing"})
        assert (unsent.how, overdue.how) == (Answered.UNSENT, Answered.OVERDUE)
        assert it.outstanding <= 1  # a ping at most

    play(scenario)


@pytest.mark.parametrize("message", ["Originate successfully queued", "Channel status will follow", "Added x to queue"])
def test_an_answer_is_an_answer_whatever_it_says(message: str) -> None:
    async def scenario(it: AmiSession, server: Server, owner: Owner) -> None:
        server.answers["PlayDTMF"] = lambda action: reply(action, "Success", message)
        await until(lambda: it.is_up)
        answer = await it.ask({"Action": "PlayDTMF"})
        assert (answer.how, answer.text) == (Answered.SUCCESS, message)
        assert len(server.connections) == 1

    play(scenario)


def test_lists_are_whole_and_a_list_that_fails_is_an_error() -> None:
    async def scenario(it: AmiSession, server: Server, owner: Owner) -> None:
        def items(action: AmiMessage) -> str:
            uid = action.get("actionid")
            item = f"Event: Item\r\nActionID: {uid}\r\nName: x\r\n\r\n"
            end = f"Event: ListComplete\r\nActionID: {uid}\r\nEventList: Complete\r\n\r\n"
            return reply(action, "Success", EventList="start") + item + item + end

        server.answers["List"] = items
        server.answers["Empty"] = lambda action: reply(action, "Error", "No active conferences.")
        await until(lambda: it.is_up)
        whole, empty = await it.ask({"Action": "List"}, is_list=True), await it.ask({"Action": "Empty"}, is_list=True)
        assert [i.get("name") for i in whole.items] == ["x", "x"]
        assert (empty.how, empty.text) == (Answered.ERROR, "No active conferences.")
        assert owner.events == []

    play(scenario)


@pytest.mark.req("SAFE-02")
def test_a_server_that_falls_silent_is_noticed_and_left_and_found_again() -> None:
    async def scenario(it: AmiSession, server: Server, owner: Owner) -> None:
        await until(lambda: it.is_up)
        server.is_silent = True
        await until(lambda: len(owner.told) == 3)
        assert owner.told[2] == "down: no answer in time while probing"
        server.is_silent = False
        await until(lambda: it.is_up)

    play(scenario)


@pytest.mark.req("SAFE-02")
def test_a_wrong_secret_is_said_once_and_tried_again_at_its_own_pace() -> None:
    async def scenario(it: AmiSession, server: Server, owner: Owner) -> None:
        await until(lambda: server.names().count("Login") == 3)
        assert owner.told == ["down: login refused: Authentication failed"]
        server.login = "Success"
        await until(lambda: it.is_up)

    async def inner() -> None:
        async with session(denied_retry_s=0.05) as (it, server, owner):
            server.login = "Error"
            await scenario(it, server, owner)

    run(inner())


def test_a_snapshot_that_fails_through_a_fault_of_ours_is_said_and_tried_anew() -> None:
    async def scenario(it: AmiSession, server: Server, owner: Owner) -> None:
        await until(lambda: it.is_up)
        owner.fault = ZeroDivisionError("ours")
        server.cut()
        with capture_logs() as logs:
            await until(lambda: owner.told.count("sync") == 3)
            await until(lambda: [entry["event"] for entry in logs].count("snapshot_failed") >= 2)
        owner.fault = None
        await until(lambda: it.is_up)

    play(scenario)


def test_a_stopped_link_stays_down_also_with_a_reconnect_pending() -> None:
    async def scenario(it: AmiSession, server: Server, owner: Owner) -> None:
        await until(lambda: it.is_up)
        server.cut()
        await until(lambda: not it.is_up)
        it.stop()
        count = len(server.connections)
        await asyncio.sleep(0.3)
        assert len(server.connections) == count

    play(scenario, backoff_first_s=0.2)


def test_a_choked_link_takes_no_more_actions() -> None:
    async def scenario(it: AmiSession, server: Server, owner: Owner) -> None:
        await until(lambda: it.is_up)
        answers: list[Answer] = []
        for _ in range(10):
            it.send({"Action": "Nothing"}, answers.append)
        await until(lambda: len(answers) >= 5)
        assert {a.how for a in answers[:5]} == {Answered.UNSENT}

    play(scenario, max_outstanding=5)


def test_an_event_in_pieces_and_one_that_is_garbage_reach_the_owner_in_order() -> None:
    async def scenario(it: AmiSession, server: Server, owner: Owner) -> None:
        await until(lambda: it.is_up)
        for part in ("Event: A\r\nName: Zo", "ë\r\n\r", "\n\r\n\r\nnonsense\r\n\r\nEvent: B\r\n\r\n"):
            server.say(part)
            await asyncio.sleep(0.01)
        await until(lambda: len(owner.events) == 2)
        assert [(e.event, e.get("name")) for e in owner.events] == [("A", "Zoë"), ("B", "")]

    play(scenario)


def test_a_login_that_cannot_be_sent_safely_is_refused_at_once() -> None:
    with pytest.raises(UnsafeAction):
        AsteriskPort(AsteriskSettings(pbx="p", username="u", secret="s\r\nAction: x"))
