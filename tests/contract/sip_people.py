"""The people of a lab on a real PBX: callers and agents, each a SIP telephone with a tone as its voice."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import Protocol

from deploy.lab import voices
from deploy.lab.call import Call
from deploy.lab.phone import Phone
from deploy.lab.policies import Answer, Ignore, Policy, Reject, Ring
from tests.contract.pbx_lab import Answers, Greeting, IsDead, PartyState, PhonePolicy, Rejection, Rejects, RingsForEver

AGENTS = ("1001", "1002", "1003", "1004")
VOICES = {"1001": 700, "1002": 900, "1003": 1000, "1004": 1200}
CALLER_VOICES = (1100, 1300, 1500, 1700, 1900, 2100)
PROMPT_HZ = {"short": 540, "long": 620, "other": 800}
ACCEPTED_HZ = 1400
FEATURE_CODES = {"sign_in": "*61", "sign_out": "*62", "available": "*63", "idle": "*64", "wrap_up_done": "*65"}
PRIVATE_NUMBER = "7009"
REJECTIONS = {
    Rejection.BUSY: 486,
    Rejection.REJECTED: 603,
    Rejection.UNAVAILABLE: 480,
    Rejection.NOT_FOUND: 404,
}
GREETINGS = {
    Greeting.PERSON: voices.PERSON,
    Greeting.MACHINE: voices.MACHINE,
    Greeting.SILENT: voices.SILENT,
    Greeting.TALKER: voices.TALKER,
    Greeting.MUTE: voices.MUTE,
}
POLL_S = 0.01


class Observer(Protocol):
    """Sees the PBX past the port under test, with all rights.

    `moves`, `events`: counted since its start. `callers`: channel id by the token of the call. `back`: the result of
    each call that is back in the integrator's dialplan, by channel id.
    """

    moves: int
    events: int
    callers: dict[str, str]
    back: dict[str, str]

    async def variable(self, uid: str, name: str) -> str:
        """Of a live channel, as its dialplan would read it; "" when unset."""

    async def channels(self) -> int: ...

    async def hang_up_all(self) -> None:
        """Nothing of one test may be there in the next."""

    def close(self) -> None: ...


class World(Protocol):
    """What people need of their lab."""

    observer: Observer
    phone_prefix: str

    async def wait(self, is_so: Callable[[], bool], within_s: float, seen: Callable[[], object]) -> None: ...


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


class SipCaller:
    """A LabCaller."""

    def __init__(self, lab: World, call: Call, uid: str, voice: int) -> None:
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

    async def press(self, digits: str) -> None:
        await self.call.dtmf(digits)

    async def speak(self, is_speaking: bool) -> None:
        self.call.media.mute = not is_speaking

    @property
    def digits(self) -> str:
        return self.call.digits

    async def variable(self, name: str) -> str:
        return await self._lab.observer.variable(self.uid, name)

    async def is_back_in_dialplan(self, within_s: float = 5.0) -> None:
        await self._lab.wait(lambda: self.uid in self._lab.observer.back, within_s, lambda: self._lab.observer.back)


class SipPhone:
    """A LabPhone."""

    def __init__(self, lab: World, phone: Phone, name: str) -> None:
        self._lab, self._phone, self.name, self.voice = lab, phone, name, VOICES[name]
        self.rings = 0
        self._calls: list[Call] = []
        self._greeting: Greeting | None = None
        self.behave(Answers())

    @property
    def call(self) -> Call | None:
        return self._calls[-1] if self._calls else None

    @property
    def address(self) -> str:
        return f"{self._lab.phone_prefix}{self.name}"

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
                self._say(call)
            await react(call)

        take.silent = isinstance(react, Ignore)  # type: ignore[attr-defined]
        self._phone.on_invite = take

    def greet(self, greeting: Greeting) -> None:
        self._greeting = greeting

    def _say(self, call: Call) -> None:
        if self._greeting is not None:
            voice = GREETINGS[self._greeting]
            call.media.voice, call.media.is_dumb = voices.pcmu(voice), not voice.sends

    async def has_state(self, state: PartyState, within_s: float = 5.0) -> None:
        await self._lab.wait(lambda: self.state is state, within_s, lambda: self.state)

    async def hang_up(self) -> None:
        if self.call and self.state is not PartyState.ENDED:
            await self.call.hangup()

    async def press(self, digits: str) -> None:
        if self.call:
            await self.call.dtmf(digits)

    async def speak(self, is_speaking: bool) -> None:
        if self.call:
            self.call.media.voice, self.call.media.is_dumb = None, False
            self.call.media.mute = not is_speaking

    async def register(self) -> None:
        await self._phone.register()

    async def unregister(self) -> None:
        await self._phone.register(expires=0)

    async def private_call(self) -> None:
        self._calls.append(await self._phone.dial(PRIVATE_NUMBER))
        await self._calls[-1].answered()

    async def transfer_away(self) -> None:
        first = self.call
        assert first
        await self.private_call()
        await first.refer(PRIVATE_NUMBER, replaces=self.call)
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
