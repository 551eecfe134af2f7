"""A scripted event socket on loopback, and a listener that keeps what its link tells."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import uvloop

from telephony.answers import Answer
from telephony.freeswitch.codec import EslEvent
from telephony.freeswitch.esl_threads import PythonEslMissing, wire_for
from telephony.freeswitch.link import EslLink
from telephony.freeswitch.settings import FreeswitchSettings, TransportKind
from tests.waiting import run, until

SECRET = "secret"
EPOCH = 1795222300
NOTICE = b"Content-Type: text/disconnect-notice\nContent-Length: 20\n\nDisconnected, goodbye"[:-1]
TRANSPORTS = [TransportKind.SOCKET, TransportKind.PYTHON_ESL]


def require(kind: TransportKind) -> TransportKind:
    """The same kind; skips the test where it needs python-ESL and there is none."""
    try:
        wire_for(kind)
    except PythonEslMissing as missing:
        pytest.skip(f"not tried over python-ESL: {missing}")
    return kind


def reply(text: str) -> bytes:
    return f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode()


def response(body: str) -> bytes:
    data = body.encode()
    return f"Content-Type: api/response\nContent-Length: {len(data)}\n\n".encode() + data


def as_json(name: str, **headers: Any) -> bytes:
    """An event; of the other headers' names `_` is written as it is."""
    return wrapped(json.dumps({"Event-Name": name, **headers}).encode())


def wrapped(body: bytes, kind: str = "json") -> bytes:
    return f"Content-Length: {len(body)}\nContent-Type: text/event-{kind}\n\n".encode() + body


def _done(_: str) -> bytes:
    return response("+OK\n")


def _accepted(_: str) -> bytes:
    return reply("+OK accepted")


class Peer:
    """One connection as the server sees it."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.commands: list[str] = []
        self.is_over = False

    @property
    def hears_events(self) -> bool:
        return any(command.startswith("event json") for command in self.commands)

    @property
    def hears_jobs(self) -> bool:
        return any(command.startswith("event plain") for command in self.commands)


class EslServer:
    """Lets in with SECRET and answers everything; `silent` are words whose commands get no answer.

    `api` names what comes for an API command, by its first word, `replies` the same for all others; `greeting` is
    sent first.
    """

    def __init__(self) -> None:
        self.peers: list[Peer] = []
        self.api: dict[str, Callable[[str], bytes]] = {"strepoch": lambda _: response(str(EPOCH))}
        self.replies: dict[str, Callable[[str], bytes]] = {}
        self.greeting = b"Content-Type: auth/request\n\n"
        self.silent: set[str] = set()
        self.is_reading = asyncio.Event()
        self.is_reading.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(writer)
        self.peers.append(peer)
        writer.write(self.greeting)
        try:
            while True:
                command = (await reader.readuntil(b"\n\n")).decode("utf-8", "replace").strip("\n")
                await self.is_reading.wait()
                if not command:  # empty lines before a command mean nothing
                    continue
                if command == "connect":  # how python-ESL takes over an open socket
                    writer.write(b"" if "connect" in self.silent else reply("-ERR command not found"))
                    continue
                peer.commands.append(command)
                if not self.silent & set(command.split()[:2]):
                    self._answer(peer, command)
        except (asyncio.IncompleteReadError, OSError):
            peer.is_over = True
            writer.close()

    def _answer(self, peer: Peer, command: str) -> None:
        word, _, rest = command.partition(" ")
        if word == "auth" and rest != SECRET:
            peer.writer.write(reply("-ERR invalid") + NOTICE)
            peer.writer.close()
        elif word == "api":
            peer.writer.write(self.api.get(rest.split()[0], _done)(rest))
        else:
            peer.writer.write(self.replies.get(word, _accepted)(rest))

    def sent(self, word: str) -> list[str]:
        """The commands of that word on all connections."""
        return [c for peer in self.peers for c in peer.commands if c.split()[0] == word]

    @property
    def events(self) -> Peer:
        return next(peer for peer in self.peers if peer.hears_events)

    @property
    def commands(self) -> Peer:
        return next(peer for peer in self.peers if peer.hears_jobs)

    def say(self, data: bytes) -> None:
        self.events.writer.write(data)

    def cut(self) -> None:
        self.commands.writer.transport.abort()


class Told:
    """Keeps what a link tells, in order."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.events: list[EslEvent] = []
        self.logins: list[Answer] = []
        self.reasons: list[str] = []

    @property
    def is_in(self) -> bool:
        return any(login.is_success for login in self.logins)

    def on_connected(self) -> None:
        self.steps.append("connected")

    def on_login(self, answer: Answer) -> None:
        self.steps.append("login")
        self.logins.append(answer)

    def on_event(self, event: EslEvent) -> None:
        self.events.append(event)

    def on_closed(self, reason: str) -> None:
        self.steps.append("closed")
        self.reasons.append(reason)


Scenario = Callable[[EslLink, EslServer, Told], Awaitable[None]]
Prepare = Callable[[EslServer], None]


@asynccontextmanager
async def linked(
    kind: TransportKind, prepare: Prepare, **changes: Any
) -> AsyncIterator[tuple[EslLink, EslServer, Told]]:
    server, told = EslServer(), Told()
    prepare(server)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    quick = {"port": listening.sockets[0].getsockname()[1], "action_timeout_s": 0.4, "connect_timeout_s": 0.4}
    settings = FreeswitchSettings(pbx="p", secret=SECRET, transport=require(kind))
    link = EslLink(replace(settings, **{**quick, **changes}), told)
    try:
        yield link, server, told
    finally:
        link.abandon()
        server.is_reading.set()
        for peer in server.peers:
            peer.writer.transport.abort()
        listening.close()
        await until(lambda: not threads(), within=10)


def threads() -> list[threading.Thread]:
    """The threads of python-ESL that are still at work."""
    return [thread for thread in threading.enumerate() if thread.name == "esl"]


def play(kind: TransportKind, scenario: Scenario, prepare: Prepare = lambda _: None, **changes: Any) -> None:
    """Run a scenario; in the end no thread and no connection may be left."""
    run(_played(kind, scenario, prepare, changes))


def play_on_uvloop(kind: TransportKind, scenario: Scenario) -> None:
    """The same in the event loop of the engine."""
    uvloop.run(asyncio.wait_for(_played(kind, scenario, lambda _: None, {}), 20))


async def _played(kind: TransportKind, scenario: Scenario, prepare: Prepare, changes: dict[str, Any]) -> None:
    async with linked(kind, prepare, **changes) as (link, server, told):
        await scenario(link, server, told)
