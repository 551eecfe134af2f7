"""Who was dropped is not dialed without an agent for some days, whichever record of ours he is called for (DIALER-07).

SQL keeps these numbers, and a record has them with it when it is handed over. What the recorder has not written down
yet is known here: drops of the last minutes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from routing.core.campaign import Reserved
from routing.core.numbers import readings
from routing.core.record import RecordCard
from routing.core.world import World

KNOWN_MS = 15 * 60_000


def reserve(world: World, campaign_id: str, number: str, until_ms: int) -> None:
    """Of the records in our hands, and of those that come within the next minutes."""
    taken = readings(number, world.config.numbers)
    for record in world.hoppers.with_number(taken):
        if record.card.reserve_until_ms < until_ms:
            world.put_record(replace(record, card=replace(record.card, reserve_until_ms=until_ms)))
    live = world.state.campaigns.get(campaign_id)
    if live is not None:
        known = (one for one in live.reserved if world.now_ms - one.at_ms < KNOWN_MS)
        new = Reserved(number=number, at_ms=world.now_ms, until_ms=until_ms)
        world.put_campaign(replace(live, reserved=(*known, new)))


def known(world: World) -> dict[str, int]:
    """By each reading of a number that was dropped lately, by whatever campaign."""
    found: dict[str, int] = {}
    for live in world.state.campaigns.values():
        for one in live.reserved:
            for reading in readings(one.number, world.config.numbers):
                found[reading] = max(found.get(reading, 0), one.until_ms)
    return found


def held(world: World, cards: Iterable[RecordCard]) -> list[RecordCard]:
    """Records that come, as of the drops of the last minutes."""
    lately = known(world)
    return [_held(world, card, lately) for card in cards] if lately else list(cards)


def _held(world: World, card: RecordCard, lately: dict[str, int]) -> RecordCard:
    of = (lately.get(reading, 0) for n in card.numbers for reading in readings(n.number, world.config.numbers))
    until_ms = max(of, default=0)
    return replace(card, reserve_until_ms=until_ms) if until_ms > card.reserve_until_ms else card
