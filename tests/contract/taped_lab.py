"""The contract lab whose calls go through a tape: one that records what came of them, or one that tells it again."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar

from routing.core.facts import Fact
from telephony.port import PbxPort
from tests.contract.pbx_lab import Greeting, IncomingCall, LabParty, PartyState, Passage, PhonePolicy
from tests.contract.sip_people import POLL_S

F = TypeVar("F")
LAB = "lab"
# Never while a recording is made or played: the list of channels would be asked for by the clock.
SWEEP_INTERVAL_S = 3600.0


class Tape(Protocol):
    """`whose` is the lab or one of its people, by name."""

    def read(self, whose: str, what: str, *arguments: object) -> Any:
        """Something that the test looks at, or tells somebody, at once."""

    async def call(self, whose: str, what: str, *arguments: object) -> Any:
        """Something that the test has done and waits for."""

    def span(self, whose: str, what: str, *arguments: object) -> AbstractAsyncContextManager[object]:
        """As `call`, of something that the lab does itself meanwhile."""


class Party:
    """A LabParty."""

    def __init__(self, tape: Tape, name: str) -> None:
        self.tape, self.name = tape, name

    @property
    def state(self) -> PartyState:
        return PartyState(self.tape.read(self.name, "state"))

    async def hang_up(self) -> None:
        await self.tape.call(self.name, "hang_up")

    async def press(self, digits: str) -> None:
        await self.tape.call(self.name, "press", digits)

    async def speak(self, is_speaking: bool) -> None:
        await self.tape.call(self.name, "speak", is_speaking)

    def __repr__(self) -> str:
        return self.name


class Caller(Party):
    """A LabCaller."""

    def __init__(self, tape: Tape, name: str, leg_id: str) -> None:
        super().__init__(tape, name)
        self.leg_id = leg_id

    @property
    def digits(self) -> str:
        return str(self.tape.read(self.name, "digits"))

    async def variable(self, name: str) -> str:
        return str(await self.tape.call(self.name, "variable", name))

    async def is_back_in_dialplan(self, within_s: float = 5.0) -> None:
        await self.tape.call(self.name, "is_back_in_dialplan", within_s)


class Phone(Party):
    """A LabPhone."""

    @property
    def address(self) -> str:
        return f"user/{self.name}"

    @property
    def rings(self) -> int:
        return int(self.tape.read(self.name, "rings"))

    @property
    def shown_caller(self) -> str:
        return str(self.tape.read(self.name, "shown_caller"))

    def behave(self, policy: PhonePolicy) -> None:
        self.tape.read(self.name, "behave", policy)

    def greet(self, greeting: Greeting) -> None:
        self.tape.read(self.name, "greet", greeting)

    async def has_state(self, state: PartyState, within_s: float = 5.0) -> None:
        await self.tape.call(self.name, "has_state", state, within_s)

    async def register(self) -> None:
        await self.tape.call(self.name, "register")

    async def unregister(self) -> None:
        await self.tape.call(self.name, "unregister")

    async def private_call(self) -> None:
        await self.tape.call(self.name, "private_call")

    async def transfer_away(self) -> None:
        await self.tape.call(self.name, "transfer_away")

    async def dial_feature(self, code: str, argument: str = "") -> None:
        await self.tape.call(self.name, "dial_feature", code, argument)

    async def feature_answer(self, within_s: float = 5.0) -> bool:
        return bool(await self.tape.call(self.name, "feature_answer", within_s))


class TapedLab(ABC):
    """A PbxLab, but for its life."""

    pbx = "pbx1"
    stall_deadline_s = 3.0
    tape: Tape
    port: PbxPort
    facts: list[Fact]

    async def finish(self) -> None:
        """Once the test has come to its end: what is under way then belongs to it too."""
        await self.settle()

    async def call_in(self, call: IncomingCall) -> Caller:
        found = await self.tape.call(LAB, "call_in", call)
        return Caller(self.tape, found["name"], found["leg_id"])

    def phone(self, name: str) -> Phone:
        return Phone(self.tape, name)

    async def hears(self, listener: LabParty, *speakers: LabParty, within_s: float = 5.0) -> None:
        await self.tape.call(LAB, "hears", listener, *speakers)

    async def hears_music(self, listener: LabParty, within_s: float = 5.0) -> None:
        await self.tape.call(LAB, "hears_music", listener)

    def prompt(self, name: str) -> str:
        return str(self.tape.read(LAB, "prompt", name))

    async def hears_prompt(self, listener: LabParty, name: str, within_s: float = 5.0) -> None:
        within = (within_s,) if within_s > 5.0 else ()  # a shorter one is no other recording
        await self.tape.call(LAB, "hears_prompt", listener, name, *within)

    async def hears_message(self, listener: LabParty, speaker: LabParty, within_s: float = 5.0) -> None:
        await self.tape.call(LAB, "hears_message", listener, speaker)

    @property
    def now_s(self) -> float:
        return float(self.tape.read(LAB, "now_s"))

    async def pass_time(self, seconds: float) -> None:
        await self.tape.call(LAB, "pass_time", seconds)

    async def recorded(self, file: str) -> list[Passage]:
        found = await self.tape.call(LAB, "recorded", file)
        return [Passage(frozenset(voices), seconds) for voices, seconds in found]

    @property
    def moves(self) -> int:
        return int(self.tape.read(LAB, "moves"))

    async def channels(self) -> int:
        return int(await self.tape.call(LAB, "channels"))

    async def settle(self) -> None:
        await self.tape.call(LAB, "settle")

    async def wait_fact(self, kind: type[F], within_s: float = 5.0, since: int = 0, **fields: object) -> F:
        async with self.tape.span(LAB, "wait_fact", kind.__name__, *fields.items()):
            return await self._fact(kind, within_s, since, fields)

    async def _fact(self, kind: type[F], within_s: float, since: int, fields: dict[str, object]) -> F:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while loop.time() < deadline:
            for fact in self.facts[since:]:
                if isinstance(fact, kind) and all(getattr(fact, k) == v for k, v in fields.items()):
                    return fact
            await asyncio.sleep(POLL_S)
        raise AssertionError(f"no {kind.__name__} {fields} within {within_s} s; seen: {self.facts[since:]}")

    # ------------------------------------------------------------------ life and link

    @abstractmethod
    async def start(self, phones: Sequence[str]) -> None: ...

    @abstractmethod
    async def stop(self) -> None: ...

    @abstractmethod
    async def restart_connector(self) -> None: ...

    @abstractmethod
    async def cut_link(self) -> None: ...

    @abstractmethod
    async def stall_link(self) -> None: ...

    @abstractmethod
    async def restore_link(self) -> None: ...


def text_of(arguments: tuple[object, ...]) -> str:
    """What was asked, to be compared."""
    return ", ".join(repr(each) for each in arguments)
