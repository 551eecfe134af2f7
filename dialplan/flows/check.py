"""The checker of flows (FLOW-01): what cannot work, or cannot have been meant, found before a caller is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dialplan.flows import running, ways
from dialplan.flows.findings import Finding, Place, Surroundings
from dialplan.flows.languages import check_languages
from dialplan.flows.words import check_words
from routing.core.declarations import CadVariable
from routing.core.flow import EXITS, Flow, FlowStep, StepKind

_NAMED = {"hours": "hours", "queue": "queues", "entry_point": "entry_points", "flow": "flows"}
_WHAT = {"hours": "opening hours", "queue": "queue", "entry_point": "entry point", "flow": "flow"}


def check_flows(around: Surroundings) -> list[Finding]:
    """Every mistake in all flows, flow by flow."""
    flows = around.config.flows
    cad = {flow_id: _cad(around, flow_id) for flow_id in flows}
    found: list[Finding] = []
    for flow in flows.values():
        found += _flow(around, flow)
        for step in flow.steps.values():
            place = Place(around=around, flow=flow, step=step, cad=cad[flow.id])
            found += _exits(place)
            found += _names(place)
            found += check_words(place)
    found += _runs(flows)
    found += check_languages(around)
    return found


def _cad(around: Surroundings, flow_id: str) -> Mapping[str, Mapping[str, CadVariable]]:
    """Variables in force in a flow, by entry point that leads to it."""
    config = around.config
    leading = [e.id for e in config.entry_points.values() if flow_id in ways.family(config.flows, e.flow)]
    if leading:
        return {id_: config.cad_of(id_) for id_ in leading}
    return {"": {variable.name: variable for variable in (*config.cad, *config.flows[flow_id].cad)}}


def _flow(around: Surroundings, flow: Flow) -> Iterator[Finding]:
    if flow.start not in flow.steps:
        reason = f"there is no step {flow.start!r}"
        yield Finding(path=("flows", flow.id, "start"), reason=reason, word=flow.start, known=tuple(flow.steps))
        return
    reached = ways.reachable(flow)
    for name in () if _is_torn(flow) else flow.steps:
        if name not in reached:
            path = ("flows", flow.id, "steps", name)
            yield Finding(path=path, reason="unreachable: no step leads here", is_error=False)
    if not ways.given_exits(flow):
        return
    for entry_point in around.config.entry_points.values():
        if entry_point.flow == flow.id:
            reason = f"ends with end_sub_flow, and entry point {entry_point.id!r} begins with it: nobody has called it"
            yield Finding(path=("flows", flow.id), reason=reason)


def _is_torn(flow: Flow) -> bool:
    """An exit leads to a step that is not there, or is none: what lies behind it is found when that is mended."""
    steps = flow.steps.values()
    leads_away = any(ways.allowed(s, name) and to not in flow.steps for s in steps for name, to in s.exits.items())
    return leads_away or any(set(EXITS[step.do].required) - step.exits.keys() for step in steps)


def _exits(place: Place) -> Iterator[Finding]:
    step = place.step
    for name, target in step.exits.items():
        if not ways.allowed(step, name):
            known = ways.known(step)
            words = f"; it has {', '.join(known)}" if known else "; it has none"
            reason = f"a step that does {step.do.value} has no exit {name!r}{words}"
            yield place.error(reason, "exits", name, word=name, known=known)
        elif target not in place.flow.steps:
            reason = f"there is no step {target!r}"
            yield place.error(reason, "exits", name, word=target, known=place.flow.steps)
    for name in EXITS[step.do].required:
        if name not in step.exits:
            yield place.error(f"exit {name!r} leads nowhere: it is required")
    if step.do is StepKind.MENU and not ways.KEYS & step.exits.keys():
        yield place.error('no key leads anywhere: give exits, e.g. { 1 = "sales" }')
    if step.do is StepKind.SUB_FLOW and (called := place.around.config.flows.get(step.flow)):
        yield from _exits_of_sub_flow(place, called)


def _exits_of_sub_flow(place: Place, called: Flow) -> Iterator[Finding]:
    """Those that it ends with must lead somewhere, and no others are of use."""
    step, given = place.step, ways.given_exits(called)
    for name in step.exits:
        if name not in given and name not in {ways.FAILED, ways.NEXT}:
            words = f"it ends with {', '.join(sorted(given))}" if given else "it never comes back"
            reason = f"flow {called.id!r} never ends with {name!r}: {words}"
            yield place.error(reason, "exits", name, word=name, known=given)
    if ways.NEXT not in step.exits:
        for name in sorted(given - step.exits.keys()):
            yield place.error(f"flow {called.id!r} may end with {name!r}, which leads nowhere here", "exits")
    elif given and given <= step.exits.keys() - {ways.NEXT}:
        yield place.warning(
            f"never left by 'next': flow {called.id!r} ends with {', '.join(sorted(given))}", "exits", "next"
        )


def _names(place: Place) -> Iterator[Finding]:
    """Names of other things in the configuration."""
    step = place.step
    for key, section in _NAMED.items():
        name: str = getattr(step, key)
        if name and not place.around.has(section, name):
            known = place.around.names.get(section, frozenset())
            verb = "are" if key == "hours" else "is"
            yield place.error(f"there {verb} no {_WHAT[key]} {name!r}", key, word=name, known=known)
    for key in ("prompts", "invalid_prompts"):
        for index, part in enumerate(getattr(step, key)):
            if part.prompt and not place.around.has("prompts", part.prompt):
                known = place.around.names.get("prompts", frozenset())
                reason = f"there is no prompt {part.prompt!r}"
                yield place.error(reason, key, index, word=part.prompt, known=known)
    for skill, _level in step.requires or ():
        if not place.around.has("skills", skill):
            known = place.around.names.get("skills", frozenset())
            yield place.error(f"there is no skill {skill!r}", "requires", skill, word=skill, known=known)


def _runs(flows: Mapping[str, Flow]) -> Iterator[Finding]:
    """Flows within themselves, too many within each other, and circles."""
    straight: dict[str, Flow] = {}
    for flow_id, flow in flows.items():
        if circle := running.recursion(flows, flow_id):
            at: FlowStep = next(step for step in ways.called_by(flow) if step.flow == circle[1])
            where = ("flows", flow_id, "steps", at.id, "flow")
            yield Finding(path=where, reason=f"runs itself: {' -> '.join(circle)}")
        else:
            straight[flow_id] = flow
    runs = running.Runs()
    for flow_id, depth in running.depths(straight).items():
        if running.is_too_deep(depth):
            yield Finding(path=("flows", flow_id), reason=f"{depth} flows run each other, at most 8 are allowed")
        yield from runs.check(straight[flow_id])
