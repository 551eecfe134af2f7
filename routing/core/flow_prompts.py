"""Steps that play something and listen to the caller's keys: what is asked for, and by which exit they are left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from routing.core import flow_cad, flow_ways, playing
from routing.core.cad import MASK
from routing.core.callback import CallbackSource
from routing.core.commands import KeyInput
from routing.core.facts import PromptOutcome
from routing.core.flow import FlowStep, StepKind
from routing.core.flow_position import WAITING, Left, Next
from routing.core.interaction import AskedKind, Interaction
from routing.core.world import World

KEYS = frozenset("0123456789*#")
_UNHEARD = {StepKind.MENU: "no_input", StepKind.COLLECT: "failed", StepKind.CALLBACK: "declined"}
_LISTENING = frozenset({StepKind.MENU, StepKind.COLLECT, StepKind.CALLBACK})


def ask(
    world: World, interaction: Interaction, step: FlowStep, *, index: int = 0, is_after_invalid: bool = False
) -> Next:
    """Play what the step says and take keys. `index`: how often it was asked again already."""
    parts = (*(step.invalid_prompts if is_after_invalid else ()), *step.prompts)
    keys = _keys(step)
    if keys is None and not playing.sounds(world, interaction, parts):
        # A callback without an offer was wished for before, e.g. in a menu.
        return heard(world, interaction, step, step.accept_key if step.do is StepKind.CALLBACK else "")
    playing.play(world, interaction, parts, AskedKind.FLOW, keys, index=index)
    return WAITING


def _keys(step: FlowStep) -> KeyInput | None:
    if step.do not in _LISTENING or (step.do is StepKind.CALLBACK and not step.prompts):
        return None
    most = step.input.max_digits if step.do is StepKind.COLLECT else 1
    return KeyInput(max_digits=most, timeout_ms=step.input.timeout_s * 1000, next_ms=step.input.next_s * 1000)


def heard(world: World, interaction: Interaction, step: FlowStep, digits: str) -> Next:
    """The prompts are over, or there was nothing to play. `digits`: what the caller pressed."""
    return _HEARD[step.do](world, interaction, step, digits)


def unheard(world: World, interaction: Interaction, step: FlowStep) -> Next:
    """Nothing is heard of its prompts, however often they are asked for: as if the caller had kept silent."""
    if exit_name := _UNHEARD.get(step.do):
        return Left(exit_name, {"outcome": PromptOutcome.FAILED.value})
    return heard(world, interaction, step, "")


def _menu(world: World, interaction: Interaction, step: FlowStep, digits: str) -> Next:
    if digits in KEYS and digits in step.exits:
        return Left(digits, {"digits": digits})
    return _once_more(world, interaction, step, _nothing_of_use(step, digits, _key(digits)))


def _key(digits: str) -> str:
    """As events may carry it: what is more than a key was pressed for a step that is another one now."""
    return digits if len(digits) <= 1 else MASK


def _collect(world: World, interaction: Interaction, step: FlowStep, digits: str) -> Next:
    pressed = digits.removesuffix("#")  # it ends the input, also where the PBX takes a single key
    variable = world.config.cad_of(interaction.entry_point).get(step.into)
    shown = MASK if pressed and step.into and (variable is None or variable.secure) else pressed
    if step.input.min_digits <= len(pressed) <= step.input.max_digits and pressed:
        refused = flow_cad.put(world, interaction, {step.into: pressed}) if step.into else {}
        if not refused:
            return Left("next", {"digits": shown})
    return _once_more(world, interaction, step, _nothing_of_use(step, pressed, shown))


def _nothing_of_use(step: FlowStep, digits: str, shown: str) -> Left:
    """How the step is left when the last attempt ends so."""
    if step.do is StepKind.COLLECT:
        return Left("failed", {"digits": shown})
    return Left("invalid" if digits else "no_input", {"digits": shown})


def _once_more(world: World, interaction: Interaction, step: FlowStep, left: Left) -> Next:
    """The next attempt, after the prompts for a wrong input where there was one; or it was the last."""
    position = interaction.flow
    if position is None or position.attempt >= step.input.attempts:
        return left
    interaction = world.update_interaction(interaction, flow=replace(position, attempt=position.attempt + 1))
    return ask(world, interaction, step, is_after_invalid=bool(left.told["digits"]))


def _offer_callback(world: World, interaction: Interaction, step: FlowStep, digits: str) -> Next:
    from routing.core import callbacks

    if not digits:
        return _once_more(world, interaction, step, Left("declined", {"digits": ""}))
    if digits != step.accept_key:
        return Left("declined", {"digits": _key(digits)})
    queue = step.queue or interaction.queue
    reason = callbacks.request(world, interaction, queue, CallbackSource.FLOW)
    return (
        Left("not_possible", {"digits": digits, "reason": reason}) if reason else Left("accepted", {"digits": digits})
    )


def _record(world: World, interaction: Interaction, step: FlowStep, _digits: str) -> Next:
    from routing.core import voicemail

    voicemail.record(world, interaction, step.queue or interaction.queue, step.max_s, step.silence_s)
    return WAITING


def _hang_up(world: World, interaction: Interaction, _step: FlowStep, _digits: str) -> Next:
    return flow_ways.end(world, interaction)


_HEARD: dict[StepKind, Callable[[World, Interaction, FlowStep, str], Next]] = {
    StepKind.PLAY: lambda _world, _interaction, _step, _digits: Left("next"),
    StepKind.MENU: _menu,
    StepKind.COLLECT: _collect,
    StepKind.CALLBACK: _offer_callback,
    StepKind.VOICEMAIL: _record,
    StepKind.HANG_UP: _hang_up,
}
