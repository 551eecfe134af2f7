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
from routing.core.config import Config
from routing.core.errors import UnknownCampaign
from routing.core.orders import MarkDoNotCall
from routing.store.port import Store
from routing.store.sql.audit import AuditEntry, record
from routing.store.sql.do_not_call import ALL_CALLS, Mark, is_marked, mark, marks
from routing.store.sql.ids import new_id
from routing.store.sql.paging import PageOf

do_not_call_app = typer.Typer(no_args_is_help=True, help="Numbers that nobody shall be made to call.")

NumberArgument = Annotated[str, typer.Argument(metavar="NUMBER", help="In any form.")]
NoteOption = Annotated[str, typer.Option("--note", help="Who asked for it, and where that is written down.")]
OnlyOption = Annotated[
    str, typer.Option("--campaign", "-c", metavar="CAMPAIGN", help="Only this one may not call it; default: nobody.")
]
OfOption = Annotated[
    str | None, typer.Option("--campaign", "-c", metavar="CAMPAIGN", help="Only its marks; '': those for all calls.")
]
AlsoOption = Annotated[
    str, typer.Option("--campaign", "-c", metavar="CAMPAIGN", help="Also marks for this campaign alone.")
]
_PAGE = 200


@do_not_call_app.command("add")
@command
def add_command(
    session: Session,
    number: NumberArgument,
    note: NoteOption = "",
    campaign: OnlyOption = ALL_CALLS,
    database: DatabaseOption = None,
) -> None:
    """At once: callbacks and records with that number that wait are given up. A mark that stands stays as it is."""
    config = _config(session)
    if campaign and campaign not in config.campaigns:
        raise UnknownCampaign(campaign=campaign)
    rules = config.numbers
    given = Mark(
        number=numbers.parse(number, rules).text,
        campaign=campaign,
        written=number,
        note=note,
        marked_by=actor(),
        marked_at_ms=now_ms(),
    )
    with opened(session, database) as found, found.begin() as connection:
        made, is_new = mark(connection, session.server.tenant, given, rules)
        if is_new:
            record(connection, session.server.tenant, _entry(made))
    reply = session.ask(MarkDoNotCall(order_id=new_order_id(), actor=actor(), number=number, campaign=campaign))
    given_up = reply.values["callbacks"]
    if session.json:
        show_json(asdict(made) | {"is_new": is_new, "callbacks": given_up})
    else:
        since = "" if is_new else f" since {day(made.marked_at_ms)}"
        say(f"{made.number} is marked{since}; callbacks given up: {given_up}")


@do_not_call_app.command("list")
@command
def list_command(session: Session, campaign: OfOption = None, database: DatabaseOption = None) -> None:
    """All marks, newest first."""
    with opened(session, database) as found, found.read() as connection:
        rows = list(_all(connection, session.server.tenant, campaign))
    if session.json:
        show_json([asdict(row) for row in rows])
        return
    lines = [
        (row.number, row.campaign or "all calls", row.written, row.note, row.marked_by, day(row.marked_at_ms))
        for row in rows
    ]
    columns = ("number", "for", "as written", "note", "marked by", "at")
    say(PlainTable(f"{len(rows)} numbers", columns, lines, ("as written", "marked by")))


@do_not_call_app.command("check")
@command
def check_command(
    session: Session, number: NumberArgument, campaign: AlsoOption = ALL_CALLS, database: DatabaseOption = None
) -> None:
    """Whether this number is marked, in whatever way it is written."""
    rules = _config(session).numbers
    with opened(session, database) as found, found.read() as connection:
        is_found = is_marked(connection, session.server.tenant, number, rules, {ALL_CALLS, campaign})
    if session.json:
        show_json({"is_marked": is_found})
    else:
        say("marked: it is not called" if is_found else "not marked")


def _config(session: Session) -> Config:
    """The one in force."""

    async def read(store: Store) -> Config:
        return (await live_world(store, session.server.tenant)).config

    return session.with_store(read)


def _all(connection: Connection, tenant: str, campaign: str | None) -> Iterator[Mark]:
    cursor = ""
    while True:
        page = marks(connection, tenant, PageOf(cursor=cursor, limit=_PAGE), campaign)
        yield from page.items
        if not (cursor := page.next_cursor):
            return


def _entry(made: Mark) -> AuditEntry:
    """As the API writes it down: without the number, which the list itself says."""
    id_, action = new_id("aud", made.marked_at_ms), "do_not_call.marked"
    return AuditEntry(id=id_, at_ms=made.marked_at_ms, actor=made.marked_by, action=action, subject="do_not_call")
