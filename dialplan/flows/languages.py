"""Prompts that lack a language in which they may be asked for: callers hear another one then."""

from __future__ import annotations

from collections.abc import Iterator

from dialplan.flows.findings import Finding, Surroundings
from dialplan.flows.ways import family
from routing.core.config import Config
from routing.core.flow import Flow, FlowStep, PromptPart


def check_languages(around: Surroundings) -> Iterator[Finding]:
    """Warnings, each prompt once per flow."""
    config = around.config
    for flow in config.flows.values():
        wanted = languages_of(config, flow.id)
        seen: set[str] = set()
        for step, key, index, part in _parts(flow):
            prompt = config.prompts.get(part.prompt)
            lacking = sorted(wanted - prompt.files.keys()) if prompt else []
            if lacking and part.prompt not in seen:
                seen.add(part.prompt)
                reason = (
                    f"prompt {part.prompt!r} is not there in {', '.join(lacking)}: another language is heard instead"
                )
                path = ("flows", flow.id, "steps", step.id, key, index)
                yield Finding(path=path, reason=reason, is_error=False)


def languages_of(config: Config, flow_id: str) -> set[str]:
    """In which languages a flow may be heard: its own, else the tenant's, and those that flows around it choose."""
    around = {flow_id}
    for entry_point in config.entry_points.values():
        flows = family(config.flows, entry_point.flow)
        around |= set(flows) if flow_id in flows else set()
    around |= set(family(config.flows, flow_id))
    chosen = {step.language for name in around for step in config.flows[name].steps.values() if step.language}
    return chosen | {config.flows[flow_id].language or config.language}


def _parts(flow: Flow) -> Iterator[tuple[FlowStep, str, int, PromptPart]]:
    for step in flow.steps.values():
        for key in ("prompts", "invalid_prompts"):
            yield from ((step, key, index, part) for index, part in enumerate(getattr(step, key)) if part.prompt)
