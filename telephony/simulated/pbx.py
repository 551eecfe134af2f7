"""The simulated PBX: what a connector may ask of it."""

from __future__ import annotations

from functools import partial

from routing.core.commands import DialLeg, HangUpLeg, ReplyFeature, ReturnLeg, SetRecording, SetRooms
from routing.core.facts import (
    DialOutcome,
    EarsReached,
    EarsRefused,
    EndedBy,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegState,
    PhoneChanged,
)
from routing.core.recording import RecordingState
from telephony.simulated.channel import Channel, Phone, Place
from telephony.simulated.switch import ELSEWHERE, NORMAL, Switch


class SimulatedPbx(Switch):
    """One PBX node. Everything random comes from `seed`; everything in time runs on `clock`."""

    def dial(self, order: DialLeg) -> str:
        """Ring a telephone; how that ends is told later. Refuses a leg id that was used before."""
        if order.leg_id in self._dialled:
            return f"leg {order.leg_id} was dialled before"
        self._dialled.add(order.leg_id)
        channel = Channel(
            leg_id=order.leg_id,
            party=order.phone,
            place=Place.OWN,
            state=LegState.DIALING,
            phone=order.phone,
            interaction_id=order.interaction_id,
            variables=dict(order.variables),
            file=order.recording,
            shown_caller=f"{order.caller_number}|{order.caller_name}",
        )
        self.channels[order.leg_id] = channel
        self._after(channel, self.timings.ring_ms, lambda: self._reach(channel))
        self._after(channel, order.timeout_s * 1000, lambda: self._time_out(channel))
        return ""

    def _reach(self, channel: Channel) -> None:
        phone = self.phones.get(channel.phone)
        if phone is None or not phone.is_registered:
            return self._fail(channel, DialOutcome.UNREACHABLE if phone else DialOutcome.INVALID)
        if phone.live is not None:
            return self._fail(channel, DialOutcome.BUSY)
        channel.reaction, channel.telephone = phone.habit.react(self.random), phone
        phone.calls.append(channel)
        if channel.reaction.rings:
            self._ring(channel, phone)
        return None

    def _ring(self, channel: Channel, phone: Phone) -> None:
        channel.state, phone.rings = LegState.RINGING, phone.rings + 1
        self._tell(LegRinging(pbx=self.name, leg_id=channel.leg_id))
        phone.changed()
        reaction = channel.reaction
        if reaction.answer_ms is not None:
            self._after(channel, reaction.answer_ms, lambda: self._answer(channel, phone))
        elif reaction.reject_ms is not None:
            self._after(channel, reaction.reject_ms, lambda: self._fail(channel, reaction.outcome))

    def _answer(self, channel: Channel, phone: Phone) -> None:
        self._forget_timers(channel)
        channel.state = LegState.UP
        channel.greeting, channel.answered_ms = phone.greeting, self.clock.now_ms
        self.recordings.note([channel])
        self._tell(LegAnswered(pbx=self.name, leg_id=channel.leg_id))
        phone.changed()

    def _time_out(self, channel: Channel) -> None:
        rang = channel.state is LegState.RINGING
        self._fail(channel, DialOutcome.NO_ANSWER if rang else DialOutcome.UNREACHABLE)

    def end_leg(self, order: HangUpLeg) -> None:
        """Idempotent; nothing happens when there is no such leg."""
        channel = self.channels.get(order.leg_id)
        if channel is None or not self.owns(channel):
            return
        if channel.is_dialled and channel.state is not LegState.UP:
            self._fail(channel, DialOutcome.CANCELLED, ELSEWHERE if order.answered_elsewhere else NORMAL)
        else:
            self._end(channel, EndedBy.SERVER, NORMAL)

    def set_rooms(self, wanted: SetRooms) -> str:
        """All or nothing. Returns why not, or ""."""
        for leg_id in (leg for room in wanted.rooms for leg in room.legs):
            channel = self.channels.get(leg_id)
            if channel is None or not self.owns(channel):
                return f"leg {leg_id} is gone"
            if channel.state is not LegState.UP:
                return f"leg {leg_id} is not answered"
        listed = [leg_id for room in wanted.rooms for leg_id in room.legs]
        for leg_id in (*listed, *(ear.leg for ear in wanted.ears if ear.leg in self.channels)):
            self._take(self.channels[leg_id], wanted.interaction_id)
        before = {leg_id: channel.music for leg_id, channel in self.channels.items()}
        self._start_talks(self.rooms.apply(wanted, self.channels))
        self._interrupt_moved(before)
        self.recordings.note(self.channels.values())
        return ""

    def told_of_ears(self, wanted: SetRooms) -> EarsReached | EarsRefused:
        """How those who shall listen come off."""
        legs = [leg for ear in wanted.ears for leg in (ear.leg, ear.hears) if leg]
        gone = [leg for leg in legs if leg not in self.channels or self.channels[leg].state is not LegState.UP]
        name, id_, version = self.name, wanted.interaction_id, wanted.ears_version
        if gone:
            return EarsRefused(pbx=name, interaction_id=id_, version=version, reason=f"leg {gone[0]} is gone")
        return EarsReached(pbx=name, interaction_id=id_, version=version)

    def _interrupt_moved(self, before: dict[str, str]) -> None:
        """Prompts go on where a leg stays alone with the same music."""
        for leg_id, music in before.items():
            channel = self.channels[leg_id]
            if self.rooms.hears(channel).parties or channel.music != music:
                self.prompts.interrupt(channel)

    def set_recording(self, wanted: SetRecording) -> str:
        """Returns why not, or ""."""
        channel = self.channels.get(wanted.leg_id)
        if channel is None or channel.state is not LegState.UP:
            return f"leg {wanted.leg_id} is not answered"
        if not channel.file or channel.file != wanted.file:
            return f"leg {wanted.leg_id} is not recorded"
        if wanted.state is RecordingState.OFF:
            self.recordings.end(channel)
        channel.is_silenced = wanted.state is RecordingState.PAUSED
        self.recordings.note([channel])
        return ""

    def play(self, leg_id: str, digits: str) -> str:
        """DTMF for the party of that leg. Returns why not, or ""."""
        channel = self.channels.get(leg_id)
        if channel is None or not self.owns(channel) or channel.state is not LegState.UP:
            return f"leg {leg_id} is not answered"
        channel.digits += digits
        return ""

    def _take(self, channel: Channel, interaction_id: str) -> None:
        if channel.fall_back is not None:
            channel.fall_back.cancel()
        channel.place, channel.interaction_id = Place.OWN, interaction_id

    def _start_talks(self, channels: list[Channel]) -> None:
        for channel in self.rooms.in_company(channels):
            channel.has_talked = True
            talk_ms = channel.reaction.talk_ms
            if talk_ms is not None and channel.talk is None:
                channel.talk = self._after(channel, talk_ms, partial(self.hang_up, channel))

    def give_back(self, order: ReturnLeg) -> str:
        """The arrived leg runs the integrator's dialplan again. Returns why not, or ""."""
        channel = self.channels.get(order.leg_id)
        if channel is None or not self.owns(channel) or channel.arrival is None:
            return f"leg {order.leg_id} is gone"
        self.prompts.gone(channel)
        self.rooms.take_out(channel)
        channel.place, channel.interaction_id = Place.DIALPLAN, ""
        channel.variables |= {**order.variables, "SR_RESULT": order.result.value}
        self._tell(LegEnded(pbx=self.name, leg_id=channel.leg_id, ended_by=EndedBy.DIALPLAN))
        return ""

    def mark(self, leg_id: str, variables: dict[str, str]) -> str:
        channel = self.channels.get(leg_id)
        if channel is None or not self.owns(channel):
            return f"leg {leg_id} is gone"
        channel.variables |= variables
        return ""

    def reply_feature(self, order: ReplyFeature) -> str:
        channel = self.channels.get(order.leg_id)
        if channel is None or channel.place is not Place.FEATURE:
            return f"leg {order.leg_id} is gone"
        channel.confirmed = order.accepted
        self._end(channel, EndedBy.SERVER, NORMAL)
        return ""

    def watch(self, phones: tuple[str, ...]) -> None:
        """Tells the state of each telephone now and at each change."""
        self.watched = phones
        for address in phones:
            self._tell(PhoneChanged(pbx=self.name, phone=address, state=self.phone_state(address)))
