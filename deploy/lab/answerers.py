"""Customers of a campaign: one far end of the trunk that takes the calls to many numbers, each as its number says.

async with Answerers(pbx) as people: ...; people.calls         # in the process of the test
with AnswererProcess(pbx) as people: ...; people.calls()       # in one of its own

The last four digits decide, e.g. +12015553042 is a machine:

0nnn  a person: rings for 1 to 5 s (nnn / 10 modulo 4 more than 1), says a word, talks until the other one hangs up
1nnn  busy                                    6nnn  a person who hangs up nnn / 10 s after his answer, unless he has
2nnn  nobody comes                                  heard somebody by then
3nnn  an answering machine                    7nnn  a person who hangs up himself nnn s after his answer
4nnn  picks up and says nothing               8nnn  no such number
5nnn  a person who answers after nnn s        9nnn  rejects
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.lab.call import Call
from deploy.lab.paced_media import PacedMedia, Pacer
from deploy.lab.phone import Address, Phone
from deploy.lab.phones import SipPbx
from deploy.lab.process import Child
from deploy.lab.voices import MACHINE, PERSON, SILENT, Part, Sound, Voice, pcmu

ROOT = Path(__file__).parents[2]
_PAUSE, _WORDS = Part(Sound.SILENCE, 3.0), Part(Sound.SPEECH, 1.0)
TALKING = Voice((*PERSON.parts, *(_PAUSE, _WORDS) * 15))
MACHINE_S = 25.0  # so long it records, its greeting among it


@dataclass(frozen=True, slots=True, kw_only=True)
class Behavior:
    """What becomes of a call. `code`: it is refused so; 0: answered after `rings_s`, or never where that is None.

    `leaves_s`: from the answer on; `is_patient` False: only when nobody was heard by then.
    """

    rings_s: float | None = 1.0
    code: int = 0
    voice: Voice = TALKING
    leaves_s: float | None = None
    is_patient: bool = True


def by_number(number: str) -> Behavior:
    """As this module's first lines say; a number without four digits is nobody's."""
    found = re.search(r"(\d)(\d{3})$", number)
    if found is None:
        return Behavior(code=404)
    rest = int(found[2])
    rings_s = 1.0 + rest % 40 / 10
    kinds = (
        Behavior(rings_s=rings_s),
        Behavior(code=486),
        Behavior(rings_s=None),
        Behavior(rings_s=rings_s, voice=MACHINE, leaves_s=MACHINE_S),
        Behavior(rings_s=rings_s, voice=SILENT),
        Behavior(rings_s=float(rest)),
        Behavior(rings_s=rings_s, leaves_s=rest / 10, is_patient=False),
        Behavior(rings_s=rings_s, leaves_s=float(rest)),
        Behavior(code=404),
        Behavior(code=603),
    )
    return kinds[int(found[1])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One call that is over. `shown`: whom its From names. Times are seconds of the epoch, or None.

    `heard_s`: the first sound that came; `code` and `by` as of a Call: by remote-cancel it was never answered.
    """

    number: str
    shown: str
    code: int
    by: str
    invited_s: float
    answered_s: float | None
    heard_s: float | None
    ended_s: float


