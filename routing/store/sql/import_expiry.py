"""Imports that are long over, and files that nobody ends or reads any more, are cleared away."""

from __future__ import annotations

from sqlalchemy import Connection, and_, delete, exists, select, update

from routing.store.sql.import_jobs import ENDED, ImportState
from routing.store.sql.import_tables import import_parts, import_report, imports


def give_up_uploads(connection: Connection, tenant: str, before_ms: int, now_ms: int) -> int:
    """Files of which nothing came since then fail; how many."""
    is_left = and_(imports.c.state == ImportState.UPLOADING.value, imports.c.queued_at_ms < before_ms)
    change = update(imports).where(imports.c.tenant == tenant, is_left)
    reason = "its file never became whole"
    return connection.execute(change.values(state=ImportState.FAILED.value, reason=reason, ended_at_ms=now_ms)).rowcount


def forget_imports(connection: Connection, tenant: str, before_ms: int) -> None:
    """Reports of what ended before then, and pieces of files that nobody reads any more."""
    ended = [state.value for state in ENDED]
    over = (imports.c.tenant == tenant, imports.c.state.in_(ended))
    old = select(imports.c.id).where(*over, imports.c.ended_at_ms < before_ms)
    report, part = import_report, import_parts
    connection.execute(delete(report).where(report.c.tenant == tenant, report.c.import_id.in_(old)))
    connection.execute(delete(imports).where(*over, imports.c.ended_at_ms < before_ms))
    is_read = exists().where(
        imports.c.tenant == part.c.tenant, imports.c.id == part.c.import_id, imports.c.state.not_in(ended)
    )
    connection.execute(delete(part).where(part.c.tenant == tenant, ~is_read))
