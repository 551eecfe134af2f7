"""The file of an import: its pieces out of the database, its first row, and the rows behind it in portions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from sqlalchemy import Connection

from routing.app.lists import reading
from routing.app.lists.columns import bound
from routing.app.lists.reading import BEGIN, CsvRows, Position, Row
from routing.app.lists.rows import Given, Normalizer, Refused, Taken, given_cells, given_json
from routing.app.lists.spec import ImportFormat, ImportKind, ImportSpec, spec_from
from routing.core.config import Config, Numbers
from routing.core.errors import DomainError
from routing.store.sql import import_jobs
from routing.store.sql.database import Database
from routing.store.sql.import_jobs import Import
from routing.store.sql.import_lists import get_list
from routing.store.sql.import_records import order_end

PORTION_BYTES = 1 << 20


class BadFile(DomainError):
    """None of its rows can be read."""

    code = "file-refused"
    template = "the file cannot be read: {reason}"


@dataclass(slots=True)
class Portion:
    """Rows that go into one transaction; `end`: behind the last of them."""

    rows: int = 0
    taken: list[Taken] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    end: Position = BEGIN


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """`columns`: what is kept of the first row, so that whoever goes on need not read it."""

    found: Import
    rules: Numbers
    columns: dict[str, Any]
    rows: Iterator[Row]
    given: Callable[[Row], Given | Refused]
    normalized: Callable[[int, Given], Taken | Refused]
    tenant: str

    def order_base(self, connection: Connection) -> int:
        """Behind every record that the campaign has."""
        is_list = self.found.kind == ImportKind.RECORDS
        return order_end(connection, self.tenant, self.found.campaign) if is_list else 0

    def portions(self, most_rows: int) -> Iterator[Portion]:
        """Also small ones where rows are large, so that none needs much memory. Raises BadFile, StoreError."""
        begin, portion = self.found.bytes_done, Portion()
        for row in self.rows:
            given = self.given(row)
            made = given if isinstance(given, Refused) else self.normalized(row.line, given)
            if isinstance(made, Refused):
                portion.refused.append(made)
            else:
                portion.taken.append(made)
            portion.rows, portion.end = portion.rows + 1, row.end
            if portion.rows >= most_rows or row.end.offset - begin >= PORTION_BYTES:
                yield portion
                begin, portion = row.end.offset, Portion()
        if portion.rows:
            yield portion


def opened(database: Database, tenant: str, found: Import, config: Config) -> File:
    """At the row behind the last one that is dealt with. Raises BadFile, MappingRefused, StoreError."""
    spec = spec_from(found.spec)
    begin = Position(found.bytes_done, found.next_line)
    pieces = _pieces(database, tenant, found)
    given: Callable[[Row], Given | Refused] = given_json
    if spec.format is ImportFormat.ROWS:
        columns, rows = found.columns or {}, reading.json_rows(pieces, begin)
    else:
        columns, rows = _csv(spec, pieces, begin, found.columns)
        given = given_cells(bound(columns["names"], spec.mapping, spec.kind))
    return File(
        found=found,
        rules=config.numbers,
        columns=columns,
        rows=rows,
        given=given,
        normalized=_normalizer(database, tenant, found, spec, config),
        tenant=tenant,
    )


def _csv(
    spec: ImportSpec, pieces: Iterator[bytes], begin: Position, known: dict[str, Any] | None
) -> tuple[dict[str, Any], Iterator[Row]]:
    """What the first row says, and the rows behind it. Raises BadFile."""
    if known:
        return known, iter(CsvRows(pieces, known["delimiter"], spec.encoding, begin))
    head = next(pieces, b"")
    if reading.is_other_encoding(head):
        raise BadFile(reason="it is UTF-16; save it as UTF-8")
    delimiter = spec.delimiter or reading.sniffed(head, spec.encoding)
    rows = iter(CsvRows(chain([head], pieces), delimiter, spec.encoding))
    first = next(rows, None)
    if first is None or first.refusal:
        raise BadFile(reason=f"its first row: {first.refusal.value}" if first and first.refusal else "it is empty")
    return {"delimiter": delimiter, "names": list(first.cells)}, rows


def _pieces(database: Database, tenant: str, found: Import) -> Iterator[bytes]:
    """The file from where it is to be gone on, each piece in a transaction of its own. Raises BadFile, StoreError."""
    with database.read() as connection:
        part, skipped = import_jobs.part_holding(connection, tenant, found.id, found.bytes_done)
    offset = found.bytes_done
    while offset < found.bytes_total:
        with database.read() as connection:
            data = import_jobs.part_at(connection, tenant, found.id, part)
        if data is None:
            raise BadFile(reason="a piece of it is missing")
        yield data[skipped:]
        offset, part, skipped = offset + len(data) - skipped, part + 1, 0


def _normalizer(database: Database, tenant: str, found: Import, spec: ImportSpec, config: Config) -> Normalizer:
    """A do-not-call list has no list, and its rows need no external id."""
    campaign = config.campaigns.get(found.campaign)
    list_zone = spec.time_zone
    if found.list_id and not list_zone:
        with database.read() as connection:
            list_zone = get_list(connection, tenant, found.list_id).time_zone
    return Normalizer(
        rules=config.numbers,
        list_zone=list_zone,
        campaign_zone=campaign.default_zone if campaign else "",
        key=spec.key,
    )
