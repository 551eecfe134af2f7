"""The contract lab on a real FreeSWITCH that makes a recording of each test that passes (SWITCHROOM_RECORD_WIRE=1).

A recording is played once before it is kept: one that cannot be played fails the test here, not in another place.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tests.contract import recorded_lab
from tests.contract.freeswitch_lab import FreeswitchLab
from tests.contract.pbx_lab import PbxLab
from tests.contract.pbx_suite import ids_from, now_ms
from tests.contract.recorded_bytes import Splitter, blocks, is_chore, message_of
from tests.contract.recordings import (
    PLACE,
    Entry,
    Message,
    Recording,
    Role,
    What,
    path_of,
    recording_of_text,
    save,
    text_of_recording,
)
from tests.contract.sip_people import SipCaller
from tests.contract.taped_lab import LAB, SWEEP_INTERVAL_S, Party, TapedLab, text_of
from tests.contract.tapping import Tap, TapLoop

Scenario = Callable[[PbxLab], Awaitable[None]]


def play(module: str, test: str, scenario: Scenario, phones: Sequence[str]) -> None:
    """Runs the test, plays what was recorded of it, and keeps that."""
    begin_ms = now_ms()
    with asyncio.Runner(loop_factory=TapLoop) as runner, ids_from(begin_ms):
        recording = runner.run(asyncio.wait_for(_record(scenario, phones, begin_ms), 40.0))
    recorded_lab.play_recording(recording, scenario, phones)
    save(recording, path_of(module, test))


async def _record(scenario: Scenario, phones: Sequence[str], begin_ms: int) -> Recording:
    lab = RecordingLab(begin_ms)
    try:
        await lab.start(phones)
        await scenario(lab)
        await lab.finish()
        return lab.recording
    finally:
        await lab.stop()


class _Side:
    """What is known of one connection: the commands whose replies are to come, and what it subscribed to."""

    def __init__(self) -> None:
        self.splitter = Splitter()
        self.unsplit = ""
        self.commands: deque[str] = deque()
        self.role = Role.COMMANDS
        self.subscription = ""
        self.is_cut = False


class Log:
    """Writes down in one order what the connector sent and was sent, and what its test did; a Watcher."""

    def __init__(self, begin_ms: int) -> None:
        self.recording = Recording(begin_ms)
        self._loop = asyncio.get_running_loop()
        self._begin_s = self._loop.time()
        self._sides: dict[Tap, _Side] = {}
        self._batch: list[Message] = []

    def add(self, what: What, name: str = "", text: str = "", value: Any = None) -> None:
        self._end_batch()
        self.recording.entries.append(Entry(self._at_ms(), what, name, text, value))

    def _at_ms(self) -> int:
        return round((self._loop.time() - self._begin_s) * 1000)

    def outgoing(self, tap: Tap, data: bytes) -> None:
        side = self._sides.setdefault(tap, _Side())
        found, side.unsplit = blocks(side.unsplit + data.decode("utf-8", "surrogatepass"))
        for block in found:
            side.commands.append(block)
            if block.startswith("event "):
                side.subscription = block
                side.role = Role.EVENTS if block.startswith("event json") else Role.COMMANDS
            elif not _is_silent(block) and not side.is_cut:
                self.add(What.SENT, text=block)

    def incoming(self, tap: Tap, data: bytes) -> None:
        side = self._sides.setdefault(tap, _Side())
        for head, body in side.splitter.feed(data):
            self._take(side, head, body)

    def _take(self, side: _Side, head: dict[str, str], body: str) -> None:
        if head["Content-Type"] in ("command/reply", "api/response"):
            command = side.commands.popleft()
            if command == side.subscription:
                self._subscribed()
            elif not _is_silent(command):
                self._said(message_of(side.role, head, body, command))
        elif head["Content-Type"] != "auth/request" and len(self._ready()) == 2:
            self._said(message_of(side.role, head, body))

    def _ready(self) -> dict[str, str]:
        """What the open connections have subscribed to."""
        answered = (s for s in self._sides.values() if s.subscription and s.subscription not in s.commands)
        return {side.role.value: side.subscription for side in answered}

    def _subscribed(self) -> None:
        ready = self._ready()
        if len(ready) == 2:
            self.recording.subscriptions = ready
            self.add(What.LINK)

    def _said(self, message: Message) -> None:
        """All that comes in one turn of the loop is one entry: the connector reacts when it has read it all."""
        if not self._batch:
            self._loop.call_soon(self._end_batch)
        self._batch.append(message)

    def _end_batch(self) -> None:
        if self._batch:
            messages, self._batch = tuple(self._batch), []
            self.recording.entries.append(Entry(self._at_ms(), What.CAME, messages=messages))

    def ended(self, tap: Tap) -> None:
        self._sides.pop(tap, None)

    def cut(self) -> None:
        """What is sent until the connector has noticed reaches nobody."""
        for side in self._sides.values():
            side.is_cut = True


def _is_silent(block: str) -> bool:
    return is_chore(block) or block.startswith("auth ")


class RecordingTape:
    """A Tape that has everything done by real people in a real lab. `people`: by name."""

    def __init__(self, log: Log, lab: FreeswitchLab) -> None:
        self._log = log
        self.people: dict[str, Any] = {LAB: lab}

    def _real(self, whose: str, what: str) -> Any:
        return getattr(self.people.get(whose) or self.people[LAB].phone(whose), what)

    def _realized(self, argument: object) -> object:
        if not isinstance(argument, Party):
            return argument
        return self.people.get(argument.name) or self.people[LAB].phone(argument.name)

    def read(self, whose: str, what: str, *arguments: object) -> Any:
        found = self._real(whose, what)
        value = found(*arguments) if callable(found) else found
        self._log.recording.reads.append((whose, f"{what} {text_of(arguments)}".strip(), value))
        return value

    async def call(self, whose: str, what: str, *arguments: object) -> Any:
        name = f"{whose}.{what}"
        self._log.add(What.DO, name, text_of(arguments))
        value: Any = None
        try:
            value = self._plain(await self._real(whose, what)(*map(self._realized, arguments)))
        except AssertionError as error:
            value = {"error": str(error)}
            raise
        finally:
            self._log.add(What.DONE, name, value=value)
        return value

    def _plain(self, value: Any) -> Any:
        if isinstance(value, SipCaller):
            self.people[value.name] = value
            return {"name": value.name, "leg_id": value.leg_id}
        if isinstance(value, list):
            return [[sorted(passage.voices), passage.seconds] for passage in value]
        return value

    @asynccontextmanager
    async def span(self, whose: str, what: str, *arguments: object) -> AsyncIterator[None]:
        self._log.add(What.DO, f"{whose}.{what}", text_of(arguments))
        try:
            yield
        finally:
            self._log.add(What.DONE, f"{whose}.{what}")


class _RealLab(FreeswitchLab):
    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log
        self.settings = {"sweep_interval_s": SWEEP_INTERVAL_S}

    async def open(self) -> None:
        await super().open()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, TapLoop)
        loop.tap(self.wire.port, self._log)


class RecordingLab(TapedLab):
    """A PbxLab."""

    def __init__(self, begin_ms: int) -> None:
        self.log = Log(begin_ms)
        self._real = _RealLab(self.log)
        self.tape = RecordingTape(self.log, self._real)

    @property
    def recording(self) -> Recording:
        """Nobody needs to know in which folder it was made."""
        text = text_of_recording(self.log.recording)
        return recording_of_text(text.replace(str(self._real.freeswitch.directory), PLACE))

    async def start(self, phones: Sequence[str]) -> None:
        async with self.tape.span(LAB, "start", *phones):
            await self._real.start(phones)
        self.port, self.facts = self._real.port, self._real.facts

    async def stop(self) -> None:
        await self._real.stop()

    async def restart_connector(self) -> None:
        async with self.tape.span(LAB, "restart_connector"):
            await self._real.restart_connector()
        self.port, self.facts = self._real.port, self._real.facts

    async def cut_link(self) -> None:
        await self.tape.call(LAB, "cut_link")
        self.log.cut()

    async def stall_link(self) -> None:
        await self.tape.call(LAB, "stall_link")

    async def restore_link(self) -> None:
        await self.tape.call(LAB, "restore_link")
