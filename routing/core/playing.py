"""Prompts and messages on a leg that is alone in its room: what is asked of the PBX, and the net below it.

At most one is under way per interaction. What follows when it is over is decided in `played`.
"""

from __future__ import annotations

from collections.abc import Iterable

from routing.core import spoken
from routing.core.commands import KeyInput, PlayPrompts, RecordMessage
from routing.core.flow import Prompt, PromptPart
from routing.core.flow_values import language_of, languages_of, value
from routing.core.interaction import WAITING, AskedKind, AskedPrompt, Interaction, InteractionState
from routing.core.timers import Due, key
from routing.core.world import World

# No prompt is that long. When nothing was heard of it by then the PBX has lost it, or its fact got lost.
LONGEST_PROMPTS_S = 300
RECORD_GRACE_S = 30
_PBX_SOUND = "sound:"


def play(
    world: World,
    interaction: Interaction,
    parts: Iterable[PromptPart],
    kind: AskedKind,
    keys: KeyInput | None = None,
    *,
    index: int = 0,
    leg_id: str = "",
    after_silence_ms: int = 0,
) -> Interaction:
    """Ask for these prompts and digits on the customer's leg, or on `leg_id`. `index`: see AskedPrompt,
    `after_silence_ms`: PlayPrompts.
    """
    asked = AskedPrompt(
        command_id=world.new_id("cmd"), leg_id=leg_id or interaction.customer_leg, kind=kind, index=index
    )
    command = PlayPrompts(
        id=asked.command_id,
        pbx=interaction.pbx,
        leg_id=asked.leg_id,
        interaction_id=interaction.id,
        prompts=sounds(world, interaction, parts),
        language=language_of(world, interaction),
        keys=keys,
        after_silence_ms=after_silence_ms,
    )
    return _ask(world, interaction, asked, command, LONGEST_PROMPTS_S)


def play_files(
    world: World, interaction: Interaction, files: tuple[str, ...], kind: AskedKind, leg_id: str
) -> Interaction:
    """The same with files that are no prompts of the configuration, e.g. a message that was recorded."""
    asked = AskedPrompt(command_id=world.new_id("cmd"), leg_id=leg_id, kind=kind)
    command = PlayPrompts(
        id=asked.command_id,
        pbx=interaction.pbx,
        leg_id=leg_id,
        interaction_id=interaction.id,
        prompts=files,
        language=language_of(world, interaction),
    )
    return _ask(world, interaction, asked, command, LONGEST_PROMPTS_S)


def record(world: World, interaction: Interaction, file: str, max_s: int, silence_s: int) -> Interaction:
    """Record what the customer says into `file`, after a beep."""
    command_id, leg_id = world.new_id("cmd"), interaction.customer_leg
    asked = AskedPrompt(command_id=command_id, leg_id=leg_id, kind=AskedKind.RECORD, file=file)
    command = RecordMessage(
        id=command_id,
        pbx=interaction.pbx,
        leg_id=leg_id,
        interaction_id=interaction.id,
        file=file,
        max_s=max_s,
        silence_s=silence_s,
    )
    return _ask(world, interaction, asked, command, max_s + RECORD_GRACE_S)


def _ask(
    world: World, interaction: Interaction, asked: AskedPrompt, command: PlayPrompts | RecordMessage, limit_s: int
) -> Interaction:
    world.send(command)
    world.set_timer(key(Due.PROMPT, interaction.id), world.now_ms + limit_s * 1000)
    return world.update_interaction(interaction, asked_prompt=asked)


def close(world: World, interaction: Interaction) -> Interaction:
    """Nothing is under way any more; a fact about it that still comes is of no interest."""
    world.clear_timer(key(Due.PROMPT, interaction.id))
    return world.update_interaction(interaction, asked_prompt=None) if interaction.asked_prompt else interaction


def outlives(before: InteractionState, after: InteractionState) -> bool:
    """Whether what plays goes on while the call changes its state so: an announcement does while a phone rings."""
    return before is after or {before, after} <= WAITING


def sounds(world: World, interaction: Interaction, parts: Iterable[PromptPart]) -> tuple[str, ...]:
    """What the PBX shall play, as PlayPrompts wants it; parts that come to nothing are left out."""
    return tuple(sound for part in parts for sound in _sounds(world, interaction, part))


def _sounds(world: World, interaction: Interaction, part: PromptPart) -> tuple[str, ...]:
    if part.number:
        return spoken.number(value(world, interaction, part.number), language_of(world, interaction))
    if part.digits:
        return spoken.digits(value(world, interaction, part.digits))
    prompt = world.config.prompts.get(part.prompt)
    file = _file(prompt, languages_of(world, interaction)) if prompt else ""
    if not file:
        return ()
    if file.startswith(_PBX_SOUND):
        return (file.removeprefix(_PBX_SOUND),)
    pbx = world.config.pbxs.get(interaction.pbx)
    return (f"{pbx.prompts if pbx else ''}/{file}",)


def _file(prompt: Prompt, languages: tuple[str, ...]) -> str:
    """In the best language; rather in another one than not at all."""
    wanted = (*languages, *sorted(prompt.files))
    return next((prompt.files[language] for language in wanted if language in prompt.files), "")
