"""How an interaction ends: exactly once, every leg told, every agent released into wrap-up."""

from __future__ import annotations

from typing import Any

from routing.core.commands import ReturnLeg
from routing.core.config import Result
from routing.core.events import EventType
from routing.core.interaction import Interaction, InteractionTrigger, OfferEnd
from routing.core.ringing import rescind
from routing.core.seats import move, release
from routing.core.timers import OF_A_WAIT, Due, key
from routing.core.topology import hang_up
from routing.core.world import World


def end_interaction(world: World, interaction: Interaction, result: Result, ended_by: str) -> None:
    """End it with `result`; `ended_by`: customer, an agent's id, external, dialplan (took it back), or server.

    The customer's leg goes back to the dialplan when there is something left for it to do there, else it is hung up.
    """
    for offer in interaction.offers:
        interaction = rescind(world, interaction, offer, OfferEnd.ABANDONED)
    interaction = move(
        world,
        interaction,
        InteractionTrigger.ENDED,
        result=result,
        ended_by=ended_by,
        ended_at_ms=world.now_ms,
    )
    for due in (*OF_A_WAIT, Due.ROOMS, Due.RECORDER):
        world.clear_timer(key(due, interaction.id))
    for skip in interaction.skips:
        world.clear_timer(key(Due.SKIP, interaction.id, skip.agent_id))
    if ended_by not in ("customer", "dialplan"):
        _release_customer(world, interaction, result)
    for party in interaction.parties:
        release(world, interaction, party)
    world.emit(EventType.INTERACTION_ENDED, interaction, **summary(interaction))
    world.remove_interaction(interaction)


def _release_customer(world: World, interaction: Interaction, result: Result) -> None:
    entry_point = world.config.entry_points.get(interaction.entry_point)
    if interaction.outdial:  # there is no dialplan that it came from
        if interaction.customer_leg:
            hang_up(world, interaction.pbx, interaction.customer_leg)
        return
    if result is Result.ANSWERED and not (entry_point and entry_point.return_after_call):
        hang_up(world, interaction.pbx, interaction.customer_leg)
        return
    variables = {"SR_RESULT": result.value, "SR_INTERACTION": interaction.id}
    variables |= {f"SR_CAD_{name}": value for name, value in interaction.cad.items()}
    command = ReturnLeg(
        id=world.new_id("cmd"),
        pbx=interaction.pbx,
        leg_id=interaction.customer_leg,
        result=result,
        variables=variables,
    )
    world.send(command)


def summary(interaction: Interaction) -> dict[str, Any]:
    """The clocks and the outcome of an ended interaction, each time span in ms. An outdial counts from its answer on.

    `failure` and `outcome` only of an outdial that failed (OUT-16..20).
    """
    call, ended_at_ms = interaction.outdial, interaction.ended_at_ms or 0
    begun_at_ms = (interaction.answered_at_ms or ended_at_ms) if call else interaction.entered_at_ms
    spanned = ended_at_ms - begun_at_ms
    return {
        "kind": interaction.kind,
        "leg_id": interaction.customer_leg,
        **({"failure": call.failure, "outcome": call.outcome} if call and call.failure else {}),
        "result": interaction.result.value if interaction.result else "",
        "ended_by": interaction.ended_by,
        "agents": [p.agent_id for p in interaction.parties if p.agent_id],
        "numbers": [p.number for p in interaction.parties if p.number],
        "waited_ms": interaction.waited_ms,
        "talked_ms": spanned - interaction.waited_ms - interaction.held_ms,
        "held_ms": interaction.held_ms,
    }
