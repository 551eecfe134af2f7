"""Telephones that are rung for a campaign, a contact's or an agent's: to whom each answer and each failure belongs."""

from __future__ import annotations

from routing.core import agent_first, attempts, detection, reached, seating
from routing.core.config import Result
from routing.core.endings import end_interaction
from routing.core.interaction import Interaction, InteractionState, Offer, OfferEnd, OfferPurpose, Role
from routing.core.world import World

PURPOSES = (OfferPurpose.CAMPAIGN, OfferPurpose.SEAT)


def is_contact(offer: Offer) -> bool:
    """The contact's telephone, for which nobody of ours can be blamed."""
    return offer.purpose is OfferPurpose.CAMPAIGN and bool(offer.number)


def is_own(interaction: Interaction, offer: Offer) -> bool:
    """The telephone of an agent who is to make the call; nobody is blamed who does not take it."""
    return offer.purpose is OfferPurpose.CAMPAIGN and interaction.state is InteractionState.CALLING_AGENT


def is_counted(interaction: Interaction, offer: Offer) -> bool:
    """The agent has a call by answering: a contact is there already."""
    return offer.purpose is OfferPurpose.CAMPAIGN and interaction.state is InteractionState.REACHED


def answered(world: World, interaction: Interaction, offer: Offer) -> None:
    """`offer` is closed already. A contact whose agent is there is with him at once, unless it may be a machine."""
    if offer.purpose is OfferPurpose.SEAT:
        seating.answered(world, interaction, offer)
    elif is_own(interaction, offer):
        agent_first.agent_answered(world, interaction, offer)
    elif offer.agent_id:
        reached.agent_answered(world, interaction, offer)
    elif interaction.party(Role.OWNER) and not _listens(world, interaction):
        detection.tell_reached(world, interaction, 0)
        agent_first.connected(world, interaction, offer.leg_id)
    else:
        reached.answered(world, interaction, offer)


def _listens(world: World, interaction: Interaction) -> bool:
    call = interaction.campaign
    campaign = world.config.campaigns.get(call.campaign) if call else None
    return campaign is not None and campaign.machines.is_on


def not_taken(world: World, interaction: Interaction, offer: Offer, end: OfferEnd, *, is_known: bool = True) -> None:
    """`offer` is closed already, and what it means for its agent is said. `is_known`: what became of it."""
    if offer.purpose is OfferPurpose.SEAT:
        seating.not_taken(world, interaction, end)
    elif offer.number:
        attempts.ended(world, interaction, attempts.result_of(end, is_known=is_known), end.value)
        end_interaction(world, world.interaction(interaction.id), Result.FAILED, "server")
    elif is_own(interaction, offer):
        agent_first.not_taken(world, interaction, offer, is_blameless=not is_known)
    else:
        reached.seek(world, interaction)
