"""Who should hear whom: the wanted rooms of an interaction, derived from its state and nothing else."""

from __future__ import annotations

from typing import Any

from routing.core.commands import Ear, HangUpLeg, HeardBy, Room, SetRooms
from routing.core.interaction import Interaction, InteractionState, Role
from routing.core.supervision import SupervisionMode
from routing.core.world import World

MAIN = "main"
AGENT = "agent"
RINGBACK = "ringback"  # the class of music that is the ringing tone, on every PBX


def wanted_rooms(interaction: Interaction, music: str) -> tuple[Room, ...]:
    """Who is not in the customer's room is in one of his own: a held agent 1 in silence, a held agent 2 with music.

    While an outdial or a callback rings at the customer's, the agent hears the ringing tone. Of a voicemail there is
    nobody but the agent, nor of a seat. A contact who has no agent yet hears nothing.
    """
    customer = interaction.customer_leg
    owner, second = (_legs(interaction, role) for role in Role)
    match interaction.state:
        case InteractionState.CONNECTED | InteractionState.INVITING:
            return (Room(name=MAIN, legs=(customer, *owner)),)
        case InteractionState.CONFERENCE:
            return (Room(name=MAIN, legs=(customer, *owner, *second)),)
        case InteractionState.CONSULT_HELD:
            return (Room(name=MAIN, legs=(customer, *owner)), Room(name=AGENT, legs=second, music=music))
        case InteractionState.CALLING_CUSTOMER:
            return (Room(name=AGENT, legs=owner, music=RINGBACK),) if owner else ()
        case InteractionState.IN_FLOW:
            return (Room(name=MAIN, legs=(customer,)),)
        case InteractionState.LISTENING | InteractionState.SEATED:
            return (Room(name=AGENT, legs=owner),)
        case InteractionState.REACHED:
            alone = Room(name=MAIN, legs=(customer,))
            return (alone, Room(name=AGENT, legs=owner, music=RINGBACK)) if owner else (alone,)
    if not customer:
        return ()
    waiting = Room(name=MAIN, legs=(customer,), music=music)
    agents = owner + second
    return (waiting, Room(name=AGENT, legs=agents)) if agents else (waiting,)


def _legs(interaction: Interaction, role: Role) -> tuple[str, ...]:
    party = interaction.party(role)
    return (party.leg_id,) if party else ()


_HEARD_BY = {
    SupervisionMode.MONITOR: HeardBy.NOBODY,
    SupervisionMode.WHISPER: HeardBy.LEG,
    SupervisionMode.BARGE: HeardBy.ROOM,
}


def wanted_ears(interaction: Interaction) -> tuple[Ear, ...]:
    """Who listens is at the leg of the agent whose call it is, through hold, consult and transfers. He hears nothing
    while it is nobody's.
    """
    supervision, owner = interaction.supervision, interaction.party(Role.OWNER)
    if supervision is None or not supervision.is_up:
        return ()
    hears = owner.leg_id if owner and owner.agent_id else ""
    return (Ear(leg=supervision.leg_id, hears=hears, heard_by=_HEARD_BY[supervision.mode]),)


def converge(world: World, interaction: Interaction) -> Interaction:
    """Ask the PBX for the rooms and ears that this state wants, if they are not the ones already asked for.

    Where nobody is left in any room there is nothing to ask for: every leg has been told to hang up.
    """
    queue = world.config.queues.get(interaction.queue)
    rooms, ears = wanted_rooms(interaction, queue.music if queue else "default"), wanted_ears(interaction)
    changes: dict[str, Any] = {}
    if rooms != interaction.rooms:
        changes |= {"rooms": rooms, "rooms_version": interaction.rooms_version + 1}
    if ears != interaction.ears:
        changes |= {"ears": ears, "ears_version": interaction.ears_version + 1}
    if not changes:
        return interaction
    interaction = world.update_interaction(interaction, **changes)
    if rooms:
        ask(world, interaction)
    return interaction


def ask(world: World, interaction: Interaction) -> None:
    """Send the wanted rooms (again); harmless when they hold already."""
    world.send(
        SetRooms(
            id=world.new_id("cmd"),
            pbx=interaction.pbx,
            interaction_id=interaction.id,
            version=interaction.rooms_version,
            rooms=interaction.rooms,
            ears=interaction.ears,
            ears_version=interaction.ears_version,
        )
    )


def to_confirm(interaction: Interaction) -> dict[str, object]:
    """What the reply to an order tells of the wanted rooms: they hold once `rooms_reached` is `rooms_version`.

    Until then an event with this `rooms_version`, or a higher one after a refusal, confirms them.
    """
    return {
        "version": interaction.version,
        "rooms_version": interaction.rooms_version,
        "rooms_reached": interaction.rooms_reached,
    }


def hang_up(world: World, pbx: str, leg_id: str, *, answered_elsewhere: bool = False) -> None:
    """Order one leg to be hung up; harmless when it is gone."""
    world.send(HangUpLeg(id=world.new_id("cmd"), pbx=pbx, leg_id=leg_id, answered_elsewhere=answered_elsewhere))
