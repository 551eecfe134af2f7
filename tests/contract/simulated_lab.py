"""The contract suite's lab on the simulated PBX: its seconds are virtual, so nothing ever waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeVar

from routing.core.commands import RECORDED, WatchPhones
from routing.core.facts import DialOutcome, Fact, LegArrived, LegState, LinkRestored, PhoneChanged
from telephony.simulated import LinkTimings, SimulatedPbx, SimulatedPort, VirtualClock, listening
from telephony.simulated import habits as habit
from telephony.simulated.channel import Channel, Hearing, Phone, Place
from tests.contract.pbx_lab import (
    MISSING,
    PROMPTS,
    Answers,
    Greeting,
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

_OUTCOMES = {
    Rejection.BUSY: DialOutcome.BUSY,
    Rejection.REJECTED: DialOutcome.REJECTED,
    Rejection.UNAVAILABLE: DialOutcome.UNREACHABLE,
    Rejection.NOT_FOUND: DialOutcome.INVALID,
}
_GREETINGS = {
    Greeting.PERSON: listening.PERSON,
    Greeting.MACHINE: listening.MACHINE,
    Greeting.SILENT: listening.SILENCE,
    Greeting.TALKER: listening.Greeting(after_ms=0, says_ms=60_000),
    Greeting.MUTE: listening.SILENCE,
}
QUIET_MS, PRESS_MS = 50, 200


def habit_of(policy: PhonePolicy) -> habit.Habit:
    """The simulated telephone's habit for a policy of the suite."""
    match policy:
        case Answers(after_s=after_s):
            return habit.Answers(habit.Constant(round(after_s * 1000)))
        case Rejects(how=how):
            return habit.Rejects(_OUTCOMES[how])
        case RingsForEver():
            return habit.RingsOut()
        case IsDead():
            return habit.IsDead()


def party_state(channel: Channel | None) -> PartyState:
    if channel is None:
        return PartyState.NONE
    if channel.state is None:
        return PartyState.ENDED
    return PartyState.UP if channel.state is LegState.UP else PartyState.RINGING


class SimulatedCaller:
    def __init__(self, lab: SimulatedLab, channel: Channel) -> None:
        self._lab, self.channel = lab, channel

    @property
    def name(self) -> str:
        return self.channel.party

    @property
    def leg_id(self) -> str:
        return self.channel.leg_id

    @property
    def state(self) -> PartyState:
        return party_state(self.channel)

    async def hang_up(self) -> None:
        self._lab.sim.hang_up(self.channel)

    async def press(self, digits: str) -> None:
        self._lab.press(self.channel, digits)

    async def speak(self, is_speaking: bool) -> None:
        self._lab.sim.prompts.speak(self.channel, is_speaking)

    @property
    def digits(self) -> str:
        return self.channel.digits

    async def variable(self, name: str) -> str:
        return self.channel.variables.get(name, "")

    async def is_back_in_dialplan(self, within_s: float = 5.0) -> None:
        self._lab.wait(lambda: self.channel.place is Place.DIALPLAN, within_s, lambda: self.channel.place)


