"""`agent ...` and `call ...`: orders to the running server on behalf of an agent."""

from __future__ import annotations

from typing import Annotated

import typer

from routing.app.ask import new_order_id
from routing.app.live.agents import agent_row
from routing.cli import live_tables as tables
from routing.cli.exits import Exit
from routing.cli.output import PlainTable, cell, fail, now_ms, say, show_json
from routing.cli.session import Session, actor, command, live_world, world_of
from routing.core.cad import form, shown
from routing.core.errors import AgentNotEngaged
from routing.core.interaction import Interaction
from routing.core.orders import (
    AnyOrder,
    EditCad,
    EndInteraction,
    ExtendWrapUp,
    FinishWrapUp,
    GoAvailable,
    GoIdle,
    Hold,
    PauseRecording,
    Resume,
    ResumeRecording,
    SignIn,
    SignOut,
)
from routing.store.port import Store

agent_app = typer.Typer(no_args_is_help=True, help="Sign agents in and out and change their state.")
call_app = typer.Typer(no_args_is_help=True, help="Steer an agent's call.")

AgentArgument = Annotated[str, typer.Argument(metavar="AGENT", help="The agent's id.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", metavar="REASON", help="A configured reason.")]
CallOption = Annotated[str | None, typer.Option("--call", metavar="INTERACTION", help="Which of his calls.")]
IdleOption = Annotated[str | None, typer.Option("--idle", metavar="REASON", help="Begin idle with this reason.")]
ValuesArgument = Annotated[list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="None: show them.")]
VersionOption = Annotated[
    int | None, typer.Option("--version", metavar="N", help="Refuse when somebody saved since this version.")
]


@agent_app.command("state")
@command
def state_command(session: Session, agent: AgentArgument) -> None:
    """State, telephone, and whether an offer can reach him."""

    async def read(store: Store) -> tables.AgentRow:
        return agent_row(await live_world(store, session.server.tenant), agent, now_ms())

    row = session.with_store(read)
    if session.json:
        show_json(row)
    else:
        say(tables.agents_table([row]))


@agent_app.command("sign-in")
@command
def sign_in_command(session: Session, agent: AgentArgument, idle: IdleOption = None) -> None:
    """Sign him in: available, or idle with a reason."""
    obey(session, SignIn(order_id=new_order_id(), actor=actor(), agent_id=agent, idle_reason=idle))


@agent_app.command("sign-out")
@command
def sign_out_command(session: Session, agent: AgentArgument) -> None:
    """Sign him out; refused while he has a call."""
    obey(session, SignOut(order_id=new_order_id(), actor=actor(), agent_id=agent))


@agent_app.command("available")
@command
def available_command(session: Session, agent: AgentArgument) -> None:
    """He takes calls, also after RONA."""
    obey(session, GoAvailable(order_id=new_order_id(), actor=actor(), agent_id=agent))


@agent_app.command("idle")
@command
def idle_command(
    session: Session,
    agent: AgentArgument,
    reason: Annotated[str, typer.Option("--reason", metavar="REASON", help="A configured idle reason.")],
) -> None:
    """He takes no calls."""
    obey(session, GoIdle(order_id=new_order_id(), actor=actor(), agent_id=agent, reason=reason))


@agent_app.command("wrap-up-done")
@command
def wrap_up_done_command(session: Session, agent: AgentArgument, reason: ReasonOption = None) -> None:
    """End his wrap-up; without a reason the queue's default is noted."""
    obey(session, FinishWrapUp(order_id=new_order_id(), actor=actor(), agent_id=agent, reason=reason))


@agent_app.command("extend")
@command
def extend_command(session: Session, agent: AgentArgument) -> None:
    """More time for his wrap-up."""
    obey(session, ExtendWrapUp(order_id=new_order_id(), actor=actor(), agent_id=agent))


@call_app.command("hold")
@command
def hold_command(session: Session, agent: AgentArgument, call: CallOption = None) -> None:
    """The customer hears music."""
    interaction_id = call_of(session, agent, call).id
    obey(session, Hold(order_id=new_order_id(), actor=actor(), agent_id=agent, interaction_id=interaction_id))


