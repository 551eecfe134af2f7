"""A TCP proxy in front of a PBX, to break the link of the port under test in every way."""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import Self


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
    """The way to one TCP port of the PBX; see `cut`, `stall` and `restore`.

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
