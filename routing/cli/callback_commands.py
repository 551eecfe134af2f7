"""`callback ...`: customers who are called back as soon as an agent is free, from the command line (CBQ)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from routing.app.ask import new_order_id
from routing.app.live.callbacks import CallbackRow, callback_rows
from routing.app.reports.report import zone_of
from routing.cli.exits import Exit
from routing.cli.live_tables import short
from routing.cli.order_commands import obey, pair
from routing.cli.output import PlainTable, fail, now_ms, say, show_json, span
from routing.cli.report_command import tenants_zone
from routing.cli.session import Session, actor, command, live_world
from routing.core.orders import CancelCallback, RequestCallback
from routing.core.queueing import requirement_of
from routing.store.port import Store

callback_app = typer.Typer(no_args_is_help=True, help="Customers who are called back when an agent is free.")

NumberArgument = Annotated[str, typer.Argument(metavar="NUMBER", help="As typed or pasted.")]
CallbackArgument = Annotated[str, typer.Argument(metavar="CALLBACK", help="Its id, or a unique end of it.")]
OnlyQueueOption = Annotated[str, typer.Option("--queue", "-q", metavar="QUEUE", help="Only of this queue.")]
QueueOption = Annotated[str, typer.Option("--queue", "-q", metavar="QUEUE", help="Queue in which it waits.")]
EntryPointOption = Annotated[
    str, typer.Option("--entry-point", metavar="ID", help="Instead of --queue: its queue and variables.")
]
NameOption = Annotated[str, typer.Option("--name", help="Whose number it is.")]
PriorityOption = Annotated[int | None, typer.Option("--priority", min=1, max=10, help="Default: the queue's.")]
RequiresOption = Annotated[str, typer.Option("--requires", metavar="SKILL:LEVEL,...", help="Skills it needs besides.")]
PreferredOption = Annotated[str, typer.Option("--preferred-agent", metavar="AGENT", help="Who shall have it.")]
NotBeforeOption = Annotated[
    str, typer.Option("--not-before", metavar="TIME", help="e.g. 2026-03-02T15:00, in the tenant's time zone.")
]
CadOption = Annotated[
    list[str] | None, typer.Option("--cad", metavar="NAME=VALUE", help="Call-associated data; repeat it.")
]


@callback_app.command("list")
@command
def list_command(session: Session, queue: OnlyQueueOption = "") -> None:
    """Those that have not reached their customer, by their place."""

    async def read(store: Store) -> list[CallbackRow]:
        return callback_rows(await live_world(store, session.server.tenant), queue)

    rows = session.with_store(read)
    if session.json:
        show_json(rows)
    else:
        say(_table(rows))


@callback_app.command("request")
@command
def request_command(
    session: Session,
    number: NumberArgument,
    queue: QueueOption = "",
    entry_point: EntryPointOption = "",
    name: NameOption = "",
    priority: PriorityOption = None,
    requires: RequiresOption = "",
    preferred_agent: PreferredOption = "",
    not_before: NotBeforeOption = "",
    cad: CadOption = None,
) -> None:
    """It waits for an agent as a call does; whether the number may be called is asked before each attempt."""
    order = RequestCallback(
        order_id=new_order_id(),
        actor=actor(),
        number=number,
        queue=queue,
        entry_point=entry_point,
        name=name,
        priority=priority,
        requires=_skills(session, requires),
        preferred_agent=preferred_agent,
        not_before_ms=_time(session, not_before),
        cad=dict(pair(session, text) for text in cad or ()),
    )
    obey(session, order)


@callback_app.command("cancel")
@command
def cancel_command(session: Session, callback: CallbackArgument) -> None:
    """Take it back; refused while an agent has it, or is rung."""
    found = _named(session, callback)
    obey(session, CancelCallback(order_id=new_order_id(), actor=actor(), interaction_id=found))


def _skills(session: Session, text: str) -> str:
    """Ends the command for what the rules would silently leave out."""
    given = [part.strip().partition(":")[0] for part in text.split(",") if text]
    if sorted(given) != [skill for skill, _level in requirement_of(text)]:
        fail(Exit.USAGE, "requires-malformed", f"{text!r} is not SKILL:LEVEL,... with levels 1 to 10", session.json)
    return text


def _named(session: Session, wanted: str) -> str:
    """The id that is meant; what is no callback's is left to the rules to refuse."""

    async def read(store: Store) -> list[str]:
        rows = callback_rows(await live_world(store, session.server.tenant))
        return [row.id for row in rows if row.id.endswith(wanted)]

    found = session.with_store(read)
    if len(found) > 1:
        detail = f"{wanted} is the end of several: {', '.join(found[:5])}"
        fail(Exit.REFUSED, "interaction-ambiguous", detail, session.json)
    return found[0] if found else wanted


def _time(session: Session, text: str) -> int:
    """In ms UTC; 0 for none."""
    if not text:
        return 0
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            found = found.replace(tzinfo=zone_of(tenants_zone(session)))
        return max(0, round(found.timestamp() * 1000))
    except (ValueError, OverflowError):
        fail(Exit.USAGE, "time-malformed", f"{text!r} is no time such as 2026-03-02T15:00", session.json)


def _table(rows: list[CallbackRow]) -> PlainTable:
    now = now_ms()
    lines = [
        (
            short(row.id),
            row.number,
            row.name,
            row.queue,
            row.state,
            row.position,
            span(max(0, now - row.entered_at_ms) // 1000),
            span(rests_ms // 1000) if (rests_ms := (row.not_before_at_ms or 0) - now) > 0 else "",
            row.attempts,
            row.last_outcome,
            row.source,
        )
        for row in rows
    ]
    columns = (
        "callback",
        "number",
        "name",
        "queue",
        "state",
        "place",
        "waits",
        "rests",
        "attempts",
        "last",
        "asked by",
    )
    return PlainTable(f"{len(rows)} callbacks", columns, lines, ("asked by", "name", "last", "rests"))
