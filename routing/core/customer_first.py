"""The customer is called first, and an agent is found when he has answered: predictive, and progressive with seats."""

from __future__ import annotations

from routing.core import attempts, capacity, seating
from routing.core.campaign_calls import open_call
from routing.core.dialable import Hindered, choose
from routing.core.interaction import InteractionState
from routing.core.members import is_running, pbx_of
from routing.core.previews import is_agent_first
from routing.core.record import RecordLive
from routing.core.releasing import put_back
from routing.core.world import World


def dial(world: World, record: RecordLive) -> None:
    """It may be called. Where that cannot be done this very moment, it goes back to where it was in its hopper."""
    campaign = world.config.campaigns.get(record.card.campaign)
    if campaign is None or not is_running(world, campaign.id) or cannot_dial(world, campaign.id):
        put_back(world, record)
    elif is_agent_first(campaign):
        put_back(world, record)  # another mode since it was asked about
    elif record.agent_id and not seating.is_seated(world, campaign.id, record.agent_id):
        put_back(world, record)  # for whom it was kept is gone
    elif isinstance(choose(world, campaign, record, record.number), Hindered):
        put_back(world, record)  # whoever takes it next releases it with the reason
    else:
        call = open_call(world, campaign, record, InteractionState.CALLING_CUSTOMER, record.agent_id)
        attempts.begin(world, call, record)


def cannot_dial(world: World, campaign_id: str) -> str:
    """Why no call of this campaign can begin now, whatever its records are; empty when one can (OUT-03)."""
    campaign = world.config.campaigns[campaign_id]
    if not (pbx := pbx_of(world.config, campaign)) or not world.config.pbxs[pbx].dial:
        return "no_trunk"
    if not world.is_linked(pbx):
        return "link_down"
    if (code := capacity.reason_code(world)) is not None:
        return f"capacity_{code}"
    return "dial_rate" if capacity.dials_left(world) == 0 else ""
