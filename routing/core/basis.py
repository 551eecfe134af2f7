"""What makes an attempt lawful at the moment in which it is dialed, as the ledger keeps it. Pure."""

from __future__ import annotations

from routing.core import windows
from routing.core.campaign_rules import Campaign
from routing.core.dialable import Dialable
from routing.core.record import RecordLive
from routing.core.world import World


def of(world: World, campaign: Campaign, record: RecordLive, found: Dialable) -> dict[str, object]:
    """`lists`: of numbers that are not called, asked just before; `revision`: of them."""
    card = record.card
    number = found.number if found.index is None else card.numbers[found.index]
    consent = {"consent": card.data["consent"]} if "consent" in card.data else {}
    return {
        "zone": found.zone,
        "zone_source": found.zone_source,
        "local_time": windows.local_time(found.zone, world.now_ms),
        "window": campaign.hours or "legal",
        "lists": ["all", campaign.id],
        "revision": record.revision,
        "attempts": card.attempts,
        "attempts_today": card.attempts_today,
        "number_attempts": number.attempts,
        "number_attempts_today": number.attempts_today,
        **consent,
    }
