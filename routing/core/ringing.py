"""Ring an agent or an outside number, for whatever purpose; take it back again. What follows is decided elsewhere.

An agent is reserved meanwhile and sees what he is offered; of an external party there is only the dialing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from routing.core import cad
from routing.core.agent import Engagement, EngagementState, EngagementTrigger
from routing.core.campaign_rules import MIN_RING_S
from routing.core.commands import DialLeg
from routing.core.declarations import CadVariable
from routing.core.engagements import amend, move_engagement, open_engagement
from routing.core.events import EventType
from routing.core.guard import Outside
from routing.core.interaction import (
    Interaction,
    InteractionState,
    Offer,
    OfferEnd,
    OfferPurpose,
    OfferState,
    PastOffer,
    Role,
)
from routing.core.reach import dial_string
from routing.core.screen_pop import screen_pop
from routing.core.timers import OF_A_WAIT, Due, key
from routing.core.topology import hang_up
from routing.core.world import World

RING_GRACE_S = 5  # the PBX's own time-out is a safety net behind ours
DEFAULT_RING_S = 20
MAX_CONSULT_VARIABLES = 6  # CONS-07: besides name, phone and team of the initiating agent

_LABELS = {
    OfferPurpose.CALL: "incoming call",
    OfferPurpose.CONSULT: "consult",
    OfferPurpose.TRANSFER: "transferred call",
    OfferPurpose.OUTDIAL: "outdial call",
    OfferPurpose.CALLBACK: "callback",
    OfferPurpose.VOICEMAIL: "voicemail",
    OfferPurpose.CAMPAIGN: "campaign call",
    OfferPurpose.SEAT: "campaign seat",
}

_RECORDED = frozenset(OfferPurpose) - {OfferPurpose.VOICEMAIL}  # nobody talks with him there

# The agent's own leg waits for the customer, and there is no call of the customer's that rings him.
_TO_CUSTOMER = (OfferPurpose.OUTDIAL, OfferPurpose.CALLBACK, OfferPurpose.CAMPAIGN)


def ring(world: World, interaction: Interaction, agent_ids: Iterable[str], purpose: OfferPurpose) -> Interaction:
    """Offer the interaction to these agents; the first half of the two-step offer (OFFER-01)."""
    offers = [
        _offer(world, interaction, purpose, _ring_s(world, interaction, purpose), agent_id=agent_id)
        for agent_id in agent_ids
    ]
    for offer in offers:
        _reserve(world, interaction, offer)
    interaction = world.update_interaction(interaction, offers=(*interaction.offers, *offers))
    for offer in offers:
        phone = dial_string(world.config, interaction.pbx, world.config.agents[offer.agent_id])
        _dial(world, interaction, offer, phone, _other_side(interaction))
        told = named(offer) | offer_card(world, interaction, offer)
        world.emit(EventType.OFFER_RESERVED, interaction, offer.agent_id, **told)
    return interaction


def ring_outside(world: World, interaction: Interaction, outside: Outside, purpose: OfferPurpose) -> Interaction:
    """Dial an external party; nobody is reserved and nobody is blamed when it is not answered."""
    ring_s, shown = _outside_terms(world, interaction, purpose)
    offer = _offer(world, interaction, purpose, ring_s, number=outside.number.text)
    world.set_timer(key(Due.OFFER, interaction.id), offer.deadline_ms)
    interaction = world.update_interaction(interaction, offers=(*interaction.offers, offer))
    _dial(world, interaction, offer, outside.phone, (shown, ""))
    told = named(offer) | outside_of(offer)
    world.emit(EventType.DIAL_STARTED, interaction, **told, deadline_ms=offer.deadline_ms)
    return interaction


def _outside_terms(world: World, interaction: Interaction, purpose: OfferPurpose) -> tuple[int, str]:
    """How long an outside number rings, and the number that is shown there."""
    rules, pbx = world.config, world.config.pbxs.get(interaction.pbx)
    trunk = pbx.dial_caller_id if pbx else ""  # an agent may answer after a configuration without his call's PBX
    if purpose is OfferPurpose.OUTDIAL:
        return rules.outdial.customer_ring_timeout_s, interaction.ani
    if purpose is OfferPurpose.CALLBACK:
        return rules.callbacks.ring_timeout_s, rules.callbacks.ani or interaction.dnis or trunk
    if purpose is OfferPurpose.CAMPAIGN and interaction.campaign:
        campaign = rules.campaigns.get(interaction.campaign.campaign)
        return campaign.ring_timeout_s if campaign else MIN_RING_S, interaction.campaign.ani
    return rules.numbers.ring_timeout_s, trunk


def _ring_s(world: World, interaction: Interaction, purpose: OfferPurpose) -> int:
    """How long an agent's telephone rings."""
    if purpose is OfferPurpose.OUTDIAL:
        return world.config.outdial.agent_ring_timeout_s
    queue = world.config.queues.get(interaction.queue)
    return queue.ring_timeout_s if queue else DEFAULT_RING_S


