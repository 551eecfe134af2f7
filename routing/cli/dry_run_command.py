"""`dry-run`: what would happen to a call that came now (ROUTE-18)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import RenderableType

from routing.app.live.dry_run import Answer, DryRunRefused, Outcome, Question, dry_run
from routing.cli.live_tables import trace_table
from routing.cli.output import cell, now_ms, say, show_json, span
from routing.cli.session import Session, command, live_world
from routing.core.declarations import Requirement
from routing.core.queueing import requirement_of

QueueOption = Annotated[str, typer.Option("--queue", "-q", metavar="QUEUE", help="The queue that it enters.")]
EntryPointOption = Annotated[str, typer.Option(metavar="ENTRY_POINT", help="Or the entry point that it comes to.")]
RequiresOption = Annotated[str, typer.Option(metavar="SKILLS", help="Skills besides the queue's: spanish:5,vip:1")]
PriorityOption = Annotated[int | None, typer.Option(metavar="1-10", min=1, max=10, help="Default: the usual one.")]
PreferredOption = Annotated[str, typer.Option("--preferred", metavar="AGENT", help="The agent whom it waits for.")]
PbxOption = Annotated[str, typer.Option(metavar="PBX", help="Where it comes in; default: one whose link is up.")]


@command
def dry_run_command(
    session: Session,
    queue: QueueOption = "",
    entry_point: EntryPointOption = "",
    requires: RequiresOption = "",
    priority: PriorityOption = None,
    preferred: PreferredOption = "",
    pbx: PbxOption = "",
) -> None:
    """What would happen to a call that came now, by the routing itself and without any effect."""
    question = Question(
        queue=queue,
        entry_point=entry_point,
        requires=_requirement(requires),
        priority=priority,
        preferred_agent=preferred,
        pbx=pbx,
    )
    world = session.with_store(lambda store: live_world(store, session.server.tenant))
    found = dry_run(world.state, question, now_ms())
    if session.json:
        show_json(found)
        return
    for part in _told(found):
        say(part)


def _requirement(text: str) -> Requirement:
    """Unlike a hand-over line, nothing that does not read is left out. Raises DryRunRefused."""
    found = requirement_of(text)
    if len(found) != len([part for part in text.split(",") if part.strip()]):
        raise DryRunRefused(reason=f"{text} are no skills with levels 1-10, e.g. spanish:5,vip:1")
    return found


def _told(found: Answer) -> Iterator[RenderableType]:
    where = f"queue {cell(found.queue)}" if found.queue else "no queue"
    if found.outcome is Outcome.RETURNED:
        yield f"it would go back to the dialplan at once: {found.result}"
        return
    if found.outcome is Outcome.IN_FLOW:
        yield f"it would be in its flow, at the step {cell(found.flow_step)}"
        return
    if found.outcome is Outcome.OFFERED:
        yield f"it would ring at once at {', '.join(map(cell, found.agents))} ({where}, priority {found.priority})"
    else:
        wait = "nobody can say" if found.estimated_wait_s is None else span(found.estimated_wait_s)
        place = "out of reach" if found.position is None else str(found.position)
        yield f"it would wait in {where}, priority {found.priority}: place {place}, estimated wait: {wait}"
    if found.trace is not None:
        yield from trace_table("why", found.trace)
