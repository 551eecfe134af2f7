"""The messages of a campaign: for a contact who gets no agent, and for his answering machine; then the call is over."""

from __future__ import annotations

from routing.core import attempts, playing
from routing.core.campaign_rules import AttemptResult
from routing.core.config import Result
from routing.core.endings import end_interaction
from routing.core.facts import PromptsEnded
from routing.core.flow import PromptPart
from routing.core.interaction import AskedKind, AskedPrompt, Interaction
from routing.core.timers import Due, key
from routing.core.world import World

# No message of that kind is longer; where nothing is heard of it, its call is not kept.
LONGEST_MESSAGE_S = 60
GREETING_OVER_MS = 1500  # of silence: the machine records now


def play_message(world: World, interaction: Interaction, prompt: str) -> bool:
    """To who is dropped. False where there is nothing to be played."""
    return _play(world, interaction, prompt, AskedKind.DROP, 0, LONGEST_MESSAGE_S)


def leave_message(world: World, interaction: Interaction, prompt: str) -> bool:
    """On the machine, behind its greeting. False where there is nothing to be left."""
    longest_s = LONGEST_MESSAGE_S * 2  # with the greeting
    return _play(world, interaction, prompt, AskedKind.MACHINE, GREETING_OVER_MS, longest_s)


def _play(
    world: World, interaction: Interaction, prompt: str, kind: AskedKind, after_silence_ms: int, longest_s: int
) -> bool:
    parts = (PromptPart(prompt=prompt),)
    if not prompt or not playing.sounds(world, interaction, parts):
        return False
    playing.play(world, interaction, parts, kind, after_silence_ms=after_silence_ms)
    world.set_timer(key(Due.DROP, interaction.id), world.now_ms + longest_s * 1000)
    return True


def over(world: World, interaction: Interaction, _asked: AskedPrompt, fact: PromptsEnded) -> None:
    """It was heard, or could not be played: the call is over."""
    _finish(world, interaction, f"message_{fact.outcome.value}")


def too_long(world: World, interaction_id: str) -> None:
    """Nothing was heard of it."""
    if interaction := world.state.interactions.get(interaction_id):
        _finish(world, interaction, "message_lost")


def _finish(world: World, interaction: Interaction, cause: str) -> None:
    attempts.ended(world, interaction, AttemptResult.MACHINE, cause)  # who was dropped has had his end
    is_dropped = interaction.campaign is not None and interaction.campaign.is_dropped
    result = Result.DROPPED if is_dropped else Result.FAILED
    end_interaction(world, world.interaction(interaction.id), result, "server")
