"""Every command with its options, the exit codes, and the shapes of `--json`, from the code."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import typer

from routing.app.config.plan import Change, FieldChange, Plan
from routing.app.doctor import Finding
from routing.app.importing.findings import Finding as ImportFinding
from routing.app.live.agents import AgentRow
from routing.app.live.callbacks import CallbackRow
from routing.app.live.calls import CallRow
from routing.app.live.campaigns import CampaignRow, DropsNow
from routing.app.live.dry_run import Answer
from routing.app.live.explain import Explanation, Moment
from routing.app.live.queues import QueueRow
from routing.app.live.status import Status
from routing.app.live.why import Why, WhyRow
from routing.cli.erlang_command import StaffRow
from routing.cli.exits import MEANINGS
from routing.cli.main import app
from routing.core.matching_types import Candidate, Trace
from routing.engine.replay import ReplayResult
from routing.sim.comparison import Compared, Estimate
from routing.sim.figures import Figures
from routing.sim.outcome import Simulated
from routing.sim.pacing.adviser import Advice, Expected
from routing.sim.pacing.trial import Cell, Pooled
from routing.store.sql.campaign_counts import RecordCounts
from routing.store.sql.campaign_drops import DropRow, DropSums
from routing.store.sql.campaign_listing import RecordRow
from routing.store.sql.do_not_call import Mark

_COMMON = {"redis", "tenant", "config", "as_json"}
_SHAPES = {
    "status": (Status,),
    "agents": (AgentRow,),
    "queues": (QueueRow,),
    "calls": (CallRow,),
    "callback list": (CallbackRow,),
    "campaign list": (CampaignRow, DropsNow),
    "campaign why": (Why, WhyRow, RecordCounts),
    "campaign records": (RecordRow,),
    "campaign drops": (DropRow, DropSums),
    "do-not-call list": (Mark,),
    "explain": (Explanation, Moment, Trace, Candidate),
    "dry-run": (Answer, Trace, Candidate),
    "plan": (Plan, Change, FieldChange),
    "doctor": (Finding,),
    "import": (ImportFinding,),
    "replay": (ReplayResult,),
    "simulate": (Simulated, Compared, Estimate, Figures),
    "erlang": (StaffRow,),
    "pacing simulate": (Pooled, Cell),
    "pacing advise": (Advice, Expected),
}


def exit_codes() -> str:
    """A table."""
    rows = [f"| {int(code)} | {meaning} |" for code, meaning in MEANINGS.items()]
    return "\n".join(["| code | meaning |", "|---|---|", *rows])


def commands() -> str:
    """Usage, purpose and options of every command; those that every command has are left out."""
    return "\n".join(_commands(typer.main.get_command(app), "switchroom"))


def _commands(command: Any, path: str) -> Iterator[str]:
    for name, child in getattr(command, "commands", {}).items():
        if getattr(child, "commands", None):
            yield from _commands(child, f"{path} {name}")
        else:
            yield from _one(child, f"{path} {name}")


def _one(command: Any, path: str) -> Iterator[str]:
    own = [p for p in command.params if p.name not in _COMMON and p.name != "help"]
    arguments = [p for p in own if p.param_type_name == "argument"]
    options = [p for p in own if p.param_type_name == "option"]
    words = [str(p.metavar or p.name.upper()) for p in arguments]
    yield f"### `{' '.join([path, *words, *(['[OPTIONS]'] if options else [])])}`\n"
    yield f"{(command.help or '').strip()}\n"
    for option in options:
        required = " Required." if option.required else ""
        value = f" {option.metavar}" if option.metavar else ""
        yield f"- `{', '.join(option.opts)}{value}`: {option.help}{required}"
    if options:
        yield ""


def json_shapes() -> str:
    """Fields of what each command prints."""
    return "\n".join(line for name, classes in _SHAPES.items() for line in _shape(name, classes))


def _shape(name: str, classes: tuple[type, ...]) -> Iterator[str]:
    yield f"### `{name}`\n"
    for class_ in classes:
        yield f"**{class_.__name__}**: {' '.join((class_.__doc__ or '').split())}\n"
        for field in dataclasses.fields(class_):
            yield f"- `{field.name}`: `{str(field.type).replace('`', '')}`"
        yield ""
