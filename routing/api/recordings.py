"""`/v1/recordings`: what is known of recordings, and their files as far as this server can reach them (OPS-07)."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Any

from flask import Response, send_file
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel, Field
from sqlalchemy import Connection
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from routing.api.audit import audit
from routing.api.database import reading, writing
from routing.api.history import found
from routing.api.history_models import RecordingMetadataOut
from routing.api.history_views import recording_view
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.recording_files import Missing, locate
from routing.api.schemas import Out, Path, Query
from routing.api.services import services
from routing.api.times import rfc3339
from routing.store.sql.recordings import Recorded, recording_deleted, recording_of

SOUND: dict[str, Any] = {"audio/wav": {"schema": {"type": "string", "format": "binary"}}}

api = APIBlueprint("recordings", __name__, url_prefix="/v1")


class RecordingsQuery(Query):
    interaction_id: str = Field(min_length=1, max_length=64, description="Of which interaction")


class RecordingPath(Path):
    recording_id: str = Field(max_length=256, json_schema_extra={"example": "int_01JD3Q8V6M0Z9X7C5B3N1M2K4H-leg_1"})


class RangeHeader(BaseModel):
    range: str | None = Field(default=None, alias="Range", description="RFC 9110, 14.2, e.g. bytes=0-65535")


class RecordingListOut(Out):
    """One per recorded agent's part, in the order of time."""

    items: list[RecordingMetadataOut]


@api.get("/recordings", operation_id="listRecordings", responses={200: RecordingListOut})
@needs(Scope.RECORDINGS_READ)
def list_recordings(query: RecordingsQuery) -> dict[str, Any]:
    """The recordings of one interaction, with every pause: by whom, by hand or by the server (REC-08)."""
    with reading() as connection:
        record = found(connection, current(), query.interaction_id)
    return {"items": [recording_view(record.interaction.id, row) for row in record.recordings]}


@api.get("/recordings/<recording_id>", operation_id="getRecording", responses={200: RecordingMetadataOut})
@needs(Scope.RECORDINGS_READ)
def get_recording(path: RecordingPath) -> dict[str, Any]:
    """One of them."""
    with reading() as connection:
        recorded = _found(connection, path.recording_id)
    return recording_view(recorded.interaction_id, recorded.recording)


@api.get(
    "/recordings/<recording_id>/file",
    operation_id="getRecordingFile",
    responses={200: {"content": SOUND}, 206: {"content": SOUND}},
)
@needs(Scope.RECORDINGS_READ)
def get_recording_file(path: RecordingPath, header: RangeHeader) -> Response:
    """The sound, `audio/wav`; with the header `Range` a part of it. Each access is written into the audit."""
    with writing() as connection:
        recorded = _found(connection, path.recording_id)
        file = _file(recorded)
        _audit(connection, "recording.read", recorded, range=(header.range or "")[:64])
    try:
        return send_file(file, mimetype="audio/wav", conditional=True, download_name=file.name, max_age=0)
    except RequestedRangeNotSatisfiable as error:
        size = {"Content-Range": f"bytes */{file.stat().st_size}"}
        raise Problem("range-not-satisfiable", f"the file has {file.stat().st_size} bytes", size) from error
    except FileNotFoundError as error:
        raise Problem("recording-elsewhere", "it was deleted in this moment") from error


@api.delete("/recordings/<recording_id>", operation_id="deleteRecording", responses={204: None})
@needs(Scope.RECORDINGS_DELETE)
def delete_recording(path: RecordingPath) -> tuple[str, int]:
    """The file is gone; that there was one, and who deleted it, stays known."""
    with writing() as connection:
        recorded = _found(connection, path.recording_id)
        file = _file(recorded)
        recording_deleted(connection, current().tenant, path.recording_id, services().clock.now_ms())
        _audit(connection, "recording.deleted", recorded)
        file.unlink(missing_ok=True)  # before the commit: what fails here leaves row and file as they were
    return "", 204


def _found(connection: Connection, recording_id: str) -> Recorded:
    """Raises UnknownRow, Problem not-found: also for whom the interaction is not to be seen."""
    recorded = recording_of(connection, current().tenant, recording_id)
    if current().agent_id:
        found(connection, current(), recorded.interaction_id)
    return recorded


def _file(recorded: Recorded) -> FilePath:
    """Raises Problem recording-running, recording-elsewhere."""
    if recorded.is_running:
        raise Problem("recording-running", "the recording still runs; its file is whole when the call has ended")
    if recorded.recording.deleted_at_ms is not None:
        when = rfc3339(recorded.recording.deleted_at_ms)
        raise Problem("recording-elsewhere", f"the file was deleted at {when}", None, deleted_at=when)
    file = locate(services().server.recordings_directory, recorded.recording.file)
    if isinstance(file, Missing):
        raise Problem("recording-elsewhere", file.reason)
    return file


def _audit(connection: Connection, action: str, recorded: Recorded, **details: Any) -> None:
    told = {name: value for name, value in details.items() if value}
    subject = f"recording:{recorded.recording.file}"
    audit(connection, current(), action, subject, interaction_id=recorded.interaction_id, **told)
