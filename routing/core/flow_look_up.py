"""The look-up step: a question to the outside with a deadline, and a default when the answer is late or wrong."""

from __future__ import annotations

import re
from typing import Any

from routing.core import cad, flow_cad
from routing.core.commands import LookUp, LookUpKind
from routing.core.events import EventType
from routing.core.facts import LookedUp, LookUpOutcome
from routing.core.flow import FlowStep, LookUpSource, LookUpStep
from routing.core.flow_position import WAITING, Left, Next
from routing.core.flow_steps import preference
from routing.core.flow_values import value
from routing.core.interaction import Interaction
from routing.core.queueing import requirement_of
from routing.core.timers import Due, key
from routing.core.world import World

LATE = "late"
_KINDS = {LookUpSource.HTTP: LookUpKind.HTTP, LookUpSource.LAST_AGENT: LookUpKind.LAST_AGENT}
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")


def ask(world: World, interaction: Interaction, step: FlowStep) -> Next:
    """Nothing is heard meanwhile; after the deadline its answer is worth nothing."""
    question = step.look_up or LookUpStep()
    command = LookUp(
        id=world.new_id("cmd"),
        interaction_id=interaction.id,
        kind=_KINDS[question.source],
        deadline_ms=world.now_ms + question.deadline_ms,
        number=interaction.ani if question.source is LookUpSource.LAST_AGENT else "",
        method=question.method,
        url=question.url,
        headers=question.headers,
        body=question.body,
        values={name: value(world, interaction, name) for name in question.send},
    )
    world.send(command)
    world.set_timer(key(Due.LOOK_UP, interaction.id), command.deadline_ms)
    world.update_interaction(interaction, look_up_id=command.id)
    return WAITING


def answered(world: World, interaction: Interaction, step: FlowStep, fact: LookedUp) -> Next:
    """What the answer says of the call holds from now on, as far as it can be used."""
    if fact.outcome is not LookUpOutcome.DONE:
        return failed(world, interaction, step, fact.reason, fact.http_status)
    refused = flow_cad.put(world, interaction, fact.cad)
    changes, refused_too = _read(world, fact)
    interaction = world.update_interaction(world.interaction(interaction.id), **changes)
    told = {"cad_refused": refused, "refused": refused_too, "http_status": fact.http_status}
    _tell(world, interaction, step, "done", **told, **_excerpt(world, interaction, fact))
    return Left("next")


def failed(world: World, interaction: Interaction, step: FlowStep, reason: str, http_status: int = 0) -> Next:
    """Late or wrong: the default (FLOW-05)."""
    question = step.look_up or LookUpStep()
    refused = flow_cad.put(world, interaction, question.default)
    told = {"reason": reason[:256], "http_status": http_status, "cad_refused": refused}
    _tell(world, world.interaction(interaction.id), step, "late" if reason == LATE else "failed", **told)
    return Left("failed")


def _read(world: World, fact: LookedUp) -> tuple[dict[str, Any], dict[str, str]]:
    """What changes of the call, and what of the answer is of no use."""
    changes: dict[str, Any] = {}
    refused: dict[str, str] = {}
    if fact.priority is not None:
        if 1 <= fact.priority <= 10:
            changes["priority"] = fact.priority
        else:
            refused["priority"] = "not 1 to 10"
    if fact.requires:
        if own := requirement_of(fact.requires):
            changes["own_requires"] = own
        else:
            refused["requires"] = "no skills with levels such as spanish:5"
    if fact.preferred_agent:
        if preferred := preference(world, fact.preferred_agent):
            changes["preferred"] = preferred
        else:
            refused["preferred_agent"] = "unknown"
    if fact.language:
        if LANGUAGE.fullmatch(fact.language):
            changes["language"] = fact.language
        else:
            refused["language"] = "not a language"
    return changes, refused


def _excerpt(world: World, interaction: Interaction, fact: LookedUp) -> dict[str, Any]:
    """What the answer said, as events may carry it."""
    declared = world.config.cad_of(interaction.entry_point)
    named = {"cad": cad.masked(declared, {n: v for n, v in interaction.cad.items() if n in fact.cad})}
    plain = {"priority": fact.priority, "requires": fact.requires[:256], "language": fact.language[:32]}
    return named | plain | {"preferred_agent": fact.preferred_agent[:64]}


def _tell(world: World, interaction: Interaction, step: FlowStep, outcome: str, **told: Any) -> None:
    position = interaction.flow
    about: dict[str, Any] = {"flow": position.flow, "took_ms": world.now_ms - position.since_ms} if position else {}
    world.emit(EventType.FLOW_LOOKED_UP, interaction, step=step.id, outcome=outcome, **about, **told)
