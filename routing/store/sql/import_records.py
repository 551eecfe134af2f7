"""Contacts into the table of records, thousands in one transaction: who is new, who is there, who must not be called.

What makes two rows the same contact is looked up in the database, and held by its unique index; nothing is remembered
from one portion to the next. Portions of one campaign wait for each other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, func, select, update

from routing.core.config import Numbers
from routing.core.record import RecordNumber
from routing.store.sql.among import among
from routing.store.sql.bulk import insert_many
from routing.store.sql.campaign_rows import NewRecord, RowState, derived, new_row, number_row
from routing.store.sql.campaign_tables import records
from routing.store.sql.ids import new_ids
from routing.store.sql.import_marks import marked_numbers
from routing.store.sql.rows import clean

DO_NOT_CALL = "do_not_call"


class DuplicateKey(StrEnum):
    """What makes two rows of a campaign the same contact. NUMBER: the first one. BOTH: number and external id."""

    NUMBER = "number"
    EXTERNAL_ID = "external_id"
    BOTH = "both"


class OnDuplicate(StrEnum):
    """SKIP: the record that is there stays. UPDATE: it takes what the row says. ADD: the row is one more record."""

    SKIP = "skip"
    UPDATE = "update"
    ADD = "add"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A row of a file as a contact. `order`: None: that of the file."""

    line: int
    numbers: tuple[RecordNumber, ...]
    name: str = ""
    external_id: str = ""
    priority: int = 5
    order: int | None = None
    due_ms: int = 0
    data: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Into:
    """Where contacts go, and by which rules. `order_base`: `list_order` of what stands before the first line."""

    tenant: str
    campaign: str
    list_id: str
    key: DuplicateKey
    on_duplicate: OnDuplicate
    numbers: Numbers
    order_base: int = 0


@dataclass(slots=True)
class Outcome:
    """`blocked`: rows none of whose numbers may be called, with the first of them; `dropped`: numbers that were left
    out of others.
    """

    added: int = 0
    updated: int = 0
    duplicate: int = 0
    blocked: list[tuple[Incoming, str]] = field(default_factory=list)
    dropped: list[tuple[Incoming, str]] = field(default_factory=list)


def order_end(connection: Connection, tenant: str, campaign: str) -> int:
    """`list_order` of the campaign's last record."""
    table = records.c
    query = select(func.max(table.list_order)).where(table.tenant == tenant, table.campaign == campaign)
    return connection.scalar(query) or 0


def put_records(connection: Connection, into: Into, given: Sequence[Incoming], now_ms: int) -> Outcome:
    """In the caller's transaction, which writes."""
    _lock(connection, into)
    outcome = Outcome()
    callable_ = _callable(connection, into, given, outcome)
    portion = _Portion(connection, into, callable_, now_ms)
    for incoming in callable_:
        portion.put(incoming, outcome)
    portion.write()
    return outcome


