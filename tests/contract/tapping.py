"""An event loop that lets others look at the connections to one port: what goes out, what comes in, what is on its way.

`VirtualLoop` waits for nothing else: its clock stands still while bytes are on their way, and jumps to the next timer
when there are none. A minute of a recorded call takes milliseconds, however busy the machine is.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from typing import Any, Protocol, cast

# How long the system is given to bring what is on its way, before it is asked again.
ARRIVAL_S = 0.01


class Watcher(Protocol):
    """Who looks at tapped connections."""

    def outgoing(self, tap: Tap, data: bytes) -> None:
        """The client has written this."""

    def incoming(self, tap: Tap, data: bytes) -> None:
        """The client is about to read this."""

    def ended(self, tap: Tap) -> None:
        """Closed by either side."""


class Tap(asyncio.Protocol):
    """One connection of the client; passes everything on as it is. `key` is its local port."""

    def __init__(self, inner: asyncio.Protocol, loop: TapLoop) -> None:
        self._inner, self._loop = inner, loop
        self.key = 0
        self.written = self.read = 0
        self.is_over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.key = transport.get_extra_info("sockname")[1]
        self._loop.taps.append(self)
        self._inner.connection_made(_Outward(cast(asyncio.Transport, transport), self))  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        if not self.is_over:
            self._loop.watcher.incoming(self, data)
        self._inner.data_received(data)
        self.read += len(data)

    def wrote(self, data: bytes) -> None:
        self.written += len(data)
        self._loop.watcher.outgoing(self, data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self.end()
        self._inner.connection_lost(exc)

    def end(self) -> None:
        if not self.is_over:
            self.is_over = True
            self._loop.taps.remove(self)
            self._loop.watcher.ended(self)


class _Outward:
    """The client's side of a transport."""

    def __init__(self, transport: asyncio.Transport, tap: Tap) -> None:
        self._transport, self._tap = transport, tap

    def write(self, data: bytes) -> None:
        self._tap.wrote(data)
        self._transport.write(data)

    def abort(self) -> None:
        self._tap.end()
        self._transport.abort()

    def close(self) -> None:
        self._tap.end()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class TapLoop(asyncio.SelectorEventLoop):
    """`tap` once, before a client connects. `taps`: the open connections. `opening`: so many are being opened."""

    watcher: Watcher

    def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
        super().__init__(selector)
        self.taps: list[Tap] = []
        self.opening = 0
        self._tapped_port = 0

    def tap(self, port: int, watcher: Watcher) -> None:
        """Look at what connects to that port from now on."""
        self._tapped_port, self.watcher = port, watcher

    async def create_connection(  # type: ignore[override]
        self, protocol_factory: Callable[[], asyncio.Protocol], host: Any = None, port: Any = None, **options: Any
    ) -> Any:
        if port != self._tapped_port:
            return await super().create_connection(protocol_factory, host, port, **options)
        self.opening += 1
        try:
            return await super().create_connection(lambda: Tap(protocol_factory(), self), host, port, **options)
        finally:
            self.opening -= 1


class _Clock(selectors.DefaultSelector):
    """Where a loop waits: for bytes that are on their way in earnest, for the time by putting the clock forward."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 1000.0
        self.is_busy: Callable[[], bool] = bool

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if found or (timeout is not None and timeout <= 0):
            return found
        if timeout is None or self.is_busy():
            return super().select(ARRIVAL_S)
        self.now_s += timeout
        return []


class VirtualLoop(TapLoop):
    """`is_busy` says whether bytes are on their way."""

    def __init__(self) -> None:
        self._clock = _Clock()
        super().__init__(self._clock)

    def hold_while(self, is_busy: Callable[[], bool]) -> None:
        """The clock stands still while a connection is being opened and while `is_busy` says so."""
        self._clock.is_busy = lambda: self.opening > 0 or is_busy()

    def time(self) -> float:
        return self._clock.now_s
