"""A file on its way from the body of a request into the database: in pieces, never as a whole (DIALER-02)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import msgspec
from flask import request
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_options_header
from werkzeug.sansio import multipart

from routing.api.audit import audit
from routing.api.database import reading, writing
from routing.api.idempotency import new_or_same_id
from routing.api.list_models import mapping_of
from routing.api.principal import current
from routing.api.problems import Problem
from routing.api.services import services
from routing.app.lists.spec import ImportSpec, spec_to
from routing.store.sql import import_jobs
from routing.store.sql.errors import UnknownRow
from routing.store.sql.import_jobs import Import, ImportState, NewImport

PIECE_BYTES = 1 << 20
_READ_BYTES = 1 << 16
_FIELDS_BYTES = 64 * 1024  # of a multipart body before its file
_BUFFER_BYTES = 1 << 20  # of it that is waiting to be understood
_FILE_TYPES = frozenset({"text/csv", "text/plain", "application/csv", "application/octet-stream"})
MULTIPART = "multipart/form-data"
_TEXT = {"schema": {"type": "string"}}
FILE_CONTENT = {
    "text/csv": _TEXT,
    MULTIPART: {
        "schema": {
            "type": "object",
            "required": ["file"],
            "properties": {
                "mapping": {"type": "string", "description": "JSON, before the file; as the parameter `mapping`"},
                "file": {"type": "string", "format": "binary", "description": "The CSV file; its first row has names"},
            },
        }
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What is to become of a file. `list_id` empty: of a do-not-call list."""

    spec: ImportSpec
    campaign: str
    list_id: str = ""
    file_name: str = ""


def upload_body(upload: Upload) -> Import:
    """Store the body of this request; its import waits for a worker. Raises Problem."""
    body = _body()
    if request.mimetype == MULTIPART:
        form = _Form(body)
        upload, pieces = form.completed(upload), form.pieces()
    elif request.mimetype in _FILE_TYPES:
        pieces = body
    else:
        raise Problem("wrong-content-type", f"the body is {request.mimetype or 'of no type'}, not text/csv")
    return stored(upload, pieces)


def _body() -> Iterator[bytes]:
    """As it comes. Raises Problem where it ends before its declared length: half a file is none."""
    declared, size, body = request.content_length, 0, request.stream
    while data := body.read(_READ_BYTES):
        size += len(data)
        yield data
    if declared is not None and size < declared:
        raise Problem("malformed-request", f"the body broke off: {size} bytes of {declared} came")


def stored(upload: Upload, pieces: Iterator[bytes]) -> Import:
    """An import with this content, which waits for a worker. Raises Problem."""
    tenant, now_ms = current().tenant, services().clock.now_ms
    new = NewImport(
        id=new_or_same_id("imp"),
        kind=upload.spec.kind.value,
        spec=spec_to(upload.spec),
        upload=uuid4().hex,
        created_by=current().actor,
        list_id=upload.list_id,
        campaign=upload.campaign,
        file_name=upload.file_name,
    )
    if (known := _known(new)) is not None:
        return known
    with writing() as connection:
        import_jobs.begin_upload(connection, tenant, new, now_ms())
    mine, number = (new.id, new.upload), -1
    try:
        for number, piece in enumerate(_limited(_sized(pieces))):
            with writing() as connection:
                import_jobs.add_part(connection, tenant, mine, number, piece, now_ms())
    except (Problem, HTTPException) as error:
        _give_up(new.id, error)
        raise
    return _ended(new)


def _ended(new: NewImport) -> Import:
    """The file is whole; a worker is told."""
    with writing() as connection:
        now_ms = services().clock.now_ms()
        found = import_jobs.end_upload(connection, current().tenant, (new.id, new.upload), now_ms)
        subject = f"list:{new.list_id}" if new.list_id else "do_not_call"
        about: dict[str, Any] = {"import": new.id, "bytes": found.bytes_total, "campaign": new.campaign}
        audit(connection, current(), "import.started", subject, **about)
    _wake(new.id)
    return found


def _known(new: NewImport) -> Import | None:
    """The request was repeated with its key, and its file is there already."""
    with reading() as connection:
        try:
            found = import_jobs.get_import(connection, current().tenant, new.id)
        except UnknownRow:
            return None
    return None if found.state == ImportState.UPLOADING else found


