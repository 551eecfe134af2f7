"""Why is nothing dialed? Each reason with how many it concerns, as far as live state tells (DIALER-11). Pure.

What waits in SQL, not due or not claimed, is not seen here.
"""

from __future__ import annotations

from collections import Counter
from math import floor

from routing.core import customer_first, drop_days, guarantees, in_flight, pacer, seating, taking
from routing.core.campaign import CampaignState
from routing.core.campaign_rules import Campaign, DialMode
from routing.core.dialable import Hindered, Hindrance, choose
from routing.core.members import joined, not_ready_because
from routing.core.progressive import is_one_to_one
from routing.core.record import RecordState
from routing.core.world import World

NO_PACING_MS = 10_000  # no worker or no ticker
MOST_RECORDS = 500  # that are looked at one by one
_WORDS = {Hindrance.WINDOW: "window_closed"}


def why(world: World, campaign_id: str, most_records: int = MOST_RECORDS) -> dict[str, int]:
    """By stable words, in no order, as of `world.now_ms`; empty: nothing is in the way.

    Of the campaign: not_loaded, loaded, paused, stopped. Of agents: no_agents_joined, and `agent_` with why he gets
    nothing now, e.g. agent_idle, agent_connected, agent_phone_busy. Of records: hopper_empty, window_closed, in_flight,
    today, spent, no_number, no_trunk, reserved, callbacks, checking, unchecked. Of calls: link_down, no_trunk,
    capacity_26, capacity_27, dial_rate, lines_full, budget_spent, no_pacing, calling.
    """
    campaign, live = world.config.campaigns.get(campaign_id), world.state.campaigns.get(campaign_id)
    if campaign is None or live is None:
        return {"not_loaded": 1}
    found: Counter[str] = Counter()
    if live.state is not CampaignState.RUNNING:
        found[live.state.value] = 1
    _of_agents(world, campaign, found)
    _of_records(world, campaign, found, most_records)
    _of_calls(world, campaign, found)
    return {reason: count for reason, count in found.items() if count}


def _of_agents(world: World, campaign: Campaign, found: Counter[str]) -> None:
    agents = joined(world, campaign.id)
    if not agents:
        found["no_agents_joined"] = 1
    for agent_id in agents:
        because = not_ready_because(world, campaign.id, agent_id)
        if because and not seating.is_seated(world, campaign.id, agent_id):
            found[f"agent_{because}"] += 1


def _of_records(world: World, campaign: Campaign, found: Counter[str], most: int) -> None:
    ready = world.hoppers.count_ready(campaign.id)
    found["hopper_empty"] = int(not ready)
    for record in [record for record, _ in zip(world.hoppers.ready(campaign.id), range(most), strict=False)]:
        hindered = choose(world, campaign, record)
        if isinstance(hindered, Hindered):
            found[_WORDS.get(hindered.why, hindered.why.value)] += 1
        elif record.card.callback:
            found["callbacks"] += 1
        elif taking.is_reserved(world, record):
            found["reserved"] += 1
    for record in world.hoppers.of_state(campaign.id, RecordState.CHECKING):
        found["checking" if record.check_id else "unchecked"] += 1


def _of_calls(world: World, campaign: Campaign, found: Counter[str]) -> None:
    if because := customer_first.cannot_dial(world, campaign.id):
        found[because] = max(1, found[because])
    found["lines_full"] = int(in_flight.lines_left(world, campaign) == 0)
    found["calling"] = len(in_flight.calls(world, campaign.id))
    if campaign.mode is not DialMode.PREDICTIVE or is_one_to_one(world, campaign):
        return
    live = world.state.campaigns[campaign.id]
    since_ms = max(live.tick_at_ms, live.since_ms)
    is_running = live.state is CampaignState.RUNNING
    found["no_pacing"] = int(is_running and world.now_ms - since_ms > NO_PACING_MS)
    found["budget_spent"] = _overspent(world, campaign)


def _overspent(world: World, campaign: Campaign) -> int:
    """Drops at or above what the guarantee allows now; 0: there is room."""
    standing = pacer.standing_of(world, campaign)
    if guarantees.most_in_flight(campaign, standing) > max(standing.free, standing.in_flight):
        return 0
    live, dropped = guarantees.suffered(campaign, drop_days.within_window(world, campaign))
    return int(dropped >= floor(guarantees.allowance(campaign, live)))
