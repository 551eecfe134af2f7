"""A scheduled callback as its agent plans it, until the record is closed (CBS-01..08)."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from routing.core import decisions, windows
from routing.core.campaign_rules import Campaign
from routing.core.dialable import index_of, known_number, zone_of
from routing.core.errors import PlanRefused
from routing.core.events import EventType
from routing.core.finishing import about, held, tell
from routing.core.guard import campaign_number, profile_of
from routing.core.members import pbx_of
from routing.core.orders import CancelPlannedCallback, PlanCallback
from routing.core.record import PlannedCallback, RecordLive, RecordNumber
from routing.core.roles import Action
from routing.core.world import World

Values = dict[str, object]
MAX_KIND = 32


def plan(world: World, order: PlanCallback) -> Values:
    """A later one replaces it. It stands when the record is closed.

    Raises as `held` (PERM-07, PERM-08), PlanRefused (CBS-07, A23), NumberRefused (CBS-03); then nothing has changed.
    """
    record, _interaction = held(world, order.agent_id, order.interaction_id, Action.PLAN_CALLBACK)
    campaign = world.config.campaigns.get(record.card.campaign)
    if campaign is None:
        raise PlanRefused(reason="campaign")
    if order.at_ms <= world.now_ms:
        raise PlanRefused(reason="past")
    if not _is_zone(order.zone):
        raise PlanRefused(reason="zone")
    if record.do_not_call:
        raise PlanRefused(reason="do_not_call")
    profile = profile_of(world.config, order.agent_id)
    if order.is_personal and not (profile and profile.reschedule_personal):
        raise PlanRefused(reason="personal")
    number = _number(world, campaign, record, order) if order.number.strip() else ""
    is_new = bool(number) and index_of(record.card, number) is None
    planned = PlannedCallback(
        at_ms=order.at_ms,
        zone=order.zone,
        number=number,
        number_kind=order.number_kind.strip()[:MAX_KIND] if number else "",
        number_zone=order.number_zone if is_new else "",
        is_personal=order.is_personal,
    )
    _require_open(world, campaign, record, planned)
    world.put_record(replace(record, callback=planned))
    told = {"at_ms": planned.at_ms, "zone": planned.zone, "number": number, "number_kind": planned.number_kind}
    told |= {"is_personal": planned.is_personal}
    tell(world, EventType.RECORD_CALLBACK_PLANNED, order, **about(record), **told)
    return told


def _is_zone(name: str) -> bool:
    """IANA."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; no name at all; a folder of the database
        return False
    return bool(name)


def _number(world: World, campaign: Campaign, record: RecordLive, order: PlanCallback) -> str:
    """One of the contact's, or where the profile allows it another one that may be dialed (CBS-03, PERM-09)."""
    if known := known_number(world, record.card, order.number.strip()):
        return known
    profile = profile_of(world.config, order.agent_id)
    if not (profile and profile.other_number):
        raise PlanRefused(reason="other_number")
    return campaign_number(world, campaign, pbx_of(world.config, campaign), order.number).number.text


def _require_open(world: World, campaign: Campaign, record: RecordLive, planned: PlannedCallback) -> None:
    """A time at which that number may be called (CBS-13), by its own clock; it is looked at again when it falls due."""
    zone, hours = _zone(world, campaign, record, planned), world.config.hours.get(campaign.hours)
    if not windows.is_open(hours, zone, planned.at_ms):
        raise PlanRefused(reason="window", next_open_ms=windows.next_open_ms(hours, zone, planned.at_ms))


def _zone(world: World, campaign: Campaign, record: RecordLive, planned: PlannedCallback) -> str:
    if planned.number and index_of(record.card, planned.number) is None:
        number = RecordNumber(number=planned.number, zone=planned.number_zone, zone_source="number")
        return zone_of(world, campaign, number)[0]
    return decisions.zone_of(world, campaign, record, planned.number or record.number)


def cancel(world: World, order: CancelPlannedCallback) -> Values:
    """Possible until the record is closed (CBS-06). Raises as `held`, PlanRefused."""
    record, _interaction = held(world, order.agent_id, order.interaction_id, Action.CANCEL_PLANNED_CALLBACK)
    if record.callback is None:
        raise PlanRefused(reason="none")
    world.put_record(replace(record, callback=None))
    tell(world, EventType.RECORD_CALLBACK_CANCELLED, order, **about(record))
    return {}
