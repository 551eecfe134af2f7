"""The abandon grid: what a campaign's answered calls came to, day by day, against its cap (DIALER-05, DIALER-06).

From the table of attempts, so that it reaches back behind the legal window which the engine keeps. A day is that
of the server's time zone, as the engine counts it; a call belongs to the day on which it ended.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, case, func, select

from routing.core.campaign import Verdict
from routing.core.campaign_rules import AttemptResult, PacingRules
from routing.store.sql.campaign_tables import attempts

_BUCKET_MS = 900_000  # every time zone's midnight falls on a quarter of an hour
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DropSums:
    """`live`: answered by a person. Of those: `in_time`: with an agent within two seconds; `dropped`: not (the measure
    of the law); `hung_up`: he hung up while he waited (true abandon). The last two are apart: who hangs up late is in
    both. `machines`: verdicts.
    """

    attempts: int = 0
    live: int = 0
    in_time: int = 0
    dropped: int = 0
    hung_up: int = 0
    machines: int = 0

    def __add__(self, other: DropSums) -> DropSums:
        return DropSums(
            attempts=self.attempts + other.attempts,
            live=self.live + other.live,
            in_time=self.in_time + other.in_time,
            dropped=self.dropped + other.dropped,
            hung_up=self.hung_up + other.hung_up,
            machines=self.machines + other.machines,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DropRow:
    """One day (`2026-11-21`) or month (`2026-11`). `window`: the sums of the legal window that ends with it.

    `rate`: dropped of live within that window, None while nobody answered; `is_over`: it is above the cap.
    """

    period: str
    sums: DropSums
    window: DropSums
    rate: float | None
    cap: float
    is_over: bool


def drop_days(
    connection: Connection, tenant: str, campaign: str, rules: PacingRules, span: tuple[date, date], zone: str = "UTC"
) -> list[DropRow]:
    """One row per day of the span, both ends included; days without calls, too. Raises ZoneInfoNotFoundError."""
    first, last = span
    window = max(1, rules.window_days)
    by_day = _by_day(connection, tenant, campaign, (first - (window - 1) * _DAY, last + _DAY), zone)
    recent: deque[DropSums] = deque(maxlen=window)
    rows, day = [], first - (window - 1) * _DAY
    while day <= last:
        sums = by_day.get(day.isoformat(), DropSums())
        recent.append(sums)
        if day >= first:
            rows.append(_row(day.isoformat(), sums, _total(recent), rules))
        day += _DAY
    return rows


def drop_months(days: Sequence[DropRow], rules: PacingRules) -> list[DropRow]:
    """The same by month; the window is that of the month's last day."""
    months: dict[str, list[DropRow]] = {}
    for row in days:
        months.setdefault(row.period[:7], []).append(row)
    return [
        _row(month, _total(row.sums for row in rows), rows[-1].window, rules) for month, rows in sorted(months.items())
    ]


def _row(period: str, sums: DropSums, window: DropSums, rules: PacingRules) -> DropRow:
    rate = window.dropped / window.live if window.live else None
    return DropRow(
        period=period, sums=sums, window=window, rate=rate, cap=rules.cap, is_over=rate is not None and rate > rules.cap
    )


def _total(sums: Iterable[DropSums]) -> DropSums:
    return sum(sums, DropSums())


def _by_day(
    connection: Connection, tenant: str, campaign: str, span: tuple[date, date], zone: str
) -> dict[str, DropSums]:
    """Days from the first on, up to the second, which is not included."""
    place, column = ZoneInfo(zone), attempts.c
    from_ms, until_ms = (round(datetime.combine(day, time(), tzinfo=place).timestamp() * 1000) for day in span)
    bucket = (column.ended_at_ms // _BUCKET_MS).label("bucket")
    is_in_time = (
        (column.is_live == 1)
        & (column.result == AttemptResult.ANSWERED.value)
        & (func.coalesce(column.is_dropped, 0) == 0)
    )
    sums = [func.count(), func.sum(column.is_live), func.sum(case((is_in_time, 1), else_=0))]
    sums += [func.sum(column.is_dropped), func.sum(column.is_hung_up)]
    sums += [func.sum(case((column.verdict == Verdict.MACHINE.value, 1), else_=0))]
    query = select(bucket, *sums).where(
        column.tenant == tenant,
        column.campaign == campaign,
        column.ended_at_ms >= from_ms,
        column.ended_at_ms < until_ms,
    )
    found: dict[str, DropSums] = {}
    for quarter, *counts in connection.execute(query.group_by(bucket)):
        at = datetime.fromtimestamp(int(quarter) * _BUCKET_MS / 1000, UTC).astimezone(place)
        found[at.date().isoformat()] = found.get(at.date().isoformat(), DropSums()) + _sums(counts)
    return found


def _sums(counts: Sequence[int | None]) -> DropSums:
    tried, live, in_time, dropped, hung_up, machines = (int(count or 0) for count in counts)
    return DropSums(attempts=tried, live=live, in_time=in_time, dropped=dropped, hung_up=hung_up, machines=machines)
