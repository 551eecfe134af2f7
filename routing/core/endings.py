"""How an interaction ends: exactly once, every leg told, every agent released into wrap-up."""

from __future__ import annotations

from typing import Any

from routing.core.agent import EngagementState, EngagementTrigger
from routing.core.commands import ReturnLeg
from routing.core.config import Result
from routing.core.engagements import move_engagement
from routing.core.events import EventType
from routing.core.interaction import Interaction, InteractionTrigger, OfferEnd
from routing.core.ringing import rescind
from routing.core.seats import move, release
from routing.core.supervision import SupervisionEnd
from routing.core.supervision_moves import end as end_supervision
from routing.core.timers import OF_A_WAIT, Due, key
from routing.core.topology import hang_up
from routing.core.world import World

_OF_ALL = (Due.CALLBACK, Due.EXPIRE, Due.PREVIEW, Due.REACHED, Due.MACHINE, Due.DROP)


def end_interaction(world: World, interaction: Interaction, result: Result, ended_by: str) -> None:
    """End it with `result`; `ended_by`: customer, an agent's id, external, dialplan (took it back), server, or flow (it
    has hung up or given back the customer itself).

    The customer's leg goes back to the dialplan when there is something left for it to do there, else it is hung up.
    """
    for offer in interaction.offers:
        interaction = rescind(world, interaction, offer, OfferEnd.ABANDONED)
    interaction = end_supervision(world, interaction, SupervisionEnd.CALL_ENDED)
    interaction = move(
        world,
        interaction,
        InteractionTrigger.ENDED,
        result=result,
        ended_by=ended_by,
        ended_at_ms=world.now_ms,
    )
    for due in (*OF_A_WAIT, Due.ROOMS, Due.RECORDER, Due.LOOK_UP, Due.PROMPT, *_OF_ALL):
        world.clear_timer(key(due, interaction.id))
    for skip in interaction.skips:
        world.clear_timer(key(Due.SKIP, interaction.id, skip.agent_id))
    if ended_by not in ("customer", "dialplan", "flow"):
        _release_customer(world, interaction, result)
    for party in interaction.parties:
        release(world, interaction, party)
    _stop_showing(world, interaction)
    world.emit(EventType.INTERACTION_ENDED, interaction, **summary(interaction))
    world.remove_interaction(interaction)


def _stop_showing(world: World, interaction: Interaction) -> None:
    """An agent who only looks at the record has no part in the call, and nothing to wrap up."""
    agent = world.state.agents.get(interaction.campaign.agent_id) if interaction.campaign else None
    engagement = agent.engagements.get(interaction.id) if agent else None
    if agent and engagement and engagement.state is EngagementState.PREVIEW:
        move_engagement(world, agent, interaction.id, EngagementTrigger.OFFER_ENDED)


def _release_customer(world: World, interaction: Interaction, result: Result) -> None:
    entry_point = world.config.entry_points.get(interaction.entry_point)
    is_done = result in (Result.ANSWERED, Result.TRANSFERRED) and interaction.customer_leg
    if is_done and not (entry_point and entry_point.return_after_call):
        hang_up(world, interaction.pbx, interaction.customer_leg)
        return
    give_back(world, interaction, result)


def give_back(world: World, interaction: Interaction, result: Result, **further: str) -> None:
    """The customer's leg goes on in the dialplan that handed it over; one that we dialed is hung up."""
    if interaction.outdial or interaction.callback or interaction.message or interaction.campaign:
        if interaction.customer_leg:
            hang_up(world, interaction.pbx, interaction.customer_leg)
        return
    variables = {"SR_RESULT": result.value, "SR_INTERACTION": interaction.id, **further}
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
    """The clocks and the outcome of an ended interaction, each time span in ms. What has no caller at its begin counts
    as talk from its answer on.

    `failure` and `outcome` only of an outdial that failed (OUT-16..20).
    """
    call = interaction.outdial
    return {
        "kind": interaction.kind,
        "leg_id": interaction.customer_leg,
        **({"failure": call.failure, "outcome": call.outcome} if call and call.failure else {}),
        "result": interaction.result.value if interaction.result else "",
        "ended_by": interaction.ended_by,
        "agents": [p.agent_id for p in interaction.parties if p.agent_id],
        "numbers": [p.number for p in interaction.parties if p.number],
        "waited_ms": interaction.waited_ms,
        "flow_ms": interaction.flow_ms,
        "talked_ms": _talked_ms(interaction),
        "held_ms": interaction.held_ms,
    }


def _talked_ms(interaction: Interaction) -> int:
    """What is left of its time; of what has no caller at its begin, of the time from its answer on."""
    ended_at_ms, elsewhere_ms = interaction.ended_at_ms or 0, interaction.waited_ms + interaction.held_ms
    elsewhere_ms += interaction.flow_ms
    if interaction.outdial or interaction.campaign:
        return (ended_at_ms - interaction.answered_at_ms - elsewhere_ms) if interaction.answered_at_ms else 0
    if interaction.callback or interaction.message:
        before_ms = interaction.callback.waited_ms if interaction.callback else interaction.waited_ms
        since_ms = interaction.answered_at_ms
        return ended_at_ms - since_ms - elsewhere_ms + before_ms if since_ms is not None else 0
    return ended_at_ms - interaction.entered_at_ms - elsewhere_ms
