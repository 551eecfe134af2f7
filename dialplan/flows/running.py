"""Flows that run in circles, or too long, without waiting for the caller or for time.

The machine gives a flow so many steps before it must wait; what is found here would be stopped by it. A prompt, a key
and the time in a queue are waits. A look-up is none: its answer may come at once. Nor is a queue that does not take the
call, or a transfer that fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dialplan.flows.findings import Finding
from dialplan.flows.ways import allowed, called_by
from routing.core.flow import Flow, FlowStep, StepKind
from routing.core.flow_position import MAX_DEPTH, MAX_STEPS, leads_to

_WAITS = frozenset({StepKind.MENU, StepKind.COLLECT, StepKind.VOICEMAIL})
MOST_STEPS = MAX_STEPS - 2  # one less at each end: where the count begins is the machine's affair


def waits(step: FlowStep, exit_name: str) -> bool:
    """Whether time has surely passed when the step is left by that exit."""
    if step.do is StepKind.PLAY:
        return any(part.prompt for part in step.prompts)  # a value that is empty is not heard
    if step.do is StepKind.CALLBACK:
        return bool(step.prompts)  # else nobody is asked
    return step.do in _WAITS or (step.do is StepKind.QUEUE and exit_name == "timeout")


@dataclass(frozen=True, slots=True)
class _Runs:
    """Longest runs of one flow, in steps. `through`: from its start to its end by that exit, never waiting; `before`:
    from its start until it waits; `after`: from a wait until its end by that exit; `within`: from a wait to the next.
    """

    through: Mapping[str, int] = field(default_factory=dict)
    before: int = 0
    after: Mapping[str, int] = field(default_factory=dict)
    within: int = 0


class Runs:
    """Looks at flows that are not within themselves, each after those that it runs."""

    def __init__(self) -> None:
        self._known: dict[str, _Runs] = {}

    def check(self, flow: Flow) -> Iterator[Finding]:
        """Its circle, else whether it runs too long."""
        order, circle = self._walk(flow)
        runs = _Runs() if circle else self._measured(flow, order)
        self._known[flow.id] = runs
        if circle:
            steps = " -> ".join([*circle, circle[0]])
            path = ("flows", flow.id, "steps", circle[0])
            yield Finding(path=path, reason=f"runs in circles and waits for nothing: {steps}")
        elif (most := max(runs.before, runs.within)) > MOST_STEPS:
            reason = f"runs {most} steps without waiting for anything, at most {MOST_STEPS} are allowed"
            yield Finding(path=("flows", flow.id), reason=reason)

    def _called(self, step: FlowStep) -> _Runs:
        return self._known.get(step.flow, _Runs()) if step.do is StepKind.SUB_FLOW else _Runs()

    def _edges(self, step: FlowStep) -> Iterator[tuple[str, int]]:
        """Steps that follow without a wait, with the steps that it takes to get there."""
        for exit_name, steps in self._called(step).through.items():
            if target := leads_to(step, exit_name):
                yield target, steps + 1
        for name, target in step.exits.items():
            is_own = step.do is not StepKind.SUB_FLOW or name == "failed"
            if is_own and allowed(step, name) and not waits(step, name):
                yield target, 1

    def _resumed(self, step: FlowStep) -> Iterator[tuple[str, int]]:
        """Steps that a caller comes to from this one after a wait, with the steps since then."""
        for exit_name, steps in self._called(step).after.items():
            if target := leads_to(step, exit_name):
                yield target, steps + 1
        yield from ((target, 1) for name, target in step.exits.items() if allowed(step, name) and waits(step, name))

    def _walk(self, flow: Flow) -> tuple[list[str], list[str]]:
        """(the steps, each after all that follow it without a wait; the first circle of such steps)."""
        order: list[str] = []
        seen: set[str] = set()
        path: list[str] = []
        ahead = [(name, False) for name in reversed(flow.steps)]
        while ahead:
            name, is_left = ahead.pop()
            if is_left:
                order.append(path.pop())
            elif name in path:
                return order, path[path.index(name) :]
            elif name in flow.steps and name not in seen:
                seen.add(name)
                path.append(name)
                ahead += [(name, True), *((target, False) for target, _steps in self._edges(flow.steps[name]))]
        return order, []

    def _measured(self, flow: Flow, order: list[str]) -> _Runs:
        lasts: dict[str, int] = {}
        ends: dict[str, dict[str, int]] = {}
        for name in order:
            step = flow.steps[name]
            following = [(to, steps) for to, steps in self._edges(step) if to in flow.steps]
            lasts[name] = max([1 + self._called(step).before, *(steps + lasts[to] for to, steps in following)])
            ends[name] = {step.exit: 2} if step.do is StepKind.END_SUB_FLOW else {}
            for to, steps in following:
                _longer(ends[name], ends[to], steps)
        after: dict[str, int] = {}
        resumed = [(to, n) for step in flow.steps.values() for to, n in self._resumed(step) if to in flow.steps]
        for to, steps in resumed:
            _longer(after, ends[to], steps)
        within = max((lasts[to] + steps for to, steps in resumed), default=0)
        return _Runs(through=ends.get(flow.start, {}), before=lasts.get(flow.start, 0), after=after, within=within)


def _longer(longest: dict[str, int], others: Mapping[str, int], steps: int) -> None:
    for exit_name, count in others.items():
        longest[exit_name] = max(longest.get(exit_name, 0), count + steps)


def recursion(flows: Mapping[str, Flow], flow_id: str) -> list[str]:
    """The flows that lead from this one back to itself, empty when none do."""
    ahead: list[list[str]] = [[flow_id]]
    seen: set[str] = set()
    while ahead:
        path = ahead.pop()
        for step in called_by(flows[path[-1]]):
            if step.flow == flow_id:
                return [*path, flow_id]
            if step.flow in flows and step.flow not in seen:
                seen.add(step.flow)
                ahead.append([*path, step.flow])
    return []


def depths(flows: Mapping[str, Flow]) -> dict[str, int]:
    """How many flows are within each at most, in the order of their depth. None may lead back to itself."""
    found: dict[str, int] = {}
    while len(found) < len(flows):
        for flow_id, flow in flows.items():
            called = [step.flow for step in called_by(flow) if step.flow in flows]
            if flow_id not in found and all(name in found for name in called):
                found[flow_id] = max((found[name] + 1 for name in called), default=0)
    return found


def is_too_deep(depth: int) -> bool:
    return depth > MAX_DEPTH
