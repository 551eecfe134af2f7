"""Channels, telephones and the people at them: what goes on in the simulated PBX without being asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from random import Random

from routing.core.facts import (
    DialFailed,
    DialOutcome,
    EndedBy,
    Fact,
    FeatureDialed,
    LegArrived,
    LegEnded,
    LegState,
    LegTransferred,
    PhoneChanged,
    PhoneState,
    SnapshotLeg,
)
from telephony.simulated.channel import Channel, Hearing, Phone, Place, Timings
from telephony.simulated.clock import Timer, VirtualClock
from telephony.simulated.habits import Answers, Habit, Listener, Patient
from telephony.simulated.prompts import Prompts
from telephony.simulated.recordings import Recordings
from telephony.simulated.rooms import Rooms

# ITU-T Q.850 causes.
NORMAL, ELSEWHERE = 16, 26
CAUSES = {
    DialOutcome.BUSY: 17,
    DialOutcome.NO_ANSWER: 19,
    DialOutcome.UNREACHABLE: 20,
    DialOutcome.REJECTED: 21,
    DialOutcome.INVALID: 28,
}


class Switch:
    """One PBX node. Everything random comes from `seed`; everything in time runs on `clock`."""

    def __init__(
        self, clock: VirtualClock, name: str = "pbx1", *, seed: int = 0, timings: Timings | None = None
    ) -> None:
        self.clock, self.name, self.timings = clock, name, timings or Timings()
        self.random = Random(seed)  # noqa: S311 - a simulation, not a secret
        self.rooms = Rooms()
        self.recordings = Recordings(clock, self.rooms)
        self.prompts = Prompts(clock, self.rooms, self.recordings, self.random, self._tell, self.hang_up)
        self.channels: dict[str, Channel] = {}
        self.phones: dict[str, Phone] = {}
        self.watched: tuple[str, ...] = ()
        self._numbers = count(1)
        self._dialled: set[str] = set()
        self._listener: Callable[[Fact], None] | None = None

    def listen(self, listener: Callable[[Fact], None] | None) -> None:
        """From now on this one hears what happens; None: nobody does."""
        self._listener = listener
        if listener is None:
            self.prompts.disown()

    def _tell(self, fact: Fact) -> None:
        if self._listener is not None:
            self._listener(fact)

    def add_phone(self, address: str, habit: Habit | None = None) -> Phone:
        phone = self.phones[address] = Phone(address=address, habit=habit or Answers(), node=self.name)
        phone.changed = lambda: self._tell_phone(phone)
        return phone

    def add_trunk(self, address: str, phone: Phone) -> None:
        """`address`, dialed here, rings a telephone of another node; its state is still told there."""
        self.phones[address] = phone

    def cut_trunk(self, address: str) -> None:
        """Nothing is at that address any more; who talks over it talks on."""
        self.phones.pop(address, None)

    def register(self, phone: Phone, is_registered: bool) -> None:
        phone.is_registered = is_registered
        phone.changed()

    def phone_state(self, address: str) -> PhoneState:
        phone = self.phones.get(address)
        if phone is None or not phone.is_registered:
            return PhoneState.UNREACHABLE
        if phone.live is None:
            return PhoneState.FREE
        return PhoneState.BUSY if phone.live.state is LegState.UP else PhoneState.RINGING

    def _tell_phone(self, phone: Phone) -> None:
        if phone.address in self.watched:
            self._tell(PhoneChanged(pbx=self.name, phone=phone.address, state=self.phone_state(phone.address)))

    def call_in(self, arrival: LegArrived, patience_ms: int | None = None, listener: Listener | None = None) -> Channel:
        """A caller enters and is handed over; `arrival` without `pbx` and `leg_id`, which are given here.

        He leaves after `patience_ms` unless somebody talked to him before. `listener`: what he does with prompts.
        """
        leg_id = f"{self.name}-{next(self._numbers)}"
        channel = Channel(leg_id=leg_id, party=leg_id, place=Place.HANDED_OVER, state=LegState.UP)
        channel.arrival = replace(arrival, pbx=self.name, leg_id=leg_id)
        channel.listener = listener or Patient()
        self.channels[leg_id] = channel
        channel.fall_back = self._after(channel, self.timings.take_within_ms, lambda: self._fall_back(channel))
        if patience_ms is not None:
            self._after(channel, patience_ms, lambda: self._lose_patience(channel))
        self._tell(channel.arrival)
        return channel

    def _lose_patience(self, channel: Channel) -> None:
        if not channel.has_talked:
            self.hang_up(channel)

    def _fall_back(self, channel: Channel) -> None:
        if channel.place is Place.HANDED_OVER:
            channel.place = Place.DIALPLAN
            self._tell(LegEnded(pbx=self.name, leg_id=channel.leg_id, ended_by=EndedBy.DIALPLAN))

    def hang_up(self, channel: Channel) -> None:
        """The party of that channel hangs up (a ringing telephone: turns the call down)."""
        if channel.is_live and channel.is_dialled and channel.state is not LegState.UP:
            self._fail(channel, DialOutcome.BUSY)
        elif channel.is_live:
            self._end(channel, EndedBy.REMOTE, NORMAL)

    def transfer_away(self, channel: Channel) -> None:
        """The telephone of that channel sends whom it talks with elsewhere, by its own key, and stays in silence."""
        for other in [c for c in self.channels.values() if c is not channel and c.room == channel.room is not None]:
            self.rooms.take_out(other)
            other.place, other.interaction_id = Place.DIALPLAN, ""
            fact = LegTransferred(pbx=self.name, leg_id=other.leg_id, by_leg_id=channel.leg_id, how="blind", to="7009")
            self._tell(fact)
        self.recordings.note(self.channels.values())

    def private_call(self, phone: Phone) -> Channel:
        """The owner of the telephone talks with somebody past Switchroom."""
        return self._own_call(phone, Place.PRIVATE)

    def dial_feature(self, phone: Phone, code: str, argument: str = "") -> Channel:
        channel = self._own_call(phone, Place.FEATURE)
        self._after(channel, self.timings.feature_ms, lambda: self._end(channel, EndedBy.SERVER, NORMAL))
        fact = FeatureDialed(pbx=self.name, leg_id=channel.leg_id, phone=phone.address, code=code, argument=argument)
        self._tell(fact)
        return channel

    def _own_call(self, phone: Phone, place: Place) -> Channel:
        leg_id = f"{self.name}-{next(self._numbers)}"
        channel = Channel(leg_id=leg_id, party=phone.address, place=place, state=LegState.UP, phone=phone.address)
        channel.telephone = phone
        self.channels[leg_id] = channel
        phone.calls.append(channel)
        phone.changed()
        return channel

    def owns(self, channel: Channel) -> bool:
        """Whether Switchroom may do anything with it: it was handed over or dialled by us, and lives."""
        return channel.is_live and channel.place in (Place.OWN, Place.HANDED_OVER)

    def snapshot(self) -> tuple[SnapshotLeg, ...]:
        return tuple(
            SnapshotLeg(leg_id=c.leg_id, interaction_id=c.interaction_id, state=c.state)
            for c in self.channels.values()
            if self.owns(c) and c.state is not None
        )

    def untaken(self) -> list[LegArrived]:
        """Calls that were handed over and that nobody has taken yet, oldest first."""
        waiting = (c for c in self.channels.values() if c.is_live and c.place is Place.HANDED_OVER)
        return [c.arrival for c in waiting if c.arrival is not None]

    def hears(self, channel: Channel) -> Hearing:
        if self.prompts.is_at(channel):
            return Hearing(prompt=channel.prompt)
        return self.rooms.hears(channel)

    def _fail(self, channel: Channel, outcome: DialOutcome, cause: int = 0) -> None:
        self._remove(channel)
        cause = cause or CAUSES.get(outcome, 0)
        self._tell(DialFailed(pbx=self.name, leg_id=channel.leg_id, outcome=outcome, cause=cause))
        self._released(channel)

    def _end(self, channel: Channel, by: EndedBy, cause: int) -> None:
        was_ours = self.owns(channel)
        self.prompts.gone(channel)
        self._remove(channel)
        if was_ours:
            self._tell(LegEnded(pbx=self.name, leg_id=channel.leg_id, ended_by=by, cause=cause))
        self._released(channel)

    def _remove(self, channel: Channel) -> None:
        self._forget_timers(channel)
        self.recordings.end(channel)
        self.rooms.take_out(channel)
        channel.state = None
        self.channels.pop(channel.leg_id, None)
        self.recordings.note(self.channels.values())

    def _released(self, channel: Channel) -> None:
        if channel.telephone is not None:
            channel.telephone.changed()

    def _after(self, channel: Channel, delay_ms: int, call: Callable[[], None]) -> Timer:
        """As the clock's, but forgotten when the channel ends (or is answered)."""
        timer = self.clock.call_later(delay_ms, call)
        channel.timers.append(timer)
        return timer

    def _forget_timers(self, channel: Channel) -> None:
        for timer in channel.timers:
            timer.cancel()
        channel.timers.clear()