def _other_side(interaction: Interaction) -> tuple[str, str]:
    """Number and name of the customer, for an agent's telephone."""
    if interaction.outdial:
        return interaction.dnis, interaction.outdial.name
    if interaction.campaign:
        return interaction.dnis, interaction.campaign.name
    return interaction.ani, interaction.ani_name


def named(offer: Offer) -> dict[str, Any]:
    """Which offer an event is about, and what for."""
    return {"offer_id": offer.id, "leg_id": offer.leg_id, "purpose": offer.purpose.value}


def outside_of(offer: Offer) -> dict[str, Any]:
    """What events of an external party say of it; nothing of an agent's offer."""
    return {"number": offer.number, "purpose": offer.purpose.value} if offer.number else {}


def _offer(
    world: World, interaction: Interaction, purpose: OfferPurpose, ring_s: int, *, agent_id: str = "", number: str = ""
) -> Offer:
    offer_id, leg_id = world.new_id("off"), world.new_id("leg")
    return Offer(
        id=offer_id,
        agent_id=agent_id,
        number=number,
        leg_id=leg_id,
        recording=_recording_file(world, interaction, agent_id, leg_id) if purpose in _RECORDED else "",
        state=OfferState.RESERVED,
        offered_at_ms=world.now_ms,
        deadline_ms=world.now_ms + ring_s * 1000,
        purpose=purpose,
    )


def _recording_file(world: World, interaction: Interaction, agent_id: str, leg_id: str) -> str:
    """A name of our own ids alone, one per leg; empty for who is not recorded (REC-01)."""
    config = world.config.agents.get(agent_id)
    profile = world.config.profiles.get(config.profile) if config else None
    return f"{interaction.id}-{leg_id}" if profile and profile.record else ""


def _reserve(world: World, interaction: Interaction, offer: Offer) -> None:
    if interaction.id in (agent := world.agent(offer.agent_id)).engagements:  # he looks at a record
        agent = amend(world, agent, interaction.id, leg_id=offer.leg_id)
        move_engagement(world, agent, interaction.id, EngagementTrigger.OFFERED, last_offer_ms=world.now_ms)
        world.set_timer(key(Due.OFFER, interaction.id, offer.agent_id), offer.deadline_ms)
        return
    engagement = Engagement(
        interaction_id=interaction.id,
        queue=interaction.queue,
        state=EngagementState.OFFERED,
        since_ms=world.now_ms,
        leg_id=offer.leg_id,
    )
    open_engagement(world, world.agent(offer.agent_id), engagement, last_offer_ms=world.now_ms)
    world.set_timer(key(Due.OFFER, interaction.id, offer.agent_id), offer.deadline_ms)


def _dial(world: World, interaction: Interaction, offer: Offer, phone: str, caller: tuple[str, str]) -> None:
    """`caller`: the number and the name that are shown there."""
    world.send(
        DialLeg(
            id=offer.id,
            pbx=interaction.pbx,
            leg_id=offer.leg_id,
            interaction_id=interaction.id,
            phone=phone,
            timeout_s=(offer.deadline_ms - offer.offered_at_ms) // 1000 + RING_GRACE_S,
            caller_number=caller[0],
            caller_name=caller[1],
            recording=offer.recording,
            joins=_joins(interaction, offer),
        )
    )


def _joins(interaction: Interaction, offer: Offer) -> str:
    """Who waits alone for whom we ring: the customer, or at an outdial and a callback the agent. Nobody for a contact:
    a machine may answer first.
    """
    if offer.purpose is OfferPurpose.CAMPAIGN and interaction.state is InteractionState.REACHED:
        return interaction.customer_leg
    if interaction.campaign and offer.number:
        return ""
    if offer.purpose in _TO_CUSTOMER:
        owner = interaction.party(Role.OWNER)
        return owner.leg_id if owner and offer.number else ""
    is_alone = offer.purpose in (OfferPurpose.CALL, OfferPurpose.TRANSFER) and not interaction.parties
    return interaction.customer_leg if is_alone else ""


