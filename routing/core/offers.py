"""Offers: reserve the agent and ring his phone, and every way in which that can end."""

from __future__ import annotations

from dataclasses import replace

from routing.core import cad
from routing.core.agent import Agent, AgentTrigger, Engagement, EngagementState, EngagementTrigger
from routing.core.commands import DialLeg, MarkLeg
from routing.core.config import AfterMiss, MissPolicy, Queue, Result, RonaCause
from routing.core.engagements import change_state, move_engagement, open_engagement
from routing.core.events import EventType
from routing.core.facts import CommandEnded, CommandOutcome, DialFailed, DialOutcome, LegAnswered, LegRinging
from routing.core.interaction import (
    Interaction,
    InteractionTrigger,
    Offer,
    OfferEnd,
    OfferState,
    Party,
    PastOffer,
    Skip,
    next_state,
)
from routing.core.matching_types import Decision
from routing.core.timers import Due, key
from routing.core.topology import converge, hang_up
from routing.core.world import World

RING_GRACE_S = 5  # the PBX's own time-out is a safety net behind ours
BUSY_SKIP_S = 30  # a phone that is busy although its state said free: leave it alone for a while

DEFAULT_ON_MISS = {
    RonaCause.NO_ANSWER: MissPolicy(),
    RonaCause.REJECTED: MissPolicy(),
    RonaCause.UNREACHABLE: MissPolicy(),
    RonaCause.BUSY: MissPolicy(then=AfterMiss.AVAILABLE, skip_s=BUSY_SKIP_S),
}

# Not the phone but the PBX said no; the skip keeps one that refuses everything from being asked without end.
PBX_REFUSED = MissPolicy(then=AfterMiss.AVAILABLE, skip_s=2)

_CAUSES = {
    DialOutcome.BUSY: RonaCause.BUSY,
    DialOutcome.NO_ANSWER: RonaCause.NO_ANSWER,
    DialOutcome.REJECTED: RonaCause.REJECTED,
}


def make_offers(world: World, decision: Decision) -> None:
    """Reserve the chosen agents and ring them; the first half of the two-step offer (OFFER-01)."""
    world.effects.traces.append(world.explained(decision))
    interaction = world.interaction(decision.call_id)
    queue = world.config.queues[interaction.queue]
    offers = []
    for agent_id in decision.agent_ids:
        offer = Offer(
            id=world.new_id("off"),
            agent_id=agent_id,
            leg_id=world.new_id("leg"),
            state=OfferState.RESERVED,
            offered_at_ms=world.now_ms,
            deadline_ms=world.now_ms + queue.ring_timeout_s * 1000,
        )
        _reserve(world, interaction, offer)
        offers.append(offer)
    state = next_state(interaction.state, InteractionTrigger.OFFER_MADE)
    interaction = world.update_interaction(interaction, state=state, offers=(*interaction.offers, *offers))
    for offer in offers:
        _ring(world, interaction, offer, queue)


def _reserve(world: World, interaction: Interaction, offer: Offer) -> None:
    engagement = Engagement(
        interaction_id=interaction.id,
        queue=interaction.queue,
        state=EngagementState.OFFERED,
        since_ms=world.now_ms,
        leg_id=offer.leg_id,
    )
    open_engagement(world, world.agent(offer.agent_id), engagement, last_offer_ms=world.now_ms)
    world.set_timer(key(Due.OFFER, interaction.id, offer.agent_id), offer.deadline_ms)


def _ring(world: World, interaction: Interaction, offer: Offer, queue: Queue) -> None:
    agent = world.config.agents[offer.agent_id]
    world.send(
        DialLeg(
            id=offer.id,
            pbx=interaction.pbx,
            leg_id=offer.leg_id,
            interaction_id=interaction.id,
            phone=agent.phone,
            timeout_s=queue.ring_timeout_s + RING_GRACE_S,
            caller_number=interaction.ani,
            caller_name=interaction.ani_name,
        )
    )
    world.emit(EventType.OFFER_RESERVED, interaction, offer.agent_id, **offer_card(world, interaction, offer))


