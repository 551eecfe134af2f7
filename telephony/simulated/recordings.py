"""Files of recorded channels, as marks in time: who is audible from when on."""

from __future__ import annotations

from collections.abc import Iterable

from telephony.simulated.channel import Channel, Mark
from telephony.simulated.clock import VirtualClock
from telephony.simulated.rooms import Rooms


class Recordings:
    """`files`: the marks of each file, oldest first."""

    def __init__(self, clock: VirtualClock, rooms: Rooms) -> None:
        self._clock, self._rooms = clock, rooms
        self.files: dict[str, list[Mark]] = {}

    def note(self, channels: Iterable[Channel]) -> None:
        """Mark what has changed for the recorded ones of these."""
        for channel in channels:
            if channel.file:
                self._note(channel)

    def _note(self, channel: Channel) -> None:
        heard = self._rooms.hears(channel, with_whispers=False).parties | {channel.party}
        parties = frozenset() if channel.is_silenced else heard
        marks = self.files.setdefault(channel.file, [])
        if not marks or marks[-1].parties != parties:
            marks.append(Mark(self._clock.now_ms, parties))

    def end(self, channel: Channel) -> None:
        """The file is complete."""
        if channel.file in self.files:
            self.files[channel.file].append(Mark(self._clock.now_ms, is_end=True))
        channel.file = ""
