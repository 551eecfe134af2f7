"""Where exits lead: of one step, out of a flow, and between flows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from routing.core.flow import EXITS, Exits, Flow, FlowStep, StepKind

KEYS = frozenset("0123456789*#")
FAILED, NEXT = "failed", "next"
# Their optional exits go on by `next` where they lead nowhere themselves.
_BY_NEXT = frozenset({StepKind.MENU, StepKind.SUB_FLOW})


def leads_on_by_next(kind: StepKind) -> bool:
    """Whether exits without a step of their own go on by `next`."""
    return kind in _BY_NEXT


def allowed(step: FlowStep, name: str) -> bool:
    """Whether a step of its kind can be left by that exit, or goes on by it."""
    exits: Exits = EXITS[step.do]
    return (
        name in exits.required
        or name in exits.optional
        or (exits.keys and name in KEYS)
        or exits.named
        or (name == NEXT and step.do in _BY_NEXT)
    )


def known(step: FlowStep) -> tuple[str, ...]:
    """The names of its exits, without keys and those that the flow gives itself."""
    exits = EXITS[step.do]
    return (*exits.required, *exits.optional, *((NEXT,) if step.do in _BY_NEXT else ()))


def given_exits(flow: Flow) -> frozenset[str]:
    """The exits by which it ends as a sub-flow."""
    reached = reachable(flow)
    return frozenset(
        step.exit for step in flow.steps.values() if step.do is StepKind.END_SUB_FLOW and step.id in reached
    )


def reachable(flow: Flow) -> set[str]:
    """Ids of the steps that a caller can come to."""
    found: set[str] = set()
    ahead = [flow.start]
    while ahead:
        step = flow.steps.get(ahead.pop())
        if step is not None and step.id not in found:
            found.add(step.id)
            ahead += [target for name, target in step.exits.items() if allowed(step, name)]
    return found


def called_by(flow: Flow) -> Iterator[FlowStep]:
    """Its steps that run another flow."""
    return (step for step in flow.steps.values() if step.do is StepKind.SUB_FLOW)


def family(flows: Mapping[str, Flow], flow_id: str) -> list[str]:
    """That flow and all that it runs, directly or through others; unknown ones left out."""
    found: list[str] = []
    ahead = [flow_id]
    while ahead:
        name = ahead.pop()
        if name in flows and name not in found:
            found.append(name)
            ahead += [step.flow for step in called_by(flows[name])]
    return found
