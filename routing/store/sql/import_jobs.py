"""Imports as rows: a file arrives in pieces, a worker takes it, goes on row by row, and says how far it is.

Whoever has taken one holds it by a lease and writes it down with every portion of rows, in their transaction: when he
dies, or sleeps until the lease is over, another one goes on exactly behind the last portion, and his own next portion
is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select, update

from routing.core.errors import DomainError
from routing.store.sql.errors import UnknownRow
from routing.store.sql.import_tables import import_parts, import_report, imports
from routing.store.sql.inserting import insert_once
from routing.store.sql.meta import row_as
from routing.store.sql.paging import FIRST, Order, Page, PageOf, read_page


class ImportState(StrEnum):
    """UPLOADING: its file is not whole yet. WAITING: for a worker."""

    UPLOADING = "uploading"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({ImportState.DONE, ImportState.FAILED, ImportState.CANCELLED})


class UploadSuperseded(DomainError):
    """Nothing of this piece was kept."""

    code = "upload-superseded"
    template = "import {id} takes no more of this file: it was cancelled, or its file is sent anew by another request"


class ImportEnded(DomainError):
    code = "import-ended"
    template = "import {id} is {state} already"


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """See `import_tables.imports`."""

    id: str
    list_id: str
    campaign: str
    kind: str
    file_name: str
    spec: dict[str, Any]
    state: str
    upload: str
    reason: str
    columns: dict[str, Any] | None
    bytes_total: int
    bytes_done: int
    next_line: int
    order_base: int
    rows_read: int
    added: int
    updated: int
    duplicate: int
    refused: int
    reported: int
    worked_ms: int
    owner: str
    created_by: str
    created_at_ms: int
    started_at_ms: int | None
    ended_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewImport:
    """`upload`: unique for each attempt to send the file."""

    id: str
    kind: str
    spec: dict[str, object]
    upload: str
    created_by: str
    list_id: str = ""
    campaign: str = ""
    file_name: str = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """Of one worker on one import."""

    id: str
    owner: str
    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Of the report: why a row was refused, or what was left out of one that was taken."""

    line: int
    is_taken: int
    reason: str
    detail: str


# ------------------------------------------------------------------ the file


def begin_upload(connection: Connection, tenant: str, given: NewImport, now_ms: int) -> Import:
    """A new import; one of that id whose file never became whole begins anew. Raises UploadSuperseded."""
    row = {name: getattr(given, name) for name in NewImport.__dataclass_fields__}
    row |= {"tenant": tenant, "state": ImportState.UPLOADING.value, "created_at_ms": now_ms, "queued_at_ms": now_ms}
    if not insert_once(connection, imports, row):
        again = update(imports).where(_mine(tenant, given.id), imports.c.state == ImportState.UPLOADING.value)
        if not connection.execute(again.values(row)).rowcount:
            raise UploadSuperseded(id=given.id)
        drop_parts(connection, tenant, given.id)
    return get_import(connection, tenant, given.id)


def add_part(connection: Connection, tenant: str, given: tuple[str, str], part: int, data: bytes, now_ms: int) -> None:
    """The next piece; `given`: import and its upload. Raises UploadSuperseded."""
    _touch(connection, tenant, given, {"queued_at_ms": now_ms, "bytes_total": imports.c.bytes_total + len(data)})
    connection.execute(import_parts.insert(), [{"tenant": tenant, "import_id": given[0], "part": part, "data": data}])


def end_upload(connection: Connection, tenant: str, given: tuple[str, str], now_ms: int) -> Import:
    """The file is whole: it waits for a worker. Raises UploadSuperseded."""
    _touch(connection, tenant, given, {"state": ImportState.WAITING.value, "queued_at_ms": now_ms})
    return get_import(connection, tenant, given[0])


def _touch(connection: Connection, tenant: str, given: tuple[str, str], values: dict[str, Any]) -> None:
    is_mine = and_(imports.c.upload == given[1], imports.c.state == ImportState.UPLOADING.value)
    if not connection.execute(update(imports).where(_mine(tenant, given[0]), is_mine).values(values)).rowcount:
        raise UploadSuperseded(id=given[0])


def part_at(connection: Connection, tenant: str, import_id: str, part: int) -> bytes | None:
    """None: there are no more."""
    table = import_parts.c
    query = select(table.data).where(table.tenant == tenant, table.import_id == import_id, table.part == part)
    found: bytes | None = connection.execute(query).scalar_one_or_none()
    return found


def part_holding(connection: Connection, tenant: str, import_id: str, offset: int) -> tuple[int, int]:
    """The piece in which that byte of the file is, and where in it."""
    table, begin = import_parts.c, 0
    query = select(table.part, func.length(table.data)).where(table.tenant == tenant, table.import_id == import_id)
    part = 0
    for part, size in connection.execute(query.order_by(table.part)):
        if offset < begin + size:
            return part, offset - begin
        begin += size
    return part + 1, 0


def drop_parts(connection: Connection, tenant: str, import_id: str) -> None:
    table = import_parts
    connection.execute(delete(table).where(table.c.tenant == tenant, table.c.import_id == import_id))


# ------------------------------------------------------------------ the worker


