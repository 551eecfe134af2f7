"""What has been kept long enough: found and deleted in small portions, each deletion with its entry in the audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, or_, select, update

from routing.store.sql import history_tables as tables
from routing.store.sql.access_tables import audit
from routing.store.sql.audit import AuditEntry, record
from routing.store.sql.ids import new_id
from routing.store.sql.report_tables import agent_changes, call_steps

ACTOR = "server:retention"
_OF_INTERACTIONS = (
    tables.legs,
    tables.offers,
    tables.holds,
    tables.recording_marks,
    tables.recordings,
    tables.cad_versions,
    tables.wrap_ups,
    tables.notes,
    tables.digits,
    call_steps,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OldRecording:
    file: str
    interaction_id: str
    agent_id: str


def old_recordings(
    connection: Connection, tenant: str, before_ms: int, limit: int, after: str = ""
) -> list[OldRecording]:
    """Files of calls that ended before then and are not marked as deleted, by name, behind the name `after`."""
    recording = tables.recordings.c
    query = select(recording.file, recording.interaction_id, recording.agent_id).join_from(
        tables.recordings,
        tables.interactions,
        and_(
            tables.interactions.c.tenant == recording.tenant,
            tables.interactions.c.id == recording.interaction_id,
            _ended_before(before_ms),
        ),
    )
    query = query.where(recording.tenant == tenant, recording.deleted_at_ms.is_(None), recording.file > after)
    rows = connection.execute(query.order_by(recording.file).limit(limit))
    return [OldRecording(file=row[0], interaction_id=row[1] or "", agent_id=row[2] or "") for row in rows]


def mark_deleted(connection: Connection, tenant: str, old: OldRecording, now_ms: int, *, was_there: bool) -> None:
    """The file is gone; `was_there`: we have deleted it, it was not missing already."""
    mine = update(tables.recordings).where(tables.recordings.c.tenant == tenant, tables.recordings.c.file == old.file)
    connection.execute(mine.values(deleted_at_ms=now_ms))
    entry = AuditEntry(
        id=new_id("aud", now_ms),
        at_ms=now_ms,
        actor=ACTOR,
        action="recording.deleted",
        agent_id=old.agent_id,
        interaction_id=old.interaction_id,
        subject=f"recording:{old.file}",
        outcome="ok" if was_there else "missing",
    )
    record(connection, tenant, entry)


def delete_interactions(connection: Connection, tenant: str, before_ms: int, now_ms: int, limit: int) -> int:
    """Delete all that is known of up to `limit` calls that ended before then; how many they were.

    A call that still has a recording which is not deleted stays, so that its file is not forgotten on the disk.
    """
    call = tables.interactions.c
    has_file = exists().where(
        tables.recordings.c.tenant == call.tenant,
        tables.recordings.c.interaction_id == call.id,
        tables.recordings.c.deleted_at_ms.is_(None),
    )
    query = select(call.id).where(call.tenant == tenant, _ended_before(before_ms), ~has_file)
    ids = connection.scalars(query.order_by(call.entered_at_ms).limit(limit)).all()
    if not ids:
        return 0
    for table in _OF_INTERACTIONS:
        connection.execute(delete(table).where(table.c.tenant == tenant, table.c.interaction_id.in_(ids)))
    connection.execute(delete(tables.interactions).where(call.tenant == tenant, call.id.in_(ids)))
    _tell(connection, tenant, now_ms, "history.deleted", {"interactions": list(ids), "before_ms": before_ms})
    return len(ids)


def delete_audit(connection: Connection, tenant: str, before_ms: int, now_ms: int, limit: int) -> int:
    """Delete up to `limit` entries from before then; how many they were. That they were deleted is a new entry."""
    query = select(audit.c.id).where(audit.c.tenant == tenant, audit.c.at_ms < before_ms)
    ids = connection.scalars(query.order_by(audit.c.at_ms).limit(limit)).all()
    if not ids:
        return 0
    connection.execute(delete(audit).where(audit.c.tenant == tenant, audit.c.id.in_(ids)))
    _tell(connection, tenant, now_ms, "audit.deleted", {"entries": len(ids), "before_ms": before_ms})
    return len(ids)


def delete_unread(connection: Connection, tenant: str, before_ms: int) -> int:
    """Events that could not be recorded, from before then."""
    table = tables.unread_events
    return connection.execute(delete(table).where(table.c.tenant == tenant, table.c.at_ms < before_ms)).rowcount


def delete_changes(connection: Connection, tenant: str, before_ms: int) -> int:
    """Changes of agents from before then but each one's last, which may still hold; how many they were."""
    later = agent_changes.alias()
    is_over = exists().where(
        later.c.tenant == agent_changes.c.tenant,
        later.c.agent_id == agent_changes.c.agent_id,
        later.c.at_ms > agent_changes.c.at_ms,
        later.c.at_ms < before_ms,
    )
    old = delete(agent_changes).where(agent_changes.c.tenant == tenant, agent_changes.c.at_ms < before_ms, is_over)
    return connection.execute(old).rowcount


def _ended_before(before_ms: int) -> ColumnElement[bool]:
    """Also a call of which the end was never told, e.g. since its events were lost: it counts from its begin."""
    call = tables.interactions.c
    return or_(call.ended_at_ms < before_ms, and_(call.ended_at_ms.is_(None), call.entered_at_ms < before_ms))


def _tell(connection: Connection, tenant: str, now_ms: int, action: str, details: dict[str, Any]) -> None:
    entry = AuditEntry(id=new_id("aud", now_ms), at_ms=now_ms, actor=ACTOR, action=action, details=details)
    record(connection, tenant, entry)
