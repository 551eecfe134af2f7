"""`call supervise` and `call stop-supervision`: a supervisor hears a live call."""

from __future__ import annotations

from typing import Annotated

import typer

from routing.app.ask import new_order_id
from routing.cli.call_commands import call_app
from routing.cli.exits import Exit
from routing.cli.order_commands import obey
from routing.cli.output import fail
from routing.cli.session import Session, actor, command, world_of
from routing.core.orders import ChangeSupervision, StopSupervision, Supervise
from routing.core.supervision import SupervisionMode
from routing.store.port import Store

__all__ = ["call_app"]

CallArgument = Annotated[str, typer.Argument(metavar="CALL", help="The interaction's id, or its end.")]
ModeOption = Annotated[
    SupervisionMode,
    typer.Option("--mode", help="monitor: he hears; whisper: the agent alone hears him; barge: all hear him."),
]
AsOption = Annotated[str, typer.Option("--as", metavar="SUPERVISOR", help="Supervisor whose telephone is rung.")]
PhoneOption = Annotated[str, typer.Option("--at-phone-of", metavar="AGENT", help="Instead: an agent's telephone.")]


@call_app.command("supervise")
@command
def supervise_command(
    session: Session,
    call: CallArgument,
    mode: ModeOption = SupervisionMode.MONITOR,
    supervisor: AsOption = "",
    phone_of: PhoneOption = "",
) -> None:
    """Let a supervisor hear a call; without a telephone, change the mode of who listens already."""
    id_, by, call = new_order_id(), actor(), _meant(session, call)
    if supervisor or phone_of:
        order = Supervise(
            order_id=id_, actor=by, interaction_id=call, mode=mode, supervisor=supervisor, phone_of=phone_of
        )
        obey(session, order)
    else:
        obey(session, ChangeSupervision(order_id=id_, actor=by, interaction_id=call, mode=mode))


@call_app.command("stop-supervision")
@command
def stop_supervision_command(session: Session, call: CallArgument) -> None:
    """Nobody listens to the call any more; it goes on as it was."""
    obey(session, StopSupervision(order_id=new_order_id(), actor=actor(), interaction_id=_meant(session, call)))


def _meant(session: Session, wanted: str) -> str:
    """The id of the live call that ends so; what is meant where there is none, for the engine to refuse."""

    async def read(store: Store) -> list[str]:
        world = await world_of(store, session.server.tenant)
        return [id_ for id_ in world.state.interactions if id_.endswith(wanted)]

    found = session.with_store(read)
    if len(found) > 1:
        detail = f"{wanted} is the end of several: {', '.join(found[:5])}"
        fail(Exit.REFUSED, "interaction-ambiguous", detail, session.json)
    return found[0] if found else wanted