def offer_card(world: World, interaction: Interaction, offer: Offer) -> dict[str, object]:
    """What the agent sees of an offer (OFFER-02); `timer_started_at_ms` is the start of its elapsed-time timer."""
    queue = world.config.queues.get(interaction.queue)
    declared = world.config.cad_of(interaction.entry_point)
    chosen = [declared[n] for n in queue.offer_variables if n in declared] if queue and queue.offer_variables else []
    return {
        "label": "incoming call",
        "status": "ringing",
        "ani": interaction.ani,
        "dnis": interaction.dnis,
        "queue_label": queue.label if queue else interaction.queue,
        "variables": cad.form(chosen or cad.shown(declared), interaction.cad),
        "timer_started_at_ms": offer.offered_at_ms,
        "deadline_ms": offer.deadline_ms,
    }


def ringing(world: World, fact: LegRinging) -> None:
    """The phone rings: the contact request is before the agent."""
    found = _offer_at(world, fact.leg_id)
    if found is None or found[1].state is OfferState.RINGING:
        return
    interaction, offer = found
    offer = replace(offer, state=OfferState.RINGING)
    offers = tuple(offer if o.id == offer.id else o for o in interaction.offers)
    interaction = world.update_interaction(interaction, offers=offers)
    world.emit(EventType.OFFER_RINGING, interaction, offer.agent_id, **offer_card(world, interaction, offer))


def answered(world: World, fact: LegAnswered) -> None:
    """The agent picked up his phone: this offer wins, the others are rescinded (OFFER-04)."""
    found = _offer_at(world, fact.leg_id)
    if found is None:
        if world.interaction_of(fact.leg_id) is None:  # too late: rescinded, rung out, or of a call that is over
            hang_up(world, fact.pbx, fact.leg_id)
        return
    interaction, offer = found
    for other in interaction.offers:
        if other.id != offer.id:
            interaction = rescind(world, interaction, other, OfferEnd.RESCINDED)
    interaction = _close(world, interaction, offer, OfferEnd.ANSWERED)
    interaction = world.update_interaction(
        interaction,
        state=next_state(interaction.state, InteractionTrigger.ANSWERED),
        parties=(Party(agent_id=offer.agent_id, leg_id=offer.leg_id, joined_at_ms=world.now_ms),),
        skips=(),
        answered_at_ms=world.now_ms,
        result=Result.ANSWERED,
    )
    for due in (Due.RELAX, Due.WAIT):
        world.clear_timer(key(due, interaction.id))
    for skip in found[0].skips:
        world.clear_timer(key(Due.SKIP, interaction.id, skip.agent_id))
    agent = world.agent(offer.agent_id)
    move_engagement(world, agent, interaction.id, EngagementTrigger.ANSWERED, calls=agent.calls + 1)
    world.emit(
        EventType.INTERACTION_CONNECTED,
        interaction,
        offer.agent_id,
        ani=interaction.ani,
        dnis=interaction.dnis,
    )
    interaction = converge(world, interaction)
    mark = {"SR_RESULT": Result.ANSWERED.value, "SR_AGENT": offer.agent_id}
    world.send(MarkLeg(id=world.new_id("cmd"), pbx=interaction.pbx, leg_id=interaction.customer_leg, variables=mark))


def dial_failed(world: World, fact: DialFailed) -> None:
    """The PBX says the phone was not answered: typed cause, policy per cause (ROUTE-07)."""
    if found := _offer_at(world, fact.leg_id):
        miss(world, found[0], found[1], _CAUSES.get(fact.outcome, RonaCause.UNREACHABLE))


def command_ended(world: World, fact: CommandEnded) -> None:
    """A dialling that was refused (e.g. the link is down) or whose fate is unknown is nobody's fault.

    The reservation is released; where the phone may ring it is told to stop. Where it rings its fate is known.
    """
    if fact.outcome is CommandOutcome.SUCCEEDED:
        return
    interaction = world.interaction_of(fact.command_id)
    offer = next((o for o in interaction.offers if o.id == fact.command_id), None) if interaction else None
    if interaction and offer and fact.outcome is CommandOutcome.REFUSED:
        miss(world, interaction, offer, RonaCause.UNREACHABLE, PBX_REFUSED)
    elif interaction and offer and offer.state is OfferState.RESERVED:
        requeue_if_alone(world, rescind(world, interaction, offer, OfferEnd.RESCINDED))


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
        miss(world, interaction, offer, RonaCause.NO_ANSWER)
    else:
        requeue_if_alone(world, rescind(world, interaction, offer, OfferEnd.RESCINDED))


