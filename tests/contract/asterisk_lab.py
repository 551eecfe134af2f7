"""The contract suite's lab on a real Asterisk: SIP telephones with tones as voices, and a wire that can break.

One Asterisk serves all tests of a process; a lab's own telephones, callers and port are new each time.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar
from urllib.parse import quote

from deploy.lab.asterisk import MUSIC_HZ, Asterisk
from deploy.lab.call import Call
from deploy.lab.phone import Phone
from deploy.lab.phones import Phones
from deploy.lab.policies import Answer, Ignore, Policy, Reject, Ring
from deploy.lab.recorded import passages, recording_path
from deploy.lab.sip import token
from routing.core.commands import WatchPhones
from routing.core.facts import Fact, LegArrived, LinkRestored, PhoneChanged
from telephony.asterisk import AsteriskPort, AsteriskSettings
from telephony.port import PbxPort
from tests.contract.asterisk_wire import Observer, Wire
from tests.contract.pbx_lab import (
    Answers,
    IncomingCall,
    IsDead,
    LabParty,
    PartyState,
    Passage,
    PhonePolicy,
    Rejection,
    Rejects,
    RingsForEver,
)

F = TypeVar("F")

AGENTS = ("1001", "1002", "1003", "1004")
VOICES = {"1001": 700, "1002": 900, "1003": 1000, "1004": 1200}
CALLER_VOICES = (1100, 1300, 1500, 1700, 1900, 2100)
ACCEPTED_HZ = 1400
CAD_NAMES = ("note", "plain", "case")
FEATURE_CODES = {"sign_in": "*61", "sign_out": "*62", "available": "*63", "idle": "*64", "wrap_up_done": "*65"}
REJECTIONS = {
    Rejection.BUSY: 486,
    Rejection.REJECTED: 603,
    Rejection.UNAVAILABLE: 480,
    Rejection.NOT_FOUND: 404,
}
QUIET_S = 0.25
POLL_S = 0.01

# The integrator's dialplan. What a caller brings comes in headers of his INVITE, percent-coded.
DIALPLAN = """
[globals]
SR_TAKE_S = 20
[from-trunk]
exten => _X!,1,Set(CALLERID(name)=${URIDECODE(${PJSIP_HEADER(read,X-Name)})})
 same => n,Set(LAB_NAMES=${PJSIP_HEADER(read,X-Cads)})
 same => n,Set(LAB_I=0)
 same => n(more),Set(LAB_I=$[${LAB_I} + 1])
 same => n,Set(LAB_NAME=${CUT(LAB_NAMES,&,${LAB_I})})
 same => n,GotoIf($["${LAB_NAME}" = ""]?over)
 same => n,Set(SR_CAD_${LAB_NAME}=${URIDECODE(${PJSIP_HEADER(read,X-Cad-${LAB_NAME})})})
 same => n,Goto(more)
 same => n(over),UserEvent(LabCall,Token: ${PJSIP_HEADER(read,X-Token)})
 same => n,Gosub(switchroom,s,1(${PJSIP_HEADER(read,X-Entry)},${PJSIP_HEADER(read,X-Options)}))
 same => n,Set(LAB_BACK=1)
 same => n,UserEvent(LabBack,Result: ${SR_RESULT})
 same => n,Answer()
 same => n,Wait(60)
exten => h,1,UserEvent(LabEnd,Result: ${SR_RESULT})
[from-agent]
include => switchroom-features
exten => 7009,1,Answer()
 same => n,Wait(60)
