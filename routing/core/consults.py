"""Consult and conference: agent 1 brings agent 2 in, aside or all three together, and who may end what.

Agent 2 may be an external party at a dial number: all the same, but that he has no state and gives no orders.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from routing.core.config import Result
from routing.core.endings import end_interaction
from routing.core.errors import ActionNotAllowed
from routing.core.events import EventType
from routing.core.guard import Outside, require, require_free, require_number, require_one_target, require_queue
from routing.core.interaction import (
    Consult,
    Interaction,
    InteractionState,
    InteractionTrigger,
    Offer,
    OfferEnd,
    OfferPurpose,
    Party,
    Role,
)
from routing.core.orders import Invite, OnConsult, StartConsult
from routing.core.ringing import consult_card, outside_of, rescind, ring, ring_outside
from routing.core.roles import Action
from routing.core.seats import move, release, unseat
from routing.core.topology import hang_up, to_confirm
from routing.core.world import World

Values = dict[str, object]
_T = InteractionTrigger


def start(world: World, order: StartConsult) -> Values:
    """The customer goes on hold (HOLD-06), a second agent is rung or sought in a queue (CONS-01, 02, 04).

    Raises as `require`, and AgentNotAvailable, UnknownAgent, UnknownTarget, NumberRefused.
    """
    return _ask(world, order, Action.CONSULT, _T.CONSULT_ASKED)


def invite(world: World, order: Invite) -> Values:
    """The instant form: the customer is not held meanwhile, the second agent joins at his answer (CONF-07, A26)."""
    return _ask(world, order, Action.INVITE, _T.INVITED)


def _ask(world: World, order: StartConsult | Invite, action: Action, trigger: InteractionTrigger) -> Values:
    _, interaction = require(world, order.agent_id, order.interaction_id, action)
    require_one_target(agent=order.to_agent, queue=order.to_queue, number=order.to_number)
    outside = _require_target(world, order, interaction)
    consult = Consult(
        id=world.new_id("con"),
        asked_at_ms=world.now_ms,
        agent_id=order.to_agent or "",
        queue=order.to_queue or "",
        number=outside.number.text if outside else "",
    )
    interaction = move(world, interaction, trigger, consult=consult)
    target = {"to_agent": consult.agent_id, "to_queue": consult.queue, "to_number": consult.number}
    world.emit(EventType.CONSULT_REQUESTED, interaction, order.agent_id, **target, status="consult requested")
    if order.to_agent:
        interaction = ring(world, interaction, (order.to_agent,), OfferPurpose.CONSULT)
    elif outside:
        interaction = ring_outside(world, interaction, outside, OfferPurpose.CONSULT)
    return {"consult_id": consult.id, **to_confirm(interaction), **(outside.values() if outside else {})}


def _require_target(world: World, order: StartConsult | Invite, interaction: Interaction) -> Outside | None:
    if order.to_number:
        return require_number(world, order.agent_id, interaction, order.to_number)
    if order.to_agent:
        require_free(world, order.to_agent, interaction)
    else:
        require_queue(world, order.to_queue or "")
    return None


def joined(world: World, interaction: Interaction, offer: Offer) -> None:
    """The second agent answered: the two talk aside, or all three together when he was invited."""
    party = Party(
        agent_id=offer.agent_id,
        number=offer.number,
        leg_id=offer.leg_id,
        joined_at_ms=world.now_ms,
        role=Role.CONSULTED,
        recording=offer.recording,
    )
    was_invited = interaction.state is InteractionState.INVITING
    interaction = move(world, interaction, _T.CONSULT_ANSWERED, parties=(*interaction.parties, party))
    world.emit(EventType.CONSULT_ANSWERED, interaction, offer.agent_id, **outside_of(offer))
    if was_invited:
        _tell_conference(world, interaction)


def not_taken(world: World, interaction: Interaction, offer: Offer, end: OfferEnd) -> None:
    """The second agent did not come: a queue looks for the next one, a named agent ends the consult (CONS-11)."""
    consult = interaction.consult
    if consult is None:
        return
    if consult.queue:
        skips = (*consult.skips, offer.agent_id)
        world.update_interaction(interaction, consult=replace(consult, skips=skips))
    else:
        world.emit(EventType.CONSULT_NOT_TAKEN, interaction, offer.agent_id, outcome=end.value, **outside_of(offer))
        _over(world, interaction, end.value)


def act(world: World, order: OnConsult) -> Values:
    """One of the controls of a running consult or conference. Raises as `require`."""
    try:
        action = Action(order.action)
        handler = _ACTS[action]
    except (ValueError, KeyError):
        raise ActionNotAllowed(action=order.action, allowed_actions=sorted(a.value for a in _ACTS)) from None
    _, interaction = require(world, order.agent_id, order.interaction_id, action)
    handler(world, interaction)
    found = world.state.interactions.get(interaction.id)
    return to_confirm(found or interaction)


def _cancel(world: World, interaction: Interaction) -> None:
    """The initiator does not want it any more; the customer's call is as before, to be resumed (CONS-05)."""
    for offer in interaction.offers:
        interaction = rescind(world, interaction, offer, OfferEnd.RESCINDED)
    _over(world, interaction, "cancelled")