def miss(
    world: World, interaction: Interaction, offer: Offer, cause: RonaCause, policy: MissPolicy | None = None
) -> None:
    """An offer failed: the agent's next state and the skip come from `policy`, else from the queue's for this cause."""
    queue = world.config.queues.get(interaction.queue)
    policy = policy or (queue.on_miss.get(cause) if queue else None) or DEFAULT_ON_MISS[cause]
    interaction = _close(world, interaction, offer, OfferEnd(cause.value))
    agent = _after_miss(world, world.agent(offer.agent_id), policy)
    move_engagement(world, agent, interaction.id, EngagementTrigger.OFFER_ENDED)
    until = world.now_ms + policy.skip_s * 1000 if policy.skip_s else None
    if until is not None:
        world.set_timer(key(Due.SKIP, interaction.id, agent.id), until)
    skip = Skip(agent_id=agent.id, until_ms=until, why=cause.value)
    skips = (*(s for s in interaction.skips if s.agent_id != agent.id), skip)
    requeue_if_alone(world, world.update_interaction(interaction, skips=skips))


def _after_miss(world: World, agent: Agent, policy: MissPolicy) -> Agent:
    """His own state first, then the end of the offer: nobody ever sees him available in between."""
    if policy.then is AfterMiss.RONA:
        return change_state(world, agent, AgentTrigger.RANG_OUT)
    if policy.then is AfterMiss.IDLE:
        return change_state(world, agent, AgentTrigger.WENT_IDLE, policy.idle_reason)
    return agent


def rescind(world: World, interaction: Interaction, offer: Offer, end: OfferEnd) -> Interaction:
    """Take an offer back without blame: the phone stops ringing, the agent is as free as before."""
    agent = world.agent(offer.agent_id)
    hang_up(world, interaction.pbx, offer.leg_id, answered_elsewhere=end is OfferEnd.RESCINDED)
    interaction = _close(world, interaction, offer, end)
    move_engagement(world, agent, interaction.id, EngagementTrigger.OFFER_ENDED)
    return interaction


def requeue_if_alone(world: World, interaction: Interaction) -> Interaction:
    """Back to waiting when no other phone rings for this call; its place is as it was (STATE-09)."""
    if interaction.offers:
        return interaction
    state = next_state(interaction.state, InteractionTrigger.OFFERS_OVER)
    interaction = world.update_interaction(interaction, state=state)
    world.emit(EventType.INTERACTION_REQUEUED, interaction, entered_at_ms=interaction.entered_at_ms)
    return interaction


def drop_skip(world: World, interaction_id: str, agent_id: str) -> None:
    """The time for which this call skips that agent is over."""
    if interaction := world.state.interactions.get(interaction_id):
        left = tuple(s for s in interaction.skips if s.agent_id != agent_id)
        world.update_interaction(interaction, skips=left)


def _close(world: World, interaction: Interaction, offer: Offer, end: OfferEnd) -> Interaction:
    """Take the offer off the interaction and write it into its history."""
    world.clear_timer(key(Due.OFFER, interaction.id, offer.agent_id))
    past = PastOffer(agent_id=offer.agent_id, offered_at_ms=offer.offered_at_ms, ended_at_ms=world.now_ms, end=end)
    offers = tuple(o for o in interaction.offers if o.id != offer.id)
    interaction = world.update_interaction(interaction, offers=offers, past_offers=(*interaction.past_offers, past))
    world.emit(
        EventType.OFFER_ENDED,
        interaction,
        offer.agent_id,
        end=end.value,
        rang_ms=world.now_ms - offer.offered_at_ms,
    )
    return interaction


def _offer_at(world: World, leg_id: str) -> tuple[Interaction, Offer] | None:
    interaction = world.interaction_of(leg_id)
    if interaction is None:
        return None
    return next(((interaction, offer) for offer in interaction.offers if offer.leg_id == leg_id), None)
