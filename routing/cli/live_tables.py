"""Rows of what lives now as tables for people."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.markup import escape

from routing.app.live.agents import AgentRow
from routing.app.live.calls import CallRow
from routing.app.live.explain import Explanation
from routing.app.live.queues import QueueRow
from routing.app.live.status import Status
from routing.cli.output import PlainTable, cell, clock, span
from routing.core.matching_types import Trace

__all__ = [
    "AgentRow",
    "CallRow",
    "PlainTable",
    "QueueRow",
    "Status",
    "agents_table",
    "calls_table",
    "explanation",
    "queues_table",
    "status_table",
]


def status_table(status: Status) -> PlainTable:
    links = ", ".join(f"{pbx} {'up' if is_up else 'DOWN'}" for pbx, is_up in status.links.items())
    if links and status.engine is None:
        links += " when an engine last looked"
    rows = [
        ("tenant", status.tenant),
        ("engine", status.engine or "NONE RUNS"),
        ("PBX links", links or "none configured"),
        ("configuration", f"revision {status.revision}" if status.revision else "NOTHING IS APPLIED"),
        ("inputs waiting", f"{status.waiting_inputs}, {status.lag_ms} ms behind"),
        ("agents", cell(status.agents) or "none"),
        ("calls", cell(status.calls) or "none"),
        ("campaigns", cell(status.campaigns) or "none loaded"),
        ("steps", status.steps),
    ]
    title = "healthy" if status.is_healthy else "NOT HEALTHY"
    return PlainTable(title, ("", ""), rows)


def agents_table(rows: list[AgentRow]) -> PlainTable:
    lines = [
        (
            row.id,
            row.name,
            row.team,
            f"{row.state} ({row.reason})" if row.reason and row.state == row.own_state else row.state,
            span(row.for_s),
            span(row.wrap_up_left_s) if row.wrap_up_left_s is not None else "",
            row.phone,
            row.phone_state,
            "yes" if row.is_eligible else f"no: {row.not_eligible_because}",
            [short(id_) for id_ in row.interactions],
        )
        for row in rows
    ]
    columns = ("agent", "name", "team", "state", "for", "wrap-up", "phone", "is", "eligible", "call")
    return PlainTable(f"{len(rows)} agents", columns, lines, ("name", "team", "is", "wrap-up", "phone"))


def queues_table(rows: list[QueueRow]) -> PlainTable:
    lines = [
        (
            row.id,
            row.label,
            row.waiting,
            row.offered,
            span(row.longest_wait_s) if row.waiting + row.offered else "",
            row.talking,
            row.wrapping_up,
            row.eligible,
            f"{row.signed_in} of {row.members}",
            span(row.estimated_wait_ms // 1000) if row.estimated_wait_ms is not None else "",
            f"{row.service_level:.0f} %" if row.service_level is not None else "",
            row.strategy,
        )
        for row in rows
    ]
    calls = ("waiting", "offered", "longest", "talking", "wrap-up")
    columns = ("queue", "name", *calls, "free", "signed in", "est. wait", "in time", "strategy")
    return PlainTable(f"{len(rows)} queues", columns, lines, ("strategy", "name", "wrap-up", "offered", "est. wait"))


def calls_table(rows: list[CallRow]) -> PlainTable:
    lines = [
        (
            short(row.id),
            f"{row.state}: {row.result}" if row.state == "ended" and row.result else row.state,
            row.queue,
            row.position,
            span(row.estimated_wait_ms // 1000) if row.estimated_wait_ms is not None else "",
            row.ani,
            row.dnis,
            row.priority,
            span(row.waited_s),
            span(row.talked_s) if row.talked_s else "",
            span(row.held_s) if row.held_s else "",
            row.agents,
            row.recording if row.recording != "off" else "",
            row.missed_offers or "",
        )
        for row in rows
    ]
    clocks = ("waited", "talked", "held")
    place = ("place", "est. wait")
    columns = ("call", "state", "queue", *place, "from", "to", "prio", *clocks, "agent", "recording", "missed")
    return PlainTable(
        f"{len(rows)} calls", columns, lines, ("missed", "to", "prio", "held", "est. wait", "place", "talked")
    )


def short(interaction_id: str) -> str:
    """The end of an id, which `explain` takes as well."""
    return interaction_id[-10:]


def explanation(found: Explanation) -> Iterator[RenderableType]:
    """The story, each decision, the dry run."""
    call = found.call
    yield f"[bold]{escape(call.id)}[/] {call.state}, queue {escape(call.queue)}, from {escape(cell(call.ani))}"
    yield f"waited {span(call.waited_s)}, talked {span(call.talked_s)}, held {span(call.held_s)}\n"
    story = [
        (clock(moment.at_ms), moment.what, moment.agent, moment.detail, _took(moment.took_s)) for moment in found.story
    ]
    yield PlainTable("story", ("at", "what", "agent", "", "took"), story)
    for number, trace in enumerate(found.decisions, 1):
        yield from trace_table(f"decision {number}", trace)
    if found.now is not None:
        yield from trace_table("now", found.now)
        if not found.now.winners:
            yield "nobody could take this call now"


def _took(seconds: float | None) -> str:
    return f"{seconds:.3f} s" if seconds is not None else ""


def trace_table(title: str, trace: Trace) -> Iterator[RenderableType]:
    """Who was looked at, whom each rule removed, and how the rest compared."""
    skills = ", ".join(f"{name} {level}" for name, level in trace.requires) or "none"
    heading = (
        f"{title} at {clock(trace.at_ms)}: {trace.strategy}, required skills: {skills}, "
        f"configuration revision {trace.config_revision}"
    )
    rows = [
        (
            candidate.agent_id,
            "chosen" if candidate.agent_id in trace.winners else candidate.removed_by or "later",
            *_key(trace, candidate.sort_key),
        )
        for candidate in trace.candidates
    ]
    parts = [f"{count} removed by {rule}" for rule, count in sorted(trace.removed.items())]
    if trace.call_runner_up:
        parts.append(f"next call for the same agent: {short(trace.call_runner_up)}")
    yield PlainTable(heading, ("agent", "", *trace.key_names), rows, note="; ".join(parts))


def _key(trace: Trace, sort_key: tuple[float | int | str, ...]) -> list[object]:
    """Values of the compared keys; times as a clock."""
    shown: list[object] = []
    for name, value in zip(trace.key_names, sort_key, strict=False):
        if name.endswith("_ms") and value:
            shown.append(clock(int(value)))
        else:
            shown.append(round(value, 3) if isinstance(value, float) else value)
    return shown + [""] * (len(trace.key_names) - len(shown))
