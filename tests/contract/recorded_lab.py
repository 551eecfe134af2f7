"""The contract lab where no FreeSWITCH is: it plays what a real one said to each test, and checks what it is told.

The real connector with its socket transport talks to a server on 127.0.0.1, so codec, link, snapshot, events, legs and
rooms are what they are elsewhere. Checked are all facts, and every command that is sent: one too many, one too few, one
with other arguments or before its time fails the test. Not checked, because the recording has no ears and no
telephones: what `hears`, `hears_music`, `recorded`, `digits`, `moves`, `channels`, `variable` and the states of parties
give is what they gave when the recording was made, where the same test has judged it; `pass_time`, `settle` and what
people do with their telephones take as long as they did then. Seconds are virtual.

New recordings, with a real FreeSWITCH: SWITCHROOM_RECORD_WIRE=1 pytest tests/contract -k freeswitch_recording
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from routing.core.commands import WatchPhones
from routing.core.facts import LinkRestored, PhoneChanged
from telephony.freeswitch import FreeswitchPort, FreeswitchSettings, TransportKind
from tests.contract.pbx_lab import CAD_NAMES, PbxLab
from tests.contract.pbx_suite import ids_from
from tests.contract.recorded_script import Script, Span
from tests.contract.recorded_server import RecordedServer
from tests.contract.recordings import SECRET, Recording, load, path_of
from tests.contract.taped_lab import LAB, SWEEP_INTERVAL_S, TapedLab, text_of
from tests.contract.tapping import VirtualLoop

Scenario = Callable[[PbxLab], Awaitable[None]]
# In seconds of the lab, which pass faster than ours.
TEST_S = 120.0


def play(module: str, test: str, scenario: Scenario, phones: Sequence[str]) -> None:
    """Runs the test with the recording that was made of it."""
    play_recording(load(path_of(module, test)), scenario, phones)


def play_recording(recording: Recording, scenario: Scenario, phones: Sequence[str]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner, ids_from(recording.ids_from_ms):
        runner.run(asyncio.wait_for(_play(recording, scenario, phones), TEST_S))


async def _play(recording: Recording, scenario: Scenario, phones: Sequence[str]) -> None:
    lab = RecordedLab(recording)
    try:
        await lab.start(phones)
        await scenario(lab)
        await lab.finish()
    finally:
        await lab.stop()


class ReplayTape:
    """A Tape that tells what was recorded."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def read(self, whose: str, what: str, *arguments: object) -> Any:
        return self._script.read(whose, f"{what} {text_of(arguments)}".strip())

    async def call(self, whose: str, what: str, *arguments: object) -> Any:
        async with self._script.span(f"{whose}.{what}", text_of(arguments)) as span:
            pass
        if isinstance(span.value, dict) and "error" in span.value:
            raise AssertionError(span.value["error"])
        return span.value

    @asynccontextmanager
    async def span(self, whose: str, what: str, *arguments: object) -> AsyncIterator[Span]:
        async with self._script.span(f"{whose}.{what}", text_of(arguments)) as span:
            yield span


class RecordedLab(TapedLab):
    """A PbxLab."""

    def __init__(self, recording: Recording) -> None:
        self._script = Script(recording)
        self.tape = ReplayTape(self._script)
        self._server: RecordedServer

    def _new_port(self) -> FreeswitchPort:
        settings = FreeswitchSettings(
            pbx=self.pbx,
            port=self._server.port,
            secret=SECRET,
            transport=TransportKind.SOCKET,
            sweep_interval_s=SWEEP_INTERVAL_S,
        )
        return FreeswitchPort(settings, now=asyncio.get_running_loop().time)

    async def start(self, phones: Sequence[str]) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self._server = await RecordedServer.open(loop, self._script)
        self._script.start(self._server)
        async with self.tape.span(LAB, "start", *phones):
            await self._connect()
            addresses = tuple(self.phone(name).address for name in phones)
            self.port.submit(WatchPhones(id="cmd_watch", pbx=self.pbx, phones=addresses, cad_names=CAD_NAMES))
            for address in addresses:
                await self._fact(PhoneChanged, 5.0, 0, {"phone": address})

    async def _connect(self) -> None:
        self.port, self.facts = self._new_port(), []
        await self.port.start(self.facts.append)
        await self._fact(LinkRestored, 5.0, 0, {})

    async def finish(self) -> None:
        """Raises AssertionError for what was recorded and has not happened, and for what happened beside it."""
        await super().finish()
        await self._script.finish()

    async def stop(self) -> None:
        self._script.stop()
        if hasattr(self, "port"):
            await self.port.stop()
        if hasattr(self, "_server"):
            await self._server.close()

    async def restart_connector(self) -> None:
        async with self.tape.span(LAB, "restart_connector"):
            await self.port.stop()
            await self._connect()

    async def cut_link(self) -> None:
        async with self.tape.span(LAB, "cut_link"):
            self._server.cut()

    async def stall_link(self) -> None:
        async with self.tape.span(LAB, "stall_link"):
            self._server.stall()

    async def restore_link(self) -> None:
        async with self.tape.span(LAB, "restore_link"):
            self._server.restore()
