"""A call that is up: hold, resume, end, CAD edits, hang-ups at either end, and what the PBX says of the rooms."""

from __future__ import annotations

from typing import Any

from routing.core import agent_first, cad, callback_attempt, callbacks, consults, reached, seating, supervisor_legs
from routing.core.config import Result
from routing.core.endings import end_interaction
from routing.core.errors import CadConflict
from routing.core.events import EventType
from routing.core.facts import EndedBy, LegEnded, LegTransferred, RoomsReached, RoomsRefused
from routing.core.guard import require
from routing.core.interaction import (
    OUTDIALING,
    WAITING,
    Interaction,
    InteractionState,
    InteractionTrigger,
    OfferEnd,
    Role,
)
from routing.core.offers import miss
from routing.core.orders import EditCad, EndInteraction, Hold, Resume
from routing.core.roles import Action
from routing.core.seats import move
from routing.core.timers import Due, key
from routing.core.topology import ask, to_confirm
from routing.core.world import World

ROOMS_RETRY_MS = 2000
_BEFORE_TALK = OUTDIALING | {InteractionState.REACHED}
INTEGRATION = "integration"  # author of a save whose order names nobody
Values = dict[str, object]


def hold(world: World, order: Hold) -> Values:
    """The customer hears music.

    `interaction.held` follows when the PBX has confirmed it. In a consult: back to agent 2.
    """
    _, interaction = require(world, order.agent_id, order.interaction_id, Action.HOLD)
    return to_confirm(move(world, interaction, InteractionTrigger.CUSTOMER_HELD))


def resume(world: World, order: Resume) -> Values:
    """Agent and customer hear each other again, as `interaction.resumed` confirms. A consulted agent goes on hold."""
    _, interaction = require(world, order.agent_id, order.interaction_id, Action.RESUME)
    return to_confirm(move(world, interaction, InteractionTrigger.CUSTOMER_RESUMED))


def end(world: World, order: EndInteraction) -> Values:
    """The agent ends the call (END-03: not while it is on hold)."""
    agent, interaction = require(world, order.agent_id, order.interaction_id, Action.END)
    end_interaction(world, interaction, Result.ANSWERED, agent.id)
    return {}


def edit_cad(world: World, order: EditCad) -> Values:
    """One atomic save. Raises CadConflict when somebody saved first, CadRefused when a value breaks its declaration.

    By an agent raises as `require`; by a flow or an integration UnknownInteraction alone (CAD-17).
    """
    interaction, author = _author(world, order)
    declared, old = world.config.cad_of(interaction.entry_point), interaction.cad
    if order.expected_version not in (None, interaction.cad_version):
        raise CadConflict(
            current_version=interaction.cad_version,
            expected_version=order.expected_version,
            author=interaction.cad_author,
            current=cad.excerpt(declared, old, order.values),
            yours=cad.excerpt(declared, order.values, order.values),
        )
    values = cad.edit(declared, old, order.values, is_by_agent=bool(order.agent_id))
    version = interaction.cad_version + 1
    interaction = world.update_interaction(interaction, cad=values, cad_version=version, cad_author=author)
    changed, previous = (cad.excerpt(declared, side, order.values) for side in (values, old))
    told = {"cad": changed, "previous": previous, "cad_version": version, "author": author}
    world.emit(EventType.CAD_CHANGED, interaction, order.agent_id, **told)
    return {"cad_version": version}


def _author(world: World, order: EditCad) -> tuple[Interaction, str]:
    """The call, and who is named as the author of the save."""
    if not order.agent_id:
        return world.interaction(order.interaction_id), order.actor or INTEGRATION
    agent, interaction = require(world, order.agent_id, order.interaction_id, Action.EDIT_CAD)
    return interaction, agent.id


def leg_ended(world: World, fact: LegEnded) -> None:
    """Somebody hung up, or a leg is gone. A leg nobody knows any more has been dealt with."""
    interaction = world.interaction_of(fact.leg_id)
    if interaction is None or supervisor_legs.leg_ended(world, fact):
        return
    if interaction.kind == "seat" and not interaction.offers:
        seating.hung_up(world, interaction, is_known=fact.ended_by is not EndedBy.UNKNOWN)
    elif fact.leg_id == interaction.customer_leg and interaction.state is InteractionState.REACHED:
        reached.customer_gone(world, interaction)
    elif fact.leg_id == interaction.customer_leg:
        _customer_gone(world, interaction, is_taken_back=fact.ended_by is EndedBy.DIALPLAN)
    elif offer := next((o for o in interaction.offers if o.leg_id == fact.leg_id), None):
        miss(world, interaction, offer, OfferEnd.UNREACHABLE)
    else:
        party = next(p for p in interaction.parties if p.leg_id == fact.leg_id)
        if party.role is Role.CONSULTED:
            consults.left(world, interaction, party)
        elif interaction.is_calling_back:
            callback_attempt.agent_left(world, interaction, party.agent_id)
        elif interaction.kind == "campaign" and interaction.state in _BEFORE_TALK:
            agent_first.left(world, interaction, party.agent_id)
        else:
            result = Result.CANCELLED if interaction.state in OUTDIALING else _of_talk(interaction)
            end_interaction(world, interaction, result, party.agent_id or "external")


