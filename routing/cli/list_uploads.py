"""A file of this machine into the database, for a worker wherever it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

from routing.cli.output import now_ms
from routing.cli.session import Session, actor
from routing.core.errors import DomainError
from routing.store.sql import import_jobs
from routing.store.sql.audit import AuditEntry, record
from routing.store.sql.database import Database
from routing.store.sql.ids import new_id
from routing.store.sql.import_jobs import Import, NewImport

PIECE_BYTES = 1 << 20


class FileUnreadable(DomainError):
    code = "file-unreadable"
    template = "{file} cannot be read: {reason}"


def uploaded(session: Session, database: Database, new: NewImport, file: Path) -> Import:
    """The file is stored, a piece per transaction. Raises FileUnreadable, StoreError."""
    from routing.store.front import connect
    from workers.jobs import Jobs

    tenant, mine = session.server.tenant, (new.id, new.upload)
    try:
        with file.open("rb") as opened_file:
            with database.begin() as connection:
                import_jobs.begin_upload(connection, tenant, replace(new, file_name=file.name[:256]), now_ms())
            for number, piece in enumerate(_pieces(opened_file)):
                with database.begin() as connection:
                    import_jobs.add_part(connection, tenant, mine, number, piece, now_ms())
    except OSError as error:
        raise FileUnreadable(file=str(file), reason=error.strerror or str(error)) from error
    with database.begin() as connection:
        found = import_jobs.end_upload(connection, tenant, mine, now_ms())
        record(connection, tenant, entry("import.started", f"import:{new.id}"))
    Jobs(connect(session.server.redis_url), tenant).run_imports([new.id])
    return found


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(PIECE_BYTES):
        yield piece


def entry(action: str, subject: str) -> AuditEntry:
    """By whoever runs the command, now."""
    at_ms = now_ms()
    return AuditEntry(id=new_id("aud", at_ms), at_ms=at_ms, actor=actor(), action=action, subject=subject)
