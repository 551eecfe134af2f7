"""Everything that is known of one interaction: who took part, how it was offered, held and recorded; its notes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, select

from routing.store.sql import history_tables as tables
from routing.store.sql.errors import UnknownRow
from routing.store.sql.history import Summary, summaries
from routing.store.sql.ids import new_id
from routing.store.sql.inserting import insert_once
from routing.store.sql.meta import row_as

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRow:
    """`role`: customer, owner or consulted. An external party has a number and no agent."""

    id: str
    role: str
    agent_id: str | None
    number: str | None
    joined_at_ms: int
    left_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRow:
    """`outcome`: None while it runs."""

    id: str
    agent_id: str | None
    number: str | None
    leg_id: str | None
    queue: str | None
    purpose: str | None
    offered_at_ms: int
    ringing_at_ms: int | None
    ended_at_ms: int | None
    outcome: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRow:
    held_at_ms: int
    resumed_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """`kind`: paused or resumed; `how`: manual or automatic; `by`: who asked, or `server` (REC-08)."""

    at_ms: int
    kind: str
    by: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRow:
    """`deleted_at_ms`: when retention deleted the file."""

    file: str
    leg_id: str | None
    agent_id: str | None
    started_at_ms: int | None
    stopped_at_ms: int | None
    deleted_at_ms: int | None
    marks: tuple[Mark, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class CadVersion:
    """One save: the values it wrote, secure ones masked."""

    version: int
    author: str
    changes: dict[str, str]
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapUpRow:
    """`by`: agent, timeout or queue (it has no wrap-up, its default reason was applied at once)."""

    leg_id: str
    agent_id: str
    queue: str | None
    reason: str | None
    by: str | None
    started_at_ms: int | None
    ended_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteFields:
    """`author` as in audit, e.g. `agent:anna`."""

    author: str
    text: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(NoteFields):
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitsRow:
    id: str
    agent_id: str | None
    digits: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All of it, each list in the order of time."""

    interaction: Summary
    legs: tuple[LegRow, ...]
    offers: tuple[OfferRow, ...]
    holds: tuple[HoldRow, ...]
    recordings: tuple[RecordingRow, ...]
    cad_versions: tuple[CadVersion, ...]
    wrap_ups: tuple[WrapUpRow, ...]
    notes: tuple[Note, ...]
    digits: tuple[DigitsRow, ...]


def interaction_history(connection: Connection, tenant: str, interaction_id: str) -> Record:
    """Raises UnknownRow."""

    def part(table: Table, kind: type[T], *by: str) -> tuple[T, ...]:
        return tuple(row_as(kind, row) for row in _rows(connection, table, (tenant, interaction_id), by))

    return Record(
        interaction=get_summary(connection, tenant, interaction_id),
        legs=part(tables.legs, LegRow, "joined_at_ms", "id"),
        offers=part(tables.offers, OfferRow, "offered_at_ms", "id"),
        holds=part(tables.holds, HoldRow, "held_at_ms"),
        recordings=_recordings(connection, tenant, interaction_id),
        cad_versions=part(tables.cad_versions, CadVersion, "version"),
        wrap_ups=part(tables.wrap_ups, WrapUpRow, "started_at_ms", "leg_id"),
        notes=part(tables.notes, Note, "at_ms", "id"),
        digits=part(tables.digits, DigitsRow, "at_ms", "id"),
    )


def get_summary(connection: Connection, tenant: str, interaction_id: str) -> Summary:
    """Raises UnknownRow."""
    table = tables.interactions
    query = select(table).where(table.c.tenant == tenant, table.c.id == interaction_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None or row["entered_at_ms"] is None:
        raise UnknownRow(kind="interaction", id=interaction_id)
    return summaries(connection, tenant, [dict(row)])[0]


def get_recording(connection: Connection, tenant: str, file: str) -> RecordingRow:
    """The recording with that file name, without its marks. Raises UnknownRow."""
    table = tables.recordings
    row = connection.execute(select(table).where(table.c.tenant == tenant, table.c.file == file)).mappings()
    found = row.one_or_none()
    if found is None:
        raise UnknownRow(kind="recording", id=file)
    return _recording(found, ())


def add_note(
    connection: Connection, tenant: str, interaction_id: str, fields: NoteFields, note_id: str | None = None
) -> Note:
    """A note on a live or an ended interaction (DISP-06); whether there is such an interaction is not looked at.

    With the id of a note of this interaction that is there already: that one, unchanged. Raises UnknownRow for the
    id of another interaction's note.
    """
    id_ = note_id or new_id("not", fields.at_ms)
    row = {"tenant": tenant, "id": id_, "interaction_id": interaction_id, **asdict(fields)}
    insert_once(connection, tables.notes, row)
    mine = (tables.notes.c.tenant == tenant, tables.notes.c.interaction_id == interaction_id, tables.notes.c.id == id_)
    found = connection.execute(select(tables.notes).where(*mine)).mappings().one_or_none()
    if found is None:
        raise UnknownRow(kind="note", id=id_)
    return row_as(Note, found)


def _rows(connection: Connection, table: Table, of: tuple[str, str], by: tuple[str, ...]) -> Any:
    query = select(table).where(table.c.tenant == of[0], table.c.interaction_id == of[1])
    return connection.execute(query.order_by(*(table.c[name] for name in by))).mappings().all()


def _recordings(connection: Connection, tenant: str, interaction_id: str) -> tuple[RecordingRow, ...]:
    of = (tenant, interaction_id)
    marks: dict[str, tuple[Mark, ...]] = {}
    for row in _rows(connection, tables.recording_marks, of, ("at_ms", "kind")):
        marks[row["file"]] = (*marks.get(row["file"], ()), row_as(Mark, row))
    found = _rows(connection, tables.recordings, of, ("started_at_ms", "file"))
    # Without a start it is the file of a consulted agent, in which there is only silence.
    audible = [row for row in found if row["started_at_ms"] is not None]
    return tuple(_recording(row, marks.get(row["file"], ())) for row in audible)


def _recording(row: Any, marks: tuple[Mark, ...]) -> RecordingRow:
    own = ("file", "leg_id", "agent_id", "started_at_ms", "stopped_at_ms", "deleted_at_ms")
    return RecordingRow(**{name: row[name] for name in own}, marks=marks)
