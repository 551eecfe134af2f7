"""`list ...`: lists of campaigns, files into them, and how far those are (DIALER-02)."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer
from sqlalchemy import Connection

from routing.app.lists.spec import Encoding, ImportKind, ImportSpec, spec_to
from routing.cli.db_commands import DatabaseOption
from routing.cli.exits import Exit
from routing.cli.key_commands import day, opened
from routing.cli.list_tables import import_table, lists_table
from routing.cli.list_uploads import entry, uploaded
from routing.cli.output import fail, now_ms, say, show_json, watching
from routing.cli.session import Session, actor, command, live_world
from routing.core.config import Config
from routing.core.errors import DomainError
from routing.store.port import Store
from routing.store.sql import import_jobs
from routing.store.sql.audit import record
from routing.store.sql.database import Database
from routing.store.sql.ids import new_id
from routing.store.sql.import_jobs import ENDED, Import, ImportState, NewImport
from routing.store.sql.import_lists import RecordList, create_list, get_list, lists_of
from routing.store.sql.import_records import DuplicateKey, OnDuplicate
from routing.store.sql.paging import PageOf

list_app = typer.Typer(no_args_is_help=True, help="Lists of campaigns: import files, see what became of them.")

_LOOK_S = 0.5
_PAGE = 200
_REPORT_PAGE = 1000

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="CSV; its first row has the names of the columns.")]
ImportArgument = Annotated[str, typer.Argument(metavar="IMPORT", help="Its id, as `list import` shows it.")]
CampaignOption = Annotated[str, typer.Option("--campaign", "-c", metavar="CAMPAIGN", help="Of which campaign.")]
ListOption = Annotated[str, typer.Option("--list", metavar="LIST", help="Into this list; default: a new one.")]
NameOption = Annotated[str, typer.Option("--name", help="Of the new list; default: that of the file.")]
DoNotCallOption = Annotated[
    bool, typer.Option("--do-not-call", help="Numbers that must not be called, for --campaign or for all.")
]
MappingOption = Annotated[
    str, typer.Option("--mapping", metavar="JSON", help="Which column is what; default: by usual names.")
]
DelimiterOption = Annotated[str, typer.Option("--delimiter", metavar="CHAR", help="Default: found by looking.")]
EncodingOption = Annotated[Encoding, typer.Option("--encoding", metavar="ENCODING", help="utf-8 or windows-1252.")]
KeyOption = Annotated[
    DuplicateKey, typer.Option("--key", metavar="KEY", help="What makes a duplicate: number, external_id or both.")
]
DuplicateOption = Annotated[
    OnDuplicate, typer.Option("--on-duplicate", metavar="WHAT", help="What becomes of it: skip, update or add.")
]
ZoneOption = Annotated[str, typer.Option("--time-zone", metavar="ZONE", help="IANA zone of contacts without one.")]
NoWaitOption = Annotated[bool, typer.Option("--no-wait", help="Store the file, and leave the rest to a worker.")]


class ArgumentRefused(DomainError):
    code = "argument-refused"
    template = "{reason}"


@list_app.command("import")
@command
def import_command(
    session: Session,
    file: FileArgument,
    campaign: CampaignOption = "",
    into: ListOption = "",
    name: NameOption = "",
    do_not_call: DoNotCallOption = False,
    mapping: MappingOption = "",
    delimiter: DelimiterOption = "",
    encoding: EncodingOption = Encoding.UTF_8,
    key: KeyOption = DuplicateKey.NUMBER,
    on_duplicate: DuplicateOption = OnDuplicate.SKIP,
    time_zone: ZoneOption = "",
    no_wait: NoWaitOption = False,
    database: DatabaseOption = None,
) -> None:
    """Store a file; a worker imports it, and this command shows how far it is. Exit code 1 when it fails."""
    spec = ImportSpec(
        kind=ImportKind.DO_NOT_CALL if do_not_call else ImportKind.RECORDS,
        mapping=_mapping(mapping),
        delimiter=_delimiter(delimiter),
        encoding=encoding,
        key=key,
        on_duplicate=on_duplicate,
        time_zone=_zone(time_zone),
    )
    with opened(session, database) as found:
        new = _new(session, found, spec, campaign, into, name or file.stem)
        ended = uploaded(session, found, new, file)
        if not no_wait:
            ended = _followed(session, found, ended)
    _tell(session, ended)


@list_app.command("status")
@command
def status_command(session: Session, import_id: ImportArgument, database: DatabaseOption = None) -> None:
    """How far an import is. Exit code 1 when it has failed."""
    with opened(session, database) as found, found.read() as connection:
        one = import_jobs.get_import(connection, session.server.tenant, import_id)
    _tell(session, one)


@list_app.command("refused")
@command
def refused_command(session: Session, import_id: ImportArgument, database: DatabaseOption = None) -> None:
    """Why rows were refused, as CSV on standard output; values that are taken are marked `yes`."""
    with opened(session, database) as found, found.read() as connection:
        import_jobs.get_import(connection, session.server.tenant, import_id)
        lines = list(_report(connection, session.server.tenant, import_id))
    if session.json:
        show_json([{"line": n, "taken": bool(taken), "reason": why, "value": what} for n, taken, why, what in lines])
        return
    from routing.api.list_imports import inert

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("line", "taken", "reason", "value"))
    writer.writerows((n, "yes" if taken else "no", why, inert(what)) for n, taken, why, what in lines)


@list_app.command("cancel")
@command
def cancel_command(session: Session, import_id: ImportArgument, database: DatabaseOption = None) -> None:
    """Stop an import; what it has brought so far stays."""
    tenant = session.server.tenant
    with opened(session, database) as found, found.begin() as connection:
        one = import_jobs.cancel_import(connection, tenant, import_id, now_ms())
        record(connection, tenant, entry("import.cancelled", f"import:{import_id}"))
    _tell(session, one)


@list_app.command("lists")
@command
def lists_command(session: Session, campaign: CampaignOption = "", database: DatabaseOption = None) -> None:
    """All lists, or those of one campaign, newest first, each with its last imports."""
    tenant = session.server.tenant
    with opened(session, database) as found, found.read() as connection:
        rows = [
            (one, import_jobs.imports_of(connection, tenant, one.id, PageOf(limit=3)).items)
            for one in _all_lists(connection, tenant, campaign)
        ]
    if session.json:
        from routing.api.list_models import import_view, list_view

        show_json([list_view(one) | {"imports": [import_view(i) for i in last]} for one, last in rows])
    else:
        say(lists_table(rows, day))


# ------------------------------------------------------------------ the file


def _new(session: Session, database: Database, spec: ImportSpec, campaign: str, into: str, name: str) -> NewImport:
    """Into which list; a new one is made. Raises ArgumentRefused, UnknownRow."""
    tenant, at_ms = session.server.tenant, now_ms()
    if campaign and campaign not in _config(session).campaigns:
        raise ArgumentRefused(reason=f"there is no campaign {campaign} in the running configuration")
    fields = {"id": new_id("imp", at_ms), "spec": spec_to(spec), "upload": uuid4().hex, "created_by": actor()}
    kind = spec.kind.value
    if spec.kind is ImportKind.DO_NOT_CALL:
        return NewImport(**fields, kind=kind, campaign=campaign)  # type: ignore[arg-type]
    if bool(campaign) == bool(into):
        raise ArgumentRefused(reason="give --campaign for a new list, or --list for one that there is")
    with database.begin() as connection:
        if into:
            found = get_list(connection, tenant, into)
        else:
            made = RecordList(
                id=new_id("lst", at_ms),
                campaign=campaign,
                name=name[:256],
                time_zone="",
                created_by=actor(),
                created_at_ms=at_ms,
            )
            found = create_list(connection, tenant, made)
            record(connection, tenant, entry("list.created", f"list:{found.id}"))
    return NewImport(**fields, kind=kind, campaign=found.campaign, list_id=found.id)  # type: ignore[arg-type]


def _followed(session: Session, database: Database, found: Import) -> Import:
    """Until it has ended, or the one who watches has had enough."""

    def is_over() -> bool:
        nonlocal found
        with database.read() as connection:
            found = import_jobs.get_import(connection, session.server.tenant, found.id)
        return ImportState(found.state) in ENDED

    with nullcontext(_say_nothing) if session.json else watching(is_json=False) as show:
        while not is_over():
            show(import_table(found))
            time.sleep(_LOOK_S)
    return found


def _say_nothing(_picture: object) -> None:
    """For programs, which get the end alone."""


# ------------------------------------------------------------------ small things


def _tell(session: Session, found: Import) -> None:
    from routing.api.list_models import import_view

    if session.json:
        show_json(import_view(found))
    else:
        say(import_table(found))
    if found.state == ImportState.FAILED:
        if session.json:
            raise typer.Exit(Exit.FOUND)
        fail(Exit.FOUND, "import-failed", found.reason, session.json)


def _mapping(text: str) -> Any:
    from routing.api.list_models import mapping_of

    try:
        return mapping_of(text)
    except ValueError as error:
        raise ArgumentRefused(reason=f"--mapping: {error}") from error


def _delimiter(text: str) -> str:
    from routing.app.lists.spec import DELIMITERS

    found = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if found and (len(found) != 1 or found not in DELIMITERS):
        raise ArgumentRefused(reason="--delimiter: one of , ; | tab")
    return found


def _zone(text: str) -> str:
    from routing.app.lists.zones import is_zone

    if text and not is_zone(text):
        raise ArgumentRefused(reason=f"--time-zone: {text} is no zone of the IANA database")
    return text


def _config(session: Session) -> Config:
    async def read(store: Store) -> Config:
        return (await live_world(store, session.server.tenant)).config

    return session.with_store(read)


def _report(connection: Connection, tenant: str, import_id: str) -> Iterator[tuple[int, int, str, str]]:
    after = -1
    while lines := import_jobs.report_of(connection, tenant, import_id, after, _REPORT_PAGE):
        after = lines[-1][0]
        yield from ((line.line, line.is_taken, line.reason, line.detail) for _place, line in lines)


def _all_lists(connection: Connection, tenant: str, campaign: str) -> Iterator[RecordList]:
    cursor = ""
    while True:
        page = lists_of(connection, tenant, campaign, PageOf(cursor=cursor, limit=_PAGE))
        yield from page.items
        if not (cursor := page.next_cursor):
            return
