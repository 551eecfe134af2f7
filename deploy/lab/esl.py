"""An independent witness of a FreeSWITCH: an event socket of its own, commands and every event in order."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from deploy.lab.freeswitch import FreeSwitch


@dataclass(slots=True)
class Seen:
    """One event and the second of its arrival."""

    headers: dict[str, Any]
    at: float = field(default_factory=time.monotonic)

    def __getitem__(self, name: str) -> str:
        return str(self.headers.get(name, ""))

    @property
    def name(self) -> str:
        """`CHANNEL_BRIDGE`, or the subclass of a custom event, as `switchroom::at`."""
        return self["Event-Subclass"] or self["Event-Name"]

    @property
    def uuid(self) -> str:
        return self["Unique-ID"]

    @property
    def place(self) -> tuple[str, str]:
        """Context and extension of the dialplan."""
        return self["Caller-Context"], self["Caller-Destination-Number"]


class Esl:
    """`async with Esl(pbx) as esl: ...`; `esl.seen` has all events since then but for the noisy ones.

    FreeSWITCH sends what it has every 20 ms; with `nudge_s`, seconds, it is made to look so often.
    """

    def __init__(self, pbx: FreeSwitch, events: str = "ALL", nudge_s: float = 0.0) -> None:
        self._pbx, self._events, self._nudge_s = pbx, events, nudge_s
        self.seen: list[Seen] = []
        self._replies: asyncio.Queue[str] = asyncio.Queue()
        self._arrived = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._pbx.esl_port, limit=1 << 20)
        self._task = asyncio.create_task(self._read())
        await self._ask(f"auth {self._pbx.esl_secret}")
        await self._ask(f"event json {self._events}")
        self._nudging = asyncio.create_task(self._nudge()) if self._nudge_s else None
        return self

    async def _nudge(self) -> None:
        while True:
            self._writer.write(b"\n")
            await asyncio.sleep(self._nudge_s)

    async def __aexit__(self, *error: object) -> None:
        self._task.cancel()
        if self._nudging is not None:
            self._nudging.cancel()
        self._writer.close()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _ask(self, text: str) -> str:
        self._writer.write(f"{text}\n\n".encode())
        return await asyncio.wait_for(self._replies.get(), 10.0)

    async def api(self, command: str) -> str:
        """The answer to one command."""
        return (await self._ask(f"api {command}")).strip()

    async def execute(self, uuid: str, application: str, argument: str) -> str:
        """Run an application on a channel, in the midst of what it does; the answer comes at once."""
        lines = (f"sendmsg {uuid}", "call-command: execute", f"execute-app-name: {application}")
        return await self._ask("\n".join((*lines, f"execute-app-arg: {argument}")))

    async def variable(self, uuid: str, name: str) -> str:
        """Of a channel; empty when it is not set."""
        value = await self.api(f"uuid_getvar {uuid} {name}")
        return "" if value == "_undef_" else value

    async def wait(self, wanted: Callable[[Seen], object], within: float = 5.0, since: int = 0) -> Seen:
        """The first such event from number `since` on; AssertionError with what there was instead."""
        deadline = time.monotonic() + within
        while True:
            self._arrived.clear()
            found = next((event for event in self.seen[since:] if wanted(event)), None)
            if found:
                return found
            try:
                await asyncio.wait_for(self._arrived.wait(), deadline - time.monotonic())
            except TimeoutError:
                there = [(event.name, event.uuid[:4], event.place) for event in self.seen[since:]]
                raise AssertionError(f"no such event within {within} s, but {there}") from None

    async def _read(self) -> None:
        while True:
            headers = await self._block()
            body = await self._reader.readexactly(int(headers.get("Content-Length", 0)))
            match headers.get("Content-Type"):
                case "text/event-json":
                    self.seen.append(Seen(json.loads(body)))
                    self._arrived.set()
                case "command/reply":
                    self._replies.put_nowait(headers["Reply-Text"])
                case "api/response":
                    self._replies.put_nowait(body.decode("utf-8", "replace"))

    async def _block(self) -> dict[str, str]:
        block = (await self._reader.readuntil(b"\n\n")).decode("utf-8", "replace")
        return dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
