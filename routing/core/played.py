"""What became of prompts and messages that were asked for: told to whom they belong, asked again where that helps.

A fact about anything else than what is under way now is late: it changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from routing.core import announcements, flow_machine, messages, overflow, playing, voicemail
from routing.core.events import EventType
from routing.core.facts import CommandEnded, CommandOutcome, MessageEnded, PromptOutcome, PromptsEnded
from routing.core.interaction import AskedKind, AskedPrompt, Interaction
from routing.core.timers import Due, key
from routing.core.world import World

Ended = PromptsEnded | MessageEnded
Owner = Callable[[World, Interaction, AskedPrompt, Any], None]

LINK_RETRY_MS = 5000
BUSY = "busy"  # why a connector refuses prompts on a leg that rings somebody

# Each gets an interaction of which nothing is under way any more.
_OWNERS: dict[AskedKind, Owner] = {
    AskedKind.FLOW: flow_machine.heard,
    AskedKind.ANNOUNCEMENT: announcements.over,
    AskedKind.GREETING: lambda world, interaction, _asked, _fact: overflow.greeted(world, interaction),
    AskedKind.RECORD: voicemail.recorded,
    AskedKind.LISTEN: voicemail.heard,
    AskedKind.DROP: messages.over,
    AskedKind.MACHINE: messages.over,
}


def ended(world: World, fact: Ended) -> None:
    """Prompts were played, or a message recorded, or not."""
    interaction = world.interaction_of(fact.command_id)
    asked = interaction.asked_prompt if interaction else None
    if interaction and asked and asked.command_id == fact.command_id:
        _OWNERS[asked.kind](world, playing.close(world, interaction), asked, fact)


def command_ended(world: World, fact: CommandEnded) -> None:
    """Refused: it cannot be played. Unknown, or refused because the link is down: it is asked again when that is up."""
    interaction = world.interaction_of(fact.command_id)
    asked = interaction.asked_prompt if interaction else None
    if interaction is None or asked is None or asked.command_id != fact.command_id:
        return
    if fact.outcome is CommandOutcome.SUCCEEDED or not world.is_linked(interaction.pbx):
        return
    if fact.outcome is CommandOutcome.REFUSED and fact.cause == BUSY:
        _over(world, interaction, asked, PromptOutcome.FAILED)  # a telephone rings for it just now: nothing is wrong
    elif fact.outcome is CommandOutcome.REFUSED:
        what = {"what": "prompts refused", "reason": fact.cause[:256]}
        world.emit(EventType.PBX_MISMATCH, interaction, pbx=fact.pbx, command_id=fact.command_id, **what)
        _over(world, interaction, asked, PromptOutcome.FAILED)
    else:
        _over(world, interaction, asked, PromptOutcome.INTERRUPTED)


def nothing_heard(world: World, interaction_id: str) -> None:
    """The time is over in which anything ends."""
    interaction = world.state.interactions.get(interaction_id)
    asked = interaction.asked_prompt if interaction else None
    if interaction is None or asked is None:
        return
    if world.is_linked(interaction.pbx):
        _over(world, interaction, asked, PromptOutcome.INTERRUPTED)
    else:
        world.set_timer(key(Due.PROMPT, interaction_id), world.now_ms + LINK_RETRY_MS)


def link_restored(world: World, interaction: Interaction) -> None:
    """What was under way when the link was lost may have ended unheard."""
    asked = interaction.asked_prompt
    if asked is None or asked.kind is AskedKind.FLOW:
        flow_machine.link_restored(world, interaction)
    else:
        _over(world, interaction, asked, PromptOutcome.INTERRUPTED)


def _over(world: World, interaction: Interaction, asked: AskedPrompt, outcome: PromptOutcome) -> None:
    """As if the PBX had said so. Interrupted: whose it is asks again, a bounded number of times."""
    about: dict[str, Any] = {"pbx": interaction.pbx, "leg_id": asked.leg_id, "command_id": asked.command_id}
    is_message = asked.kind is AskedKind.RECORD
    ended(world, MessageEnded(**about, outcome=outcome) if is_message else PromptsEnded(**about, outcome=outcome))
