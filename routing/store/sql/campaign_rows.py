"""Rows of the table `records`: made new, read as values, and what is derived for claiming.

`zone` and `rank` come first in the index that claiming uses, so that the next due records of an open zone are one range
of it, however many rest or sleep. `zone`: that of all numbers (where a callback is planned, of the one whose turn it
is), `MIXED` where they differ. `rank`: lower first; callbacks, then by priority, and within one what is to be retried
before what is fresh.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from routing.core.config import Numbers
from routing.core.record import RecordNumber
from routing.store.sql.rows import MAX_KEY, clean
from routing.store.sql.search import lookup_number

MIXED = "*"
CALLBACK_RANK = 0
_HIGHEST_PRIORITY = 10


class RowState(StrEnum):
    """OPEN: in nobody's hands. CLAIMED: handed to the engine, or on the way there or back. CLOSED: done with."""

    OPEN = "open"
    CLAIMED = "claimed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecord:
    """A contact as a list gives it. `dedupe_key` None: it may be there any number of times."""

    id: str
    campaign: str
    numbers: tuple[RecordNumber, ...]
    list_order: int
    name: str = ""
    list_id: str = ""
    contact_id: str = ""
    external_id: str = ""
    dedupe_key: str | None = None
    data: dict[str, str] = field(default_factory=dict)
    priority: int = 5


def new_row(tenant: str, given: NewRecord, rules: Numbers, now_ms: int) -> dict[str, Any]:
    """The row to insert, due at once; every row has the same columns."""
    row = {
        "tenant": tenant,
        "id": given.id,
        "campaign": given.campaign,
        "list_id": given.list_id,
        "contact_id": given.contact_id,
        "external_id": clean(given.external_id)[:MAX_KEY],
        "dedupe_key": None if given.dedupe_key is None else clean(given.dedupe_key)[:MAX_KEY],
        "name": clean(given.name),
        "numbers": [number_row(number) for number in given.numbers],
        "data": {clean(name): clean(value) for name, value in given.data.items()},
        "priority": given.priority,
        "list_order": given.list_order,
        "created_at_ms": now_ms,
        "updated_at_ms": now_ms,
    }
    return row | derived(row, rules)


def number_row(number: RecordNumber) -> dict[str, Any]:
    """Written out: a list of a million rows comes through here."""
    return {
        "number": clean(number.number),
        "kind": clean(number.kind),
        "zone": number.zone,
        "zone_source": number.zone_source,
        "attempts": number.attempts,
        "attempts_today": number.attempts_today,
        "results": number.results,
    }


def derived(row: Mapping[str, Any], rules: Numbers) -> dict[str, Any]:
    """`number`, `zone` and `rank` of a row: to be written whenever what they are made of changes."""
    numbers, is_callback = row["numbers"] or [], row.get("callback") is not None
    turn = row.get("next_number") or 0
    return {
        "number": lookup_number(numbers[0]["number"], rules)[:MAX_KEY] if numbers else "",
        "zone": zone_of(numbers[turn : turn + 1] if is_callback else numbers),
        "rank": rank_of(row["priority"], row.get("attempts") or 0, is_callback),
    }


def zone_of(numbers: Iterable[Mapping[str, Any]]) -> str:
    """Empty: of none of them a zone is known, the campaign's own holds."""
    zones = {str(number.get("zone") or "") for number in numbers}
    return MIXED if len(zones) > 1 else "".join(zones)


def rank_of(priority: int, attempts: int, is_callback: bool) -> int:
    """0 for a callback, 1 and 2 for a retry and a fresh record of priority 10, ... 19 and 20 of priority 1."""
    if is_callback:
        return CALLBACK_RANK
    return 2 * (_HIGHEST_PRIORITY - priority) + (1 if attempts else 2)


def numbers_of(rows: Sequence[Mapping[str, Any]] | None) -> tuple[RecordNumber, ...]:
    """The column `numbers` or `blocked` as values; what this version does not know is left out."""
    names = RecordNumber.__dataclass_fields__
    return tuple(RecordNumber(**{k: v for k, v in row.items() if k in names}) for row in rows or ())