"""


@cache
def shared_asterisk() -> Asterisk:
    """Started once per process, ended with it. Raises, with the way to install it, when there is none.

    SWITCHROOM_LAB_ASTERISK chooses another major version, e.g. 16.
    """
    pbx = Asterisk(agents=AGENTS, dialplan=DIALPLAN, version=os.environ.get("SWITCHROOM_LAB_ASTERISK", "22"))
    atexit.register(pbx.close)
    # With device_state_busy_at a telephone that only rings would be busy already.
    pjsip = pbx.directory / "etc" / "pjsip.conf"
    pjsip.write_text(pjsip.read_text().replace("device_state_busy_at = 1\n", ""))
    return pbx.start()


def policy_of(policy: PhonePolicy) -> Policy:
    match policy:
        case Answers(after_s=after_s):
            return Answer(after_s)
        case Rejects(how=how):
            return Reject(REJECTIONS[how])
        case RingsForEver():
            return Ring()
        case IsDead():
            return Ignore()


def state_of(call: Call | None) -> PartyState:
    if call is None:
        return PartyState.NONE
    states = {"answered": PartyState.UP, "ending": PartyState.UP, "ended": PartyState.ENDED}
    return states.get(call.state, PartyState.RINGING)


class AsteriskCaller:
    def __init__(self, lab: AsteriskLab, call: Call, uid: str, voice: int) -> None:
        self._lab, self.call, self.uid, self.voice = lab, call, uid, voice
        self.name = f"caller {voice}"

    @property
    def leg_id(self) -> str:
        return f"leg_{self.uid}"

    @property
    def state(self) -> PartyState:
        return state_of(self.call)

    async def hang_up(self) -> None:
        await self.call.hangup()

    @property
    def digits(self) -> str:
        return self.call.digits

    async def variable(self, name: str) -> str:
        answer = await self._lab.observer.ask({"Action": "Getvar", "Channel": self.uid, "Variable": name})
        return answer.get("value")

    async def is_back_in_dialplan(self, within_s: float = 5.0) -> None:
        await self._lab.wait(lambda: self.uid in self._lab.observer.back, within_s, lambda: self._lab.observer.back)


class AsteriskPhone:
    def __init__(self, lab: AsteriskLab, phone: Phone, name: str) -> None:
        self._lab, self._phone, self.name, self.voice = lab, phone, name, VOICES[name]
        self.rings = 0
        self._calls: list[Call] = []
        self.behave(Answers())

    @property
    def call(self) -> Call | None:
        return self._calls[-1] if self._calls else None

    @property
    def address(self) -> str:
        return f"PJSIP/{self.name}"

    @property
    def state(self) -> PartyState:
        return state_of(self.call)

    @property
    def shown_caller(self) -> str:
        from_ = self.call.invite.get("From") if self.call and self.call.invite else ""
        found = re.match(r'(?:"(.*)" )?<sip:([^@>]*)', from_)
        return f"{found[2]}|{found[1] or ''}" if found else ""

    def behave(self, policy: PhonePolicy) -> None:
        react = policy_of(policy)

        async def take(call: Call) -> None:
            if not isinstance(react, Ignore):
                self.rings += 1
                self._calls.append(call)
            await react(call)

        take.silent = isinstance(react, Ignore)  # type: ignore[attr-defined]
        self._phone.on_invite = take

    async def has_state(self, state: PartyState, within_s: float = 5.0) -> None:
        await self._lab.wait(lambda: self.state is state, within_s, lambda: self.state)

    async def hang_up(self) -> None:
        if self.call and self.state is not PartyState.ENDED:
            await self.call.hangup()

    async def register(self) -> None:
        await self._phone.register()

    async def unregister(self) -> None:
        await self._phone.register(expires=0)

    async def private_call(self) -> None:
        self._calls.append(await self._phone.dial("7009"))
        await self._calls[-1].answered()

    async def transfer_away(self) -> None:
        first = self.call
        assert first
        await self.private_call()
        await first.refer("7009", replaces=self.call)
        self._calls.append(first)

    async def dial_feature(self, code: str, argument: str = "") -> None:
        self._calls.append(await self._phone.dial(FEATURE_CODES[code] + argument))

    async def feature_answer(self, within_s: float = 5.0) -> bool:
        call, heard = self.call, False
        assert call
        deadline = time.monotonic() + within_s
        while call.state != "ended":
            assert time.monotonic() < deadline, f"the feature call is {call.state}"
            shares, level = call.media.spectrum((ACCEPTED_HZ,))
            heard = heard or (level > 200 and shares[ACCEPTED_HZ] > 0.5)
            await asyncio.sleep(POLL_S)
        return heard


class AsteriskLab:
    """A PbxLab."""

    stall_deadline_s = 3.0
    port: PbxPort

    def __init__(self, asterisk: Asterisk | None = None) -> None:
        """On the shared Asterisk, or on one of the test's own."""
        self.pbx = "pbx1"
        self.asterisk = asterisk or shared_asterisk()
        self.settings: dict[str, Any] = {}  # changes to AsteriskSettings
        self.facts: list[Fact] = []
        self._phones: dict[str, AsteriskPhone] = {}
        self._callers = 0

    # ------------------------------------------------------------------ life

    async def open(self) -> None:
        """Everything but telephones and port."""
        self.lines = Phones(self.asterisk)
        self.wire = await Wire.open(self.asterisk.ami_port)
        self.observer = await Observer.connect(self.asterisk)

    async def start(self, phones: Sequence[str]) -> None:
        await self.open()
        for name in phones:
            line = await self.lines.agent(name, VOICES[name])
            self._phones[name] = AsteriskPhone(self, line, name)
        self.port = self.new_port()
        await self._connect()
        addresses = tuple(phone.address for phone in self._phones.values())
        self.port.submit(WatchPhones(id="cmd_watch", pbx=self.pbx, phones=addresses, cad_names=CAD_NAMES))
        for address in addresses:
            await self.wait_fact(PhoneChanged, phone=address)
        await self.settle()

    @property
    def own_port(self) -> AsteriskPort:
        """The same port, by its own type."""
        assert isinstance(self.port, AsteriskPort)
        return self.port

    def new_port(self) -> AsteriskPort:
        settings = AsteriskSettings(
            pbx=self.pbx,
            host="127.0.0.1",
            port=self.wire.port,
            username=self.asterisk.ami_user,
            secret=self.asterisk.ami_secret,
        )
        return AsteriskPort(replace(settings, **self.settings))

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

    async def call_in(self, call: IncomingCall) -> AsteriskCaller:
        voice = CALLER_VOICES[self._callers % len(CALLER_VOICES)]
        self._callers += 1
        phone, mark = await self.lines.caller(call.ani, voice), token()
        options = "&".join(f"{name}={value.replace(',', '+')}" for name, value in call.options.items())
        headers = [f"X-Token: {mark}", f"X-Name: {quote(call.ani_name, safe='')}", f"X-Entry: {call.entry_point}"]
        headers += [f"X-Options: {options}"] if options else []
        headers += [f"X-Cads: {'&'.join(call.cad)}"] if call.cad else []
        headers += [f"X-Cad-{name}: {quote(value, safe='')}" for name, value in call.cad.items() if value]
        sip_call = await phone.dial(call.dnis, headers)
        await sip_call.answered()
        await self.wait(lambda: mark in self.observer.callers, 5.0, lambda: self.observer.callers)
        caller = AsteriskCaller(self, sip_call, self.observer.callers[mark], voice)
        if self.own_port.is_up:
            await self.wait_fact(LegArrived, leg_id=caller.leg_id)
        return caller

    def phone(self, name: str) -> AsteriskPhone:
        return self._phones[name]

    # ------------------------------------------------------------------ ears

    def _heard(self, listener: LabParty) -> tuple[set[int], float]:
        """Voices (and music) that are audible now, and the loudness of everything."""
        assert isinstance(listener, (AsteriskCaller, AsteriskPhone))
        call = listener.call
        if call is None:
            return set(), 0.0
        voices = [MUSIC_HZ, *VOICES.values(), *CALLER_VOICES]
        shares, level = call.media.spectrum(tuple(voices))
        return {voice for voice in voices if level > 100 and shares[voice] > 0.05}, level

    async def hears(self, listener: LabParty, *speakers: LabParty, within_s: float = 5.0) -> None:
        wanted = {speaker.voice for speaker in speakers if isinstance(speaker, (AsteriskCaller, AsteriskPhone))}
        await self.wait(lambda: self._fits(listener, wanted), within_s, lambda: (self._heard(listener), wanted))

    async def hears_music(self, listener: LabParty, within_s: float = 5.0) -> None:
        await self.wait(lambda: self._fits(listener, {MUSIC_HZ}), within_s, lambda: self._heard(listener))

    def _fits(self, listener: LabParty, wanted: set[int]) -> bool:
        heard, level = self._heard(listener)
        return heard == wanted and (bool(wanted) or level < 100)

    async def pass_time(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def recorded(self, file: str) -> list[Passage]:
        wav = recording_path(self.asterisk.directory, file)
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
