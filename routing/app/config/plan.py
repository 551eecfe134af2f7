"""Running configuration against a new one: every difference by field, and what it does to what lives now (OPS-02)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum, StrEnum
from itertools import product
from typing import Any

from dialplan.flows.draw import words as step_words
from routing.core.agent import AgentState, EngagementState
from routing.core.config import Config
from routing.core.flow import Flow, FlowStep
from routing.core.interaction import WAITING, InteractionState
from routing.core.reach import is_in_reach
from routing.core.world import WorldState

_SECRET_FIELDS = frozenset({"pin"})
_MASK = "••••"
_OF_CALLS = (
    "unanswered_transfer",
    "recording_pause_s",
    "wrap_up_after_consult",
    "time_zone",
    "language",
    "show_supervision",
)


class Action(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """Values in words, as a person would write them; secret ones masked."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """`kind`: pbx, profile, queue, entry_point, agent, flow, prompt, hours, cad, reasons, calls, numbers, outdial,
    limits, callbacks, campaign, responses, supervisor, team.

    `fields` only of what is changed.
    """

    kind: str
    id: str
    action: Action
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`base_revision` is what an `ApplyConfig` of this plan must expect. `warnings`: effects on what lives now."""

    base_revision: int
    changes: tuple[Change, ...]
    warnings: tuple[str, ...]


def make_plan(state: WorldState, new: Config) -> Plan:
    """What applying `new` would change. Tenant and revision do not count as changes."""
    changes = tuple(_changes(state.config, new))
    return Plan(base_revision=state.config.revision, changes=changes, warnings=tuple(_warnings(state, new)))


def _changes(old: Config, new: Config) -> Iterator[Change]:
    yield from _compare("pbx", old.pbxs, new.pbxs)
    yield from _compare("profile", old.profiles, new.profiles)
    yield from _compare("queue", old.queues, new.queues)
    yield from _compare("entry_point", old.entry_points, new.entry_points)
    yield from _compare("team", old.teams, new.teams)
    yield from _compare("agent", old.agents, new.agents)
    yield from _compare("flow", old.flows, new.flows)
    yield from _compare("prompt", old.prompts, new.prompts)
    yield from _compare("hours", old.hours, new.hours)
    yield from _compare("campaign", old.campaigns, new.campaigns)
    yield from _compare("responses", {r.id: r for r in old.responses}, {r.id: r for r in new.responses})
    yield from _compare("supervisor", old.supervisors, new.supervisors)
    yield from _compare("cad", {v.name: v for v in old.cad}, {v.name: v for v in new.cad})
    for kind in ("idle_reasons", "wrap_up_reasons"):
        before, after = words(getattr(old, kind)), words(getattr(new, kind))
        if before != after:
            change = FieldChange(name=kind, old=before, new=after)
            yield Change(kind="reasons", id=kind, action=Action.CHANGED, fields=(change,))
    for kind in ("numbers", "outdial", "limits", "callbacks"):
        one, other = getattr(old, kind), getattr(new, kind)
        if one != other:
            yield Change(kind=kind, id=kind, action=Action.CHANGED, fields=tuple(_fields(one, other)))
    for name in _OF_CALLS:
        before, after = words(getattr(old, name)), words(getattr(new, name))
        if before != after:
            change = FieldChange(name=name, old=before, new=after)
            yield Change(kind="calls", id=name, action=Action.CHANGED, fields=(change,))


def _compare(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for id_ in sorted(old.keys() | new.keys()):
        if id_ not in old:
            yield Change(kind=kind, id=id_, action=Action.ADDED)
        elif id_ not in new:
            yield Change(kind=kind, id=id_, action=Action.REMOVED)
        elif old[id_] != new[id_]:
            yield Change(kind=kind, id=id_, action=Action.CHANGED, fields=tuple(_fields(old[id_], new[id_])))


def _fields(old: Any, new: Any) -> Iterator[FieldChange]:
    for field in fields(old):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before == after:
            continue
        if field.name == "steps" and isinstance(old, Flow):
            yield from _steps(before, after)
            continue
        if field.name in _SECRET_FIELDS:
            before, after = before and _MASK, after and _MASK
        yield FieldChange(name=field.name, old=words(before), new=words(after))


def _steps(old: Mapping[str, FlowStep], new: Mapping[str, FlowStep]) -> Iterator[FieldChange]:
    """The steps of a flow that are others, each in short."""
    for name in (*old, *(name for name in new if name not in old)):
        if old.get(name) != new.get(name):
            before, after = (_short(steps[name]) if name in steps else "none" for steps in (old, new))
            after += " (other settings)" if after == before else ""
            yield FieldChange(name=f"steps.{name}", old=before, new=after)


def _short(step: FlowStep) -> str:
    """What it does, and where it leads; never its headers, which may hold secrets."""
    return "; ".join([*step_words(step)[1:], *(f"{name} -> {to}" for name, to in step.exits.items())]) or step.do.value


def words(value: Any) -> str:
    """A configuration value as a person would write it."""
    if value is None or value == () or value == {}:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], int):
        return f"{value[0]} {value[1]}"
    if isinstance(value, tuple):
        return ", ".join(words(item) for item in value)
    if isinstance(value, dict):
        return "; ".join(f"{words(key)}: {words(item)}" for key, item in value.items())
    if is_dataclass(value) and not isinstance(value, type):
        return "(" + ", ".join(_named(value)) + ")"
    return str(value)


