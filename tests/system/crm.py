"""A CRM system at work: it follows events, reads, notes and edits calls, and repeats whatever got no answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

import httpx

PATIENCE_S = 60.0  # for one thing to be done, however often it takes
TIMEOUT_S = 10.0
NOTE_EVERY_S = 0.15
_AGAIN = frozenset({429, 500, 502, 503, 504})


@dataclass(slots=True)
class Write:
    """One thing that is to happen once. `status`: of the answer that settled it, None as long as there is none.

    Of attempts whose connection broke (`cuts`) and of those that failed with a 5xx nobody knows what came.
    """

    kind: str
    interaction_id: str
    value: str = ""
    status: int | None = None
    cuts: int = 0
    failures: int = 0
    answer: dict[str, Any] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        """The server has said so."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_unsure(self) -> bool:
        """An attempt may have done it, without a word."""
        return bool(self.cuts or self.failures)


class Crm:
    """Works on every call that gets an agent, from `begin` to `end`; `events` is what its event stream told."""

    def __init__(self, url: str, token: str, chance: Random) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        limits = httpx.Limits(max_connections=60, max_keepalive_connections=20)
        self.http = httpx.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT_S, limits=limits)
        self.events: list[dict[str, Any]] = []
        self.writes: list[Write] = []
        self.faults: list[str] = []
        self.reads = self.breaks = self.under_way = 0
        self._chance = chance
        self._is_ending = False
        self._writing, self._hearing = asyncio.Event(), asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stream: asyncio.Task[None]

    def begin(self) -> None:
        self._stream = asyncio.create_task(self._follow())

    async def settled(self) -> None:
        """Begin nothing new, and wait until everything that was begun has an answer."""
        self._is_ending = True
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def end(self) -> None:
        self._stream.cancel()
        with suppress(asyncio.CancelledError):
            await self._stream
        await self.http.aclose()

    def keep_noting(self, id_: str) -> None:
        """Notes on this call, one after the other and several at a time, until `settled`."""
        self._start(self._note_on_and_on(id_))

    async def in_the_midst(self) -> None:
        """Until a write is under way, and some moments more."""
        self._writing.clear()
        while not self.under_way:
            await self._writing.wait()
            self._writing.clear()
            await asyncio.sleep(self._chance.uniform(0.0, 0.008))

    async def next_event(self) -> None:
        """Until its stream tells something."""
        self._hearing.clear()
        await self._hearing.wait()

    def of(self, kind: str) -> list[Write]:
        return [write for write in self.writes if write.kind == kind]

    # ------------------------------------------------------------------ its event stream

    async def _follow(self) -> None:
        """From the very first event on; after a break from behind the last one that came whole."""
        last = "0"
        while True:
            with suppress(httpx.TransportError):
                wait = httpx.Timeout(TIMEOUT_S, read=30)
                async with self.http.stream("GET", "/v1/events", headers={"Last-Event-ID": last}, timeout=wait) as got:
                    last = await self._take(got, last) if got.status_code == 200 else last
            await asyncio.sleep(0.1)

    async def _take(self, stream: httpx.Response, last: str) -> str:
        """Until it breaks or ends; the id of the last event that was followed by its empty line."""
        fields: dict[str, str] = {}
        with suppress(httpx.TransportError):
            async for line in stream.aiter_lines():
                name, _, value = line.partition(": ")
                if line:
                    fields[name] = value
                    continue
                if "data" in fields:
                    event = json.loads(fields["data"])
                    self.events.append(event)
                    self._hearing.set()
                    last = fields.get("id", last)
                    self._look_at(event)
                fields = {}
        self.breaks += 1
        return last

    def _look_at(self, event: dict[str, Any]) -> None:
        if event["type"] == "interaction.bridged" and not self._is_ending:
            self._start(self._work(event["interaction_id"]))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ------------------------------------------------------------------ what its users do

    async def _work(self, id_: str) -> None:
        shown = await self._read(f"/v1/interactions/{id_}")
        agent = shown["parties"][0]["agent_id"] if shown and shown["parties"] else None
        if agent is None:
            return  # over already
        await self._note(id_, f"first of {id_}")
        if self._chance.random() < 0.6:
            await self._edit(id_, f"C-{len(self.writes)}")
        if self._chance.random() < 0.3:
            await self._post("hold", id_, {"agent_id": agent})
            await self._post("resume", id_, {"agent_id": agent})
        await self._note(id_, f"second of {id_}")

    async def _note_on_and_on(self, id_: str) -> None:
        number = 0
        while not self._is_ending:
            number += 1
            self._start(self._note(id_, f"number {number} of {id_}"))
            await asyncio.sleep(NOTE_EVERY_S)

    async def _note(self, id_: str, text: str) -> None:
        await self._post("notes", id_, {"text": text}, text)

    async def _post(self, verb: str, id_: str, body: dict[str, Any], value: str = "") -> None:
        write = Write(verb, id_, value)
        key = str(UUID(int=self._chance.getrandbits(128), version=4))
        await self._settle(write, "POST", f"/v1/interactions/{id_}/{verb}", body, {"Idempotency-Key": f'"{key}"'})

    async def _edit(self, id_: str, value: str) -> None:
        """It has no key: what an unanswered save has done is seen in the version."""
        shown = await self._read(f"/v1/interactions/{id_}/cad")
        if shown is None:
            return
        write, path = Write("cad", id_, value), f"/v1/interactions/{id_}/cad"
        await self._settle(write, "PATCH", path, {"customer_id": value}, {"If-Match": f'"{shown["version"]}"'})
        if write.status == 412 and write.is_unsure:
            now = await self._read(path)
            assert now
            assert now["variables"].get("customer_id") == value, "nobody else edits this call"
            write.status = 200

    # ------------------------------------------------------------------ requests

    async def _read(self, path: str) -> dict[str, Any] | None:
        """None: there is no such thing."""
        read = Write("read", path)
        await self._until_answered(read, "GET", path, None, {})
        self.reads += 1
        return read.answer if read.is_done else None

    async def _settle(self, write: Write, method: str, path: str, body: Any, headers: dict[str, str]) -> None:
        self.writes.append(write)
        await self._until_answered(write, method, path, body, headers)

    async def _until_answered(self, write: Write, method: str, path: str, body: Any, headers: dict[str, str]) -> None:
        loop = asyncio.get_running_loop()
        give_up_s = loop.time() + PATIENCE_S
        while loop.time() < give_up_s:
            answer = await self._attempt(write, method, path, body, headers)
            if answer is None:
                await asyncio.sleep(0.05)
                continue
            found = answer.json()
            if not _is_to_be_repeated(answer.status_code, found):
                write.status, write.answer = answer.status_code, found
                return
            write.failures += answer.status_code >= 500
            if answer.status_code == 500:
                self.faults.append(f"{method} {path}: {found}")
            await asyncio.sleep(min(1.0, float(answer.headers.get("Retry-After", 0.2))))

    async def _attempt(
        self, write: Write, method: str, path: str, body: Any, headers: dict[str, str]
    ) -> httpx.Response | None:
        """None: the server cannot be reached, or the connection broke."""
        is_read = method == "GET"
        self.under_way += not is_read
        if not is_read:
            self._writing.set()
        try:
            return await self.http.request(method, path, json=body, headers=headers)
        except httpx.ConnectError:
            return None
        except httpx.TransportError:
            write.cuts += 1
            return None
        finally:
            self.under_way -= not is_read


def _is_to_be_repeated(status: int, found: dict[str, Any]) -> bool:
    return status in _AGAIN or found.get("code") == "idempotency-in-progress"
