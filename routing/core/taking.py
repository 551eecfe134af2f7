"""Records are taken out of a hopper to be called before an agent is theirs, in its order (PROG-06)."""

from __future__ import annotations

from routing.core import attempts
from routing.core.campaign_rules import Campaign
from routing.core.record import Place, RecordLive
from routing.core.world import World

# What a step looks at besides those that it takes: numbers that are in flight elsewhere stay where they are.
MOST_LOOKED_AT = 50


def take(world: World, campaign: Campaign, calls: int, agent_id: str = "") -> int:
    """So many of them are asked about now, and called if they may be; how many were found.

    `agent_id`: for whom they are kept. Due callbacks are laid before agents, and so is not called here who was dropped
    a short time ago, unless an agent is kept for him (DIALER-07).
    """
    taken = looked_at = 0
    for record in tuple(world.hoppers.ready(campaign.id)):
        if taken >= calls or looked_at - taken > MOST_LOOKED_AT:
            break
        if not is_for_all(world, record) and not (agent_id and record.card.callback is None):
            continue
        looked_at += 1
        taken += attempts.take(world, record, agent_id)
    return taken


def is_for_all(world: World, record: RecordLive) -> bool:
    """It may be called without an agent who is kept for it."""
    return record.place is not Place.CALLBACK and not is_reserved(world, record)


def is_reserved(world: World, record: RecordLive) -> bool:
    return record.card.reserve_until_ms > world.now_ms