class Answerers:
    """`calls`: those that are over. `live`, `peak`: how many there are at once, and were at most."""

    def __init__(self, pbx: SipPbx, behave: Callable[[str], Behavior] = by_number) -> None:
        self._server, self._port, self._behave = pbx.sip, pbx.carrier_port, behave
        self.calls: list[Answered] = []
        self.live = self.peak = 0
        self.on_ended: Callable[[Answered], None] = lambda _: None
        self._phone: Phone

    async def start(self) -> Self:
        self._phone = await Phone.create("carrier", self._server, port=self._port)
        self._phone.media_of = partial(PacedMedia, Pacer())
        self._phone.on_invite = self._take
        return self

    async def close(self) -> None:
        await self._phone.close()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _take(self, call: Call) -> None:
        self.live += 1
        self.peak = max(self.peak, self.live)
        offset_s = time.time() - time.monotonic()
        try:
            await self._live_through(call, self._behave(_user(call.local_uri)))
            await call.ended(within=86_400)
        finally:
            self.live -= 1
            self._note(call, offset_s)
            self._phone.all_calls.remove(call)

    async def _live_through(self, call: Call, behavior: Behavior) -> None:
        if behavior.code:
            await asyncio.sleep(0.05)
            call.reject(behavior.code)
            return
        call.ringing()
        if behavior.rings_s is None or await _ended_within(call, behavior.rings_s):
            return
        call.media.voice, call.media.is_dumb = pcmu(behavior.voice), not behavior.voice.sends
        call.answer()
        if behavior.leaves_s is None or await _ended_within(call, behavior.leaves_s):
            return
        if behavior.is_patient or not _has_heard(call):
            await call.hangup()

    def _note(self, call: Call, offset_s: float) -> None:
        answered = call.t.get("answered")
        media = call.media
        over = Answered(
            number=_user(call.local_uri),
            shown=_user(call.remote_uri),
            code=call.code,
            by=call.by,
            invited_s=call.t["invite"] + offset_s,
            answered_s=answered + offset_s if answered is not None else None,
            heard_s=media.heard_at_s() if isinstance(media, PacedMedia) else None,
            ended_s=call.t.get("ended", time.monotonic()) + offset_s,
        )
        self.calls.append(over)
        self.on_ended(over)


async def _ended_within(call: Call, seconds: float) -> bool:
    try:
        await call.ended(within=seconds)
    except TimeoutError:
        return False
    return True


def _has_heard(call: Call) -> bool:
    return isinstance(call.media, PacedMedia) and call.media.heard_at_s() is not None


def _user(uri: str) -> str:
    return uri.removeprefix("sip:").partition("@")[0]


class AnswererProcess:
    """The same as one process, which costs the test's own none of its time."""

    def __init__(self, pbx: SipPbx) -> None:
        self._server, self._port = pbx.sip, pbx.carrier_port
        self.directory = Path(tempfile.mkdtemp(prefix="switchroom-answerers-"))
        self._log = self.directory / "calls.jsonl"
        self._child: Child | None = None

    def start(self) -> Self:
        host, port = self._server
        arguments = [f"--server={host}:{port}", f"--port={self._port}", f"--log={self._log}"]
        command = [sys.executable, "-m", "deploy.lab.answerers", *arguments]
        self._child = Child(command, self.directory / "screen.log", self.directory, {"PYTHONPATH": str(ROOT)})
        self._child.wait_until(self._log.exists, 10.0)
        return self

    @property
    def pid(self) -> int:
        if self._child is None:
            raise RuntimeError("the answerers were not started")
        return self._child.pid

    def calls(self) -> list[Answered]:
        """Those that are over by now."""
        lines = self._log.read_text("utf-8").splitlines() if self._log.exists() else []
        return [Answered(**json.loads(line)) for line in lines]

    def stop(self) -> None:
        """Hang up everywhere; `calls` is complete then."""
        if self._child is not None:
            self._child.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


@dataclass(slots=True)
class _Pbx:
    sip: Address
    carrier_port: int

    def password(self, agent: str) -> str:
        raise LookupError(agent)


async def _serve(pbx: _Pbx, log: Path) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Answerers(pbx) as people:
        with log.open("a", buffering=1, encoding="utf-8") as file:
            people.on_ended = lambda call: _write(file.write, call)
            await stop.wait()
            await people.close()
            await asyncio.sleep(0.05)  # whoever was on a call notes its end


def _write(write: Callable[[str], object], call: Answered) -> None:
    write(json.dumps(asdict(call)) + "\n")


def main() -> None:
    """Until SIGTERM."""
    parser = argparse.ArgumentParser(description="Answers the calls of a trunk, each as its number says.")
    parser.add_argument("--server", required=True, metavar="HOST:PORT", help="the PBX")
    parser.add_argument("--port", required=True, type=int, help="where its trunk leads")
    parser.add_argument("--log", required=True, type=Path, help="one line of JSON per call that is over")
    given = parser.parse_args()
    host, _, port = given.server.rpartition(":")
    asyncio.run(_serve(_Pbx((host, int(port)), given.port), given.log))


if __name__ == "__main__":
    main()
