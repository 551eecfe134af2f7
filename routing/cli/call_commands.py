"""`call consult`, `transfer`, `conference` and the controls of a running consult."""

from __future__ import annotations

from typing import Annotated

import typer

from routing.app.ask import new_order_id
from routing.cli.order_commands import AgentArgument, CallOption, call_app, call_of, obey
from routing.cli.session import Session, actor, command
from routing.core.orders import Invite, OnConsult, StartConsult, Transfer
from routing.core.roles import Action

__all__ = ["call_app"]

ToAgent = Annotated[str | None, typer.Option("--agent", metavar="AGENT", help="An agent who is available.")]
ToQueue = Annotated[str | None, typer.Option("--queue", metavar="QUEUE", help="Whoever of this queue is free.")]
ToEntryPoint = Annotated[str | None, typer.Option("--entry-point", metavar="ENTRY_POINT", help="Another entry point.")]
ToNumber = Annotated[str | None, typer.Option("--number", metavar="NUMBER", help="A dial number outside, as pasted.")]


@call_app.command("consult")
@command
def consult_command(
    session: Session,
    agent: AgentArgument,
    to: ToAgent = None,
    queue: ToQueue = None,
    number: ToNumber = None,
    call: CallOption = None,
) -> None:
    """Ask a second agent or an outside number while the customer hears music."""
    order = StartConsult(
        order_id=new_order_id(),
        actor=actor(),
        agent_id=agent,
        interaction_id=call_of(session, agent, call).id,
        to_agent=to,
        to_queue=queue,
        to_number=number,
    )
    obey(session, order)


@call_app.command("invite")
@command
def invite_command(
    session: Session,
    agent: AgentArgument,
    to: ToAgent = None,
    queue: ToQueue = None,
    number: ToNumber = None,
    call: CallOption = None,
) -> None:
    """Let a second agent or an outside number join at the answer; the customer is not held."""
    order = Invite(
        order_id=new_order_id(),
        actor=actor(),
        agent_id=agent,
        interaction_id=call_of(session, agent, call).id,
        to_agent=to,
        to_queue=queue,
        to_number=number,
    )
    obey(session, order)


@call_app.command("transfer")
@command
def transfer_command(
    session: Session,
    agent: AgentArgument,
    to: ToAgent = None,
    queue: ToQueue = None,
    entry_point: ToEntryPoint = None,
    number: ToNumber = None,
    call: CallOption = None,
) -> None:
    """Hand the call on and leave it at once."""
    order = Transfer(
        order_id=new_order_id(),
        actor=actor(),
        agent_id=agent,
        interaction_id=call_of(session, agent, call).id,
        to_agent=to,
        to_queue=queue,
        to_entry_point=entry_point,
        to_number=number,
    )
    obey(session, order)


def _control(action: Action, help_: str) -> None:
    """`call ACTION AGENT` for one control of a running consult or conference."""

    @command
    def control_command(session: Session, agent: AgentArgument, call: CallOption = None) -> None:
        interaction_id = call_of(session, agent, call).id
        fields = {"agent_id": agent, "interaction_id": interaction_id, "action": action.value}
        obey(session, OnConsult(order_id=new_order_id(), actor=actor(), **fields))

    call_app.command(action.value.replace("_", "-"), help=help_)(control_command)


_CONTROLS = {
    Action.CANCEL_CONSULT: "Give up a consult that nobody has answered yet.",
    Action.HOLD_CONSULT: "Back to the customer; the consulted agent hears music.",
    Action.RESUME_CONSULT: "Back to the consulted agent; the customer hears music.",
    Action.END_CONSULT: "End the consult; the customer stays.",
    Action.COMPLETE_TRANSFER: "Leave the customer with the second agent.",
    Action.CONFERENCE: "All three talk.",
    Action.END_CONFERENCE: "End the call for everybody.",
    Action.EXIT_CONSULT: "The consulted agent leaves.",
    Action.EXIT_CONFERENCE: "The second agent leaves the conference.",
}
for _action, _help in _CONTROLS.items():
    _control(_action, _help)
