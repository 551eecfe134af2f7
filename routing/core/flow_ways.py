"""Steps by which a call goes on elsewhere: queue, transfer, hang up, return to the dialplan."""

from __future__ import annotations

from routing.core import flow_entry, numbers, overflow
from routing.core.config import Result
from routing.core.endings import end_interaction, give_back
from routing.core.errors import DomainError
from routing.core.flow import FlowStep
from routing.core.flow_position import WAITING, Left, Next, leads_to
from routing.core.flow_steps import change
from routing.core.guard import Outside, require_free
from routing.core.interaction import Interaction, InteractionTrigger, OfferPurpose
from routing.core.ringing import ring, ring_outside
from routing.core.seats import move
from routing.core.topology import hang_up
from routing.core.world import World

# What a flow or a queue has done for the caller already is how his call ends, whatever plays after it.
_KEPT = frozenset({Result.CALLBACK, Result.VOICEMAIL})


def to_queue(world: World, interaction: Interaction, step: FlowStep) -> Next:
    """It waits there with the place of its arrival; where the queue lets it go the flow goes on."""
    queue = world.config.queues.get(step.queue)
    if queue is None:
        return Left("closed", {"reason": "no such queue"})
    refused = change(world, interaction, step)
    interaction = world.interaction(interaction.id)
    cause = overflow.why_not(world, queue, interaction.pbx, interaction.own_requires or ())
    if cause and leads_to(step, cause.value):
        return Left(cause.value, {"cad_refused": refused} if refused else {})
    overflow.enter(world, interaction, queue.id)
    return WAITING


def transfer(world: World, interaction: Interaction, step: FlowStep) -> Next:
    """To whom can be rung now; nobody takes it: exit `failed`, see `transfers.not_taken`."""
    if step.entry_point:
        return _to_entry_point(world, interaction, step)
    if step.agent in interaction.excluded:  # he sent it to an entry point; it never comes back to him (EP-07)
        return Left("failed", {"reason": "excluded"})
    try:
        if step.agent:
            require_free(world, step.agent, interaction)
        outside = None if step.agent else outside_number(world, interaction.pbx, step.number)
    except DomainError as error:
        return Left("failed", {"reason": error.code})
    interaction = _let_go(world, interaction)
    if outside:
        ring_outside(world, interaction, outside, OfferPurpose.TRANSFER)
    else:
        ring(world, interaction, (step.agent,), OfferPurpose.TRANSFER)
    return WAITING


def _let_go(world: World, interaction: Interaction) -> Interaction:
    return move(world, interaction, InteractionTrigger.REOFFERED, transferred_by="")


def _to_entry_point(world: World, interaction: Interaction, step: FlowStep) -> Next:
    target = world.config.entry_points.get(step.entry_point)
    if target is None:
        return Left("failed", {"reason": "no such entry point"})
    return flow_entry.enter(world, interaction, target)


def outside_number(world: World, pbx_id: str, text: str) -> Outside:
    """A number that the configuration itself names: no agent's rights matter. Raises NumberRefused."""
    config = world.config
    number = numbers.parse(text, config.numbers)
    numbers.refuse_entry_point(number, world.entry_numbers, config.numbers)
    pbx = config.pbxs.get(pbx_id)
    phone = numbers.render(number, pbx.dial if pbx else "", pbx.dial_colon if pbx else None)
    return Outside(number=number, phone=phone)


def end(world: World, interaction: Interaction) -> Next:
    """`hang_up`, behind its prompts."""
    hang_up(world, interaction.pbx, interaction.customer_leg)
    end_interaction(world, interaction, _result(interaction), "flow")
    return WAITING


def give_back_with_result(world: World, interaction: Interaction, step: FlowStep) -> Next:
    """`return`. The dialplan gets the flow's own word for it in SR_REASON."""
    give_back(world, interaction, _result(interaction), **({"SR_REASON": step.result} if step.result else {}))
    end_interaction(world, interaction, _result(interaction), "flow")
    return WAITING


def _result(interaction: Interaction) -> Result:
    kept = interaction.result
    return kept if kept is not None and kept in _KEPT else Result.FLOW_ENDED