def _give_up(import_id: str, error: Problem | HTTPException) -> None:
    """A file that is too large stays away; one that was cut off may be sent again under its key."""
    if isinstance(error, Problem) and error.code == "body-too-large":
        with writing() as connection:
            import_jobs.cancel_import(connection, current().tenant, import_id, services().clock.now_ms())


def _wake(import_id: str) -> None:
    """A job that gets lost is made again by the ticker."""
    from workers.jobs import Jobs

    tenant = current().tenant
    Jobs(services().front(tenant).redis, tenant).run_imports([import_id])


def _sized(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """As pieces that are all of one size but the last."""
    kept = bytearray()
    for piece in pieces:
        kept += piece
        while len(kept) >= PIECE_BYTES:
            yield bytes(kept[:PIECE_BYTES])
            del kept[:PIECE_BYTES]
    if kept:
        yield bytes(kept)


def _limited(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Raises Problem body-too-large."""
    limit_mb, size = services().lists.upload_mb, 0
    for piece in pieces:
        size += len(piece)
        if size > limit_mb << 20:
            raise Problem("body-too-large", f"the file has more than {limit_mb} MiB")
        yield piece


class _Form:
    """A multipart body whose last part is the file."""

    def __init__(self, body: Iterator[bytes]) -> None:
        _type, options = parse_options_header(request.headers.get("Content-Type", ""))
        boundary = options.get("boundary", "").encode("latin-1", "replace")
        if not boundary:
            raise Problem("malformed-request", "the multipart body has no boundary")
        self._decoder = multipart.MultipartDecoder(boundary, max_form_memory_size=_BUFFER_BYTES, max_parts=8)
        self._body = body
        self._events = self._read()

    def completed(self, upload: Upload) -> Upload:
        """With what the parts before the file say. Raises Problem."""
        name, kept, size = "", dict[str, bytes](), 0
        for event in self._events:
            if isinstance(event, multipart.File):
                return self._told(upload, kept, event.filename or "")
            if isinstance(event, multipart.Field):
                name = event.name
            elif isinstance(event, multipart.Data):
                size += len(event.data)
                if size > _FIELDS_BYTES:
                    raise Problem("body-too-large", "the parts before the file are too large")
                kept[name] = kept.get(name, b"") + event.data
        raise Problem("malformed-request", "the multipart body has no file: a part with a file name")

    def _told(self, upload: Upload, kept: dict[str, bytes], file_name: str) -> Upload:
        if unknown := kept.keys() - {"mapping"}:
            raise Problem("invalid-request", f"there is no part {min(unknown)!r}; parameters go into the query")
        upload = replace(upload, file_name=upload.file_name or _plain(file_name))
        if "mapping" not in kept:
            return upload
        try:
            mapping = mapping_of(kept["mapping"].decode("utf-8", "replace"))
        except ValueError as error:
            errors = [{"pointer": "/mapping", "detail": str(error)}]
            raise Problem("invalid-request", "the part mapping breaks its schema", errors=errors) from error
        return replace(upload, spec=msgspec.structs.replace(upload.spec, mapping=mapping))

    def pieces(self) -> Iterator[bytes]:
        """Of the file. Raises Problem where another part follows it."""
        for event in self._events:
            if isinstance(event, multipart.Field | multipart.File):
                raise Problem("malformed-request", "the file must be the last part of the body")
            if isinstance(event, multipart.Data):
                yield event.data

    def _read(self) -> Iterator[multipart.Event]:
        while True:
            data = next(self._body, b"")
            try:
                self._decoder.receive_data(data or None)
                while not isinstance(event := self._decoder.next_event(), multipart.NeedData | multipart.Epilogue):
                    yield event
            except ValueError as error:
                raise Problem("malformed-request", f"the multipart body cannot be read: {error}") from error
            if isinstance(event, multipart.Epilogue):
                return
            if not data:
                raise Problem("malformed-request", "the multipart body ends too early")


def _plain(file_name: str) -> str:
    """Of a path the last part, as far as it can be stored."""
    return "".join(c for c in file_name.replace("\\", "/").rpartition("/")[2] if c.isprintable())[:256]