class SimulatedPhone:
    def __init__(self, lab: SimulatedLab, phone: Phone, name: str) -> None:
        self._lab, self._phone, self.name = lab, phone, name

    @property
    def channel(self) -> Channel | None:
        return self._phone.live or (self._phone.calls[-1] if self._phone.calls else None)

    @property
    def state(self) -> PartyState:
        return party_state(self.channel)

    @property
    def address(self) -> str:
        return self._phone.address

    @property
    def rings(self) -> int:
        return self._phone.rings

    @property
    def shown_caller(self) -> str:
        return self.channel.shown_caller if self.channel else ""

    def behave(self, policy: PhonePolicy) -> None:
        self._phone.habit = habit_of(policy)

    def greet(self, greeting: Greeting) -> None:
        self._phone.greeting = _GREETINGS[greeting]

    async def has_state(self, state: PartyState, within_s: float = 5.0) -> None:
        self._lab.wait(lambda: self.state is state, within_s, lambda: self.state)

    async def hang_up(self) -> None:
        if self._phone.live:
            self._lab.sim.hang_up(self._phone.live)

    async def press(self, digits: str) -> None:
        if self._phone.live:
            self._lab.press(self._phone.live, digits)

    async def speak(self, is_speaking: bool) -> None:
        if self._phone.live:
            self._lab.sim.prompts.speak(self._phone.live, is_speaking)

    async def register(self) -> None:
        self._lab.sim.register(self._phone, True)

    async def unregister(self) -> None:
        self._lab.sim.register(self._phone, False)

    async def private_call(self) -> None:
        self._lab.sim.private_call(self._phone)

    async def transfer_away(self) -> None:
        assert self._phone.live
        self._lab.sim.transfer_away(self._phone.live)

    async def dial_feature(self, code: str, argument: str = "") -> None:
        self._lab.sim.dial_feature(self._phone, code, argument)

    async def feature_answer(self, within_s: float = 5.0) -> bool:
        self._lab.wait(lambda: self.state is PartyState.ENDED, within_s, lambda: self.state)
        return bool(self.channel and self.channel.confirmed)


