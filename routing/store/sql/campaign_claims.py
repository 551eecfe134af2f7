"""Claiming records: the next due ones of a campaign, each under a number that no other claim has (CAMP-01, SAFE-01).

with database.begin() as connection:
    cards = claim(connection, tenant, campaign.id, 100, now_ms, rules)

Zones whose calling window is closed now are left out of the search; rows are looked for per zone and rank, the first
columns of the index, so that a claim costs what it finds, not what the list holds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from routing.core.campaign_rules import DialMode
from routing.core.record import RecordCard
from routing.store.sql.campaign_cards import ClaimRules, take
from routing.store.sql.campaign_reserves import reserved
from routing.store.sql.campaign_rows import CALLBACK_RANK, MIXED, RowState
from routing.store.sql.campaign_tables import records
from routing.store.sql.do_not_call import ALL_CALLS
from routing.store.sql.do_not_call_tables import do_not_call
from routing.store.sql.search import same_numbers

_ROUNDS = 8  # so often it looks again where rows were put off or closed instead of claimed
_AT_ONCE = 5000  # values in one statement; SQLite takes 32,766


def claim(
    connection: Connection, tenant: str, campaign: str, count: int, now_ms: int, rules: ClaimRules
) -> list[RecordCard]:
    """Up to `count` due records, most urgent first, now in state CLAIMED; safe beside other claims.

    Records without a callable number are closed, those whose window is closed put off; others take their place.
    """
    claiming = _Claiming(connection, tenant, campaign, now_ms, rules)
    cards: list[RecordCard] = []
    for rank, zones in claiming.buckets():
        for _ in range(_ROUNDS):
            found = claiming.due(rank, zones, count - len(cards))
            cards += claiming.take(found)
            if len(cards) >= count or len(found) < count - len(cards):
                break
        if len(cards) >= count:
            break
    return cards


class _Claiming:
    """One claim in its transaction."""

    def __init__(self, connection: Connection, tenant: str, campaign: str, now_ms: int, rules: ClaimRules) -> None:
        self._connection, self._tenant, self._campaign = connection, tenant, campaign
        self._now_ms, self._rules = now_ms, rules
        column = records.c
        self._open = (
            column.tenant == tenant,
            column.campaign == campaign,
            column.state == RowState.OPEN.value,
        )

    def buckets(self) -> list[tuple[int, list[str]]]:
        """Ranks that there are, the first one first, each with its zones that are open now."""
        found: dict[int, list[str]] = {}
        for zone, rank in zone_ranks(self._connection, self._tenant, self._campaign, self._is_open):
            found.setdefault(rank, []).append(zone)
        return sorted(found.items())

    def _is_open(self, zone: str) -> bool:
        return zone == MIXED or self._rules.is_open(zone, self._now_ms)

    def due(self, rank: int, zones: Iterable[str], count: int) -> list[dict[str, Any]]:
        """Rows of that rank that are due, locked; in the order of their time, then of the list."""
        column = records.c
        order = (column.due_at_ms, column.list_order)
        query = select(*order, column.id).where(*self._open, column.rank == rank, column.due_at_ms <= self._now_ms)
        if self._rules.campaign.mode is DialMode.PREDICTIVE and rank != CALLBACK_RANK:
            query = query.where(column.reserve_until_ms <= self._now_ms)
        query = query.order_by(*order).limit(count).with_for_update(skip_locked=True)
        heads: list[tuple[int, int, str]] = []
        for zone in zones:
            heads += (tuple(row) for row in self._connection.execute(query.where(column.zone == zone)))
        first = [record_id for _due_at_ms, _order, record_id in sorted(heads)[:count]]
        whole = select(records).where(column.tenant == self._tenant, column.id.in_(first))
        rows = {row["id"]: dict(row) for row in self._connection.execute(whole).mappings()} if first else {}
        return [rows[record_id] for record_id in first]

    def take(self, rows: list[dict[str, Any]]) -> list[RecordCard]:
        """Claim what can be called; close or put off the others."""
        if not rows:
            return []
        numbers = {number["number"] for row in rows for number in row["numbers"] or ()}
        marked = self._marked(numbers)
        held = reserved(self._connection, self._tenant, numbers, self._rules.numbers, self._now_ms)
        taken = [take(row, marked, self._rules, self._now_ms, held) for row in rows]
        changes = [{"key": row["id"], **done.changes} for row, done in zip(rows, taken, strict=True)]
        change = update(records).where(records.c.tenant == self._tenant, records.c.id == bindparam("key"))
        self._connection.execute(change, changes)
        return [done.card for done in taken if done.card]

    def _marked(self, numbers: Iterable[str]) -> Collection[str]:
        """Those of them that must not be called, as they are written in the record."""
        forms: dict[str, set[str]] = {}
        for number in set(numbers):
            for form in same_numbers(number, self._rules.numbers):
                forms.setdefault(form, set()).add(number)
        wanted, column, found = list(forms), do_not_call.c, set()
        for start in range(0, len(wanted), _AT_ONCE):
            query = select(column.number).where(
                column.tenant == self._tenant,
                column.number.in_(wanted[start : start + _AT_ONCE]),
                column.campaign.in_((ALL_CALLS, self._campaign)),
            )
            for form in self._connection.scalars(query):
                found |= forms[form]
        return found


def zone_ranks(
    connection: Connection, tenant: str, campaign: str, wanted: Callable[[str], bool] = lambda _zone: True
) -> Iterator[tuple[str, int]]:
    """Each (zone, rank) that open records have, by leaps through the index; not those of zones that are not wanted."""
    column = records.c
    query = select(column.zone, column.rank).where(
        column.tenant == tenant, column.campaign == campaign, column.state == RowState.OPEN.value
    )
    query = query.order_by(column.zone, column.rank).limit(1)
    pair = connection.execute(query).first()
    while pair is not None:
        zone, rank = pair
        pair = None
        if wanted(zone):
            yield zone, rank
            # Not (zone, rank) > (...): SQLite would go through all rows of the zone.
            pair = connection.execute(query.where(column.zone == zone, column.rank > rank)).first()
        if pair is None:
            pair = connection.execute(query.where(column.zone > zone)).first()