@call_app.command("resume")
@command
def resume_command(session: Session, agent: AgentArgument, call: CallOption = None) -> None:
    """Agent and customer hear each other again."""
    interaction_id = call_of(session, agent, call).id
    obey(session, Resume(order_id=new_order_id(), actor=actor(), agent_id=agent, interaction_id=interaction_id))


@call_app.command("pause-recording")
@command
def pause_recording_command(session: Session, agent: AgentArgument, call: CallOption = None) -> None:
    """Silence in the recording, for the configured time at the longest."""
    interaction_id = call_of(session, agent, call).id
    order = PauseRecording(order_id=new_order_id(), actor=actor(), agent_id=agent, interaction_id=interaction_id)
    obey(session, order)


@call_app.command("resume-recording")
@command
def resume_recording_command(session: Session, agent: AgentArgument, call: CallOption = None) -> None:
    """End a pause of the recording before its time is over."""
    interaction_id = call_of(session, agent, call).id
    order = ResumeRecording(order_id=new_order_id(), actor=actor(), agent_id=agent, interaction_id=interaction_id)
    obey(session, order)


@call_app.command("end")
@command
def end_command(session: Session, agent: AgentArgument, call: CallOption = None) -> None:
    """End the call; refused while it is on hold."""
    interaction_id = call_of(session, agent, call).id
    order = EndInteraction(order_id=new_order_id(), actor=actor(), agent_id=agent, interaction_id=interaction_id)
    obey(session, order)


@call_app.command("cad")
@command
def cad_command(
    session: Session,
    agent: AgentArgument,
    values: ValuesArgument = None,
    call: CallOption = None,
    version: VersionOption = None,
) -> None:
    """Show the call-associated data, or change several values at once."""
    interaction = call_of(session, agent, call)
    if not values:
        _show_cad(session, interaction)
        return
    order = EditCad(
        order_id=new_order_id(),
        actor=actor(),
        agent_id=agent,
        interaction_id=interaction.id,
        values=dict(pair(session, value) for value in values),
        expected_version=version,
    )
    obey(session, order)


def obey(session: Session, order: AnyOrder) -> None:
    """Give the order and show its reply."""
    reply = session.ask(order)
    if session.json:
        show_json(reply.values)
    else:
        say(", ".join(f"{name}: {cell(value)}" for name, value in reply.values.items() if value is not None) or "done")


def call_of(session: Session, agent_id: str, wanted: str | None) -> Interaction:
    """The interaction that is meant: the one named, else the only one that the agent talks in."""

    async def read(store: Store) -> list[Interaction]:
        world = await world_of(store, session.server.tenant)
        engaged = [world.state.interactions.get(id_) for id_ in world.agent(agent_id).engagements]
        return [i for i in engaged if i is not None and (wanted is None or i.id.endswith(wanted))]

    found = session.with_store(read)
    if len(found) > 1:
        detail = f"{agent_id} has {len(found)} calls: name one with --call"
        fail(Exit.REFUSED, "interaction-ambiguous", detail, session.json)
    if not found:
        detail = f"{agent_id} has no call" + (f" {wanted}" if wanted else "")
        fail(Exit.REFUSED, AgentNotEngaged.code, detail, session.json)
    return found[0]


def _show_cad(session: Session, interaction: Interaction) -> None:
    async def read(store: Store) -> list[dict[str, object]]:
        world = await world_of(store, session.server.tenant)
        values = world.interaction(interaction.id).cad
        return form(shown(world.config.cad_of(interaction.entry_point)), values)

    rows = session.with_store(read, needs_keys=True)
    if session.json:
        show_json({"interaction_id": interaction.id, "version": interaction.cad_version, "variables": rows})
    else:
        columns = ("name", "label", "type", "editable", "secure", "value")
        lines = [[row[column] for column in columns] for row in rows]
        say(PlainTable(f"version {interaction.cad_version}", columns, lines))


def pair(session: Session, text: str) -> tuple[str, str]:
    """NAME=VALUE; ends the command for anything else."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        fail(Exit.USAGE, "value-malformed", f"{text!r} is not NAME=VALUE", session.json)
    return name, value
