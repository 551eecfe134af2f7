"""What an agent has decided about a record, and what becomes of it by that (DISP, CBS)."""

from __future__ import annotations

from routing.core import windows
from routing.core.campaign_rules import Campaign, Disposition
from routing.core.errors import RecordNotDone
from routing.core.record import RecordLive, RecordNumber, RecordState, ReleaseCause
from routing.core.releasing import release
from routing.core.world import World


def dispositions_of(world: World, record: RecordLive) -> dict[str, Disposition]:
    campaign = world.config.campaigns.get(record.card.campaign)
    return {d.code: d for d in campaign.dispositions} if campaign else {}


def require_closable(world: World, record: RecordLive) -> None:
    """Raises RecordNotDone: a disposition is missing (DISP-04), its callback lies in the past by now (CBS-08, A23)."""
    campaign = world.config.campaigns.get(record.card.campaign)
    if record.callback and record.callback.at_ms <= world.now_ms:
        raise RecordNotDone(reason="callback_past")
    if campaign and campaign.require_disposition and campaign.dispositions and not record.codes:
        raise RecordNotDone(reason="disposition_required")


def decided(world: World, record: RecordLive) -> tuple[ReleaseCause, int | None] | None:
    """What its agent has decided about it, and when it is due; None: nothing. A mark goes before all (DISP-05)."""
    if record.do_not_call:
        return ReleaseCause.DO_NOT_CALL, None
    if record.callback:
        return ReleaseCause.CALLBACK, record.callback.at_ms
    primary = dispositions_of(world, record).get(record.codes[0]) if record.codes else None
    if primary is None:
        return None
    if primary.closes or primary.retry_s is None:
        return ReleaseCause.DONE, None
    return ReleaseCause.RETRY, _opens_ms(world, record, world.now_ms + primary.retry_s * 1000)


def _opens_ms(world: World, record: RecordLive, at_ms: int) -> int:
    """Inside of the contact's calling window."""
    campaign = world.config.campaigns[record.card.campaign]
    zone = zone_of(world, campaign, record, record.number)
    return windows.next_open_ms(world.config.hours.get(campaign.hours), zone, at_ms) or at_ms


def zone_of(world: World, campaign: Campaign, record: RecordLive, number: str) -> str:
    """The zones that bound a number; of one that the record does not have, those of the one it has."""
    known = record.card.numbers
    meant = next((n for n in known if n.number == number), known[0] if known else RecordNumber(number=number))
    return windows.zone_of(campaign, meant, world.config.time_zone)[0]


def close(world: World, record: RecordLive) -> None:
    """Nobody has anything to do with it any more: it goes back to SQL with what was decided (exactly once)."""
    cause, at_ms = decided(world, record) or (ReleaseCause.DONE, None)
    release(world, record, cause, next_at_ms=at_ms)


def wrapped_up(world: World, record_id: str, agent_id: str) -> None:
    """His wrap-up of it is over, by order or by its time-out."""
    record = world.state.records.get(record_id)
    if record and record.state is RecordState.FINISHING and record.agent_id == agent_id:
        close(world, record)
