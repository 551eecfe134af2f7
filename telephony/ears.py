"""Who listens: from the wanted ears and what is there to the next steps. Pure.

An ear is in no room. It stands in a context of the dialplan that listens at one channel wherever that goes, and whose
extension says at which, and whether it may whisper; so a snapshot tells what it hears. One that is heard by a whole
room is simply in that room; where there is nobody else in it, that is the same as to whisper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from routing.core.commands import Ear, HeardBy, Room
from telephony.rooms import CONTEXT_EAR, CONTEXT_IDLE, HEARD, Move, Spot, Spots, fits_alone
from telephony.safety import word

HEAR, WHISPER = "hear_", "whisper_"


@dataclass(frozen=True, slots=True)
class Listen:
    """Send a leg to where it listens at `hears`."""

    legs: tuple[str, ...]
    context: str
    exten: str
    hears: str


@dataclass(frozen=True, slots=True)
class Hearing:
    """Nothing to do and nothing to wait for: `is_reached`."""

    is_reached: bool
    steps: tuple[Move | Listen, ...] = ()


def seated(rooms: tuple[Room, ...], ears: Iterable[Ear]) -> tuple[tuple[Room, ...], tuple[Ear, ...]]:
    """The rooms with those in them whom a whole room hears, and the ears that are left."""
    left: list[Ear] = []
    for ear in ears:
        room = next((room for room in rooms if ear.hears in room.legs), None)
        if ear.heard_by is HeardBy.ROOM and room is not None and len(room.legs) > 1:
            rooms = tuple(replace(r, legs=(*r.legs, ear.leg)) if r is room else r for r in rooms)
        else:
            left.append(ear)
    return rooms, tuple(left)


def hold(rooms: Iterable[Room], spots: Spots, ears: set[str]) -> bool:
    """Those of each room hear each other and, but for ears, nobody else: whoever listens, that is what was wanted."""
    for room in rooms:
        for leg in room.legs:
            if len(room.legs) == 1 and not fits_alone(spots[leg], room.music):
                return False
            if len(room.legs) > 1 and spots[leg].company - ears != {*room.legs} - {leg}:
                return False
    return True


def hearing(ears: Iterable[Ear], spots: Spots, busy: Iterable[str], uid_of: Callable[[str], str]) -> Hearing:
    """The steps that can be done now. `busy`: legs with an action under way."""
    under_way = {*busy, *(leg for leg, spot in spots.items() if spot.is_leaving)}
    wanted = {ear.leg: _step(ear, spots[ear.leg], uid_of) for ear in ears}
    steps = [step for leg, step in wanted.items() if step is not None and leg not in under_way]
    return Hearing(not any(wanted.values()) and under_way.isdisjoint(wanted), tuple(steps))


def prepared(rooms: Iterable[Room], ears: Iterable[Ear], spots: Spots, busy: Iterable[str]) -> Hearing:
    """Where a PBX sends nothing to who is alone in silence: who is whispered to goes where silence is sent."""
    alone = {room.legs[0] for room in rooms if len(room.legs) == 1 and not room.music}
    legs = alone & {ear.hears for ear in ears if ear.heard_by is not HeardBy.NOBODY}
    legs = {leg for leg in legs if fits_alone(spots[leg], "") and spots[leg].exten != HEARD}
    free = sorted(leg for leg in legs.difference(busy) if not spots[leg].is_leaving)
    return Hearing(not legs, tuple(Move((leg,), CONTEXT_IDLE, HEARD) for leg in free))


def _step(ear: Ear, spot: Spot, uid_of: Callable[[str], str]) -> Move | Listen | None:
    if not ear.hears:
        return None if fits_alone(spot, "") else Move((ear.leg,), CONTEXT_IDLE, "s")
    exten = word((HEAR if ear.heard_by is HeardBy.NOBODY else WHISPER) + uid_of(ear.hears))
    if not spot.bridge and (spot.context, spot.exten) == (CONTEXT_EAR, exten):
        return None
    return Listen((ear.leg,), CONTEXT_EAR, exten, ear.hears)
