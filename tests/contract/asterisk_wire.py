"""What the Asterisk lab looks at and breaks: an observer of its manager interface, and a wire to it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from enum import Enum, auto
from itertools import count
from typing import Self

from deploy.lab.asterisk import Asterisk
from telephony.asterisk.codec import AmiDecoder, AmiMessage

MOVES = frozenset({"BridgeEnter", "BridgeLeave", "MusicOnHoldStart", "MusicOnHoldStop"})
NOISE = frozenset({"RTCPSent", "RTCPReceived", "VarSet", "Newexten", "TestEvent", "ChallengeSent", "SuccessfulAuth"})


class Observer(asyncio.Protocol):
    """A manager user of its own, with all rights, that the port under test does not know of.

    `callers`: channel id by the token of the call; `back`: calls that are back in the integrator's dialplan;
    `ended`: SR_RESULT each time that the integrator's `h` extension ran, by channel id.
    """

    def __init__(self) -> None:
        self.moves = self.events = 0
        self.callers: dict[str, str] = {}
        self.back: dict[str, str] = {}
        self.ended: dict[str, list[str]] = {}
        self.log: list[AmiMessage] = []
        self._decoder = AmiDecoder()
        self._numbers = count(1)
        self._answers: dict[str, asyncio.Future[AmiMessage]] = {}
        self._lists: dict[str, list[AmiMessage]] = {}
        self._transport: asyncio.Transport

    @classmethod
    async def connect(cls, pbx: Asterisk) -> Self:
        loop = asyncio.get_running_loop()
        transport, self = await loop.create_connection(cls, "127.0.0.1", pbx.ami_port)
        self._transport = transport
        login = {"Action": "Login", "Username": pbx.observer_user, "Secret": pbx.observer_secret}
        answer = await self.ask({**login, "Events": "system,call,user"})
        assert answer.get("response") == "Success", answer
        return self

    def close(self) -> None:
        self._transport.abort()

    async def ask(self, fields: dict[str, str]) -> AmiMessage:
        action_id = f"observer-{next(self._numbers)}"
        future = self._answers[action_id] = asyncio.get_running_loop().create_future()
        lines = [f"{key}: {value}" for key, value in {**fields, "ActionID": action_id}.items()]
        self._transport.write("\r\n".join([*lines, "", ""]).encode())
        return await asyncio.wait_for(future, 5)

    async def list(self, action: str) -> list[AmiMessage]:
        """The items of a list action."""
        answer = await self.ask({"Action": action})
        items = self._lists.setdefault(answer.get("actionid"), [])
        while not items or items[-1].get("eventlist").lower() != "complete":
            await asyncio.sleep(0.005)
        return items[:-1]

    async def channels(self) -> int:
        """Live channels, without the announcer of a conference."""
        items = await self.list("CoreShowChannels")
        return sum(not item.get("channel").startswith(("CBAnn/", "Surrogate/")) for item in items)

    async def hang_up_all(self) -> None:
        """Nothing of one test may be there in the next."""
        await self.ask({"Action": "Hangup", "Channel": "/.*/"})
        with suppress(TimeoutError):
            async with asyncio.timeout(3):
                while await self.channels():
                    await asyncio.sleep(0.02)

    def data_received(self, data: bytes) -> None:
        for message in self._decoder.feed(data):
            future = self._answers.pop(message.get("actionid"), None) if not message.event else None
            if future and not future.done():
                future.set_result(message)
            elif message.event and message.get("actionid").startswith("observer-"):
                self._lists.setdefault(message.get("actionid"), []).append(message)
            elif message.event not in NOISE:
                self._take(message)

    def _take(self, event: AmiMessage) -> None:
        self.events += 1
        self.moves += event.event in MOVES
        self.log.append(event)
        uid = event.get("uniqueid")
        match event.get("userevent"):
            case "LabCall":
                self.callers[event.get("token")] = uid
            case "LabBack":
                self.back[uid] = event.get("result")
            case "LabEnd":
                self.ended.setdefault(uid, []).append(event.get("result"))


class Way(Enum):
    """STALLED: nothing passes and nothing is closed."""

    OPEN = auto()
    CUT = auto()
    STALLED = auto()


class _Side(asyncio.Protocol):
    """One end of a connection through the wire; holds back what comes while the wire is stalled."""

    def __init__(self, wire: Wire, number: int) -> None:
        self._wire, self.number = wire, number
        self.other: _Side | None = None
        self.transport: asyncio.Transport | None = None
        self._held = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        self.flush()

    def flush(self) -> None:
        if self._wire.passes(self.number) and self.other and self.other.transport and self._held:
            self.other.transport.write(bytes(self._held))
            self._held.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        """What it had sent and was held back is gone with it, unless the network is unkind."""
        if self.other and self.other.transport and not (self._held and self._wire.delivers_late):
            self.other.transport.abort()


class Wire:
    """A TCP proxy in front of the manager interface.

    `delivers_late`: what was held back of a closed connection still arrives, at `restore`. `connections`: how many were
    opened through it.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self.way = Way.OPEN
        self.delivers_late = False
        self.connections = 0
        self._stalled_up_to: int | None = None
        self._sides: list[_Side] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server

    @classmethod
    async def open(cls, target: int) -> Self:
        self = cls(target)
        self._server = await asyncio.get_running_loop().create_server(self._accept, "127.0.0.1", 0)
        return self

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    def passes(self, number: int) -> bool:
        """Whether data of that connection go through now."""
        if self.way is Way.STALLED:
            return self._stalled_up_to is not None and number > self._stalled_up_to
        return self.way is Way.OPEN

    def _accept(self) -> _Side:
        self.connections += 1
        side = _Side(self, self.connections)
        self._sides.append(side)
        task = asyncio.get_running_loop().create_task(self._connect(side))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return side

    async def _connect(self, side: _Side) -> None:
        while self.way is Way.STALLED and not self.passes(side.number):
            await asyncio.sleep(0.01)
        other = _Side(self, side.number)
        try:
            if self.way is Way.CUT:
                raise ConnectionRefusedError
            await asyncio.get_running_loop().create_connection(lambda: other, "127.0.0.1", self._target)
        except ConnectionRefusedError:
            if side.transport:
                side.transport.abort()
            return
        side.other, other.other = other, side
        self._sides.append(other)
        side.flush()
        if side.transport and side.transport.is_closing() and other.transport:
            other.transport.abort()

    def cut(self) -> None:
        """Every connection is closed, and new ones at once too."""
        self.way = Way.CUT
        self._abort_all()

    def stall(self) -> None:
        self.way, self._stalled_up_to = Way.STALLED, None

    def let_new_pass(self) -> None:
        """Only connections opened from now on get through; the others stay stalled."""
        self._stalled_up_to = self.connections

    def restore(self) -> None:
        """What was held up on connections that nobody closed passes now."""
        self.way = Way.OPEN
        for side in self._sides:
            side.flush()

    def _abort_all(self) -> None:
        for side in self._sides:
            if side.transport:
                side.transport.abort()
        self._sides.clear()

    async def close(self) -> None:
        self._abort_all()
        self._server.close()
        for task in self._tasks:
            task.cancel()
