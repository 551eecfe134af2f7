"""What a campaign's calls came to, by day and within its legal window: the counts that its cap is held to (DIALER-05).

The one place where they are added to. A day is that of the server's time zone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from routing.core import windows
from routing.core.campaign import DropDay
from routing.core.campaign_rules import Campaign
from routing.core.world import World


def add(world: World, campaign_id: str, counted: DropDay) -> None:
    """One more attempt, in today's counts; days outside of the window are forgotten."""
    live, campaign = world.state.campaigns.get(campaign_id), world.config.campaigns.get(campaign_id)
    if live is None:
        return
    today = windows.local_day(world.config.time_zone, world.now_ms)
    days = live.days | {today: _sum(live.days.get(today, DropDay()), counted)}
    if campaign is not None:
        first = _first_day(campaign, today)
        days = {day: counts for day, counts in days.items() if day >= first}
    world.put_campaign(replace(live, days=days))


def within_window(world: World, campaign: Campaign) -> DropDay:
    """All of it together, as of now."""
    live = world.state.campaigns.get(campaign.id)
    first = _first_day(campaign, windows.local_day(world.config.time_zone, world.now_ms))
    total = DropDay()
    for day, counts in live.days.items() if live else ():
        if day >= first:
            total = _sum(total, counts)
    return total


def _first_day(campaign: Campaign, today: str) -> str:
    return (date.fromisoformat(today) - timedelta(days=max(campaign.pacing.window_days, 1) - 1)).isoformat()


def _sum(one: DropDay, other: DropDay) -> DropDay:
    return DropDay(
        attempts=one.attempts + other.attempts,
        live=one.live + other.live,
        dropped=one.dropped + other.dropped,
        hung_up=one.hung_up + other.hung_up,
        machines=one.machines + other.machines,
    )
