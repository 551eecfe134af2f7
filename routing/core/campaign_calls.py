"""A campaign's call as an interaction: how it begins, with the record's data as its call data."""

from __future__ import annotations

from routing.core import cad
from routing.core.campaign import CampaignCall
from routing.core.campaign_rules import Campaign
from routing.core.interaction import Interaction, InteractionState
from routing.core.members import pbx_of
from routing.core.record import RecordLive
from routing.core.successors import tell_arrival
from routing.core.world import World

KIND, SEAT = "campaign", "seat"
ORIGIN = "origin"  # of a record, among its data: where the contact is from


def open_call(
    world: World, campaign: Campaign, record: RecordLive, state: InteractionState, agent_id: str = ""
) -> Interaction:
    """A new one of that record, told. `agent_id`: for whom it is, empty: for who is free when it is answered."""
    queue = world.config.queues.get(campaign.queue)
    values, _refused = cad.take_over(world.config.cad_of(campaign.entry_point), record.card.data)
    interaction = world.put_interaction(
        Interaction(
            id=world.new_id("int"),
            pbx=pbx_of(world.config, campaign),
            kind=KIND,
            state=state,
            customer_leg="",
            entry_point=campaign.entry_point,
            queue=campaign.queue,
            ani=campaign.ani,
            ani_name="",
            dnis=record.number or next((n.number for n in record.card.numbers), ""),
            entered_at_ms=world.now_ms,
            priority=queue.priority if queue else record.card.priority,
            requires=queue.requires if queue else (),
            cad=values,
            campaign=_call(campaign, record, agent_id),
        )
    )
    tell_arrival(world, interaction, "")
    return interaction


def _call(campaign: Campaign, record: RecordLive, agent_id: str) -> CampaignCall:
    return CampaignCall(
        campaign=campaign.id,
        mode=campaign.mode,
        record_id=record.id,
        agent_id=agent_id,
        number=record.number,
        number_kind=record.number_kind,
        ani=campaign.ani,
        name=record.card.name,
        origin=record.card.data.get(ORIGIN, ""),
    )


def open_seat(world: World, campaign: Campaign, agent_id: str) -> Interaction:
    """A seat for that agent: there is no contact, and no record (PROG-07), so nothing is told of a call."""
    return world.put_interaction(
        Interaction(
            id=world.new_id("int"),
            pbx=pbx_of(world.config, campaign),
            kind=SEAT,
            state=InteractionState.CALLING_AGENT,
            customer_leg="",
            entry_point=campaign.entry_point,
            queue=campaign.queue,
            ani=campaign.ani,
            ani_name=campaign.label,
            dnis="",
            entered_at_ms=world.now_ms,
            campaign=CampaignCall(campaign=campaign.id, mode=campaign.mode, agent_id=agent_id, ani=campaign.ani),
        )
    )
