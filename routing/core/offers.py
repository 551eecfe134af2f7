"""Every way in which an offer can go: rung, answered, missed, of unknown fate."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from routing.core import (
    callback_attempt,
    callback_machine,
    callbacks,
    campaign_legs,
    consults,
    digits,
    outdialer,
    preferences,
    recorder,
    skips,
    transfers,
    trunks,
    voicemail,
)
from routing.core.agent import Agent, AgentTrigger, EngagementTrigger
from routing.core.commands import MarkLeg
from routing.core.config import AfterMiss, MissPolicy, Result, RonaCause
from routing.core.engagements import change_state, move_engagement
from routing.core.events import EventType
from routing.core.facts import CommandEnded, CommandOutcome, DialFailed, DialOutcome, LegAnswered, LegRinging
from routing.core.interaction import (
    Interaction,
    InteractionTrigger,
    Offer,
    OfferEnd,
    OfferPurpose,
    OfferState,
    Party,
    Role,
)
from routing.core.matching_types import Decision
from routing.core.ringing import close, named, offer_card, outside_of, rescind, ring, stop_waiting
from routing.core.seats import move
from routing.core.topology import hang_up
from routing.core.world import World

BUSY_SKIP_S = 30  # a phone that is busy although its state said free: leave it alone for a while

DEFAULT_ON_MISS = {
    RonaCause.NO_ANSWER: MissPolicy(),
    RonaCause.REJECTED: MissPolicy(),
    RonaCause.UNREACHABLE: MissPolicy(),
    RonaCause.BUSY: MissPolicy(then=AfterMiss.AVAILABLE, skip_s=BUSY_SKIP_S),
}

# Not the phone but the PBX said no; the skip keeps one that refuses everything from being asked without end.
PBX_REFUSED = MissPolicy(then=AfterMiss.AVAILABLE, skip_s=2)

_ENDS = {
    DialOutcome.BUSY: OfferEnd.BUSY,
    DialOutcome.NO_ANSWER: OfferEnd.NO_ANSWER,
    DialOutcome.REJECTED: OfferEnd.REJECTED,
    DialOutcome.UNREACHABLE: OfferEnd.UNREACHABLE,
    DialOutcome.INVALID: OfferEnd.INVALID,
    DialOutcome.CONGESTION: OfferEnd.CONGESTION,
    DialOutcome.CANCELLED: OfferEnd.RESCINDED,
}

# Of an agent's own telephone, whatever else went wrong is that it could not be reached.
_CAUSES = {
    OfferEnd.BUSY: RonaCause.BUSY,
    OfferEnd.NO_ANSWER: RonaCause.NO_ANSWER,
    OfferEnd.REJECTED: RonaCause.REJECTED,
}


def make_offers(world: World, decision: Decision) -> None:
    """Carry out a decision of the pool: it is about a waiting call, or about a consult that a queue shall answer."""
    trace = world.explained(decision)
    interaction = world.interaction_of_call(decision.call_id)
    if callback_machine.is_withheld(world, interaction):
        return
    for agent_id in decision.agent_ids[:1] if interaction.consult else decision.agent_ids:
        outdialer.give_way(world, agent_id)
    world.effects.traces.append(replace(trace, interaction_id=interaction.id))
    if interaction.consult:
        ring(world, interaction, decision.agent_ids[:1], OfferPurpose.CONSULT)
    else:
        interaction = move(world, interaction, InteractionTrigger.OFFER_MADE, **callback_machine.offered(interaction))
        ring(world, interaction, decision.agent_ids, _purpose(interaction))


def _purpose(interaction: Interaction) -> OfferPurpose:
    if interaction.is_calling_back:
        return OfferPurpose.CALLBACK
    return OfferPurpose.VOICEMAIL if interaction.message else OfferPurpose.CALL


def ringing(world: World, fact: LegRinging) -> None:
    """The phone rings: the contact request is before the agent."""
    found = _offer_at(world, fact.leg_id)
    if found is None or found[1].state is OfferState.RINGING:
        return
    interaction, offer = found
    offer = replace(offer, state=OfferState.RINGING)
    offers = tuple(offer if o.id == offer.id else o for o in interaction.offers)
    interaction = world.update_interaction(interaction, offers=offers)
    if offer.agent_id:
        told = named(offer) | offer_card(world, interaction, offer)
        world.emit(EventType.OFFER_RINGING, interaction, offer.agent_id, **told)
    else:
        world.emit(EventType.DIAL_RINGING, interaction, **named(offer) | outside_of(offer))


def answered(world: World, fact: LegAnswered) -> None:
    """The agent or the external party picked up: this offer wins, the others are rescinded (OFFER-04)."""
    found = _offer_at(world, fact.leg_id)
    if found is None:
        if world.interaction_of(fact.leg_id) is None:  # too late: rescinded, rung out, or of a call that is over
            hang_up(world, fact.pbx, fact.leg_id)
        return
    interaction, offer = found
    for other in interaction.offers:
        if other.id != offer.id:
            interaction = rescind(world, interaction, other, OfferEnd.RESCINDED)
    interaction = close(world, interaction, offer, OfferEnd.ANSWERED)
    if offer.agent_id:
        agent = world.agent(offer.agent_id)
        calls = agent.calls + (not _is_first(interaction, offer))  # those count when the customer has answered
        move_engagement(world, agent, interaction.id, EngagementTrigger.ANSWERED, calls=calls)
    _FOLLOWS.get(offer.purpose, _connect)(world, interaction, offer)


def _connect(world: World, interaction: Interaction, offer: Offer) -> None:
    """The customer has somebody to talk with."""
    stop_waiting(world, interaction)
    party = Party(
        agent_id=offer.agent_id,
        number=offer.number,
        leg_id=offer.leg_id,
        joined_at_ms=world.now_ms,
        role=Role.OWNER,
        recording=offer.recording,
    )
    # Nobody of ours has answered when a flow or a queue sent him to a number by itself.
    result = Result.TRANSFERRED if offer.number and not interaction.transferred_by else Result.ANSWERED
    changes: dict[str, Any] = {"parties": (party,), "skips": (), "result": result}
    if interaction.answered_at_ms is None:
        changes["answered_at_ms"] = world.now_ms
    values = {"ani": interaction.ani, "dnis": interaction.dnis, **outside_of(offer)}
    world.emit(EventType.INTERACTION_CONNECTED, interaction, offer.agent_id, **values)
    interaction = move(world, interaction, InteractionTrigger.ANSWERED, **changes)
    mark = {"SR_RESULT": result.value, "SR_AGENT": offer.agent_id}  # no agent: the one before has left
    world.send(MarkLeg(id=world.new_id("cmd"), pbx=interaction.pbx, leg_id=interaction.customer_leg, variables=mark))
    callbacks.reached_us(world, interaction)


# What follows when an offer of that purpose is answered; else the customer is connected.
_FOLLOWS = {
    OfferPurpose.CONSULT: consults.joined,
    OfferPurpose.OUTDIAL: outdialer.answered,
    OfferPurpose.CALLBACK: callback_attempt.answered,
    OfferPurpose.VOICEMAIL: voicemail.answered,
    OfferPurpose.CAMPAIGN: campaign_legs.answered,
    OfferPurpose.SEAT: campaign_legs.answered,
}


def _is_first(interaction: Interaction, offer: Offer) -> bool:
    """The agent's telephone is up before the customer's."""
    if offer.purpose in campaign_legs.PURPOSES:
        return not campaign_legs.is_counted(interaction, offer)
    return offer.purpose in (OfferPurpose.OUTDIAL, OfferPurpose.CALLBACK)


def dial_failed(world: World, fact: DialFailed) -> None:
    """The PBX says that nobody answered: typed cause, policy per cause (ROUTE-07)."""
    if found := _offer_at(world, fact.leg_id):
        miss(world, found[0], found[1], _ENDS[fact.outcome])


def command_ended(world: World, fact: CommandEnded) -> None:
    """A dialling that was refused (e.g. the link is down) or whose fate is unknown is nobody's fault.

    The reservation is released; where the phone may ring it is told to stop. Where it rings its fate is known.
    """
    recorder.command_ended(world, fact)
    digits.command_ended(world, fact)
    if fact.outcome is CommandOutcome.SUCCEEDED:
        return
    interaction = world.interaction_of(fact.command_id)
    offer = next((o for o in interaction.offers if o.id == fact.command_id), None) if interaction else None
    if interaction and offer and fact.outcome is CommandOutcome.REFUSED:
        miss(world, interaction, offer, OfferEnd.CONGESTION, PBX_REFUSED)
    elif interaction and offer and offer.state is OfferState.RESERVED:
        take_back(world, interaction, offer)


def take_back(world: World, interaction: Interaction, offer: Offer) -> None:
    """An offer failed through nobody's fault: what it was for goes on as if it had not been made."""
    interaction = rescind(world, interaction, offer, OfferEnd.RESCINDED)
    if offer.purpose is OfferPurpose.CONSULT:
        consults.not_taken(world, interaction, offer, OfferEnd.RESCINDED)
    elif offer.purpose is OfferPurpose.TRANSFER:
        transfers.back_to_queue(world, interaction)
    elif offer.purpose is OfferPurpose.OUTDIAL:
        outdialer.not_taken(world, interaction, offer, OfferEnd.RESCINDED)
    elif offer.purpose is OfferPurpose.CALLBACK and offer.number:
        was_dialed = offer.state is OfferState.RINGING
        callback_attempt.not_reached(world, interaction, OfferEnd.RESCINDED, was_dialed=was_dialed)
    elif offer.purpose in campaign_legs.PURPOSES:
        campaign_legs.not_taken(world, interaction, offer, OfferEnd.RESCINDED, is_known=False)
    else:
        _requeue_if_alone(world, interaction)


