"""`do-not-call ...`: numbers that nobody shall be made to call; marks are added, and none is taken back (DISP-05)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer
from sqlalchemy import Connection

from routing.app.ask import new_order_id
from routing.cli.db_commands import DatabaseOption
from routing.cli.key_commands import day, opened
from routing.cli.output import PlainTable, now_ms, say, show_json
from routing.cli.session import Session, actor, command, live_world
from routing.core import numbers
from routing.core.config import Numbers
from routing.core.orders import MarkDoNotCall
from routing.store.port import Store
from routing.store.sql.audit import AuditEntry, record
from routing.store.sql.do_not_call import ALL_CALLS, Mark, is_marked, mark, marks
from routing.store.sql.ids import new_id
from routing.store.sql.paging import PageOf

do_not_call_app = typer.Typer(no_args_is_help=True, help="Numbers that nobody shall be made to call.")

NumberArgument = Annotated[str, typer.Argument(metavar="NUMBER", help="In any form.")]
NoteOption = Annotated[str, typer.Option("--note", help="Who asked for it, and where that is written down.")]
_PAGE = 200


@do_not_call_app.command("add")
@command
def add_command(
    session: Session, number: NumberArgument, note: NoteOption = "", database: DatabaseOption = None
) -> None:
    """At once: callbacks to that number that wait are given up. A mark that stands already stays as it is."""
    rules = _rules(session)
    given = Mark(
        number=numbers.parse(number, rules).text,
        campaign=ALL_CALLS,
        written=number,
        note=note,
        marked_by=actor(),
        marked_at_ms=now_ms(),
    )
    with opened(session, database) as found, found.begin() as connection:
        made, is_new = mark(connection, session.server.tenant, given, rules)
        if is_new:
            record(connection, session.server.tenant, _entry(made))
    reply = session.ask(MarkDoNotCall(order_id=new_order_id(), actor=actor(), number=number))
    given_up = reply.values["callbacks"]
    if session.json:
        show_json(asdict(made) | {"is_new": is_new, "callbacks": given_up})
    else:
        since = "" if is_new else f" since {day(made.marked_at_ms)}"
        say(f"{made.number} is marked{since}; callbacks given up: {given_up}")


@do_not_call_app.command("list")
@command
def list_command(session: Session, database: DatabaseOption = None) -> None:
    """All marks, newest first."""
    with opened(session, database) as found, found.read() as connection:
        rows = list(_all(connection, session.server.tenant))
    if session.json:
        show_json([asdict(row) for row in rows])
        return
    lines = [(row.number, row.written, row.note, row.marked_by, day(row.marked_at_ms)) for row in rows]
    columns = ("number", "as written", "note", "marked by", "at")
    say(PlainTable(f"{len(rows)} numbers", columns, lines, ("as written", "marked by")))


@do_not_call_app.command("check")
@command
def check_command(session: Session, number: NumberArgument, database: DatabaseOption = None) -> None:
    """Whether this number is marked, in whatever way it is written."""
    rules = _rules(session)
    with opened(session, database) as found, found.read() as connection:
        is_found = is_marked(connection, session.server.tenant, number, rules)
    if session.json:
        show_json({"is_marked": is_found})
    else:
        say("marked: it is not called" if is_found else "not marked")


def _rules(session: Session) -> Numbers:
    """How numbers are read, of the configuration in force."""

    async def read(store: Store) -> Numbers:
        return (await live_world(store, session.server.tenant)).config.numbers

    return session.with_store(read)


def _all(connection: Connection, tenant: str) -> Iterator[Mark]:
    cursor = ""
    while True:
        page = marks(connection, tenant, PageOf(cursor=cursor, limit=_PAGE))
        yield from page.items
        if not (cursor := page.next_cursor):
            return


def _entry(made: Mark) -> AuditEntry:
    """As the API writes it down: without the number, which the list itself says."""
    id_, action = new_id("aud", made.marked_at_ms), "do_not_call.marked"
    return AuditEntry(id=id_, at_ms=made.marked_at_ms, actor=made.marked_by, action=action, subject="do_not_call")
