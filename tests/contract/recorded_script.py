"""Plays a recording: says what the PBX said when its time has come, and holds test and connector to what they did.

Nothing is said before everything that came before it in the recording has happened, and as much later as it was then.
A command may come earlier than it did in the recording only past what was about other channels; one that is not there,
one that never comes and one with other arguments are faults.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.contract.recorded_server import RecordedServer
from tests.contract.recordings import AGAIN, Entry, Message, Recording, What

# How much later than then a command may come, and a new link, in seconds of the loop's clock; a link without answers is
# lost after 1.75 s.
PATIENCE_S = {What.SENT: 1.5, What.LINK: 15.0}
# So much sooner than then it may come: the machine that was recorded on was busy with other things too.
HASTE_S = 0.12
_CHANNEL = re.compile(r"leg_[0-9A-HJKMNP-TV-Z]{26}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAMING = ("Unique-ID", "Bridge-A-Unique-ID", "Bridge-B-Unique-ID", "Job-UUID", "Tried-Leg")


class Span:
    """One call of the lab. `value` is what it gave, once it is over."""

    value: Any = None


class Script:
    """`fault`: what went otherwise than recorded; every call of the lab raises it from then on."""

    server: RecordedServer

    def __init__(self, recording: Recording) -> None:
        self._recording, self._entries = recording, recording.entries
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._reads = iter(recording.reads)
        self._position, self._waiting_at = 0, -1
        self._passed_s, self._passed_ms = self._loop.time(), 0
        self._came: set[int] = set()  # entries that have happened
        self._last_call = -1
        self._channels = [_channels_of(entry) for entry in self._entries]
        self.fault = ""
        self._task: asyncio.Task[None]

    def start(self, server: RecordedServer) -> None:
        self.server = server
        self._task = self._loop.create_task(self._run())

    def stop(self) -> None:
        if hasattr(self, "_task"):
            self._task.cancel()

    def _fail(self, fault: str) -> None:
        self.fault = self.fault or f"{fault}\n(when the recording is out of date: {AGAIN})"
        self._news.set()

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            self._news.clear()
            await self._news.wait()

    # ------------------------------------------------------------------ the recording, entry by entry

    async def _run(self) -> None:
        try:
            for index, entry in enumerate(self._entries):
                self._position = index
                if entry.what in (What.CAME, What.DONE):
                    await asyncio.sleep(self._due_s(entry) - self._loop.time())
                await self._pass(index, entry)
                self._passed_s, self._passed_ms = self._loop.time(), entry.at_ms
                self._news.set()
            self._position = len(self._entries)
            self._news.set()
        except AssertionError as fault:
            self._fail(str(fault))

    def _due_s(self, entry: Entry) -> float:
        return self._passed_s + (entry.at_ms - self._passed_ms) / 1000

    async def _pass(self, index: int, entry: Entry) -> None:
        match entry.what:
            case What.CAME:
                self._came.add(index)
                self.server.say(entry.messages)
                await self.server.landed()
            case What.DO | What.DONE:
                self._waiting_at = index
                self._news.set()
                await self._until(lambda: index in self._came)
            case What.SENT | What.LINK:
                try:
                    async with asyncio.timeout_at(self._due_s(entry) + PATIENCE_S[entry.what]):
                        await self._until(lambda: index in self._came)
                except TimeoutError:
                    raise AssertionError(f"the connector left out: {entry.text or 'to connect'}") from None

    # ------------------------------------------------------------------ the connector

    def linked(self, subscriptions: dict[str, str]) -> None:
        """As Owner of the server."""
        if subscriptions != self._recording.subscriptions:
            self._fail(f"other subscriptions than recorded: {subscriptions}")
        index = next((i for i, e in self._left() if e.what is What.LINK), None)
        if index is None:
            self._fail("the connector connects more often than recorded")
        else:
            self._came.add(index)
            self._news.set()

    def sent(self, block: str) -> None:
        """As Owner of the server."""
        channels = set(_CHANNEL.findall(block))
        for index, entry in self._left():
            if entry.what is What.SENT and entry.text == block:
                self._came.add(index)
                self._news.set()
                if self._loop.time() < self._due_s(entry) - HASTE_S:
                    self._fail(f"the connector sent too soon: {block}")
                return
            if not self._may_overtake(channels, index, entry):
                break
        due = next((e.text for _, e in self._left() if e.what is What.SENT), "nothing")
        self._fail(f"the connector sent what was not recorded at this point: {block}\nbut: {due}")

    def _left(self) -> list[tuple[int, Entry]]:
        """What has not happened yet."""
        return [(i, self._entries[i]) for i in range(self._position, len(self._entries)) if i not in self._came]

    def _may_overtake(self, channels: set[str], index: int, entry: Entry) -> bool:
        if entry.what in (What.DO, What.DONE):
            return True
        about = self._channels[index]
        return bool(about and channels) and about.isdisjoint(channels)

    # ------------------------------------------------------------------ the lab

    def read(self, whose: str, what: str) -> Any:
        """What the test saw there then. Raises AssertionError."""
        *then, value = next(self._reads, ("nobody", "nothing", None))
        assert then == [whose, what], f"the test looked at {what} of {whose}, where it was {then} then; {AGAIN}"
        return value

    @asynccontextmanager
    async def span(self, name: str, text: str) -> AsyncIterator[Span]:
        """A call of the lab: begins and ends when it did then. Raises AssertionError."""
        begin = self._next_call(What.DO, name, text)
        await self._reach(begin)
        await self._go_on(begin)
        span, failure = Span(), None
        try:
            yield span
        except AssertionError as error:  # it ends all the same: the test may have wanted that
            failure = error
        end = self._next_call(What.DONE, name, "")
        await self._reach(end)
        await self._go_on(end)
        span.value = self._entries[end].value
        if failure is not None:
            raise failure

    def _next_call(self, what: What, name: str, text: str) -> int:
        calls = ((i, e) for i, e in enumerate(self._entries) if i > self._last_call and e.what in (What.DO, What.DONE))
        index, entry = next(calls, (-1, None))
        same = entry is not None and (entry.what, entry.name, entry.text) == (what, name, text)
        assert same, f"the test did {name} {text}, where recorded was {entry}; {AGAIN}"
        self._last_call = index
        return index

    async def _reach(self, index: int) -> None:
        await self._until(lambda: bool(self.fault) or self._waiting_at == index)
        self.check()

    async def _go_on(self, index: int) -> None:
        self._came.add(index)
        self._news.set()
        await self._until(lambda: bool(self.fault) or self._position > index)
        self.check()

    def check(self) -> None:
        """Raises AssertionError for a fault."""
        assert not self.fault, self.fault

    async def finish(self) -> None:
        """Waits until everything recorded has happened. Raises AssertionError."""
        await self._until(lambda: bool(self.fault) or self._position == len(self._entries))
        self.check()
        assert next(self._reads, None) is None, f"the test looked at less than was recorded; {AGAIN}"


def _channels_of(entry: Entry) -> set[str]:
    if entry.what is What.SENT:
        return set(_CHANNEL.findall(entry.text))
    return {channel for message in entry.messages for channel in _named(message)}


def _named(message: Message) -> list[str]:
    """Nothing for a reply: it belongs to all that follows."""
    return [message.fields[name] for name in _NAMING if name in message.fields] if not message.is_reply else []
