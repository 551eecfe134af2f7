"""The compliance ledger: every attempt with its legal basis and its outcome, each row sealed by the hash of the last.

`hash` = SHA-256 of the hash before it (empty for the first) and the row's `body`, both as UTF-8. `body` is JSON with
sorted keys and without blanks, and holds the sequence number, too: a row that is changed, missing, added or moved
breaks the chain, and who keeps a hash that was exported can tell a chain that was made anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, select, update

from routing.core.events import Event, EventType
from routing.store.sql.campaign_tables import attempt_ledger, ledger_heads
from routing.store.sql.inserting import insert_once
from routing.store.sql.rows import clean

_KINDS = {EventType.ATTEMPT_STARTED: "started", EventType.ATTEMPT_ENDED: "ended"}
_PORTION = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row. `told`: all of the event, from `body`."""

    sequence: int
    attempt_id: str
    kind: str
    at_ms: int
    body: str
    hash: str

    @property
    def told(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """The first row where the chain does not hold. `why`: missing, changed, cut_off."""

    sequence: int
    why: str


# ------------------------------------------------------------------ writing


def append(connection: Connection, tenant: str, events: Iterable[Event]) -> None:
    """Add the attempts that began or ended, in order; one that is there already is left out."""
    by_campaign: dict[str, list[Event]] = {}
    for event in events:
        by_campaign.setdefault(clean(str(event.values["campaign"])), []).append(event)
    for campaign, group in sorted(by_campaign.items()):
        _append(connection, tenant, campaign, group)


def _append(connection: Connection, tenant: str, campaign: str, events: Sequence[Event]) -> None:
    head = _head(connection, tenant, campaign)
    known = _known(connection, tenant, {_attempt(event) for event in events})
    sequence, last, rows = head.sequence, head.hash, []
    for event in events:
        kind, attempt_id = _KINDS[event.type], _attempt(event)
        if (attempt_id, kind) in known:
            continue
        known.add((attempt_id, kind))
        sequence += 1
        body = _body(event, campaign, sequence, kind)
        last = _sealed(last, body)
        about = {"tenant": tenant, "campaign": campaign, "sequence": sequence, "attempt_id": attempt_id}
        rows.append(about | {"kind": kind, "at_ms": event.at_ms, "body": body, "hash": last})
    if rows:
        connection.execute(insert(attempt_ledger), rows)
        ours = (ledger_heads.c.tenant == tenant, ledger_heads.c.campaign == campaign)
        connection.execute(update(ledger_heads).where(*ours).values(sequence=sequence, hash=last))


def _head(connection: Connection, tenant: str, campaign: str) -> Any:
    """The end of the chain, locked."""
    insert_once(connection, ledger_heads, {"tenant": tenant, "campaign": campaign, "sequence": 0, "hash": ""})
    column = ledger_heads.c
    query = select(column.sequence, column.hash).where(column.tenant == tenant, column.campaign == campaign)
    return connection.execute(query.with_for_update()).one()


def _known(connection: Connection, tenant: str, attempt_ids: Iterable[str]) -> set[tuple[str, str]]:
    column = attempt_ledger.c
    query = select(column.attempt_id, column.kind).where(column.tenant == tenant, column.attempt_id.in_(attempt_ids))
    return {(attempt_id, kind) for attempt_id, kind in connection.execute(query)}


def _attempt(event: Event) -> str:
    return clean(str(event.values["attempt_id"]))


def _body(event: Event, campaign: str, sequence: int, kind: str) -> str:
    about = {"campaign": campaign, "sequence": sequence, "kind": kind, "at_ms": event.at_ms}
    about |= {"interaction_id": event.interaction_id, "agent_id": event.agent_id}
    text = json.dumps(dict(event.values) | about, sort_keys=True, separators=(",", ":"), default=str)
    return clean(text)


def _sealed(before: str, body: str) -> str:
    return sha256(f"{before}{body}".encode()).hexdigest()


# ------------------------------------------------------------------ reading


def ledger(
    connection: Connection, tenant: str, campaign: str, month: str, zone: str = "UTC", *, after: int = 0
) -> Iterator[Entry]:
    """The rows of a month (`2026-11`, as it is in that zone) behind that sequence number, in order, a portion at a
    time. Raises ValueError.
    """
    from_ms, until_ms = month_span(month, zone)
    column = attempt_ledger.c
    within = (column.at_ms >= from_ms, column.at_ms < until_ms)
    return _entries(connection, tenant, campaign, *within, after=after)


def month_span(month: str, zone: str) -> tuple[int, int]:
    """First ms of the month and of the next one. Raises ValueError for what is no month."""
    begin = datetime.strptime(month, "%Y-%m").replace(tzinfo=ZoneInfo(zone))
    end = begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)
    return round(begin.timestamp() * 1000), round(end.timestamp() * 1000)


def verify_ledger(connection: Connection, tenant: str, campaign: str, known_hash: str = "") -> Breach | None:
    """The first row that was changed, taken away or cut off; None: the chain holds.

    `known_hash`: of an earlier export, kept elsewhere; a chain in which it is not was made anew. Rows that were deleted
    since they were old are not missed, but an export that ends with one of them cannot be found in what is left, unless
    it is the last of them.
    """
    column = ledger_heads.c
    query = select(column.sequence, column.hash, column.cut_sequence, column.cut_hash)
    head = connection.execute(query.where(column.tenant == tenant, column.campaign == campaign)).first()
    last, expected = (head.cut_hash, head.cut_sequence + 1) if head else ("", 1)
    is_known = known_hash in ("", last)
    for entry in _entries(connection, tenant, campaign):
        if entry.sequence != expected:
            return Breach(sequence=expected, why="missing")
        if not _is_sealed(entry, last, campaign):
            return Breach(sequence=entry.sequence, why="changed")
        last, expected = entry.hash, expected + 1
        is_known |= entry.hash == known_hash
    if (head.sequence, head.hash) != (expected - 1, last) if head else expected > 1:
        return Breach(sequence=expected, why="cut_off")
    return None if is_known else Breach(sequence=1, why="changed")


def _is_sealed(entry: Entry, before: str, campaign: str) -> bool:
    """Its hash fits, and what stands beside the body is what the body says."""
    if entry.hash != _sealed(before, entry.body):
        return False
    beside = {"campaign": campaign, "sequence": entry.sequence, "kind": entry.kind, "at_ms": entry.at_ms}
    told = entry.told
    return all(told.get(name) == value for name, value in beside.items()) and told["attempt_id"] == entry.attempt_id


def _entries(connection: Connection, tenant: str, campaign: str, *within: Any, after: int = 0) -> Iterator[Entry]:
    column = attempt_ledger.c
    names = (column.sequence, column.attempt_id, column.kind, column.at_ms, column.body, column.hash)
    ours = (column.tenant == tenant, column.campaign == campaign, *within)
    while True:
        query = select(*names).where(*ours, column.sequence > after).order_by(column.sequence).limit(_PORTION)
        rows = connection.execute(query).mappings().all()
        yield from (Entry(**row) for row in rows)
        if len(rows) < _PORTION:
            return
        after = rows[-1]["sequence"]