def rang_out(world: World, interaction_id: str, agent_id: str) -> None:
    """The deadline has passed: RONA and requeue in this one step (STATE-05).

    While the link is down nobody knows whether he answered: then the offer is taken back without blame.
    """
    interaction = world.state.interactions.get(interaction_id)
    offer = interaction.offer_to(agent_id) if interaction else None
    if interaction is None or offer is None or offer.deadline_ms > world.now_ms:
        return
    if world.is_linked(interaction.pbx):
        hang_up(world, interaction.pbx, offer.leg_id)
        miss(world, interaction, offer, OfferEnd.NO_ANSWER)
    else:
        take_back(world, interaction, offer)


def miss(world: World, interaction: Interaction, offer: Offer, end: OfferEnd, policy: MissPolicy | None = None) -> None:
    """An offer failed: the agent's next state and the skip come from `policy`, else from the queue's for this cause.

    An external party has no state; what it was dialed for goes on as with an agent. Nobody is blamed for an outdial,
    nor for a callback whose customer is not reached.
    """
    if _is_blameless(interaction, offer):
        _dial_failed(world, interaction, offer, end, was_dialed=policy is not PBX_REFUSED)
        return
    cause = _CAUSES.get(end, RonaCause.UNREACHABLE)
    queue = world.config.queues.get(interaction.queue)
    if policy is None and trunks.is_to_blame(world, interaction, offer, end):
        trunks.tell(world, interaction, offer, end)
        cause, policy = RonaCause.UNREACHABLE, trunks.TRUNK_FAILED
    policy = policy or (queue.on_miss.get(cause) if queue else None) or DEFAULT_ON_MISS[cause]
    if offer.agent_id:
        end = OfferEnd(cause.value)
    interaction = close(world, interaction, offer, end)
    if offer.agent_id:
        agent = _after_miss(world, world.agent(offer.agent_id), policy)
        move_engagement(world, agent, interaction.id, EngagementTrigger.OFFER_ENDED)
    if offer.purpose is OfferPurpose.CONSULT:
        consults.not_taken(world, interaction, offer, end)
    elif offer.purpose is OfferPurpose.TRANSFER:
        by_pbx = policy is PBX_REFUSED or policy is trunks.TRUNK_FAILED
        transfers.not_taken(world, interaction, offer, end, by_pbx=by_pbx)
    elif offer.purpose in campaign_legs.PURPOSES:
        campaign_legs.not_taken(world, interaction, offer, end)
    else:
        changes = preferences.after_miss(world, interaction, offer.agent_id)
        interaction = skips.after_miss(world, interaction, offer.agent_id, policy, cause)
        _requeue_if_alone(world, world.update_interaction(interaction, **changes) if changes else interaction)


