"""What the contract suite's labs on real PBXs have in common: SIP telephones, ears, a wire that can break.

One PBX serves all tests of a process; a lab's own telephones, callers and port are new each time.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from deploy.lab.music import MUSIC_HZ, write_tone
from deploy.lab.phones import Phones, SipPbx
from deploy.lab.recorded import passages, recording_path
from deploy.lab.sip import token
from routing.core.commands import WatchPhones
from routing.core.facts import Fact, LegArrived, LinkRestored, PhoneChanged
from telephony.port import PbxPort
from tests.contract.pbx_lab import PROMPTS, IncomingCall, LabParty, Passage
from tests.contract.sip_people import CALLER_VOICES, POLL_S, PROMPT_HZ, VOICES, Observer, SipCaller, SipPhone
from tests.contract.wire import Wire

F = TypeVar("F")

CAD_NAMES = ("note", "plain", "case")
QUIET_S = 0.25


class SipLab(ABC):
    """A PbxLab. Made for each connector by telling it the PBX, the observer and the port.

    The dialplan of `sip_pbx` tells the observer the token of each call (header X-Token), and hands the call over with
    what else its INVITE brings, percent-coded: X-Name, X-Entry, X-Options (`name=value`, joined by `option_separator`),
    X-Cads (names joined by `&`) and X-Cad-<name>. It answers 7009 for agents.
    """

    phone_prefix: str = ""
    option_separator: str = "&"
    stall_deadline_s: float = 3.0
    port: PbxPort
    observer: Observer

    def __init__(self, sip_pbx: SipPbx, link_port: int) -> None:
        self.pbx = "pbx1"
        self.settings: dict[str, Any] = {}  # changes to the connector's settings
        self.facts: list[Fact] = []
        self._sip_pbx, self._link_port = sip_pbx, link_port
        self._phones: dict[str, SipPhone] = {}
        self._callers = 0

    @abstractmethod
    def new_port(self) -> PbxPort:
        """A port without a memory, through `wire`."""

    @abstractmethod
    async def new_observer(self) -> Observer: ...

    @property
    @abstractmethod
    def is_link_up(self) -> bool: ...

    @property
    @abstractmethod
    def directory(self) -> Path:
        """Where the PBX lives."""

    def recording(self, file: str) -> Path:
        """Where the PBX puts a recording of that name."""
        return recording_path(self.directory, file)

    # ------------------------------------------------------------------ life

    async def open(self) -> None:
        """Everything but telephones and port."""
        (self.directory / "prompts").mkdir(exist_ok=True)
        for name, seconds in PROMPTS.items():
            write_tone(Path(f"{self.prompt(name)}.wav"), PROMPT_HZ[name], seconds)
        self.lines = Phones(self._sip_pbx)
        self.wire = await Wire.open(self._link_port)
        self.observer = await self.new_observer()

    async def start(self, phones: Sequence[str]) -> None:
        await self.open()
        for name in phones:
            line = await self.lines.agent(name, VOICES[name])
            self._phones[name] = SipPhone(self, line, name)
        self.port = self.new_port()
        await self._connect()
        addresses = tuple(phone.address for phone in self._phones.values())
        self.port.submit(WatchPhones(id="cmd_watch", pbx=self.pbx, phones=addresses, cad_names=CAD_NAMES))
        for address in addresses:
            await self.wait_fact(PhoneChanged, phone=address)
        await self.settle()

    async def _connect(self) -> None:
        await self.port.start(self.facts.append)
        await self.wait_fact(LinkRestored)

    async def stop(self) -> None:
        if hasattr(self, "lines"):
            await self.lines.close()
        if hasattr(self, "port"):
            await self.port.stop()
        if hasattr(self, "observer"):
            await self.observer.hang_up_all()
            self.observer.close()
        if hasattr(self, "wire"):
            await self.wire.close()

    async def restart_connector(self) -> None:
        await self.port.stop()
        self.port, self.facts = self.new_port(), []
        await self._connect()

    # ------------------------------------------------------------------ people

    async def call_in(self, call: IncomingCall) -> SipCaller:
        voice = CALLER_VOICES[self._callers % len(CALLER_VOICES)]
        self._callers += 1
        phone, mark = await self.lines.caller(call.ani, voice), token()
        sip_call = await phone.dial(call.dnis, [f"X-Token: {mark}", *_headers(call, self.option_separator)])
        await sip_call.answered()
        await self.wait(lambda: mark in self.observer.callers, 5.0, lambda: self.observer.callers)
        caller = SipCaller(self, sip_call, self.observer.callers[mark], voice)
        if self.is_link_up:
            await self.wait_fact(LegArrived, leg_id=caller.leg_id)
        return caller

    def phone(self, name: str) -> SipPhone:
        return self._phones[name]

    # ------------------------------------------------------------------ ears

    def _heard(self, listener: LabParty) -> tuple[set[int], float]:
        """Voices (and music) that are audible now, and the loudness of everything."""
        assert isinstance(listener, (SipCaller, SipPhone))
        call = listener.call
        if call is None:
            return set(), 0.0
        voices = [MUSIC_HZ, *VOICES.values(), *CALLER_VOICES, *PROMPT_HZ.values()]
        shares, level = call.media.spectrum(tuple(voices))
        return {voice for voice in voices if level > 100 and shares[voice] > 0.05}, level

    async def hears(self, listener: LabParty, *speakers: LabParty, within_s: float = 5.0) -> None:
        wanted = {speaker.voice for speaker in speakers if isinstance(speaker, (SipCaller, SipPhone))}
        await self.wait(lambda: self._fits(listener, wanted), within_s, lambda: (self._heard(listener), wanted))

    async def hears_music(self, listener: LabParty, within_s: float = 5.0) -> None:
        await self.wait(lambda: self._fits(listener, {MUSIC_HZ}), within_s, lambda: self._heard(listener))

    def prompt(self, name: str) -> str:
        return str(self.directory / "prompts" / name)

    async def hears_prompt(self, listener: LabParty, name: str, within_s: float = 5.0) -> None:
        await self.wait(lambda: self._fits(listener, {PROMPT_HZ[name]}), within_s, lambda: self._heard(listener))

    async def hears_message(self, listener: LabParty, speaker: LabParty, within_s: float = 5.0) -> None:
        await self.hears(listener, speaker, within_s=within_s)

    @property
    def now_s(self) -> float:
        return time.monotonic()

    def _fits(self, listener: LabParty, wanted: set[int]) -> bool:
        heard, level = self._heard(listener)
        return heard == wanted and (bool(wanted) or level < 100)

    async def pass_time(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def recorded(self, file: str) -> list[Passage]:
        wav = self.recording(file)
        await self.wait(wav.exists, 2.0, lambda: list(wav.parent.glob("*")))
        names = {phone.voice: phone.name for phone in self._phones.values()}
        names |= {caller: f"caller {caller}" for caller in CALLER_VOICES}
        found = await asyncio.to_thread(passages, wav, [MUSIC_HZ, *names])
        return [Passage(frozenset(names.get(hz, "music") for hz in voices), seconds) for voices, seconds in found]

    @property
    def moves(self) -> int:
        return self.observer.moves

    async def channels(self) -> int:
        return await self.observer.channels()

    # ------------------------------------------------------------------ the link

    async def cut_link(self) -> None:
        self.wire.cut()

    async def stall_link(self) -> None:
        self.wire.stall()

    async def restore_link(self) -> None:
        self.wire.restore()

    # ------------------------------------------------------------------ waiting

    async def wait(self, is_so: Callable[[], bool], within_s: float, seen: Callable[[], object]) -> None:
        deadline = time.monotonic() + within_s
        while not is_so():
            if time.monotonic() > deadline:
                raise AssertionError(f"not so within {within_s} s; seen: {seen()}")
            await asyncio.sleep(POLL_S)

    async def wait_fact(self, kind: type[F], within_s: float = 5.0, since: int = 0, **fields: object) -> F:
        def found() -> F | None:
            fitting = (f for f in self.facts[since:] if isinstance(f, kind))
            return next((f for f in fitting if all(getattr(f, k) == v for k, v in fields.items())), None)

        await self.wait(lambda: found() is not None, within_s, lambda: self.facts[since:])
        fact = found()
        assert fact is not None
        return fact

    async def settle(self) -> None:
        seen, since = (-1, -1), time.monotonic()
        while time.monotonic() - since < QUIET_S:
            now = (len(self.facts), self.observer.events)
            if now != seen:
                seen, since = now, time.monotonic()
            await asyncio.sleep(POLL_S)


def _headers(call: IncomingCall, separator: str) -> list[str]:
    options = separator.join(f"{name}={value.replace(',', '+')}" for name, value in call.options.items())
    headers = [f"X-Name: {quote(call.ani_name, safe='')}", f"X-Entry: {call.entry_point}"]
    headers += [f"X-Options: {options}"] if options else []
    headers += [f"X-Cads: {'&'.join(call.cad)}"] if call.cad else []
    return headers + [f"X-Cad-{name}: {quote(value, safe='')}" for name, value in call.cad.items() if value]