def _of_talk(interaction: Interaction) -> Result:
    """How a call ends that somebody has taken."""
    return Result.TRANSFERRED if interaction.result is Result.TRANSFERRED else Result.ANSWERED


def _customer_gone(world: World, interaction: Interaction, *, is_taken_back: bool) -> None:
    """He hung up, or the dialplan has him again. Who had chosen a callback or left a message has not abandoned."""
    if interaction.parties:
        result = _of_talk(interaction)
    elif interaction.result in (Result.CALLBACK, Result.VOICEMAIL):
        result = interaction.result
    else:
        result = Result.UNAVAILABLE if is_taken_back else Result.ABANDONED
        if interaction.state in WAITING and not is_taken_back:
            callbacks.after_abandon(world, interaction)
            interaction = world.interaction(interaction.id)
    end_interaction(world, interaction, result, "dialplan" if is_taken_back else "customer")


def leg_transferred(world: World, fact: LegTransferred) -> None:
    """A telephone's own transfer key was used (CONS-14): what it did is told, and the call follows it truthfully.

    The customer who was sent away goes on where he is, so the interaction is over and he is not hung up. An agent who
    was sent away counts as one who has hung up.
    """
    interaction = world.interaction_of(fact.leg_id)
    if interaction is None:
        return
    by = next((p.agent_id for p in interaction.parties if p.leg_id == fact.by_leg_id), "")
    what = {"pbx": fact.pbx, "what": "transferred by a telephone", "how": fact.how, "to": fact.to[:64]}
    is_customer = fact.leg_id == interaction.customer_leg
    world.emit(EventType.PBX_MISMATCH, interaction, by, leg_id=fact.leg_id, is_customer=is_customer, **what)
    ended_by = EndedBy.DIALPLAN if is_customer else EndedBy.UNKNOWN
    leg_ended(world, LegEnded(pbx=fact.pbx, leg_id=fact.leg_id, ended_by=ended_by))


_REACHED = {
    InteractionState.HELD: EventType.INTERACTION_HELD,
    InteractionState.CONNECTED: EventType.INTERACTION_RESUMED,
}


def rooms_reached(world: World, fact: RoomsReached) -> None:
    """The PBX confirms the wanted rooms: only now is a call called bridged, held or resumed.

    Every confirmed version is told, in the other states as `interaction.media_confirmed`.
    """
    interaction = world.state.interactions.get(fact.interaction_id)
    if interaction is None or fact.version != interaction.rooms_version or fact.version == interaction.rooms_reached:
        return
    is_first = interaction.state is InteractionState.CONNECTED and interaction.bridged_at_ms is None
    changes: dict[str, Any] = {"bridged_at_ms": world.now_ms} if is_first else {}
    interaction = world.update_interaction(interaction, rooms_reached=fact.version, **changes)
    agent_id = interaction.parties[0].agent_id if interaction.parties else ""
    confirmed = _REACHED.get(interaction.state, EventType.INTERACTION_MEDIA_CONFIRMED)
    type_ = EventType.INTERACTION_BRIDGED if is_first else confirmed
    world.emit(type_, interaction, agent_id, rooms_version=fact.version, state=interaction.state.value)


def rooms_refused(world: World, fact: RoomsRefused) -> None:
    """The PBX cannot make the wanted rooms. If a leg is gone its own fact ends the call; else we ask again."""
    interaction = world.state.interactions.get(fact.interaction_id)
    if interaction is not None and fact.version == interaction.rooms_version:
        values = {"what": "rooms refused", "reason": fact.reason[:256]}
        world.emit(EventType.PBX_MISMATCH, interaction, pbx=fact.pbx, rooms_version=fact.version, **values)
        world.set_timer(key(Due.ROOMS, interaction.id), world.now_ms + ROOMS_RETRY_MS)


def ask_again(world: World, interaction_id: str) -> None:
    """Repeat the wanted rooms under a new version."""
    if interaction := world.state.interactions.get(interaction_id):
        ask(world, world.update_interaction(interaction, rooms_version=interaction.rooms_version + 1))
