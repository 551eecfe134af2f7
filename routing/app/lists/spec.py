"""How a file is to be read, as whoever uploads it says; kept with the import, so that any worker reads it the same."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from routing.store.sql.import_records import DuplicateKey, OnDuplicate

__all__ = [
    "DuplicateKey",
    "ImportFormat",
    "ImportKind",
    "ImportSpec",
    "Mapping",
    "NumberColumn",
    "OnDuplicate",
    "Refusal",
]

MAX_NUMBERS = 10
MAX_DATA = 64
MAX_COLUMN = 128  # characters of a column's name
DELIMITERS = ",;\t|"


class ImportKind(StrEnum):
    """RECORDS: contacts of a list. DO_NOT_CALL: numbers that must not be called."""

    RECORDS = "records"
    DO_NOT_CALL = "do_not_call"


class ImportFormat(StrEnum):
    """ROWS: one JSON object per line, as the API makes them of a batch."""

    CSV = "csv"
    ROWS = "rows"


class Encoding(StrEnum):
    UTF_8 = "utf-8"
    WINDOWS_1252 = "windows-1252"


class NumberColumn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`kind`: home, work, mobile, ...; any word."""

    column: str
    kind: str = ""


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which column is what, by the names in the first row; case and blanks around them do not matter.

    Without `numbers` names tell: see `columns.guessed`. `data`: further columns that agents see; None: all that are
    nothing else.
    """

    numbers: tuple[NumberColumn, ...] = ()
    name: str = ""
    external_id: str = ""
    time_zone: str = ""
    priority: str = ""
    order: str = ""
    due: str = ""
    note: str = ""
    data: tuple[str, ...] | None = None


class ImportSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`delimiter`: empty: found by looking at the first rows. `time_zone`: of contacts that have none of their own."""

    kind: ImportKind = ImportKind.RECORDS
    format: ImportFormat = ImportFormat.CSV
    delimiter: str = ""
    encoding: Encoding = Encoding.UTF_8
    mapping: Mapping = Mapping()
    time_zone: str = ""
    key: DuplicateKey = DuplicateKey.NUMBER
    on_duplicate: OnDuplicate = OnDuplicate.SKIP


class Refusal(StrEnum):
    """Why a row is not taken; the words never change.

    RAGGED: more cells than columns. QUOTING: a quote that nothing closes. TOO_LARGE: the row, or a value in it.
    """

    NUMBER_MISSING = "number_missing"
    NUMBER_INVALID = "number_invalid"
    EXTERNAL_ID_MISSING = "external_id_missing"
    TIME_ZONE_UNKNOWN = "time_zone_unknown"
    PRIORITY_INVALID = "priority_invalid"
    ORDER_INVALID = "order_invalid"
    DUE_INVALID = "due_invalid"
    DO_NOT_CALL = "do_not_call"
    RAGGED = "ragged"
    QUOTING = "quoting"
    ENCODING = "encoding"
    NUL = "nul"
    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"


def spec_from(data: object) -> ImportSpec:
    """Of what `spec_to` made."""
    return msgspec.convert(data, ImportSpec)


def spec_to(spec: ImportSpec) -> dict[str, object]:
    """For a JSON column."""
    made: dict[str, object] = msgspec.to_builtins(spec)
    return made
