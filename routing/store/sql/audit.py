"""Who did what, on what, when, with what outcome (OPS-07). Never CAD values, never secrets."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, select

from routing.store.sql.access_tables import audit
from routing.store.sql.inserting import insert_once
from routing.store.sql.meta import row_as
from routing.store.sql.paging import FIRST, Order, Page, PageOf, read_page


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """`subject`: e.g. `contact:con_1`. `outcome`: `ok`, or the code of the refusal."""

    id: str
    at_ms: int
    actor: str
    action: str
    agent_id: str = ""
    interaction_id: str = ""
    subject: str = ""
    outcome: str = "ok"
    details: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """What is given must be so. `from_ms` is included, `until_ms` is not."""

    actor: str | None = None
    action: str | None = None
    agent_id: str | None = None
    interaction_id: str | None = None
    subject: str | None = None
    from_ms: int | None = None
    until_ms: int | None = None


def record(connection: Connection, tenant: str, entry: AuditEntry) -> None:
    """Write it in the transaction of what it tells about; the same id again changes nothing."""
    insert_once(connection, audit, {"tenant": tenant, **asdict(entry)})


def audit_list(
    connection: Connection, tenant: str, wanted: AuditFilter | None = None, page: PageOf = FIRST
) -> Page[AuditEntry]:
    """Newest first. Raises BadCursor."""
    query = select(audit).where(audit.c.tenant == tenant)
    given = asdict(wanted or AuditFilter())
    from_ms, until_ms = given.pop("from_ms"), given.pop("until_ms")
    for name, value in given.items():
        if value is not None:
            query = query.where(audit.c[name] == value)
    if from_ms is not None:
        query = query.where(audit.c.at_ms >= from_ms)
    if until_ms is not None:
        query = query.where(audit.c.at_ms < until_ms)
    order = Order(columns=(audit.c.at_ms, audit.c.id), descending=True)
    return read_page(connection, query, order, page, lambda row: row_as(AuditEntry, row))
