"""`status`, `agents`, `queues`, `calls`, `explain`: what lives now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from rich.console import RenderableType

from routing.app.live.agents import agent_rows
from routing.app.live.calls import call_row, call_rows
from routing.app.live.explain import Explanation, explain
from routing.app.live.queues import queue_rows
from routing.app.live.status import status_of
from routing.cli import live_tables as tables
from routing.cli.exits import Exit
from routing.cli.output import fail, now_ms, say, show_json, watching
from routing.cli.session import Session, command, live_world, world_of
from routing.core.errors import UnknownInteraction
from routing.store.port import Store

Rows = TypeVar("Rows")

WatchOption = Annotated[bool, typer.Option("--watch", "-w", help="Show it live until Ctrl-C.")]
QueueOption = Annotated[str, typer.Option("--queue", "-q", metavar="QUEUE", help="Only of this queue.")]
EndedOption = Annotated[int, typer.Option("--ended", metavar="N", help="Also the last N that ended.")]
InteractionArgument = Annotated[str, typer.Argument(metavar="INTERACTION", help="Its id, or a unique end of it.")]
HealthyWaitOption = Annotated[float, typer.Option("--wait", metavar="S", help="Wait so long for it to be healthy.")]
_REFRESH_MS = 1000
_WAIT_STEP_S = 0.1


@command
def status_command(session: Session, wait: HealthyWaitOption = 0.0, watch: WatchOption = False) -> None:
    """Engine, links, revision and counts. Exit code 1 when no engine runs, nothing is applied or a link is down."""
    deadline_s = time.monotonic() + wait

    async def read(store: Store) -> tables.Status:
        while True:
            status = status_of((await world_of(store, session.server.tenant)).state, await store.health())
            if status.is_healthy or time.monotonic() >= deadline_s:
                return status
            await asyncio.sleep(_WAIT_STEP_S)

    status = _show(session, read, tables.status_table, watch)
    if status is not None and not status.is_healthy:
        raise typer.Exit(Exit.FOUND)


@command
def agents_command(session: Session, queue: QueueOption = "", watch: WatchOption = False) -> None:
    """Every agent: state, telephone, and whether an offer can reach him or why not."""

    async def read(store: Store) -> list[tables.AgentRow]:
        return agent_rows(await live_world(store, session.server.tenant), now_ms(), queue)

    _show(session, read, tables.agents_table, watch)


@command
def queues_command(session: Session, watch: WatchOption = False) -> None:
    """Every queue: who waits, who talks, who could take the next call."""

    async def read(store: Store) -> list[tables.QueueRow]:
        return queue_rows(await live_world(store, session.server.tenant), now_ms())

    _show(session, read, tables.queues_table, watch)


@command
def calls_command(
    session: Session, queue: QueueOption = "", ended: EndedOption = 0, watch: WatchOption = False
) -> None:
    """Live interactions, oldest first."""

    async def read(store: Store) -> list[tables.CallRow]:
        world = await live_world(store, session.server.tenant)
        rows = call_rows(world, now_ms(), queue)
        over = await store.recent_ended(ended) if ended else []
        return rows + [call_row(world, call, now_ms()) for call in over if not queue or call.queue == queue]

    _show(session, read, tables.calls_table, watch)


@command
def explain_command(session: Session, interaction: InteractionArgument) -> None:
    """Why a call went to whom: candidates, rules, compared keys; for a waiting call also what would happen now."""
    found = session.with_store(lambda store: _explain(store, session, interaction))
    if session.json:
        show_json(found)
    else:
        for part in tables.explanation(found):
            say(part)


async def _explain(store: Store, session: Session, wanted: str) -> Explanation:
    world = await live_world(store, session.server.tenant)
    known = {**{i.id: i for i in await store.recent_ended(1000)}, **world.state.interactions}
    near = [id_ for id_ in known if id_ == wanted or id_.endswith(wanted)]
    if len(near) > 1 and wanted not in known:
        detail = f"{wanted} is the end of several: {', '.join(sorted(near)[:5])}"
        fail(Exit.REFUSED, "interaction-ambiguous", detail, session.json)
    call = known.get(near[0] if len(near) == 1 else wanted) or await store.ended(wanted)
    if call is None:
        raise UnknownInteraction(interaction_id=wanted)
    return explain(world, call, await store.traces(call.id), now_ms())


def _show(
    session: Session,
    read: Callable[[Store], Awaitable[Rows]],
    draw: Callable[[Rows], RenderableType],
    is_live: bool,
) -> Rows | None:
    """Once as JSON or table, or live; with --json live means one document per change."""
    if not is_live:
        rows = session.with_store(read)
        if session.json:
            show_json(rows)
        else:
            say(draw(rows))
        return rows
    session.with_store(lambda store: _show_live(session, store, read, draw))
    return None


async def _show_live(
    session: Session,
    store: Store,
    read: Callable[[Store], Awaitable[Rows]],
    draw: Callable[[Rows], RenderableType],
) -> None:
    """Looks again at every event, and at least once a second for the clocks."""
    position = await store.events_end()
    with watching(is_json=session.json) as show:
        while True:
            rows = await read(store)
            show(rows if session.json else draw(rows))
            entries = await store.read_events(position, 1000, _REFRESH_MS)
            position = entries[-1].position if entries else position
            await asyncio.sleep(0.1)  # a burst of events is one picture
