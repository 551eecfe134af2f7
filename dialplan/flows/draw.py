"""A flow as a diagram: Mermaid for documents, DOT for Graphviz, plain text for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dialplan.flows.ways import reachable
from routing.core.flow import Comparison, Flow, FlowStep, PromptPart, StepKind, Test

_SIGNS = {
    Comparison.IS: "is",
    Comparison.IS_NOT: "is not",
    Comparison.ONE_OF: "is one of",
    Comparison.ABOVE: ">",
    Comparison.BELOW: "<",
    Comparison.STARTS_WITH: "starts with",
    Comparison.IS_SET: "is set",
}
_ASKING = frozenset({StepKind.CONDITION, StepKind.HOURS})
_LAST = frozenset({StepKind.HANG_UP, StepKind.RETURN, StepKind.END_SUB_FLOW})


def mermaid(flow: Flow) -> str:
    """A Mermaid flowchart."""
    names = _names(flow)
    lines = ["flowchart TD", f"  start((start)) --> {names.get(flow.start, 'start')}"]
    for step in flow.steps.values():
        left, right = _brackets(step)
        label = _quoted("<br/>".join(words(step)))
        lines.append(f'  {names[step.id]}{left}"{label}"{right}')
        for target, exits in _ways(step).items():
            lines.append(f'  {names[step.id]} -->|"{_quoted(", ".join(exits))}"| {names.get(target, "nowhere")}')
    reached = reachable(flow)
    lines += [f"  style {names[name]} stroke-dasharray: 4" for name in flow.steps if name not in reached]
    return "\n".join(lines) + "\n"


def dot(flow: Flow) -> str:
    """Graphviz."""
    lines = [f'digraph "{_escaped(flow.id)}" {{', "  node [shape=box];", "  start [shape=circle];"]
    lines.append(f'  start -> "{_escaped(flow.start)}";')
    for step in flow.steps.values():
        shape = "diamond" if step.do in _ASKING else "oval" if step.do in _LAST else "box"
        lines.append(f'  "{_escaped(step.id)}" [shape={shape}, label="{_escaped(chr(10).join(words(step)))}"];')
        for target, exits in _ways(step).items():
            lines.append(f'  "{_escaped(step.id)}" -> "{_escaped(target)}" [label="{_escaped(", ".join(exits))}"];')
    return "\n".join([*lines, "}"]) + "\n"


def text(flow: Flow) -> str:
    """Step by step, each with what it does and where it leads."""
    lines = [f"flow {flow.id}, starts with {flow.start}"]
    for step in flow.steps.values():
        name, *details = words(step)
        lines.append(f"\n{name}")
        lines += [f"    {detail}" for detail in details]
        lines += [f"    {', '.join(exits)} -> {target}" for target, exits in _ways(step).items()]
    return "\n".join(lines) + "\n"


def words(step: FlowStep) -> list[str]:
    """What a step does, in short lines; the first is its id and kind."""
    return [f"{step.id}: {step.do.value.replace('_', ' ')}", *_details(step)]


def _details(step: FlowStep) -> Iterator[str]:
    if step.prompts:
        yield " + ".join(map(_part, step.prompts))
    for key in ("queue", "hours", "agent", "number", "entry_point", "flow", "exit", "result"):
        if value := getattr(step, key):
            yield f"{key.replace('_', ' ')} {value}"
    if step.do is StepKind.COLLECT:
        yield f"{step.input.min_digits}-{step.input.max_digits} digits into {step.into}"
    if step.tests:
        yield (" or " if step.any_of else " and ").join(map(_test, step.tests))
    if step.look_up:
        yield f"{step.look_up.method} {step.look_up.url}" if step.look_up.url else step.look_up.source.value
    yield from (f"{name} = {value}" for name, value in step.cad.items())
    for key in ("priority", "language", "preferred_agent"):
        if value := getattr(step, key):
            yield f"{key.replace('_', ' ')} {value}"
    if step.requires:
        yield "requires " + ", ".join(f"{skill} {level}" for skill, level in step.requires)


def _part(part: PromptPart) -> str:
    return part.prompt or f"{{{part.number or part.digits}}}"


def _test(test: Test) -> str:
    return " ".join([test.value, _SIGNS[test.comparison], ", ".join(test.to)]).strip()


def _ways(step: FlowStep) -> dict[str, list[str]]:
    """Target -> exits that lead there."""
    found: dict[str, list[str]] = {}
    for name, target in step.exits.items():
        found.setdefault(target, []).append(name)
    return found


def _names(flow: Flow) -> dict[str, str]:
    """Ids that Mermaid takes for nothing else: `end` is a word of its own there."""
    return {name: f"s{number}" for number, name in enumerate(flow.steps, start=1)}


def _brackets(step: FlowStep) -> tuple[str, str]:
    if step.do in _ASKING:
        return "{", "}"
    return ("([", "])") if step.do in _LAST else ("[", "]")


def _quoted(label: str) -> str:
    return (
        label.replace("&", "&amp;")
        .replace('"', "&quot;")
        .replace("<br/>", "\n")
        .replace("<", "&lt;")
        .replace("\n", "<br/>")
    )


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


FORMATS: dict[str, Callable[[Flow], str]] = {"mermaid": mermaid, "dot": dot, "text": text}
