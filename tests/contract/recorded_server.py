"""An event socket that plays a recorded FreeSWITCH: it lets in, answers signs of life, and says what it is told to."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Protocol, Self

from tests.contract.recorded_bytes import GREETING, answer, blocks, bytes_of, is_chore, reply
from tests.contract.recordings import SECRET, Message, Role
from tests.contract.tapping import Tap, VirtualLoop

EPOCH_S = 1_700_000_000


class Way(Enum):
    """STALLED: connections are taken, nobody gets an answer."""

    OPEN = auto()
    CUT = auto()
    STALLED = auto()


class Owner(Protocol):
    """Whom the server tells what comes."""

    def linked(self, subscriptions: dict[str, str]) -> None:
        """A connector has logged in on two connections, and subscribed on them."""

    def sent(self, block: str) -> None:
        """A command, on the connection for commands or wherever it may be."""


class _Side(asyncio.Protocol):
    """The server's end of one connection. Replies leave in the order of the commands."""

    def __init__(self, server: RecordedServer) -> None:
        self._server = server
        self._buffer = ""
        self._replies: deque[bytes | None] = deque()  # None: the recording has it
        self.transport: asyncio.Transport
        self.key = self.written = self.read = 0
        self.role: Role | None = None
        self.subscription = ""
        self.is_over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.key = transport, transport.get_extra_info("peername")[1]
        self._server.accepted(self)

    def data_received(self, data: bytes) -> None:
        self.read += len(data)
        found, self._buffer = blocks(self._buffer + data.decode("utf-8", "surrogatepass"))
        for block in found:
            self._replies.append(self._server.take(self, block))
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_over = True
        self._server.sides.pop(self.key, None)

    def write(self, data: bytes) -> None:
        self.written += len(data)
        self.transport.write(data)

    def reply(self, data: bytes) -> None:
        """To the oldest command whose reply the recording has."""
        self._replies[self._replies.index(None)] = data
        self.flush()

    def flush(self) -> None:
        while self._replies and self._replies[0] is not None and self._server.way is not Way.STALLED:
            self.write(self._replies.popleft() or b"")

    def cut(self) -> None:
        self.is_over = True
        self.transport.abort()


class RecordedServer:
    """On a port of its own on 127.0.0.1, in the loop that a connector of the same process runs in."""

    def __init__(self, loop: VirtualLoop, owner: Owner) -> None:
        self._loop, self._owner = loop, owner
        self.way = Way.OPEN
        self.sides: dict[int, _Side] = {}
        self._server: asyncio.Server

    @classmethod
    async def open(cls, loop: VirtualLoop, owner: Owner) -> Self:
        self = cls(loop, owner)
        self._server = await loop.create_server(lambda: _Side(self), "127.0.0.1", 0)
        loop.tap(self.port, self)
        loop.hold_while(self.is_busy)
        return self

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        self.cut()
        self._server.close()

    # ------------------------------------------------------------------ what is on its way

    def outgoing(self, tap: Tap, data: bytes) -> None:
        """Seen when it is here."""

    def incoming(self, tap: Tap, data: bytes) -> None:
        """Nothing to be learnt: it came from here."""

    def ended(self, tap: Tap) -> None:
        """Seen when it is here."""

    def is_busy(self) -> bool:
        """Whether the two sides of a connection know different things."""
        return any(self._is_behind(tap, self.sides.get(tap.key)) for tap in self._loop.taps)

    def _is_behind(self, tap: Tap, side: _Side | None) -> bool:
        return side is None or side.is_over or (tap.written, tap.read) != (side.read, side.written)

    async def landed(self) -> None:
        """Waits until everything that was written has been read."""
        while self.is_busy():
            await asyncio.sleep(0)

    # ------------------------------------------------------------------ the way

    def accepted(self, side: _Side) -> None:
        self.sides[side.key] = side
        if self.way is Way.CUT:
            side.cut()
        elif self.way is Way.OPEN:
            side.write(GREETING)

    def cut(self) -> None:
        self.way = Way.CUT
        for side in list(self.sides.values()):
            side.cut()

    def stall(self) -> None:
        self.way = Way.STALLED

    def restore(self) -> None:
        """Answers that were held back go out, on connections that are still there."""
        self.way = Way.OPEN
        for side in self.sides.values():
            if side.written == 0:
                side.write(GREETING)
            side.flush()

    # ------------------------------------------------------------------ what comes and goes

    def take(self, side: _Side, block: str) -> bytes | None:
        """The reply, or None when it is of the recording."""
        if block.startswith("auth "):
            return reply("+OK accepted" if block == f"auth {SECRET}" else "-ERR invalid")
        if block.startswith("event "):
            self._subscribed(side, block)
            return reply("+OK event listener enabled")
        if is_chore(block):
            return answer(str(EPOCH_S + int(self._loop.time())) if block.endswith("strepoch") else "+OK")
        self._owner.sent(block)
        return None

    def _subscribed(self, side: _Side, block: str) -> None:
        side.subscription = block
        side.role = Role.EVENTS if block.startswith("event json") else Role.COMMANDS
        found = {each.role.value: each.subscription for each in self.sides.values() if each.role and not each.is_over}
        if len(found) == 2:
            self._owner.linked(found)

    def say(self, messages: Sequence[Message]) -> None:
        """Raises AssertionError when the connector is not there to hear it."""
        for message in messages:
            side = next((s for s in reversed(self.sides.values()) if s.role is message.role and not s.is_over), None)
            assert side is not None, f"the connector has left; it misses {message}"
            tell: Callable[[bytes], None] = side.reply if message.is_reply else side.write
            tell(bytes_of(message))
