"""What the FreeSWITCH lab looks at: an observer on an event socket connection of its own."""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from contextlib import suppress
from typing import Self

from deploy.lab.freeswitch import FreeSwitch

Headers = dict[str, str]

MOVES = frozenset({"CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE", "PLAYBACK_START", "PLAYBACK_STOP", "add-member", "del-member"})
EVENTS = (
    "CHANNEL_CREATE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_ANSWER CHANNEL_EXECUTE CHANNEL_PARK "
    "CHANNEL_UNPARK CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE CHANNEL_DESTROY "
    "PLAYBACK_START PLAYBACK_STOP RECORD_START RECORD_STOP DTMF BACKGROUND_JOB "
    "CUSTOM conference::maintenance sofia::register sofia::unregister "
    "switchroom::call switchroom::at switchroom::left switchroom::feature lab::call lab::back"
)
# In a conference these come and go with every sound.
NOISE = frozenset({"start-talking", "stop-talking", "floor-change"})


class Observer:
    """`log`: every event but noise. The rest as tests.contract.sip_people.Observer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.moves = self.events = 0
        self.callers: dict[str, str] = {}
        self.back: dict[str, str] = {}
        self.log: list[Headers] = []
        self._reader, self._writer = reader, writer
        self._answers: deque[asyncio.Future[str]] = deque()
        self._task: asyncio.Task[None]

    @classmethod
    async def connect(cls, pbx: FreeSwitch) -> Self:
        self = cls(*await asyncio.open_connection("127.0.0.1", pbx.esl_port, limit=1 << 22))
        self._task = asyncio.get_running_loop().create_task(self._read())
        answer = await self._send(f"auth {pbx.esl_secret}")
        assert answer.startswith("+OK"), answer
        await self._send(f"event json {EVENTS}")
        return self

    def close(self) -> None:
        self._task.cancel()
        self._writer.transport.abort()

    async def _send(self, line: str) -> str:
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._answers.append(future)
        self._writer.write(f"{line}\n\n".encode())
        return await asyncio.wait_for(future, 5)

    async def api(self, command: str) -> str:
        """What the command prints."""
        return await self._send(f"api {command}")

    async def variable(self, uid: str, name: str) -> str:
        value = await self.api(f"uuid_getvar {uid} {name}")
        return "" if value == "_undef_" else value

    async def channels(self) -> int:
        """Live sessions. `show channels` would be up to 300 ms behind."""
        found = re.search(r"^(\d+) session\(s\) - peak", await self.api("status"), re.MULTILINE)
        assert found
        return int(found[1])

    async def hang_up_all(self) -> None:
        """Nothing of one test may be there in the next."""
        await self.api("hupall NORMAL_CLEARING")
        with suppress(TimeoutError):
            async with asyncio.timeout(3):
                while await self.channels():
                    await asyncio.sleep(0.02)

    # ------------------------------------------------------------------ what comes

    async def _read(self) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self._message()

    async def _message(self) -> None:
        head = (await self._reader.readuntil(b"\n\n")).decode()
        headers = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
        body = (await self._reader.readexactly(int(headers.get("Content-Length", 0)))).decode("utf-8", "replace")
        match headers["Content-Type"]:
            case "text/event-json":
                self._take({k: v for k, v in json.loads(body).items() if isinstance(v, str)})
            case "api/response":
                self._answers.popleft().set_result(body)
            case "command/reply":
                self._answers.popleft().set_result(headers.get("Reply-Text", ""))

    def _take(self, event: Headers) -> None:
        kind = event.get("Action") or event.get("Event-Subclass") or event["Event-Name"]
        if kind in NOISE:
            return
        self.events += 1
        self.moves += kind in MOVES
        self.log.append(event)
        match kind:
            case "lab::call":
                self.callers[event["Token"]] = event["Unique-ID"]
            case "lab::back":
                self.back[event["Unique-ID"]] = event.get("Result", "")
