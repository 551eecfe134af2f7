"""One call for each agent who waits: progressive with seats, and predictive where there are too few agents (DIALER-10).

It needs no worker: the engine does it after every step.
"""

from __future__ import annotations

from routing.core import customer_first, in_flight, seating, taking
from routing.core.campaign_rules import Campaign, DialMode
from routing.core.members import is_running, joined, ready_agents
from routing.core.world import World


def is_one_to_one(world: World, campaign: Campaign) -> bool:
    """Its contacts are called before agents, and never more of them than there are free agents."""
    if campaign.mode is DialMode.PROGRESSIVE:
        return campaign.seize_agents
    is_small = len(joined(world, campaign.id)) < campaign.pacing.min_agents
    return campaign.mode is DialMode.PREDICTIVE and (is_small or campaign.pacing.cap <= 0)


def dial(world: World) -> None:
    """After every step: whoever waits and has no contact on the way gets one."""
    for campaign_id in sorted(world.state.campaigns):
        campaign = world.config.campaigns.get(campaign_id)
        is_due = is_running(world, campaign_id) and world.hoppers.count_ready(campaign_id)
        if (
            campaign
            and is_due
            and is_one_to_one(world, campaign)
            and not customer_first.cannot_dial(world, campaign_id)
        ):
            _dial(world, campaign)


def _dial(world: World, campaign: Campaign) -> None:
    most = in_flight.most_begun(world, campaign)
    if seating.has_seats(world, campaign.id):
        for seat in seating.free_seats(world, campaign.id)[:most]:
            if seat.campaign and not taking.take(world, campaign, 1, seat.campaign.agent_id):
                break
    else:
        free = len(ready_agents(world, campaign.id)) - in_flight.count(world, campaign.id)
        taking.take(world, campaign, max(0, free if most is None else min(free, most)))
