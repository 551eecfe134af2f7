"""When a day begins and how long it is, in a time zone: 23, 24 or 25 hours."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


def start_of(date: str, zone: str) -> int:
    """Midnight there, in ms UTC. Raises ValueError for no date, KeyError for no zone."""
    midnight = datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=ZoneInfo(zone))
    return round(midnight.timestamp() * 1000)


def length_of(date: str, zone: str) -> int:
    """In ms. Raises as `start_of`."""
    following = datetime.fromisoformat(date) + timedelta(days=1)
    return start_of(following.date().isoformat(), zone) - start_of(date, zone)