def take_import(connection: Connection, tenant: str, owner: str, lease_ms: int, now_ms: int) -> Import | None:
    """The oldest one that waits, or whose worker is gone, is the caller's; None: there is none."""
    query = select(imports.c.id).where(imports.c.tenant == tenant, _is_free(now_ms))
    query = query.order_by(imports.c.created_at_ms, imports.c.id).limit(1).with_for_update(skip_locked=True)
    import_id = connection.execute(query).scalar_one_or_none()
    if import_id is None:
        return None
    change = update(imports).where(_mine(tenant, import_id))
    connection.execute(
        change.values(
            state=ImportState.RUNNING.value,
            owner=owner,
            lease_until_ms=now_ms + lease_ms,
            started_at_ms=func.coalesce(imports.c.started_at_ms, now_ms),
        )
    )
    return get_import(connection, tenant, import_id)


def advance(connection: Connection, tenant: str, lease: Lease, values: Mapping[str, Any]) -> bool:
    """Write down how far it is, in the transaction of the rows; False: it is not the caller's any more."""
    is_mine = and_(imports.c.owner == lease.owner, imports.c.state == ImportState.RUNNING.value)
    change = update(imports).where(_mine(tenant, lease.id), is_mine)
    return bool(connection.execute(change.values({**values, "lease_until_ms": lease.until_ms})).rowcount)


def add_report(connection: Connection, tenant: str, import_id: str, first: int, found: list[Line]) -> None:
    """Lines of the report, from the place `first` on."""
    own = {"tenant": tenant, "import_id": import_id}
    rows = [
        {**own, "place": first + n, "line": line.line, "is_taken": line.is_taken, "reason": line.reason}
        | {"detail": line.detail}
        for n, line in enumerate(found)
    ]
    if rows:
        connection.execute(import_report.insert(), rows)


def has_free(connection: Connection, tenant: str, now_ms: int) -> bool:
    """Whether one waits for a worker."""
    query = select(imports.c.id).where(imports.c.tenant == tenant, _is_free(now_ms)).limit(1)
    return connection.execute(query).first() is not None


def take_due(connection: Connection, tenant: str, now_ms: int, queued_ms: int, most: int) -> list[str]:
    """Those that wait for a worker and for which no job was made for `queued_ms`; now there is one."""
    is_due = and_(_is_free(now_ms), imports.c.queued_at_ms <= now_ms - queued_ms)
    query = select(imports.c.id).where(imports.c.tenant == tenant, is_due).order_by(imports.c.created_at_ms)
    ids = list(connection.scalars(query.limit(most).with_for_update(skip_locked=True)))
    if ids:
        marked = update(imports).where(imports.c.tenant == tenant, imports.c.id.in_(ids))
        connection.execute(marked.values(queued_at_ms=now_ms))
    return ids


def _is_free(now_ms: int) -> ColumnElement[bool]:
    is_left = and_(imports.c.state == ImportState.RUNNING.value, imports.c.lease_until_ms < now_ms)
    return or_(imports.c.state == ImportState.WAITING.value, is_left)


# ------------------------------------------------------------------ people


def get_import(connection: Connection, tenant: str, import_id: str, list_id: str | None = None) -> Import:
    """Of that list, or whatever list it is of. Raises UnknownRow."""
    query = select(imports).where(_mine(tenant, import_id))
    if list_id is not None:
        query = query.where(imports.c.list_id == list_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise UnknownRow(kind="import", id=import_id)
    return row_as(Import, row)


def imports_of(connection: Connection, tenant: str, list_id: str, page: PageOf = FIRST) -> Page[Import]:
    """Newest first; `list_id` empty: those of do-not-call lists. Raises BadCursor."""
    query = select(imports).where(imports.c.tenant == tenant, imports.c.list_id == list_id)
    order = Order(columns=(imports.c.created_at_ms, imports.c.id), descending=True)
    return read_page(connection, query, order, page, lambda row: row_as(Import, row))


def cancel_import(connection: Connection, tenant: str, import_id: str, now_ms: int) -> Import:
    """What it has brought so far stays. Raises UnknownRow, ImportEnded."""
    open_states = [state.value for state in ImportState if state not in ENDED]
    change = update(imports).where(_mine(tenant, import_id), imports.c.state.in_(open_states))
    values = {"state": ImportState.CANCELLED.value, "ended_at_ms": now_ms, "owner": ""}
    if not connection.execute(change.values(values)).rowcount:
        raise ImportEnded(id=import_id, state=get_import(connection, tenant, import_id).state)
    drop_parts(connection, tenant, import_id)
    return get_import(connection, tenant, import_id)


def report_of(connection: Connection, tenant: str, import_id: str, after: int, limit: int) -> list[tuple[int, Line]]:
    """Up to `limit` lines of the report with their places, behind the place `after` (-1: from the first on)."""
    table = import_report.c
    query = select(import_report).where(table.tenant == tenant, table.import_id == import_id, table.place > after)
    rows = connection.execute(query.order_by(table.place).limit(limit)).mappings()
    return [(row["place"], row_as(Line, row)) for row in rows]


def _mine(tenant: str, import_id: str) -> ColumnElement[bool]:
    return and_(imports.c.tenant == tenant, imports.c.id == import_id)
