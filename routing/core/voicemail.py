"""Voicemail: a caller leaves a message, which waits for an agent of its queue as calls do, and is heard by telephone.

The message is an interaction of its own, with the caller's place, call data and number. The agent hears it alone on
his leg, as often as he likes; it is done when he ends it or hangs up.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from routing.core import playing
from routing.core.commands import RECORDED
from routing.core.config import Result
from routing.core.endings import end_interaction
from routing.core.events import EventType
from routing.core.facts import MessageEnded, PromptOutcome, PromptsEnded
from routing.core.guard import require
from routing.core.interaction import (
    AskedKind,
    AskedPrompt,
    Interaction,
    InteractionState,
    InteractionTrigger,
    Message,
    Offer,
    Party,
    Role,
)
from routing.core.orders import ReplayMessage
from routing.core.queueing import begin_wait
from routing.core.ringing import stop_waiting
from routing.core.roles import Action
from routing.core.seats import move
from routing.core.successors import successor, tell_arrival
from routing.core.topology import hang_up, to_confirm
from routing.core.world import World

MAX_ATTEMPTS = 3  # a message is recorded or played anew when the link was lost in the middle

# ------------------------------------------------------------------ a caller leaves one


def record(world: World, interaction: Interaction, queue_id: str, max_s: int, silence_s: int) -> Interaction:
    """The caller speaks after a beep; his message will wait in `queue_id`. He waits for nobody from here on."""
    if interaction.state is not InteractionState.IN_FLOW:
        stop_waiting(world, interaction)
        interaction = move(world, interaction, InteractionTrigger.FLOW_STARTED, skips=())
    file = f"{interaction.id}-{world.new_id('msg')}"
    return _record(
        world,
        interaction,
        AskedPrompt(
            command_id="", leg_id="", kind=AskedKind.RECORD, file=file, queue=queue_id, max_s=max_s, silence_s=silence_s
        ),
    )


def _record(world: World, interaction: Interaction, wanted: AskedPrompt) -> Interaction:
    interaction = playing.record(world, interaction, wanted.file, wanted.max_s, wanted.silence_s)
    asked = interaction.asked_prompt
    if asked is None:
        return interaction
    asked = replace(wanted, command_id=asked.command_id, leg_id=asked.leg_id)
    return world.update_interaction(interaction, asked_prompt=asked)


def recorded(world: World, interaction: Interaction, asked: AskedPrompt, fact: MessageEnded) -> None:
    """He has spoken, or said nothing: the flow goes on by that exit, else he is hung up."""
    if fact.outcome is PromptOutcome.INTERRUPTED and not fact.duration_ms and asked.index + 1 < MAX_ATTEMPTS:
        _record(world, interaction, replace(asked, index=asked.index + 1))
        return
    is_left = keep(world, interaction, asked, fact.duration_ms)
    interaction = world.interaction(interaction.id)
    from routing.core import flow_machine

    if not flow_machine.leave_by(world, interaction, "recorded" if is_left else "empty"):
        interaction = world.interaction(interaction.id)
        hang_up(world, interaction.pbx, interaction.customer_leg)
        end_interaction(world, interaction, Result.VOICEMAIL if is_left else Result.FLOW_ENDED, "flow")


def keep(world: World, origin: Interaction, asked: AskedPrompt, duration_ms: int) -> bool:
    """Make an interaction of what was said; False where that is nothing, or the queue is no more."""
    queue = world.config.queues.get(asked.queue)
    if duration_ms <= 0 or queue is None:
        return False
    message = Message(file=asked.file, duration_ms=duration_ms, left_at_ms=world.now_ms, origin_id=origin.id)
    interaction = world.put_interaction(successor(world, origin, queue, "voicemail", message=message))
    _tell(world, interaction, message)
    begin_wait(world, move(world, interaction, InteractionTrigger.ENQUEUED))
    world.update_interaction(world.interaction(origin.id), result=Result.VOICEMAIL)
    return True


def _tell(world: World, interaction: Interaction, message: Message) -> None:
    tell_arrival(world, interaction, message.origin_id)
    told: dict[str, Any] = {"file": message.file, "duration_ms": message.duration_ms, "origin_id": message.origin_id}
    world.emit(EventType.VOICEMAIL_LEFT, interaction, **told, entered_at_ms=interaction.entered_at_ms)


# ------------------------------------------------------------------ an agent hears it


def answered(world: World, interaction: Interaction, offer: Offer) -> None:
    """The agent has picked up; `offer` is closed already. He hears it at once."""
    stop_waiting(world, interaction)
    party = Party(agent_id=offer.agent_id, leg_id=offer.leg_id, joined_at_ms=world.now_ms, role=Role.OWNER)
    world.emit(EventType.INTERACTION_CONNECTED, interaction, offer.agent_id, ani=interaction.ani, dnis=interaction.dnis)
    interaction = move(
        world,
        interaction,
        InteractionTrigger.LISTENED,
        parties=(party,),
        skips=(),
        answered_at_ms=world.now_ms,
        result=Result.ANSWERED,
    )
    _play(world, interaction)


def replay(world: World, order: ReplayMessage) -> dict[str, object]:
    """Once more from its beginning; what plays is replaced. Raises as `require`."""
    _, interaction = require(world, order.agent_id, order.interaction_id, Action.REPLAY_MESSAGE)
    return to_confirm(_play(world, interaction))


def _play(world: World, interaction: Interaction, attempt: int = 0) -> Interaction:
    owner, message = interaction.party(Role.OWNER), interaction.message
    if owner is None or message is None:
        return interaction
    files = (RECORDED + message.file,)
    interaction = playing.play_files(world, interaction, files, AskedKind.LISTEN, owner.leg_id)
    asked = interaction.asked_prompt
    return world.update_interaction(interaction, asked_prompt=replace(asked, index=attempt)) if asked else interaction


def heard(world: World, interaction: Interaction, asked: AskedPrompt, fact: PromptsEnded) -> None:
    """He heard it to its end, or it could not be played; broken off, it begins anew. He has it until he ends it."""
    owner, message = interaction.party(Role.OWNER), interaction.message
    if fact.outcome is PromptOutcome.INTERRUPTED and asked.index + 1 < MAX_ATTEMPTS:
        _play(world, interaction, asked.index + 1)
        return
    told = {"outcome": fact.outcome.value, "file": message.file if message else ""}
    world.emit(EventType.VOICEMAIL_HEARD, interaction, owner.agent_id if owner else "", **told)
