"""What would happen to a call that came now (ROUTE-18): the core's own step, on a copy of the live state.

Nothing is stored, sent or told. What is found is true at that moment: it says nothing of calls that come after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from routing.core import arrivals, estimates, preferences
from routing.core.commands import ReturnLeg
from routing.core.config import EntryPoint, Queue
from routing.core.declarations import Requirement
from routing.core.effects import Effects
from routing.core.errors import DomainError, UnknownAgent
from routing.core.facts import LegArrived
from routing.core.interaction import Interaction, InteractionState
from routing.core.matching_types import Decision, Trace
from routing.core.step import settle
from routing.core.world import World, WorldState

_ENTRY = "@dry-run"  # a way straight into a queue; no entry point of a configuration is called so
_LEG = "dry-run"


class DryRunRefused(DomainError):
    """The question makes no sense with the configuration in force."""

    code = "dry-run-refused"
    template = "{reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Either `queue` or `entry_point`. `priority` None: the usual one. `pbx` empty: one whose link is up."""

    queue: str = ""
    entry_point: str = ""
    requires: Requirement = ()
    priority: int | None = None
    preferred_agent: str = ""
    pbx: str = ""


class Outcome(StrEnum):
    """OFFERED: a telephone would ring at once. IN_FLOW: it would be in a flow, which asks or plays first.

    RETURNED: it would go back to the dialplan, with `result`.
    """

    OFFERED = "offered"
    WAITING = "waiting"
    IN_FLOW = "in_flow"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`agents`: whose telephones would ring. `position`, `estimated_wait_s`: of a call that would wait. `flow_step`:
    where it would be in its flow. `trace`: every member of the queue and why he would (not) get the call.
    """

    outcome: Outcome
    result: str = ""
    queue: str = ""
    flow_step: str = ""
    priority: int | None = None
    requires: dict[str, int] = field(default_factory=dict)
    agents: tuple[str, ...] = ()
    position: int | None = None
    estimated_wait_s: float | None = None
    config_revision: int = 0
    trace: Trace | None = None


class _FullyToldWorld(World):
    """Its decisions name every member of the queue, however many there are."""

    def explained(self, decision: Decision) -> Trace:
        return self.sync_pool().explain(decision.call_id, self.now_ms, self.agent_views())


def dry_run(state: WorldState, question: Question, now_ms: int) -> Answer:
    """`state` stays as it is. Raises DryRunRefused, UnknownAgent."""
    world = _FullyToldWorld(_copy(state, _queue(state, question)))
    fact = _fact(state, question)
    if question.preferred_agent and question.preferred_agent not in state.config.agents:
        raise UnknownAgent(agent_id=question.preferred_agent)
    with world.step(max(now_ms, state.now_ms), state.seq + 1):
        arrivals.arrived(world, fact)
        interaction = world.interaction_of(_LEG)
        if interaction is not None and question.preferred_agent and interaction.state is InteractionState.QUEUED:
            preferences.prefer(world, interaction, question.preferred_agent)
        settle(world)
    return _answer(world, world.effects, question)


def _queue(state: WorldState, question: Question) -> Queue | None:
    """The one that is asked for. Raises DryRunRefused."""
    if bool(question.queue) == bool(question.entry_point):
        raise DryRunRefused(reason="a dry run is of a queue or of an entry point")
    if question.entry_point and question.entry_point not in state.config.entry_points:
        raise DryRunRefused(reason=f"there is no entry point {question.entry_point}")
    if question.queue and question.queue not in state.config.queues:
        raise DryRunRefused(reason=f"there is no queue {question.queue}")
    if question.pbx and question.pbx not in state.config.pbxs:
        raise DryRunRefused(reason=f"there is no PBX {question.pbx}")
    return state.config.queues.get(question.queue)


def _copy(state: WorldState, queue: Queue | None) -> WorldState:
    """Tables of their own; what stands in them is immutable."""
    config = state.config
    if queue is not None:
        way = EntryPoint(id=_ENTRY, queue=queue.id)
        config = replace(config, entry_points={**config.entry_points, _ENTRY: way})
    tables: dict[str, Any] = {
        f.name: dict(table) for f in fields(state) if isinstance(table := getattr(state, f.name), dict)
    }
    return replace(state, config=config, **tables)


def _fact(state: WorldState, question: Question) -> LegArrived:
    options = {}
    if question.priority is not None:
        options["priority"] = str(question.priority)
    if question.requires:
        options["requires"] = ",".join(f"{skill}:{level}" for skill, level in question.requires)
    linked = (pbx for pbx in state.config.pbxs if state.links.get(pbx))
    pbx = question.pbx or next(linked, next(iter(state.config.pbxs), ""))
    return LegArrived(pbx=pbx, leg_id=_LEG, entry_point=question.entry_point or _ENTRY, options=options)


def _answer(world: World, effects: Effects, question: Question) -> Answer:
    interaction = world.interaction_of(_LEG)
    if interaction is None:
        back = next((c for c in effects.commands if isinstance(c, ReturnLeg) and c.leg_id == _LEG), None)
        result = back.result.value if back else ""
        return Answer(
            outcome=Outcome.RETURNED, result=result, queue=question.queue, config_revision=world.config.revision
        )
    wait_ms = estimates.wait_ms(world, interaction)
    step = interaction.flow.step if interaction.flow and interaction.state is InteractionState.IN_FLOW else ""
    return Answer(
        outcome=_OUTCOMES.get(interaction.state, Outcome.WAITING),
        queue=interaction.queue,
        flow_step=step,
        priority=interaction.priority or None,
        requires=dict(interaction.requires),
        agents=tuple(offer.agent_id for offer in interaction.offers if offer.agent_id),
        position=estimates.position(world, interaction),
        estimated_wait_s=None if wait_ms is None else wait_ms / 1000,
        config_revision=world.config.revision,
        trace=_trace(world, interaction, effects.traces),
    )


_OUTCOMES = {InteractionState.OFFERED: Outcome.OFFERED, InteractionState.IN_FLOW: Outcome.IN_FLOW}


def _trace(world: World, interaction: Interaction, traces: Iterable[Trace]) -> Trace | None:
    if interaction.state is InteractionState.QUEUED and estimates.position(world, interaction) is not None:
        return world.sync_pool().explain(interaction.id, world.now_ms, world.agent_views())
    return next((trace for trace in traces if trace.interaction_id == interaction.id), None)
