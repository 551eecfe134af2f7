"""From wanted rooms and what is there to the next steps. Pure: asked again after every event, until nothing is left.

A leg alone stands in a context of the dialplan (music or silence); two legs are joined by Bridge; three or more are in
a conference. Nobody hears a wrong party in between: legs leave before others enter. Legs that nobody lists are left
alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from routing.core.commands import Room

# The contexts of our dialplan, under the same names on every PBX.
OURS = "switchroom-"
CONTEXT_WAIT, CONTEXT_IDLE, CONTEXT_AGENT = "switchroom-wait", "switchroom-idle", "switchroom-agent"
CONTEXT_ROOM, CONTEXT_RETURN, CONTEXT_HANDOVER = "switchroom-room", "switchroom-return", "switchroom"
CONTEXT_FEATURE = "switchroom-feature"
# Prompts and messages: the extension is the music that the leg hears afterwards, as in CONTEXT_WAIT, or NO_MUSIC.
CONTEXT_PROMPT, CONTEXT_MESSAGE, NO_MUSIC = "switchroom-prompt", "switchroom-message", "no_music"
# In the same manner: whether a person or an answering machine has answered.
CONTEXT_MACHINE = "switchroom-machine"
PROMPTING = (CONTEXT_PROMPT, CONTEXT_MESSAGE, CONTEXT_MACHINE)
# Who listens to others, see `telephony.ears`.
CONTEXT_EAR = "switchroom-ear"
# In CONTEXT_IDLE, where nothing is sent to who stands there otherwise: silence, into which one can whisper.
HEARD = "heard"
# Where a telephone's own transfer would lead: nowhere.
CONTEXT_NONE = "switchroom-none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a leg is. `company`: the others in its bridge; `conference`: the bridge's name when it is a conference.

    `is_leaving`: a hang-up is on its way, or it is in the hands of the dialplan that it is going back to.
    """

    context: str
    exten: str
    bridge: str = ""
    conference: str = ""
    company: frozenset[str] = frozenset()
    is_leaving: bool = False

    @property
    def is_pair(self) -> bool:
        """In a plain bridge: if one goes, the other falls back to its own place by itself."""
        return bool(self.bridge) and not self.conference

    @property
    def is_falling(self) -> bool:
        """The other one has left their bridge, so this one is about to.

        Who redirects it in this moment may lose the call: "Can't move channel. One or both is dead", and it is hung up.
        """
        return self.is_pair and not self.company


@dataclass(frozen=True, slots=True)
class Move:
    """Redirect one leg, or two legs of one bridge together."""

    legs: tuple[str, ...]
    context: str
    exten: str


@dataclass(frozen=True, slots=True)
class Join:
    """Bridge two legs."""

    legs: tuple[str, str]


Step = Move | Join
Spots = Mapping[str, Spot]


@dataclass(frozen=True, slots=True)
class Plan:
    """Nothing to do and nothing to wait for: `is_reached`. Otherwise `steps`, or wait for what is under way.

    `is_falling`: that is a leg which leaves its bridge by itself.
    """

    is_reached: bool
    steps: tuple[Step, ...] = ()
    is_falling: bool = False


@dataclass(slots=True)
class _Draft:
    """Collects steps. A leg that is under way is not touched, nor is the other one of its pair."""

    spots: Spots
    busy: set[str]
    steps: list[Step] = field(default_factory=list)
    is_reached: bool = True

    def is_free(self, legs: Iterable[str]) -> bool:
        return not any(leg in self.busy or self.busy & self._partners(leg) for leg in legs)

    def _partners(self, leg: str) -> frozenset[str]:
        spot = self.spots.get(leg)
        return spot.company if spot and spot.is_pair else frozenset()

    def add(self, step: Step) -> None:
        if not self.is_free(step.legs):
            return
        for leg in step.legs:
            self.busy |= {leg, *self._partners(leg)}
        self.steps.append(step)


def plan(rooms: tuple[Room, ...], spots: Spots, busy: Iterable[str], prefix: str, *, is_patient: bool = True) -> Plan:
    """The steps that can be done now. `busy`: legs with an action under way; `prefix` names our conferences.

    Every leg of `rooms` must be in `spots`; spots of further legs tell who else is where. Without `is_patient` a leg
    that should have fallen out of its bridge by itself long ago is moved.
    """
    listed = {leg for room in rooms for leg in room.legs}
    falling = {leg for leg, spot in spots.items() if spot.is_falling and is_patient} - {*busy}
    draft = _Draft(spots, {*busy, *falling, *(leg for leg, spot in spots.items() if spot.is_leaving)})
    draft.is_reached = not draft.busy & listed
    ordered = sorted(rooms, key=lambda room: (len(room.legs), not room.music))
    claims = _claims(draft, rooms)
    for room in ordered:
        if len(room.legs) == 1:
            _alone(draft, room.legs[0], room.music)
        elif len(room.legs) == 2:
            _together(draft, room.legs[0], room.legs[1], claims.get(room.name, ""))
        elif room.legs:
            _conference(draft, room, claims.get(room.name, ""), f"{prefix}_{room.name}")
    return Plan(draft.is_reached and not draft.steps, tuple(draft.steps), bool(falling & listed))