def _lock(connection: Connection, into: Into) -> None:
    """SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        digest = sha256(f"import\0{into.tenant}\0{into.campaign}".encode()).digest()
        connection.execute(select(func.pg_advisory_xact_lock(int.from_bytes(digest[:8], signed=True))))


def _callable(connection: Connection, into: Into, given: Sequence[Incoming], outcome: Outcome) -> list[Incoming]:
    """Without numbers that must not be called, and without contacts who have no other."""
    numbers = {number.number for incoming in given for number in incoming.numbers}
    marked = marked_numbers(connection, into.tenant, into.campaign, numbers, into.numbers)
    if not marked:
        return list(given)
    found = []
    for incoming in given:
        kept = tuple(number for number in incoming.numbers if number.number not in marked)
        gone = [number.number for number in incoming.numbers if number.number in marked]
        if kept:
            outcome.dropped += [(incoming, number) for number in gone]
            found.append(replace(incoming, numbers=kept) if gone else incoming)
        else:
            outcome.blocked.append((incoming, gone[0]))
    return found


class _Portion:
    """One portion of rows in its transaction."""

    def __init__(self, connection: Connection, into: Into, given: Sequence[Incoming], now_ms: int) -> None:
        self._connection, self._into, self._now_ms = connection, into, now_ms
        self._new_id = new_ids("rec", now_ms)
        self._known: dict[str, str] = {}  # ids of records that are there, or will be at the end
        self._blocked_ids, self._blocked_numbers = set[str](), set[str]()
        self._new: dict[str, tuple[Incoming, str | None]] = {}
        self._changed: dict[str, Incoming] = {}
        self._look_up(given)

    def put(self, incoming: Incoming, outcome: Outcome) -> None:
        key = self._key(incoming)
        known = self._known.get(key)
        if incoming.numbers[0].number in self._blocked_numbers or incoming.external_id in self._blocked_ids:
            outcome.blocked.append((incoming, incoming.numbers[0].number))
        elif known is None or self._into.on_duplicate is OnDuplicate.ADD:
            self._add(incoming, key)
            outcome.added += 1
        elif self._into.on_duplicate is OnDuplicate.SKIP:
            outcome.duplicate += 1
        else:
            self._change(known, incoming)
            outcome.updated += 1

    def write(self) -> None:
        into, rows = self._into, []
        for id_, (incoming, key) in self._new.items():
            made = NewRecord(
                id=id_,
                campaign=into.campaign,
                numbers=incoming.numbers,
                list_order=into.order_base + incoming.line if incoming.order is None else incoming.order,
                name=incoming.name,
                list_id=into.list_id,
                external_id=incoming.external_id,
                dedupe_key=key,
                data=incoming.data,
                priority=incoming.priority,
            )
            rows.append(new_row(into.tenant, made, into.numbers, self._now_ms) | {"due_at_ms": incoming.due_ms})
        insert_many(self._connection, records, rows)
        if self._changed:
            _update(self._connection, into, self._changed, self._now_ms)

    def _add(self, incoming: Incoming, key: str) -> None:
        id_, is_unique = self._new_id(), self._into.on_duplicate is not OnDuplicate.ADD
        self._new[id_] = (incoming, key if is_unique else None)
        self._known[key] = id_

    def _change(self, id_: str, incoming: Incoming) -> None:
        if id_ in self._new:  # of two rows for the same new contact the later one tells
            self._new[id_] = (replace(incoming, line=self._new[id_][0].line), self._new[id_][1])
        else:
            self._changed[id_] = incoming

    def _key(self, incoming: Incoming) -> str:
        return _key(self._into.key, incoming.numbers[0].number, incoming.external_id)

    def _look_up(self, given: Sequence[Incoming]) -> None:
        """Records that are there by key, and by number and external id, which may have changed since they came."""
        column, into = records.c, self._into
        self._find(column.external_id, {incoming.external_id for incoming in given} - {""}, column.external_id != "")
        is_by_number = into.on_duplicate is not OnDuplicate.ADD and into.key is not DuplicateKey.EXTERNAL_ID
        of_these = () if is_by_number else (column.closed_because == DO_NOT_CALL,)
        self._find(column.number, [incoming.numbers[0].number for incoming in given], *of_these)
        if into.on_duplicate is not OnDuplicate.ADD:
            keys = [self._key(incoming) for incoming in given]
            self._find(column.dedupe_key, keys, column.campaign == into.campaign)

    def _find(self, of: Any, values: Collection[str], *where: ColumnElement[bool]) -> None:
        """`where`: what the index of that column begins or ends with, and no more. With the campaign as a condition of
        its own a database may choose to read the whole campaign instead.
        """
        if not values:
            return
        column = records.c
        query = select(
            column.id, column.campaign, column.number, column.external_id, column.dedupe_key, column.closed_because
        )
        query = query.where(column.tenant == self._into.tenant, among(self._connection, of, values), *where)
        for row in self._connection.execute(query):
            if row.campaign == self._into.campaign:
                self._learn(row.id, row.number, row.external_id, row.dedupe_key, row.closed_because)

    def _learn(self, id_: str, number: str, external_id: str, key: str | None, closed_because: str) -> None:
        if closed_because == DO_NOT_CALL:
            self._blocked_ids |= {external_id} - {""}
            self._blocked_numbers |= {number, _number_in(key)} - {""}
        for one in {key or "", _key(self._into.key, number, external_id)} - {""}:
            self._known.setdefault(one, id_)


def _key(of: DuplicateKey, number: str, external_id: str) -> str:
    if of is DuplicateKey.NUMBER:
        return f"n:{number}"
    return f"x:{external_id}" if of is DuplicateKey.EXTERNAL_ID else f"b:{number}|{external_id}"


def _number_in(key: str | None) -> str:
    """Of a key by number: that with which the record came, also when all of its numbers have been taken out."""
    return key[2:] if key and key.startswith("n:") else ""


def _update(connection: Connection, into: Into, changed: Mapping[str, Incoming], now_ms: int) -> None:
    """What the rows say becomes of these records; a closed one stays closed, and attempts stay counted."""
    query = select(records).where(records.c.tenant == into.tenant, among(connection, records.c.id, changed))
    rows = connection.execute(query.order_by(records.c.id).with_for_update()).mappings()
    changes = [_changes(dict(row), changed[row["id"]], into, now_ms) for row in rows]
    if changes:
        change = update(records).where(records.c.tenant == into.tenant, records.c.id == bindparam("key"))
        connection.execute(change, changes)


def _changes(row: dict[str, Any], incoming: Incoming, into: Into, now_ms: int) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": clean(incoming.name) or row["name"],
        "external_id": clean(incoming.external_id) or row["external_id"],
        "data": {**(row["data"] or {}), **{clean(name): clean(value) for name, value in incoming.data.items()}},
        "priority": incoming.priority,
        "list_order": row["list_order"] if incoming.order is None else incoming.order,
        "due_at_ms": incoming.due_ms or row["due_at_ms"],
        "numbers": _merged(row, incoming),
        "version": row["version"] + 1,
        "updated_at_ms": now_ms,
    }
    values["next_number"] = _turn(row, values["numbers"])
    return {"key": row["id"]} | values | derived(row | values, into.numbers)


def _merged(row: Mapping[str, Any], incoming: Incoming) -> list[dict[str, Any]]:
    """The numbers of the row, with what is known of those that were there. Numbers taken out for good stay out, and
    while the engine has the record, which counts them by their places, they are only added to.
    """
    old = {number["number"]: number for number in row["numbers"] or []}
    gone = {number["number"] for number in row["blocked"] or []}
    new = {number.number: number_row(number) for number in incoming.numbers if number.number not in gone}
    kept = {"kind", "zone", "zone_source"}
    for number, given in new.items():
        if number in old:
            new[number] = old[number] | {name: value for name, value in given.items() if name in kept and value}
    if row["state"] == RowState.CLAIMED.value:
        return [new.get(number, was) for number, was in old.items()] + [new[n] for n in new if n not in old]
    return list(new.values()) or list(old.values())


def _turn(row: Mapping[str, Any], numbers: Sequence[Mapping[str, Any]]) -> int:
    """The place of the number whose turn it was; from the first on where it is gone."""
    old, turn = row["numbers"] or [], row["next_number"]
    if turn >= len(old):
        return 0
    places = [place for place, number in enumerate(numbers) if number["number"] == old[turn]["number"]]
    return places[0] if places else 0
