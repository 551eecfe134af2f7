"""Reserve an agent and ring his phone, for whatever purpose; take it back again. What follows is decided elsewhere."""

from __future__ import annotations

from collections.abc import Iterable

from routing.core import cad
from routing.core.agent import Engagement, EngagementState, EngagementTrigger
from routing.core.commands import DialLeg
from routing.core.engagements import move_engagement, open_engagement
from routing.core.events import EventType
from routing.core.interaction import Interaction, Offer, OfferEnd, OfferPurpose, OfferState, PastOffer, Role
from routing.core.timers import Due, key
from routing.core.topology import hang_up
from routing.core.world import World

RING_GRACE_S = 5  # the PBX's own time-out is a safety net behind ours
DEFAULT_RING_S = 20
MAX_CONSULT_VARIABLES = 6  # CONS-07: besides name, phone and team of the initiating agent

_LABELS = {
    OfferPurpose.CALL: "incoming call",
    OfferPurpose.CONSULT: "consult",
    OfferPurpose.TRANSFER: "transferred call",
}


def ring(world: World, interaction: Interaction, agent_ids: Iterable[str], purpose: OfferPurpose) -> Interaction:
    """Offer the interaction to these agents; the first half of the two-step offer (OFFER-01)."""
    queue = world.config.queues.get(interaction.queue)
    ring_s = queue.ring_timeout_s if queue else DEFAULT_RING_S
    offers = []
    for agent_id in agent_ids:
        leg_id = world.new_id("leg")
        offer = Offer(
            id=world.new_id("off"),
            agent_id=agent_id,
            leg_id=leg_id,
            recording=_recording_file(world, interaction, agent_id, leg_id),
            state=OfferState.RESERVED,
            offered_at_ms=world.now_ms,
            deadline_ms=world.now_ms + ring_s * 1000,
            purpose=purpose,
        )
        _reserve(world, interaction, offer)
        offers.append(offer)
    interaction = world.update_interaction(interaction, offers=(*interaction.offers, *offers))
    for offer in offers:
        _dial(world, interaction, offer, ring_s)
    return interaction


def _recording_file(world: World, interaction: Interaction, agent_id: str, leg_id: str) -> str:
    """A name of our own ids alone, one per leg; empty for an agent who is not recorded (REC-01)."""
    profile = world.config.profiles.get(world.config.agents[agent_id].profile)
    return f"{interaction.id}-{leg_id}" if profile and profile.record else ""


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


def _dial(world: World, interaction: Interaction, offer: Offer, ring_s: int) -> None:
    agent = world.config.agents[offer.agent_id]
    world.send(
        DialLeg(
            id=offer.id,
            pbx=interaction.pbx,
            leg_id=offer.leg_id,
            interaction_id=interaction.id,
            phone=agent.phone,
            timeout_s=ring_s + RING_GRACE_S,
            caller_number=interaction.ani,
            caller_name=interaction.ani_name,
            recording=offer.recording,
        )
    )
    world.emit(EventType.OFFER_RESERVED, interaction, offer.agent_id, **offer_card(world, interaction, offer))


def offer_card(world: World, interaction: Interaction, offer: Offer) -> dict[str, object]:
    """What the agent sees of an offer (OFFER-02); `timer_started_at_ms` is the start of its elapsed-time timer."""
    queue = world.config.queues.get(interaction.queue)
    declared = world.config.cad_of(interaction.entry_point)
    is_consult = offer.purpose is OfferPurpose.CONSULT
    names = queue.consult_variables[:MAX_CONSULT_VARIABLES] if queue and is_consult else ()
    names = names or (queue.offer_variables if queue else ())
    chosen = [declared[n] for n in names if n in declared] or cad.shown(declared)
    if is_consult:
        chosen = chosen[:MAX_CONSULT_VARIABLES]
    return {
        "label": _LABELS[offer.purpose],
        "status": "ringing",
        "ani": interaction.ani,
        "dnis": interaction.dnis,
        "queue_label": queue.label if queue else interaction.queue,
        "variables": cad.form(chosen, interaction.cad),
        "timer_started_at_ms": offer.offered_at_ms,
        "deadline_ms": offer.deadline_ms,
        **(_initiator(world, interaction) if is_consult else {}),
    }


def _initiator(world: World, interaction: Interaction) -> dict[str, object]:
    """The three defaults of a consult offer, and of a conference: who asks (CONS-07, CONS-08)."""
    owner = interaction.party(Role.OWNER)
    config = world.config.agents.get(owner.agent_id) if owner else None
    if config is None:
        return {}
    return {"agent_name": config.name, "agent_dn": config.phone, "agent_team": config.team}


def rescind(world: World, interaction: Interaction, offer: Offer, end: OfferEnd) -> Interaction:
    """Take an offer back without blame: the phone stops ringing, the agent is as free as before."""
    agent = world.agent(offer.agent_id)
    hang_up(world, interaction.pbx, offer.leg_id, answered_elsewhere=end is OfferEnd.RESCINDED)
    interaction = close(world, interaction, offer, end)
    move_engagement(world, agent, interaction.id, EngagementTrigger.OFFER_ENDED)
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
    )
    offers = tuple(o for o in interaction.offers if o.id != offer.id)
    interaction = world.update_interaction(interaction, offers=offers, past_offers=(*interaction.past_offers, past))
    rang_ms = world.now_ms - offer.offered_at_ms
    values = {"end": end.value, "rang_ms": rang_ms, "purpose": offer.purpose.value}
    world.emit(EventType.OFFER_ENDED, interaction, offer.agent_id, **values)
    return interaction
