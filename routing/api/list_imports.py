"""`/v1/lists/{id}/imports`, `/v1/do-not-call/imports`: files on their way in, how far they are, what was refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from flask import Response, stream_with_context
from flask_openapi3.blueprint import APIBlueprint
from sqlalchemy import Connection

from routing.api.audit import audit
from routing.api.database import reading, writing
from routing.api.idempotency import idempotent
from routing.api.list_models import (
    ImportListOut,
    ImportOut,
    ImportPath,
    ImportQuery,
    ListPath,
    MarksImportPath,
    MarksQuery,
    delimiter_of,
    import_view,
    mapping_of,
)
from routing.api.list_uploads import FILE_CONTENT, Upload, upload_body
from routing.api.pagination import page_of, shown_page
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.requests import streamed
from routing.api.schemas import PageQuery
from routing.api.services import services
from routing.app.lists.spec import ImportKind, ImportSpec
from routing.store.sql import import_jobs
from routing.store.sql.import_jobs import Import
from routing.store.sql.import_lists import get_list

api = APIBlueprint("imports", __name__, url_prefix="/v1")

REPORT: dict[str, Any] = {"text/csv": {"schema": {"type": "string"}}}
MARKS = ""  # the list of imports of do-not-call lists
_PAGE = 1000
_FORMULA = ("=", "@", "+", "-", "\t", "\r")
Answer = tuple[dict[str, Any], int, dict[str, str]]


@api.post("/lists/<list_id>/imports", operation_id="importList", responses={202: ImportOut})
@needs(Scope.RECORDS_WRITE)
@idempotent()
@streamed(FILE_CONTENT)
def import_list(path: ListPath, query: ImportQuery) -> Answer:
    """A CSV file of contacts, as the body or as the part `file` of a form. It is stored; a worker imports it."""
    with reading() as connection:
        found = get_list(connection, current().tenant, path.list_id)
    spec = ImportSpec(
        mapping=mapping_of(query.mapping),
        delimiter=delimiter_of(query),
        encoding=query.encoding,
        key=query.key,
        on_duplicate=query.on_duplicate,
        time_zone=query.time_zone,
    )
    upload = Upload(spec=spec, campaign=found.campaign, list_id=found.id, file_name=query.file_name)
    return accepted(upload_body(upload))


@api.post("/do-not-call/imports", operation_id="importDoNotCall", responses={202: ImportOut})
@needs(Scope.DO_NOT_CALL_WRITE)
@idempotent()
@streamed(FILE_CONTENT)
def import_marks(query: MarksQuery) -> Answer:
    """A CSV file of numbers that must not be called; a column `note` says why. Marks are only added."""
    if query.campaign and query.campaign not in services().front(current().tenant).config().campaigns:
        raise Problem("campaign-unknown", f"there is no campaign {query.campaign}")
    spec = ImportSpec(
        kind=ImportKind.DO_NOT_CALL,
        mapping=mapping_of(query.mapping),
        delimiter=delimiter_of(query),
        encoding=query.encoding,
    )
    return accepted(upload_body(Upload(spec=spec, campaign=query.campaign, file_name=query.file_name)))


def accepted(found: Import) -> Answer:
    """202, with the address under which its progress is to be seen."""
    place = f"lists/{found.list_id}" if found.list_id else "do-not-call"
    return import_view(found), 202, {"Location": f"/v1/{place}/imports/{found.id}"}


@api.get("/lists/<list_id>/imports", operation_id="listImports", responses={200: ImportListOut})
@needs(Scope.RECORDS_READ)
def list_imports(path: ListPath, query: PageQuery) -> dict[str, Any]:
    """Imports into one list."""
    with reading() as connection:
        found = get_list(connection, current().tenant, path.list_id)
        return shown_page(import_jobs.imports_of(connection, current().tenant, found.id, page_of(query)), import_view)


@api.get("/do-not-call/imports", operation_id="listDoNotCallImports", responses={200: ImportListOut})
@needs(Scope.DO_NOT_CALL_READ)
def list_marks_imports(query: PageQuery) -> dict[str, Any]:
    """Imports of numbers that must not be called."""
    with reading() as connection:
        return shown_page(import_jobs.imports_of(connection, current().tenant, MARKS, page_of(query)), import_view)


@api.get("/lists/<list_id>/imports/<import_id>", operation_id="getImport", responses={200: ImportOut})
@needs(Scope.RECORDS_READ)
def get_import(path: ImportPath) -> dict[str, Any]:
    """How far it is, and what became of its rows."""
    return import_view(_found(path.import_id, path.list_id))


@api.get("/do-not-call/imports/<import_id>", operation_id="getDoNotCallImport", responses={200: ImportOut})
@needs(Scope.DO_NOT_CALL_READ)
def get_marks_import(path: MarksImportPath) -> dict[str, Any]:
    """How far it is, and what became of its numbers."""
    return import_view(_found(path.import_id, MARKS))


@api.get(
    "/lists/<list_id>/imports/<import_id>/refused",
    operation_id="getRefusedRows",
    responses={200: {"content": REPORT}},
)
@needs(Scope.RECORDS_READ)
def get_refused(path: ImportPath) -> Response:
    """Why rows were refused, as CSV: `line`, `taken` (no; yes: the row was taken without that value), `reason` (a
    stable word), `value`. As many as the configuration keeps.
    """
    return _report(_found(path.import_id, path.list_id))


@api.get(
    "/do-not-call/imports/<import_id>/refused",
    operation_id="getRefusedNumbers",
    responses={200: {"content": REPORT}},
)
@needs(Scope.DO_NOT_CALL_READ)
def get_refused_marks(path: MarksImportPath) -> Response:
    """Why numbers were refused, as CSV: `line`, `taken`, `reason` (a stable word), `value`."""
    return _report(_found(path.import_id, MARKS))


@api.delete("/lists/<list_id>/imports/<import_id>", operation_id="cancelImport", responses={204: None})
@needs(Scope.RECORDS_WRITE)
def cancel_import(path: ImportPath) -> tuple[str, int]:
    """It stops; what it has brought so far stays."""
    return _cancelled(path.import_id, path.list_id)


@api.delete("/do-not-call/imports/<import_id>", operation_id="cancelDoNotCallImport", responses={204: None})
@needs(Scope.DO_NOT_CALL_WRITE)
def cancel_marks_import(path: MarksImportPath) -> tuple[str, int]:
    """It stops; marks that it has brought so far stay."""
    return _cancelled(path.import_id, MARKS)


def _found(import_id: str, list_id: str) -> Import:
    """Raises Problem not-found."""
    with reading() as connection:
        return import_jobs.get_import(connection, current().tenant, import_id, list_id)


def _cancelled(import_id: str, list_id: str) -> tuple[str, int]:
    tenant = current().tenant
    with writing() as connection:
        found = import_jobs.get_import(connection, tenant, import_id, list_id)
        import_jobs.cancel_import(connection, tenant, found.id, services().clock.now_ms())
        audit(connection, current(), "import.cancelled", f"import:{found.id}")
    return "", 204


def _report(found: Import) -> Response:
    """In portions, each in a transaction of its own: a report may be long, and a client slow."""
    headers = {"Content-Disposition": f'attachment; filename="refused-{found.id}.csv"'}
    lines = stream_with_context(_lines(current().tenant, found.id))
    return Response(lines, content_type="text/csv; charset=utf-8", headers=headers)


def _lines(tenant: str, import_id: str) -> Iterator[str]:
    yield "line,taken,reason,value\r\n"
    after = -1
    while True:
        with reading() as connection:
            found = _portion(connection, tenant, import_id, after)
        if not found:
            return
        after = found[-1][0]
        text = io.StringIO()
        rows = ((line.line, "yes" if line.is_taken else "no", line.reason, inert(line.detail)) for _, line in found)
        csv.writer(text).writerows(rows)
        yield text.getvalue()


def _portion(connection: Connection, tenant: str, import_id: str, after: int) -> list[tuple[int, import_jobs.Line]]:
    return import_jobs.report_of(connection, tenant, import_id, after, _PAGE)


def inert(value: str) -> str:
    """As text for spreadsheets: a cell that begins as a formula does would be run. A number stays as it is."""
    is_number = value[1:].replace(" ", "").isdigit()
    return f"'{value}" if value.startswith(_FORMULA) and not is_number else value
