"""Who hears whom: channels in rooms, moved only where the wanted rooms differ from those that are there."""

from __future__ import annotations

from collections.abc import Iterable

from routing.core.commands import SetRooms
from telephony.simulated.channel import Channel, Hearing, Place, RoomKey


class Rooms:
    """`moves` counts how often a channel changed its room or its music: no move, no audible break."""

    __slots__ = ("_members", "moves")

    def __init__(self) -> None:
        self._members: dict[RoomKey, list[Channel]] = {}
        self.moves = 0

    def members(self, key: RoomKey | None) -> list[Channel]:
        return self._members.get(key, []) if key is not None else []

    def apply(self, wanted: SetRooms, channels: dict[str, Channel]) -> list[Channel]:
        """Put every listed channel where it shall be; returns all that are in these rooms now."""
        listed: list[Channel] = []
        for room in wanted.rooms:
            key = RoomKey(wanted.interaction_id, room.name)
            for leg_id in room.legs:
                self._put(channels[leg_id], key, room.music)
                listed.append(channels[leg_id])
        return listed

    def _put(self, channel: Channel, key: RoomKey, music: str) -> None:
        is_alone = len(self.members(key)) <= 1
        if channel.room == key and (channel.music == music or not is_alone):
            channel.music = music
            return
        if channel.room != key:
            self.take_out(channel)
            self._members.setdefault(key, []).append(channel)
        channel.room, channel.music = key, music
        self.moves += 1

    def take_out(self, channel: Channel) -> None:
        """The channel leaves its room, if it is in one, into silence."""
        members = self.members(channel.room)
        if channel in members:
            members.remove(channel)
            if not members and channel.room is not None:
                del self._members[channel.room]
        channel.room, channel.music = None, ""

    def hears(self, channel: Channel) -> Hearing:
        if not channel.is_live:
            return Hearing()
        if channel.place is Place.HANDED_OVER:
            return Hearing(music="default")
        others = frozenset(c.party for c in self.members(channel.room) if c is not channel)
        return Hearing(parties=others, music="" if others else channel.music)

    def in_company(self, channels: Iterable[Channel]) -> list[Channel]:
        """Those of the channels who hear somebody."""
        return [c for c in channels if self.hears(c).parties]