def _is_blameless(interaction: Interaction, offer: Offer) -> bool:
    if offer.purpose is OfferPurpose.CAMPAIGN:
        return campaign_legs.is_contact(offer) or campaign_legs.is_own(interaction, offer)
    return offer.purpose is OfferPurpose.OUTDIAL or (offer.purpose is OfferPurpose.CALLBACK and bool(offer.number))


def _dial_failed(world: World, interaction: Interaction, offer: Offer, end: OfferEnd, *, was_dialed: bool) -> None:
    interaction = close(world, interaction, offer, end)
    if offer.purpose is OfferPurpose.CALLBACK:
        callback_attempt.not_reached(world, interaction, end, was_dialed=was_dialed)
        return
    if offer.agent_id:
        move_engagement(world, world.agent(offer.agent_id), interaction.id, EngagementTrigger.OFFER_ENDED)
    if offer.purpose is OfferPurpose.CAMPAIGN:
        campaign_legs.not_taken(world, interaction, offer, end)
    else:
        outdialer.not_taken(world, interaction, offer, end)


def _after_miss(world: World, agent: Agent, policy: MissPolicy) -> Agent:
    """His own state first, then the end of the offer: nobody ever sees him available in between."""
    if policy.then is AfterMiss.RONA:
        return change_state(world, agent, AgentTrigger.RANG_OUT)
    if policy.then is AfterMiss.IDLE:
        return change_state(world, agent, AgentTrigger.WENT_IDLE, policy.idle_reason)
    return agent


def _requeue_if_alone(world: World, interaction: Interaction) -> None:
    """Back to waiting when no other phone rings for this call; its place is as it was (STATE-09)."""
    if not interaction.offers:
        changes = callback_machine.offers_over(interaction)
        interaction = move(world, interaction, InteractionTrigger.OFFERS_OVER, **changes)
        world.emit(EventType.INTERACTION_REQUEUED, interaction, entered_at_ms=interaction.entered_at_ms)
        callback_machine.requeued(world, interaction)


def _offer_at(world: World, leg_id: str) -> tuple[Interaction, Offer] | None:
    interaction = world.interaction_of(leg_id)
    if interaction is None:
        return None
    return next(((interaction, offer) for offer in interaction.offers if offer.leg_id == leg_id), None)
