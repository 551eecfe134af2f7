"""Times on pages of supervisors: those of the tenant's own clock, so that two who talk about a call see the same."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from babel import Locale, dates
from flask import g

from routing.api.services import services
from routing.desk import language
from routing.desk.door import person
from routing.desk.site import pages


def zone() -> str:
    """The tenant's, for this request."""
    if "desk_tenant_zone" not in g:  # `desk_zone` is the reader's
        g.desk_tenant_zone = services().front(person().principal.tenant).config().time_zone
    return str(g.desk_tenant_zone)


def ms_of(at: str) -> int:
    """ms UTC of RFC 3339."""
    return int(datetime.fromisoformat(at).timestamp() * 1000)


def clock_time(at: str | int | None, pattern: str = "HH:mm:ss") -> str:
    """The time of day with seconds, of RFC 3339 or ms UTC; None: a dash."""
    if at is None:
        return language.DASH
    moment = datetime.fromtimestamp((at if isinstance(at, int) else ms_of(at)) / 1000, ZoneInfo(zone()))
    return dates.format_time(moment.timetz(), pattern, locale=Locale.parse(language.current()))


def exact_time(at: str | int | None) -> str:
    """The same to the tenth of a second, cut off: what routing does takes less than one."""
    if at is None:
        return language.DASH
    at_ms = at if isinstance(at, int) else ms_of(at)
    return clock_time(at_ms // 100 * 100, "HH:mm:ss.S")


def day_time(at: str | None) -> str:
    """Date and time; None: a dash."""
    return language.date_time(at, zone())


pages.add_app_template_filter(clock_time, "clock_time")
pages.add_app_template_filter(exact_time, "exact_time")
pages.add_app_template_filter(day_time, "day_time")
