"""Who hears whom: channels in rooms, moved only where the wanted rooms differ from those that are there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from routing.core.commands import Ear, HeardBy, SetRooms
from routing.core.facts import LegState
from telephony.ears import seated
from telephony.simulated.channel import Channel, Hearing, Place, RoomKey


@dataclass(frozen=True, slots=True)
class _Ear:
    channel: Channel
    to: Channel
    is_heard: bool


class Rooms:
    """`moves` counts how often a channel changed its room or its music: no move, no audible break."""

    __slots__ = ("_ears", "_members", "moves")

    def __init__(self) -> None:
        self._members: dict[RoomKey, list[Channel]] = {}
        self._ears: dict[str, _Ear] = {}
        self.moves = 0

    def members(self, key: RoomKey | None) -> list[Channel]:
        return self._members.get(key, []) if key is not None else []

    def apply(self, wanted: SetRooms, channels: dict[str, Channel]) -> list[Channel]:
        """Put every listed channel where it shall be; returns all that are in these rooms now."""
        listed: list[Channel] = []
        up = {leg_id for leg_id, channel in channels.items() if channel.state is LegState.UP}
        live = [ear for ear in wanted.ears if ear.leg in up and (not ear.hears or ear.hears in up)]
        rooms, listening = seated(wanted.rooms, live)
        for ear in listening:
            self._listen(channels, ear)
        for room in rooms:
            key = RoomKey(wanted.interaction_id, room.name)
            for leg_id in room.legs:
                self._put(channels[leg_id], key, room.music)
                listed.append(channels[leg_id])
        return listed

    def _listen(self, channels: dict[str, Channel], ear: Ear) -> None:
        self.take_out(channels[ear.leg])
        if ear.hears:
            is_heard = ear.heard_by is not HeardBy.NOBODY
            self._ears[ear.leg] = _Ear(channels[ear.leg], channels[ear.hears], is_heard)

    def _put(self, channel: Channel, key: RoomKey, music: str) -> None:
        is_alone = len(self.members(key)) <= 1
        self._ears.pop(channel.leg_id, None)
        if channel.room == key and (channel.music == music or not is_alone):
            channel.music = music
            return
        if channel.room != key:
            self.take_out(channel)
            self._members.setdefault(key, []).append(channel)
        channel.room, channel.music = key, music
        self.moves += 1

    def take_out(self, channel: Channel) -> None:
        """The channel leaves its room, if it is in one, into silence, and listens no more."""
        self._ears.pop(channel.leg_id, None)
        members = self.members(channel.room)
        if channel in members:
            members.remove(channel)
            if not members and channel.room is not None:
                del self._members[channel.room]
        channel.room, channel.music = None, ""

    def hears(self, channel: Channel, *, with_whispers: bool = True) -> Hearing:
        """`with_whispers`: also what a supervisor says to it alone, which no recording holds."""
        if not channel.is_live:
            return Hearing()
        if channel.leg_id in self._ears:
            return self._listens(channel, self._ears[channel.leg_id].to)
        heard = self._in_room(channel)
        whispers = frozenset(self._whispers(channel)) if with_whispers else frozenset()
        return Hearing(parties=heard.parties | whispers, music=heard.music)

    def _listens(self, channel: Channel, to: Channel) -> Hearing:
        """What that one says, and what is said to him by others."""
        if not to.is_live:
            return Hearing()
        heard = self.hears(to)
        return Hearing(parties=(heard.parties | {to.party}) - {channel.party}, music=heard.music)

    def _whispers(self, channel: Channel) -> list[str]:
        return [ear.channel.party for ear in self._ears.values() if ear.to is channel and ear.is_heard]

    def _in_room(self, channel: Channel) -> Hearing:
        if channel.place is Place.HANDED_OVER:
            return Hearing(music="default")
        others = frozenset(c.party for c in self.members(channel.room) if c is not channel)
        return Hearing(parties=others, music="" if others else channel.music)

    def in_company(self, channels: Iterable[Channel]) -> list[Channel]:
        """Those of the channels who hear somebody."""
        return [c for c in channels if self.hears(c).parties]
