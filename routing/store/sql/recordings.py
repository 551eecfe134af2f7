"""Recordings as rows: whose they are, and that their file is gone."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from routing.store.sql.errors import UnknownRow
from routing.store.sql.history_tables import recordings
from routing.store.sql.interaction_history import RecordingRow, interaction_history


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """`is_running`: the file may still grow."""

    interaction_id: str
    recording: RecordingRow
    is_running: bool


def recording_of(connection: Connection, tenant: str, file: str) -> Recorded:
    """With its marks. Raises UnknownRow."""
    query = select(recordings.c.interaction_id).where(recordings.c.tenant == tenant, recordings.c.file == file)
    interaction_id = connection.scalar(query)
    if interaction_id is None:
        raise UnknownRow(kind="recording", id=file)
    record = interaction_history(connection, tenant, interaction_id)
    mine = next(recording for recording in record.recordings if recording.file == file)
    # The PBX closes the file with the leg, so at the latest with the call.
    is_running = mine.stopped_at_ms is None and record.interaction.ended_at_ms is None
    return Recorded(interaction_id=interaction_id, recording=mine, is_running=is_running)


def recording_deleted(connection: Connection, tenant: str, file: str, now_ms: int) -> None:
    """Its file is gone; the row and its marks stay."""
    mine = update(recordings).where(recordings.c.tenant == tenant, recordings.c.file == file)
    connection.execute(mine.where(recordings.c.deleted_at_ms.is_(None)).values(deleted_at_ms=now_ms))