def fits_alone(spot: Spot, music: str) -> bool:
    if spot.bridge:
        return False
    if spot.context in PROMPTING:
        return spot.exten == (music or NO_MUSIC)
    if music:
        return (spot.context, spot.exten) == (CONTEXT_WAIT, music)
    return spot.context in (CONTEXT_IDLE, CONTEXT_AGENT)


def place_of_prompts(spot: Spot) -> str:
    """The extension at which a leg that stands here hears prompts; empty when it is not alone in a room of ours."""
    if spot.bridge or spot.is_leaving:
        return ""
    if spot.context in (CONTEXT_WAIT, *PROMPTING):
        return spot.exten
    return NO_MUSIC if spot.context in (CONTEXT_IDLE, CONTEXT_AGENT) else ""


def _alone(draft: _Draft, leg: str, music: str) -> None:
    if fits_alone(draft.spots[leg], music):
        return
    draft.is_reached = False
    draft.add(Move((leg,), CONTEXT_WAIT, music) if music else Move((leg,), CONTEXT_IDLE, "s"))


def _together(draft: _Draft, one: str, other: str, claim: str) -> None:
    first, second = draft.spots[one], draft.spots[other]
    if first.company == {other} and second.company == {one}:
        return
    draft.is_reached = False
    in_conference = [leg for leg in (one, other) if draft.spots[leg].conference]
    if claim and len(in_conference) == 2:
        return  # alone together as soon as the others have left
    for leg in in_conference:  # Bridge cannot pull a leg out of a conference
        draft.add(Move((leg,), CONTEXT_IDLE, "s"))
    if not in_conference:
        draft.add(Join((one, other)))


def _conference(draft: _Draft, room: Room, claim: str, base: str) -> None:
    wanted, members = set(room.legs), _members(draft).get(claim, set())
    name = _names(draft).get(claim) or _new_name(draft, base)
    if members == wanted:
        return
    draft.is_reached = False
    if members - wanted:
        return  # nobody enters before those have left who must not hear him
    outside = [leg for leg in room.legs if leg not in members]
    while outside:
        leg = outside.pop(0)
        pair = next((m for m in outside if draft.spots[leg].company == {m} and draft.spots[leg].is_pair), None)
        legs = (leg, pair) if pair else (leg,)
        outside = [m for m in outside if m != pair]
        draft.add(Move(legs, CONTEXT_ROOM, name))


def _members(draft: _Draft) -> dict[str, set[str]]:
    """Who is in which conference, by the bridge's id."""
    members: dict[str, set[str]] = {}
    for leg, spot in draft.spots.items():
        if spot.conference:
            members.setdefault(spot.bridge, set()).add(leg)
    return members


def _names(draft: _Draft) -> dict[str, str]:
    """The conferences by the bridge's id."""
    return {spot.bridge: spot.conference for spot in draft.spots.values() if spot.conference}


def _claims(draft: _Draft, rooms: tuple[Room, ...]) -> dict[str, str]:
    """Which room stays in which conference, as its bridge's id by room name; the others leave it, so that two never
    wait for each other.

    The largest room chooses first, the conference where most of its legs are and which strangers will leave.
    """
    members, claims = _members(draft), dict[str, str]()
    listed = {leg for room in rooms for leg in room.legs}
    for room in sorted(rooms, key=lambda room: -len(room.legs)):
        wanted = set(room.legs)
        usable = [
            bridge
            for bridge, legs in members.items()
            if bridge not in claims.values()
            and len(legs & wanted) >= (2 if len(wanted) == 2 else 1)
            and all(leg in draft.busy or leg in listed for leg in legs - wanted)
            and (legs == wanted or _can_be_entered(draft, bridge))
        ]
        if usable and len(wanted) > 1:
            claims[room.name] = max(usable, key=lambda b: (len(members[b] & wanted), -len(members[b]), b))
    return claims


def _can_be_entered(draft: _Draft, bridge: str) -> bool:
    """Somebody stays in this conference, and it is the only one of its name.

    Who enters in the moment when the last one leaves gets into one that is over: Asterisk (22) lets him in, alone, and
    opens another one under the same name for those who come after him.
    """
    names = _names(draft)
    return not _members(draft)[bridge] <= draft.busy and [*names.values()].count(names[bridge]) == 1


def _new_name(draft: _Draft, base: str) -> str:
    """A name under which there is no conference."""
    taken = _names(draft).values()
    number, name = 1, base
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    return name
