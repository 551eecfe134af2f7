"""What campaigns leave behind and nobody has to keep any more, deleted in small portions, each with its audit entry.

Of a ledger the first rows go, never some from its middle: where it begins from then on is written down with its end, so
that what is left is still verified row by row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, select, update

from routing.store.sql.audit import AuditEntry, record
from routing.store.sql.campaign_tables import (
    attempt_ledger,
    attempts,
    guide_answers,
    ledger_heads,
    record_dispositions,
)
from routing.store.sql.ids import new_id
from routing.store.sql.report_tables import report_rows

ACTOR = "server:retention"

_CLOCKS: tuple[tuple[Table, Column[Any]], ...] = (
    (attempts, attempts.c.ended_at_ms),
    (record_dispositions, record_dispositions.c.at_ms),
    (guide_answers, guide_answers.c.at_ms),
)


def delete_attempts(connection: Connection, tenant: str, before_ms: int, now_ms: int, limit: int) -> int:
    """Some `limit` attempts, results and answers of guides from before then; how many they were.

    Records keep their counts, and do-not-call marks stay: those are never deleted (DISP-05).
    """
    for table, clock in _CLOCKS:
        for campaign in _campaigns(connection, tenant, table):
            done = _delete(connection, (table, clock), (tenant, campaign), before_ms, limit)
            if done:
                details = {"rows": done, "table": table.name, "campaign": campaign, "before_ms": before_ms}
                _tell(connection, tenant, now_ms, "campaign.deleted", details)
                return done
    return 0


def _campaigns(connection: Connection, tenant: str, table: Table) -> Iterator[str]:
    """Those that have rows there, by leaps through the index."""
    column = table.c
    query = select(column.campaign).where(column.tenant == tenant).order_by(column.campaign).limit(1)
    last = connection.execute(query.where(column.campaign.is_not(None))).scalar_one_or_none()
    while last is not None:
        yield last
        last = connection.execute(query.where(column.campaign > last)).scalar_one_or_none()


def _delete(
    connection: Connection, of: tuple[Table, Column[Any]], whose: tuple[str, str], before_ms: int, limit: int
) -> int:
    (table, clock), (tenant, campaign) = of, whose
    old = (table.c.tenant == tenant, table.c.campaign == campaign, clock < before_ms)
    nth = connection.scalar(select(clock).where(*old).order_by(clock).offset(limit - 1).limit(1))
    until = () if nth is None else (clock <= nth,)
    return connection.execute(delete(table).where(*old, *until)).rowcount


def delete_ledger(connection: Connection, tenant: str, before_ms: int, now_ms: int, limit: int) -> int:
    """Up to `limit` rows at the begin of one ledger, all from before then; how many they were."""
    for campaign in _campaigns(connection, tenant, attempt_ledger):
        column = attempt_ledger.c
        ours = (column.tenant == tenant, column.campaign == campaign)
        first = select(column.sequence, column.at_ms, column.hash).where(*ours).order_by(column.sequence).limit(limit)
        last, done = None, 0
        for row in connection.execute(first):
            if row.at_ms >= before_ms:
                break
            last, done = row, done + 1
        if last is None:
            continue
        connection.execute(delete(attempt_ledger).where(*ours, column.sequence <= last.sequence))
        head = (ledger_heads.c.tenant == tenant, ledger_heads.c.campaign == campaign)
        connection.execute(update(ledger_heads).where(*head).values(cut_sequence=last.sequence, cut_hash=last.hash))
        details = {"rows": done, "campaign": campaign, "until": last.sequence, "hash": last.hash}
        _tell(connection, tenant, now_ms, "ledger.deleted", details)
        return done
    return 0


def delete_reports(connection: Connection, tenant: str, before_ms: int, now_ms: int, limit: int) -> int:
    """Figures of the first slots from before then, at least `limit` rows if there are as many; how many they were."""
    column = report_rows.c
    old = (column.tenant == tenant, column.slot_ms < before_ms)
    nth = connection.scalar(select(column.slot_ms).where(*old).order_by(column.slot_ms).offset(limit - 1).limit(1))
    until = () if nth is None else (column.slot_ms <= nth,)
    done = connection.execute(delete(report_rows).where(*old, *until)).rowcount
    if done:
        _tell(connection, tenant, now_ms, "reports.deleted", {"rows": done, "before_ms": before_ms})
    return done


def _tell(connection: Connection, tenant: str, now_ms: int, action: str, details: dict[str, Any]) -> None:
    entry = AuditEntry(id=new_id("aud", now_ms), at_ms=now_ms, actor=ACTOR, action=action, details=details)
    record(connection, tenant, entry)