class SimulatedLab:
    """A PbxLab."""

    stall_deadline_s = 3.0

    def __init__(self) -> None:
        self.pbx = "pbx1"
        self.facts: list[Fact] = []
        self.clock = VirtualClock()
        self.sim = SimulatedPbx(self.clock, self.pbx, seed=1)
        self.sim.prompts.lengths_ms = {self.prompt(name): round(s * 1000) for name, s in PROMPTS.items()}
        self.sim.prompts.missing = {self.prompt(MISSING)}
        self.port = self._new_port()
        self._phones: dict[str, SimulatedPhone] = {}

    def _new_port(self) -> SimulatedPort:
        return SimulatedPort(self.sim, LinkTimings(stall_ms=round(self.stall_deadline_s * 1000)))

    # ------------------------------------------------------------------ life

    async def start(self, phones: Sequence[str]) -> None:
        for name in phones:
            self._phones[name] = SimulatedPhone(self, self.sim.add_phone(f"SIM/{name}"), name)
        await self._connect()
        self.port.submit(
            WatchPhones(id="cmd_watch", pbx=self.pbx, phones=tuple(p.address for p in self._phones.values()))
        )
        for phone in self._phones.values():
            await self.wait_fact(PhoneChanged, phone=phone.address)

    async def _connect(self) -> None:
        await self.port.start(self.facts.append)
        await self.wait_fact(LinkRestored)

    async def stop(self) -> None:
        await self.port.stop()

    async def restart_connector(self) -> None:
        await self.port.stop()
        self.port, self.facts = self._new_port(), []
        await self._connect()

    # ------------------------------------------------------------------ people

    async def call_in(self, call: IncomingCall) -> SimulatedCaller:
        arrival = LegArrived(
            pbx="",
            leg_id="",
            entry_point=call.entry_point,
            dnis=call.dnis,
            ani=call.ani,
            ani_name=call.ani_name,
            cad=dict(call.cad),
            options=dict(call.options),
        )
        caller = SimulatedCaller(self, self.sim.call_in(arrival))
        if self.port.is_up:
            await self.wait_fact(LegArrived, leg_id=caller.leg_id)
        return caller

    def phone(self, name: str) -> SimulatedPhone:
        return self._phones[name]

    # ------------------------------------------------------------------ ears

    def _hearing(self, listener: LabParty) -> Hearing:
        assert isinstance(listener, (SimulatedCaller, SimulatedPhone))
        return self.sim.hears(listener.channel) if listener.channel else Hearing()

    async def hears(self, listener: LabParty, *speakers: LabParty, within_s: float = 5.0) -> None:
        wanted = Hearing(parties=frozenset(self._party(s) for s in speakers))
        self.wait(lambda: self._hearing(listener) == wanted, within_s, lambda: self._hearing(listener))

    async def hears_music(self, listener: LabParty, within_s: float = 5.0) -> None:
        self.wait(
            lambda: bool(self._hearing(listener).music and not self._hearing(listener).parties),
            within_s,
            lambda: self._hearing(listener),
        )

    def prompt(self, name: str) -> str:
        return f"/prompts/{name}"

    async def hears_prompt(self, listener: LabParty, name: str, within_s: float = 5.0) -> None:
        wanted = Hearing(prompt=self.prompt(name))
        self.wait(lambda: self._hearing(listener) == wanted, within_s, lambda: self._hearing(listener))

    async def hears_message(self, listener: LabParty, speaker: LabParty, within_s: float = 5.0) -> None:
        def says() -> frozenset[str]:
            prompt = self._hearing(listener).prompt
            marks = self.sim.recordings.files.get(prompt.removeprefix(RECORDED), [])
            return frozenset(party for mark in marks for party in mark.parties)

        self.wait(lambda: says() == {self._party(speaker)}, within_s, lambda: self._hearing(listener))

    @property
    def now_s(self) -> float:
        return self.clock.now_ms / 1000

    def press(self, channel: Channel, digits: str) -> None:
        """As people press keys."""
        for digit in digits:
            self.sim.prompts.press(channel, digit)
            self.clock.advance(PRESS_MS)

    @staticmethod
    def _party(speaker: LabParty) -> str:
        assert isinstance(speaker, (SimulatedCaller, SimulatedPhone))
        return speaker.channel.party if speaker.channel else ""

    async def pass_time(self, seconds: float) -> None:
        self.clock.advance(round(seconds * 1000))

    async def recorded(self, file: str) -> list[Passage]:
        names = {p.channel.party: p.name for p in self._phones.values() if p.channel}
        marks = self.sim.recordings.files.get(file)
        assert marks, f"there is no recording {file}"
        assert marks[-1].is_end, f"the recording {file} goes on: {marks}"
        return [
            Passage(frozenset(names.get(p, p) for p in mark.parties), (following.at_ms - mark.at_ms) / 1000)
            for mark, following in pairwise(marks)
        ]

    @property
    def moves(self) -> int:
        return self.sim.rooms.moves

    async def channels(self) -> int:
        return len(self.sim.channels)

    # ------------------------------------------------------------------ the link

    async def cut_link(self) -> None:
        self.port.cut()

    async def stall_link(self) -> None:
        self.port.stall()

    async def restore_link(self) -> None:
        self.port.restore()

    # ------------------------------------------------------------------ waiting

    def wait(self, is_so: Callable[[], bool], within_s: float, seen: Callable[[], object]) -> None:
        """Let the virtual time run until it is so, at most `within_s`."""
        until_ms = self.clock.now_ms + round(within_s * 1000)
        while not is_so():
            due = self.clock.next_at_ms()
            if due is None or due > until_ms:
                self.clock.run_until(until_ms)
                raise AssertionError(f"not so within {within_s} s; seen: {seen()}")
            self.clock.step()

    async def wait_fact(self, kind: type[F], within_s: float = 5.0, since: int = 0, **fields: object) -> F:
        def found() -> F | None:
            fitting = (f for f in self.facts[since:] if isinstance(f, kind))
            return next((f for f in fitting if all(getattr(f, k) == v for k, v in fields.items())), None)

        self.wait(lambda: found() is not None, within_s, lambda: self.facts[since:])
        fact = found()
        assert fact is not None
        return fact

    async def settle(self) -> None:
        while (due := self.clock.next_at_ms()) is not None and due <= self.clock.now_ms + QUIET_MS:
            self.clock.step()
        self.clock.advance(QUIET_MS)
