"""Shapes of lists and imports."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import msgspec
from pydantic import Field, StringConstraints, field_validator

from routing.api.schemas import Body, Out, PageQuery, Path, Query
from routing.api.times import rfc3339
from routing.api.views_models import At
from routing.app.lists.rows import MAX_EXTERNAL_ID, MAX_KIND, MAX_ORDER, MAX_TEXT, MAX_VALUE
from routing.app.lists.spec import MAX_COLUMN, MAX_DATA, MAX_NUMBERS, Encoding, ImportKind, Mapping
from routing.app.lists.zones import is_zone
from routing.store.sql.import_jobs import Import, ImportState
from routing.store.sql.import_lists import RecordList
from routing.store.sql.import_records import DuplicateKey, OnDuplicate

MAX_ROWS = 10_000
_PATH = 64
Zone = Annotated[str, StringConstraints(max_length=64)]


class Delimiter(StrEnum):
    COMMA = ","
    SEMICOLON = ";"
    TAB = "\t"
    BAR = "|"


def _known_zone(value: str) -> str:
    if value and not is_zone(value):
        raise ValueError("no time zone of the IANA database")
    return value


class ListPath(Path):
    list_id: str = Field(max_length=_PATH, json_schema_extra={"example": "lst_01JD3Q8V6M0Z9X7C5B3N1M2K4H"})


class ImportPath(ListPath):
    import_id: str = Field(max_length=_PATH, json_schema_extra={"example": "imp_01JD3Q8V6M0Z9X7C5B3N1M2K4H"})


class MarksImportPath(Path):
    import_id: str = Field(max_length=_PATH, json_schema_extra={"example": "imp_01JD3Q8V6M0Z9X7C5B3N1M2K4H"})


class ListsQuery(PageQuery):
    campaign: str = Field(default="", max_length=_PATH, description="Only lists of this campaign")


class ListIn(Body):
    campaign: str = Field(min_length=1, max_length=_PATH, description="Id of a configured campaign")
    name: str = Field(min_length=1, max_length=MAX_TEXT, pattern=r"\S")
    time_zone: Zone = Field(default="", description="IANA zone of contacts without one; empty: their numbers tell")

    _zone = field_validator("time_zone")(_known_zone)


class ListOut(Out):
    id: str
    campaign: str
    name: str
    time_zone: str
    created_by: str
    created_at: At


class ListListOut(Out):
    """Newest first."""

    items: list[ListOut]
    next_cursor: str | None


class FileQuery(Query):
    """How a file is read. In a multipart body `mapping` may be a part before the file instead."""

    mapping: str = Field(
        default="",
        max_length=8000,
        description="JSON: which column is what, by the names in the first row, e.g. "
        '`{"name": "Customer", "external_id": "ID", "numbers": [{"column": "Mobile", "kind": "mobile"}]}`, further '
        "`time_zone`, `priority`, `order`, `due`, and `data`: columns that agents see (not given: all others). Without "
        "`numbers` usual names tell: `phone`, `mobile`, `number 2`, `id`, ...",
    )
    delimiter: Delimiter | None = Field(default=None, description="Between cells; not given: found by looking")
    encoding: Encoding = Encoding.UTF_8
    file_name: str = Field(default="", max_length=MAX_TEXT, description="For people")

    @field_validator("mapping")
    @classmethod
    def _is_mapping(cls, value: str) -> str:
        mapping_of(value)
        return value


class ImportQuery(FileQuery):
    """`key` and `on_duplicate`: what makes two rows the same contact, and what becomes of the later one."""

    key: DuplicateKey = Field(default=DuplicateKey.NUMBER, description="both: number and external id together")
    on_duplicate: OnDuplicate = Field(
        default=OnDuplicate.SKIP, description="skip: what is there stays; update: it takes the row; add: one more"
    )
    time_zone: Zone = Field(default="", description="IANA zone of contacts without one, instead of the list's")

    _zone = field_validator("time_zone")(_known_zone)


class MarksQuery(FileQuery):
    campaign: str = Field(default="", max_length=_PATH, description="Marks for this campaign alone; empty: for all")


def mapping_of(text: str) -> Mapping:
    """Raises ValueError."""
    if not text:
        return Mapping()
    try:
        found = msgspec.json.decode(text, type=Mapping)
    except msgspec.DecodeError as error:
        raise ValueError(f"no mapping: {error}") from error
    names = [found.name, found.external_id, found.time_zone, *(n.column for n in found.numbers), *(found.data or ())]
    if len(found.numbers) > MAX_NUMBERS or len(found.data or ()) > MAX_DATA or max(map(len, names)) > MAX_COLUMN:
        raise ValueError(f"at most {MAX_NUMBERS} numbers, {MAX_DATA} columns of data, {MAX_COLUMN} characters a name")
    if any(len(number.kind) > MAX_KIND for number in found.numbers):
        raise ValueError(f"the kind of a number has at most {MAX_KIND} characters")
    return found


class RowNumberIn(Body):
    number: str = Field(min_length=1, max_length=128, description="In any form", examples=["+12025550143"])
    kind: str = Field(default="", max_length=MAX_KIND, examples=["mobile"])
    time_zone: Zone = Field(default="", description="IANA zone, where it is not that of the row")


class RowIn(Body):
    """A contact."""

    numbers: list[RowNumberIn] = Field(min_length=1, max_length=MAX_NUMBERS, description="In the order of dialing")
    name: str = Field(default="", max_length=MAX_TEXT)
    external_id: str = Field(default="", max_length=MAX_EXTERNAL_ID, description="What the CRM calls this contact")
    time_zone: Zone = ""
    priority: int = Field(default=5, ge=1, le=10, description="Higher first")
    order: int | None = Field(default=None, ge=0, le=MAX_ORDER, description="Lower first; null: as they come")
    due: str = Field(
        default="", max_length=40, description="ISO 8601: not before; without offset by the contact's clock"
    )
    data: dict[
        Annotated[str, StringConstraints(min_length=1, max_length=MAX_COLUMN)],
        Annotated[str, StringConstraints(max_length=MAX_VALUE)],
    ] = Field(default_factory=dict, max_length=MAX_DATA, description="What agents see")


class RowsIn(Body):
    rows: list[RowIn] = Field(min_length=1, max_length=MAX_ROWS)
    key: Annotated[DuplicateKey, Field(strict=False)] = DuplicateKey.NUMBER
    on_duplicate: Annotated[OnDuplicate, Field(strict=False)] = OnDuplicate.SKIP
    time_zone: Zone = ""

    _zone = field_validator("time_zone")(_known_zone)


class ImportOut(Out):
    """`percent` and `rows_per_s`: how far it is, and how fast. `reason`: why it failed. Of rows, `refused` are told one
    by one in its report; of a do-not-call list numbers are counted instead of rows.
    """

    id: str
    list_id: str
    campaign: str
    kind: ImportKind
    state: ImportState
    reason: str
    file_name: str
    percent: float
    bytes_total: int
    rows_read: int
    added: int
    updated: int
    duplicate: int
    refused: int
    rows_per_s: float
    created_by: str
    created_at: At
    started_at: At | None
    ended_at: At | None


class ImportListOut(Out):
    """Newest first."""

    items: list[ImportOut]
    next_cursor: str | None


_SAME = (
    *("id", "list_id", "campaign", "kind", "state", "reason", "file_name", "bytes_total", "rows_read", "added"),
    *("updated", "duplicate", "refused", "created_by"),
)


def import_view(found: Import) -> dict[str, Any]:
    """`ImportOut`."""
    done = 100.0 if found.state == ImportState.DONE else 0.0
    percent = 100 * found.bytes_done / found.bytes_total if found.bytes_total else done
    return {name: getattr(found, name) for name in _SAME} | {
        "percent": round(percent, 1),
        "rows_per_s": round(1000 * found.rows_read / found.worked_ms, 1) if found.worked_ms else 0.0,
        "created_at": rfc3339(found.created_at_ms),
        "started_at": rfc3339(found.started_at_ms),
        "ended_at": rfc3339(found.ended_at_ms),
    }


def list_view(found: RecordList) -> dict[str, Any]:
    """`ListOut`."""
    own = {name: getattr(found, name) for name in ("id", "campaign", "name", "time_zone", "created_by")}
    return own | {"created_at": rfc3339(found.created_at_ms)}


def delimiter_of(query: FileQuery) -> str:
    """Empty: it is found by looking."""
    return query.delimiter.value if query.delimiter else ""