def _named(value: Any) -> Iterator[str]:
    """Fields of a table within a value; a text that is not given says nothing."""
    for field in fields(value):
        if (part := getattr(value, field.name)) not in ("", ()):
            yield f"{field.name} {words(part)}"


def _warnings(state: WorldState, new: Config) -> Iterator[str]:
    yield from _about_queues(state, new)
    yield from _about_agents(state, new)
    yield from _about_flows(state, new)
    yield from _about_pbxs(state, new)
    yield from _about_trunks(state, new)


def _about_queues(state: WorldState, new: Config) -> Iterator[str]:
    waiting = Counter(i.queue for i in state.interactions.values() if i.state is InteractionState.QUEUED)
    offered = Counter(i.queue for i in state.interactions.values() if i.state is InteractionState.OFFERED)
    for queue_id, queue in state.config.queues.items():
        calls = _count(waiting[queue_id], "waiting call")
        now = new.queues.get(queue_id)
        if now is None and waiting[queue_id]:
            yield f"queue {queue_id} is removed: {calls} goes back to the dialplan with the result unavailable"
        if now is None and offered[queue_id]:
            ringing = _count(offered[queue_id], "offer")
            yield f"queue {queue_id} is removed: {ringing} may still be answered, else it goes back to the dialplan"
        if now and waiting[queue_id] and (now.requires, now.relaxation) != (queue.requires, queue.relaxation):
            yield f"queue {queue_id} asks for other skills: {calls} takes them on at once and keeps its place"


def _about_flows(state: WorldState, new: Config) -> Iterator[str]:
    """Callers in steps that are no more."""
    places = Counter((i.flow.flow, i.flow.step) for i in state.interactions.values() if i.flow)
    for (flow_id, step_id), count in sorted(places.items()):
        flow, calls = new.flows.get(flow_id), _count(count, "call")
        if flow is None or step_id not in flow.steps:
            what = f"flow {flow_id}" if flow is None else f"step {step_id} of flow {flow_id}"
            yield f"{what} is removed: {calls} goes back to the dialplan with the result unavailable"


def _about_agents(state: WorldState, new: Config) -> Iterator[str]:
    for agent_id, agent in state.agents.items():
        before, now = state.config.agents.get(agent_id), new.agents.get(agent_id)
        if before is None or (agent.state is AgentState.LOGGED_OUT and not agent.engagements):
            continue
        if now is None:
            yield f"agent {agent_id} is removed while {agent.shown_state}: {_farewell(agent.engagements)}"
        elif (now.pbx, now.phone) != (before.pbx, before.phone):
            when = "his call goes on at the old one" if agent.engagements else "offers ring there from now on"
            yield f"agent {agent_id} gets another phone while {agent.shown_state}: {when}"
        elif now.queues != before.queues or now.skills != before.skills:
            yield f"agent {agent_id} serves other calls from now on; his state stays {agent.shown_state}"


def _farewell(engagements: Mapping[str, Any]) -> str:
    if any(e.state is not EngagementState.WRAP_UP for e in engagements.values()):
        return "his call goes on, he gets no further one"
    return "he finishes his wrap-up and gets no call" if engagements else "he is signed out and gets no call"


def _about_pbxs(state: WorldState, new: Config) -> Iterator[str]:
    for pbx_id in state.config.pbxs.keys() - new.pbxs.keys():
        calls = sum(interaction.pbx == pbx_id for interaction in state.interactions.values())
        if calls:
            yield f"PBX {pbx_id} is removed: {_count(calls, 'live call')} on it is no longer steered"


def _about_trunks(state: WorldState, new: Config) -> Iterator[str]:
    """Callers who wait on a PBX whose trunk to agents of their queue is taken away."""
    for pbx, other in sorted(product(new.pbxs, new.pbxs)):
        if is_in_reach(new, pbx, other) or not is_in_reach(state.config, pbx, other):
            continue
        queues = {queue for agent in new.agents.values() if agent.pbx == other for queue, _rank in agent.queues}
        waiting = [i for i in state.interactions.values() if i.state in WAITING and i.pbx == pbx and i.queue in queues]
        if waiting:
            calls = _count(len(waiting), "waiting call")
            yield f"the trunk from {pbx} to {other} is removed: {calls} gets no further agent of {other}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s, each of which' if number > 1 else ''}"
