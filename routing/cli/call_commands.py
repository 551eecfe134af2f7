"""`call outdial`, `consult`, `transfer`, `conference` and the controls of a running consult."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from routing.app.ask import new_order_id
from routing.cli.order_commands import AgentArgument, CallOption, call_app, call_of, obey
from routing.cli.session import Session, actor, command
from routing.core.orders import AnyOrder, CancelOutdial, Invite, OnConsult, StartConsult, StartOutdial, Transfer
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
    _send(session, StartConsult, agent, call, to_agent=to, to_queue=queue, to_number=number)


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
    _send(session, Invite, agent, call, to_agent=to, to_queue=queue, to_number=number)


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
    targets = {"to_agent": to, "to_queue": queue, "to_entry_point": entry_point, "to_number": number}
    _send(session, Transfer, agent, call, **targets)


@call_app.command("outdial")
@command
def outdial_command(
    session: Session,
    agent: AgentArgument,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The customer's number, as pasted.")],
    ani: Annotated[str | None, typer.Option("--ani", metavar="NUMBER", help="One of his profile's to show.")] = None,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Whose number it is.")] = "",
) -> None:
    """Call a customer: the agent's own phone rings first."""
    obey(
        session, StartOutdial(order_id=new_order_id(), actor=actor(), agent_id=agent, number=number, ani=ani, name=name)
    )


@call_app.command("cancel-outdial")
@command
def cancel_outdial_command(session: Session, agent: AgentArgument, call: CallOption = None) -> None:
    """Give up an outdial that the customer has not answered yet."""
    _send(session, CancelOutdial, agent, call)


def _send(session: Session, kind: Callable[..., AnyOrder], agent: str, call: str | None, **fields: Any) -> None:
    """Give an order about one of the agent's calls."""
    interaction_id = call_of(session, agent, call).id
    obey(session, kind(order_id=new_order_id(), actor=actor(), agent_id=agent, interaction_id=interaction_id, **fields))


def _control(action: Action, help_: str) -> None:
    """`call ACTION AGENT` for one control of a running consult or conference."""

    @command
    def control_command(session: Session, agent: AgentArgument, call: CallOption = None) -> None:
        _send(session, OnConsult, agent, call, action=action.value)

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
