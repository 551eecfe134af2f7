"""What slots are made from, and their rows, in and out of the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, delete, func, insert, select

from routing.core.intervals import SLOT_MS
from routing.store.sql.meta import row_as
from routing.store.sql.report_tables import agent_changes, call_steps, report_marks, report_rows
from routing.store.sql.report_values import Change, Step

_STEP_COLUMNS = [call_steps.c[f.name] for f in fields(Step)]
_CHANGE_COLUMNS = [agent_changes.c[f.name] for f in fields(Change)]


def steps_of_slot(connection: Connection, tenant: str, slot_ms: int) -> Iterator[list[Step]]:
    """All steps of each call that has one in this slot, in the order of events."""
    touching = select(call_steps.c.interaction_id).where(
        call_steps.c.tenant == tenant, call_steps.c.at_ms >= slot_ms, call_steps.c.at_ms < slot_ms + SLOT_MS
    )
    query = select(*_STEP_COLUMNS).where(call_steps.c.tenant == tenant, call_steps.c.interaction_id.in_(touching))
    rows = connection.execute(query.order_by(call_steps.c.interaction_id, call_steps.c.position)).mappings()
    for _id, found in groupby(rows, lambda row: row["interaction_id"]):
        yield [row_as(Step, row) for row in found]


def changes_of_slot(connection: Connection, tenant: str, slot_ms: int) -> list[Change]:
    """Of every agent the last change before this slot and all within it, in the order of events."""
    within = select(*_CHANGE_COLUMNS).where(
        agent_changes.c.tenant == tenant, agent_changes.c.at_ms >= slot_ms, agent_changes.c.at_ms < slot_ms + SLOT_MS
    )
    found = [_last_before(tenant, slot_ms), within.order_by(agent_changes.c.position)]
    return [row_as(Change, row) for query in found for row in connection.execute(query).mappings()]


def _last_before(tenant: str, slot_ms: int) -> Select[Any]:
    """Per agent, by one look into the index for each: the table may hold a year of changes."""
    change = agent_changes.alias()
    first = select(func.min(change.c.agent_id).label("id")).where(change.c.tenant == tenant)
    agents = first.cte("agents", recursive=True)
    later = select(func.min(change.c.agent_id)).where(change.c.tenant == tenant, change.c.agent_id > agents.c.id)
    agents = agents.union_all(select(later.scalar_subquery()).where(agents.c.id.is_not(None)))
    last = select(change.c.position).where(
        change.c.tenant == tenant, change.c.agent_id == agents.c.id, change.c.at_ms < slot_ms
    )
    newest = last.order_by(change.c.at_ms.desc(), change.c.position.desc()).limit(1).scalar_subquery()
    joined = and_(agent_changes.c.tenant == tenant, agent_changes.c.position == newest)
    return select(*_CHANGE_COLUMNS).join_from(agents, agent_changes, joined)


def replace_rows(connection: Connection, tenant: str, slot_ms: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """The rows of this slot are these and no others; `rows` without tenant and slot."""
    gone = delete(report_rows).where(report_rows.c.tenant == tenant, report_rows.c.slot_ms == slot_ms)
    connection.execute(gone)
    if rows:
        common = {"tenant": tenant, "slot_ms": slot_ms}
        connection.execute(insert(report_rows), [{**row, **common} for row in rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFilter:
    """`ids`: values of the column `by`; `kinds`: of calls; empty: all. Up to `limit` rows, of each these `columns`."""

    subject: str
    columns: tuple[str, ...]
    limit: int
    by: str = "member"
    ids: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


def rows_between(
    connection: Connection, tenant: str, wanted: RowFilter, span: tuple[int, int]
) -> Sequence[Row[tuple[Any, ...]]]:
    """Rows of slots from the first until before the second time, oldest first."""
    query = select(*(report_rows.c[name] for name in wanted.columns)).where(
        report_rows.c.tenant == tenant,
        report_rows.c.subject == wanted.subject,
        report_rows.c.slot_ms >= span[0],
        report_rows.c.slot_ms < span[1],
    )
    if wanted.ids:
        query = query.where(report_rows.c[wanted.by].in_(wanted.ids))
    if wanted.kinds:
        query = query.where(report_rows.c.kind.in_(wanted.kinds))
    ordered = query.order_by(report_rows.c.slot_ms, report_rows.c.member, report_rows.c.team, report_rows.c.kind)
    return connection.execute(ordered.limit(wanted.limit)).all()


def marked_between(connection: Connection, tenant: str, span: tuple[int, int]) -> int:
    """How many slots of that span are to be computed."""
    table = report_marks.c
    query = select(func.count()).where(table.tenant == tenant, table.slot_ms >= span[0], table.slot_ms < span[1])
    return connection.scalar(query) or 0
