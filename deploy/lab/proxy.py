"""A TCP proxy before a server on 127.0.0.1, to cut a connection or to stall it silently."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Self


class Proxy:
    """Forwards `port` to `target`, in a thread of its own.

    with Proxy(pbx.ami_port) as proxy:
        proxy.stall()    # both sides stay connected, no byte passes
        proxy.mend()     # new connections pass again; stalled ones are closed
        proxy.cut()      # connections are closed and refused until `mend`
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self._is_stalled = self._is_cut = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def cut(self) -> None:
        """Close every connection; new ones are closed at once."""
        self._is_cut = True
        self._loop.call_soon_threadsafe(self._drop)

    def stall(self) -> None:
        """Swallow everything in both directions; nobody is told."""
        self._is_stalled = True

    def mend(self) -> None:
        """Pass again. What was connected during the fault is closed."""
        was_stalled, self._is_stalled, self._is_cut = self._is_stalled, False, False
        if was_stalled:
            self._loop.call_soon_threadsafe(self._drop)

    def _drop(self) -> None:
        for writer in self._writers:
            writer.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.close()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        self._writers -= {writer, far_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65536):
                if not self._is_stalled:
                    writer.write(chunk)
                    await writer.drain()
        except OSError:
            pass
        writer.close()

    def __enter__(self) -> Self:
        self._thread.start()
        start = asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self._server = asyncio.run_coroutine_threadsafe(start, self._loop).result(5)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._drop)
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.05), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()