def _hold_consult(world: World, interaction: Interaction) -> None:
    """Holding agent 2 and resuming the customer are one step (A5, HOLD-07)."""
    _toggle(world, interaction, _T.CUSTOMER_RESUMED)


def _resume_consult(world: World, interaction: Interaction) -> None:
    _toggle(world, interaction, _T.CUSTOMER_HELD)


def _toggle(world: World, interaction: Interaction, trigger: InteractionTrigger) -> None:
    interaction = move(world, interaction, trigger)
    status = "consult on hold" if interaction.state is InteractionState.CONSULT_HELD else "consulting"
    world.emit(EventType.CONSULT_TOGGLED, interaction, status=status)


def _conference(world: World, interaction: Interaction) -> None:
    """All three hear each other; the customer is un-held (CONF-02)."""
    _tell_conference(world, move(world, interaction, _T.CONFERENCED))


def _tell_conference(world: World, interaction: Interaction) -> None:
    """With what the consult had, and who was consulted (CONF-03, CONF-04)."""
    second = interaction.party(Role.CONSULTED)
    config = world.config.agents.get(second.agent_id) if second else None
    who: dict[str, Any] = {"consulted_name": config.name, "consulted_dn": config.phone} if config else {}
    if second and second.number:
        who = {"consulted_name": "", "consulted_dn": second.number}
    world.emit(EventType.CONFERENCE_STARTED, interaction, **(who | consult_card(world, interaction)))


def _complete_transfer(world: World, interaction: Interaction) -> None:
    """Agent 2 and the customer go on; agent 1 wraps up (CONSROLE-07, CONFROLE-07)."""
    owner, second = interaction.party(Role.OWNER), interaction.party(Role.CONSULTED)
    if owner is None or second is None:
        return
    parties = (replace(second, role=Role.OWNER),)
    interaction = move(world, interaction, _T.HANDED_OVER, parties=parties, consult=None)
    release(world, interaction, owner)
    values = {"to_agent": second.agent_id, "to_number": second.number, "how": "consult"}
    world.emit(EventType.INTERACTION_TRANSFERRED, interaction, owner.agent_id, **values)


def _exit(world: World, interaction: Interaction) -> None:
    """Agent 2 leaves, without wrap-up; agent 1 and the customer go on (A7)."""
    if second := interaction.party(Role.CONSULTED):
        hang_up(world, interaction.pbx, second.leg_id)
        left(world, interaction, second)


def left(world: World, interaction: Interaction, second: Party) -> None:
    """Agent 2 is gone, by order or by his phone."""
    parties = tuple(p for p in interaction.parties if p.leg_id != second.leg_id)
    interaction = world.update_interaction(interaction, parties=parties)
    unseat(world, interaction, second)
    _over(world, interaction, "left")


def _over(world: World, interaction: Interaction, how: str) -> None:
    interaction = move(world, interaction, _T.CONSULT_OVER, consult=None)
    world.emit(EventType.CONSULT_ENDED, interaction, how=how)


def _end_all(world: World, interaction: Interaction) -> None:
    """Agent 1 ends the conference: customer and agent 2 leave (CONFROLE-09)."""
    owner = interaction.party(Role.OWNER)
    end_interaction(world, interaction, Result.ANSWERED, owner.agent_id if owner else "server")


_ACTS = {
    Action.CANCEL_CONSULT: _cancel,
    Action.HOLD_CONSULT: _hold_consult,
    Action.RESUME_CONSULT: _resume_consult,
    Action.END_CONSULT: _exit,
    Action.COMPLETE_TRANSFER: _complete_transfer,
    Action.CONFERENCE: _conference,
    Action.END_CONFERENCE: _end_all,
    Action.EXIT_CONSULT: _exit,
    Action.EXIT_CONFERENCE: _exit,
}
