"""When a contact may be called: by the clock on his own wall, whichever of his zones it may be (DIALER-03).

Without hours of the campaign the window is 8 to 21, which 47 CFR 64.1200(c)(1) and 16 CFR 310.4(c) allow.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from datetime import time as wall_time
from zoneinfo import ZoneInfo

from routing.core import hours as clocks
from routing.core.campaign_rules import Campaign
from routing.core.hours import Hours, Span
from routing.core.record import RecordNumber

LEGAL = Hours(id="", time_zone="UTC", week=((Span(from_min=8 * 60, until_min=21 * 60),),) * 7)
_MOST_STEPS = 100  # zones whose windows never meet are not searched for ever


def zone_of(campaign: Campaign, number: RecordNumber, fallback: str = "UTC") -> tuple[str, str]:
    """The number's zones, joined with a comma, and where they are known from. `fallback`: of the tenant."""
    if number.zone:
        return number.zone, number.zone_source
    return (campaign.default_zone, "campaign") if campaign.default_zone else (fallback, "server")


def is_open(hours: Hours | None, zone: str, now_ms: int) -> bool:
    """In each of these zones. `hours`: the campaign's, None: the legal ones."""
    return all(clocks.is_open(replace(hours or LEGAL, time_zone=one), now_ms) for one in zone.split(","))


def next_open_ms(hours: Hours | None, zone: str, now_ms: int) -> int | None:
    """The first moment from `now_ms` on at which it is open in each of the zones; None: there is none to be found."""
    at_ms = now_ms
    for _ in range(_MOST_STEPS):
        opens = [clocks.next_open_ms(replace(hours or LEGAL, time_zone=one), at_ms) for one in zone.split(",")]
        found = [at for at in opens if at is not None]
        if len(found) < len(opens):
            return None
        if max(found) == at_ms:
            return at_ms
        at_ms = max(found)
    return None


def local_time(zone: str, now_ms: int) -> str:
    """Date, time and offset on the wall of the first of the zones, for the ledger."""
    return _local(zone, now_ms).isoformat(timespec="minutes")


def local_day(zone: str, now_ms: int) -> str:
    """ISO date of the contact's day."""
    return _local(zone, now_ms).date().isoformat()


def next_day_ms(zone: str, now_ms: int) -> int:
    """When the contact's next day begins."""
    zone_info, day = ZoneInfo(zone.split(",", maxsplit=1)[0]), _local(zone, now_ms).date() + timedelta(days=1)
    return round(datetime.combine(day, wall_time(), tzinfo=zone_info).timestamp() * 1000)


def _local(zone: str, now_ms: int) -> datetime:
    return datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(ZoneInfo(zone.split(",", maxsplit=1)[0]))
