"""One portion of an import in its transaction: records, or numbers that must not be called."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection

from routing.app.lists.spec import ImportKind, Refusal, spec_from
from routing.core.config import Numbers
from routing.store.sql.do_not_call import Mark
from routing.store.sql.import_jobs import Import, Line
from routing.store.sql.import_marks import add_marks
from routing.store.sql.import_records import Into, put_records
from routing.store.sql.rows import clean
from routing.store.sql.search import lookup_number
from workers.import_files import Portion


@dataclass(slots=True)
class Counts:
    """What became of a portion. `report`: by line."""

    added: int = 0
    updated: int = 0
    duplicate: int = 0
    refused: int = 0
    report: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Of which import, and when."""

    tenant: str
    found: Import
    rules: Numbers
    now_ms: int


def put(connection: Connection, where: Where, portion: Portion) -> Counts:
    """In the caller's transaction, which writes."""
    counts = Counts(refused=len(portion.refused))
    counts.report += [_line(refused.line, refused.reason, refused.detail) for refused in portion.refused]
    counts.report += [
        _line(dropped.line, dropped.reason, dropped.detail, is_taken=True)
        for taken in portion.taken
        for dropped in taken.dropped
    ]
    if where.found.kind == ImportKind.DO_NOT_CALL:
        _put_marks(connection, where, portion, counts)
    else:
        _put_records(connection, where, portion, counts)
    counts.report.sort(key=lambda line: line.line)
    return counts


def _put_records(connection: Connection, where: Where, portion: Portion, counts: Counts) -> None:
    found, spec = where.found, spec_from(where.found.spec)
    into = Into(
        tenant=where.tenant,
        campaign=found.campaign,
        list_id=found.list_id,
        key=spec.key,
        on_duplicate=spec.on_duplicate,
        numbers=where.rules,
        order_base=found.order_base,
    )
    outcome = put_records(connection, into, [taken.contact for taken in portion.taken], where.now_ms)
    counts.added, counts.updated, counts.duplicate = outcome.added, outcome.updated, outcome.duplicate
    counts.refused += len(outcome.blocked)
    counts.report += [_line(row.line, Refusal.DO_NOT_CALL, number) for row, number in outcome.blocked]
    counts.report += [_line(row.line, Refusal.DO_NOT_CALL, number, is_taken=True) for row, number in outcome.dropped]


def _put_marks(connection: Connection, where: Where, portion: Portion, counts: Counts) -> None:
    """Each number is counted: as added, or as a duplicate where its mark stands already."""
    found = where.found
    numbers = [(number.number, taken.note) for taken in portion.taken for number in taken.contact.numbers]
    given: dict[str, Mark] = {}
    for number, note in numbers:
        form = lookup_number(number, where.rules)
        mark = Mark(
            number=form,
            campaign=found.campaign,
            written=number,
            note=clean(note) or found.file_name,
            marked_by=found.created_by,
            marked_at_ms=where.now_ms,
        )
        given.setdefault(form, mark)
    counts.added = add_marks(connection, where.tenant, list(given.values()))
    counts.duplicate = len(numbers) - counts.added


def _line(line: int, reason: Refusal, detail: str, *, is_taken: bool = False) -> Line:
    return Line(line=line, is_taken=int(is_taken), reason=reason.value, detail=clean(detail))