def offer_card(world: World, interaction: Interaction, offer: Offer) -> dict[str, object]:
    """What the agent sees of an offer (OFFER-02); `timer_started_at_ms` is the start of its elapsed-time timer."""
    queue = world.config.queues.get(interaction.queue)
    names = queue.offer_variables if queue else ()
    variables = {"variables": cad.form(_chosen(world, interaction, names), interaction.cad)}
    return {
        "label": _LABELS[offer.purpose],
        "status": "ringing",
        "ani": interaction.ani,
        "dnis": interaction.dnis,
        "queue_label": queue.label if queue else interaction.queue,
        "timer_started_at_ms": offer.offered_at_ms,
        "deadline_ms": offer.deadline_ms,
        "screen_pop": screen_pop(world.config, interaction, offer.agent_id),
        **(consult_card(world, interaction) if offer.purpose is OfferPurpose.CONSULT else variables),
    }


def consult_card(world: World, interaction: Interaction) -> dict[str, object]:
    """What agent 2 is told of a consult: who asks, and up to six variables of the call (CONS-07)."""
    queue = world.config.queues.get(interaction.queue)
    names = (queue.consult_variables or queue.offer_variables) if queue else ()
    chosen = _chosen(world, interaction, names)[:MAX_CONSULT_VARIABLES]
    return {"variables": cad.form(chosen, interaction.cad), **_initiator(world, interaction)}


def _chosen(world: World, interaction: Interaction, names: Iterable[str]) -> list[CadVariable]:
    """The variables of these names; those of the agent's form where none of them is declared."""
    declared = world.config.cad_of(interaction.entry_point)
    return [declared[name] for name in names if name in declared] or cad.shown(declared)


def _initiator(world: World, interaction: Interaction) -> dict[str, object]:
    """The three defaults of a consult offer, and of a conference: who asks (CONS-07, CONS-08)."""
    owner = interaction.party(Role.OWNER)
    config = world.config.agents.get(owner.agent_id) if owner else None
    if config is None:
        return {}
    return {"agent_name": config.name, "agent_dn": config.phone, "agent_team": config.team}


def rescind(world: World, interaction: Interaction, offer: Offer, end: OfferEnd) -> Interaction:
    """Take an offer back without blame: the phone stops ringing, the agent is as free as before."""
    is_elsewhere = end is OfferEnd.RESCINDED and bool(offer.agent_id)
    hang_up(world, interaction.pbx, offer.leg_id, answered_elsewhere=is_elsewhere)
    interaction = close(world, interaction, offer, end)
    if offer.agent_id:
        move_engagement(world, world.agent(offer.agent_id), interaction.id, EngagementTrigger.OFFER_ENDED)
    return interaction


def close(world: World, interaction: Interaction, offer: Offer, end: OfferEnd) -> Interaction:
    """Take the offer off the interaction and write it into its history."""
    world.clear_timer(key(Due.OFFER, interaction.id, offer.agent_id))
    past = PastOffer(
        agent_id=offer.agent_id,
        offered_at_ms=offer.offered_at_ms,
        ended_at_ms=world.now_ms,
        end=end,
        purpose=offer.purpose,
        number=offer.number,
    )
    offers = tuple(o for o in interaction.offers if o.id != offer.id)
    interaction = world.update_interaction(interaction, offers=offers, past_offers=(*interaction.past_offers, past))
    rang_ms = world.now_ms - offer.offered_at_ms
    if offer.agent_id:
        values = {"end": end.value, "rang_ms": rang_ms, **named(offer)}
        world.emit(EventType.OFFER_ENDED, interaction, offer.agent_id, **values)
    else:
        told = named(offer) | outside_of(offer)
        world.emit(EventType.DIAL_ENDED, interaction, outcome=end.value, took_ms=rang_ms, **told)
    return interaction


def stop_waiting(world: World, interaction: Interaction) -> None:
    """Somebody has it now: nothing is due any more that was while it waited."""
    for due in (*OF_A_WAIT, Due.CALLBACK, Due.EXPIRE):
        world.clear_timer(key(due, interaction.id))
    for skip in interaction.skips:
        world.clear_timer(key(Due.SKIP, interaction.id, skip.agent_id))
