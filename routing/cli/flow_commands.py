"""`switchroom flow`: check, draw and play flows, with no PBX and no server (FLOW-01)."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.markup import escape

from dialplan.flows.draw import FORMATS
from dialplan.flows.outcome import Outcome
from dialplan.flows.player import CannotPlay, play
from dialplan.flows.scenario import Answer, Script, mistakes
from dialplan.flows.stage import HANG_UP, Caller, ScriptedCaller
from dialplan.flows.transcript import Asked, Line
from routing.app.config import Loaded, Problem, Severity, check, load
from routing.app.config.problems import did_you_mean
from routing.cli.config_commands import counted, problem_row
from routing.cli.exits import Exit
from routing.cli.flow_scenarios import Scenario, read_scenarios
from routing.cli.output import cell, fail, now_ms, say, show_json
from routing.cli.session import Session, command
from routing.core.config import Config, EntryPoint
from routing.core.flow import Flow

_OWN = "@played"
_EXAMPLE = 'e.g. {"cad": {"tier": "gold"}}'
_SECTIONS = ("flows", "prompts", "hours")
_COLORS = {"says": "cyan", "key": "yellow", "end": "bold", "step": "dim"}

flow_app = typer.Typer(no_args_is_help=True, help="Check, draw and play flows; needs no PBX and no server.")

FilesArgument = Annotated[
    list[Path] | None, typer.Argument(metavar="[FILE]...", help="Look at these files alone, also outside of --config.")
]
FlowArgument = Annotated[str, typer.Argument(metavar="FLOW", help="Id of the flow.")]
FormatOption = Annotated[str, typer.Option("--format", help="mermaid, dot or text.")]
ScenarioOption = Annotated[
    list[Path] | None, typer.Option("--scenario", metavar="FILE", help="Play these scenarios; may be given again.")
]
OnlyOption = Annotated[str | None, typer.Option("--only", metavar="NAME", help="Only the scenario of that name.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Show the transcript of failed scenarios alone.")]


@flow_app.command("check")
@command
def check_command(session: Session, files: FilesArgument = None) -> None:
    """Report mistakes in flows, prompts and opening hours, with file and line."""
    chosen = {file.resolve() for file in files or ()}
    checked = check(session.directory, more_files=tuple(sorted(chosen)))
    found = [problem for problem in checked.problems if _is_wanted(problem, chosen)]
    errors = sum(problem.severity is Severity.ERROR for problem in found)
    if session.json:
        problems = [problem_row(problem) for problem in found]
        show_json({"errors": errors, "warnings": len(found) - errors, "problems": problems})
    else:
        for problem in found:
            say(escape(str(problem)))
        say(f"{counted(errors, 'error')}, {counted(len(found) - errors, 'warning')}")
    if errors:
        raise typer.Exit(Exit.FOUND)


def _is_wanted(problem: Problem, files: set[Path]) -> bool:
    if files:
        return problem.file.resolve() in files
    return problem.key.partition(".")[0] in _SECTIONS or not problem.key


@flow_app.command("draw")
@command
def draw_command(session: Session, flow: FlowArgument, format_: FormatOption = "mermaid") -> None:
    """Draw a flow: as Mermaid for documents, as Graphviz, or as text."""
    found = _flow(load(session.directory).config, flow, session)
    if format_ not in FORMATS:
        fail(Exit.USAGE, "format-unknown", f"{format_!r} is none of {', '.join(FORMATS)}", session.json)
    drawn = FORMATS[format_](found)
    if session.json:
        show_json({"flow": flow, "format": format_, "text": drawn})
    else:
        sys.stdout.write(drawn)


@flow_app.command("test")
@command
def play_command(
    session: Session,
    flow: FlowArgument,
    scenario: ScenarioOption = None,
    only: OnlyOption = None,
    quiet: QuietOption = False,
) -> None:
    """Play a flow in the terminal: by scenarios that are checked, or with you as the caller."""
    loaded = load(session.directory)
    _flow(loaded.config, flow, session)
    if not scenario:
        _converse(session, loaded, flow)
        return
    scenarios = [one for file in scenario for one in read_scenarios(file) if only in (None, one.name)]
    if not scenarios:
        fail(Exit.USAGE, "scenario-unknown", f"no scenario is called {only!r}", session.json)
    results = [_Played(session, loaded, flow, one, quiet).show() for one in scenarios]
    failed = sum(bool(wrong) for _name, _outcome, wrong in results)
    if session.json:
        rows = [{"scenario": name, "mistakes": wrong, "outcome": outcome} for name, outcome, wrong in results]
        show_json({"played": len(results), "failed": failed, "scenarios": rows})
    else:
        say(f"{len(results)} played, {failed} failed")
    if failed:
        raise typer.Exit(Exit.FOUND)


def _flow(config: Config, flow_id: str, session: Session) -> Flow:
    if flow_id not in config.flows:
        hint = did_you_mean(flow_id, config.flows)
        fail(Exit.USAGE, "flow-unknown", f"there is no flow {flow_id!r}{hint}", session.json, flow=flow_id)
    return config.flows[flow_id]


class _Played:
    """One scenario: its transcript, and what was not as expected."""

    def __init__(self, session: Session, loaded: Loaded, flow: str, scenario: Scenario, quiet: bool) -> None:
        self._session, self._loaded, self._scenario, self._quiet = session, loaded, scenario, quiet
        self._config, self._entry_point = with_entry_point(loaded.config, flow, scenario.table.entry_point)
        self._lines: list[Line] = []

    def show(self) -> tuple[str, Outcome, list[str]]:
        """(its name, what came of it, its mistakes)."""
        table = self._scenario.table
        answers = {name: answer.value() for name, answer in table.look_ups.items()}
        caller = ScriptedCaller(keys={name: tuple(keys) for name, keys in table.keys.items()}, answers=answers)
        script = table.script(self._config, self._entry_point, now_ms())
        try:
            outcome = play(self._config, texts_of(self._loaded), script, caller, self._lines.append)
        except CannotPlay as error:
            outcome, wrong = Outcome(), [str(error)]
        else:
            wrong = [*mistakes(table.expect.value(), outcome), *map(_left_over, caller.unused())]
        if not self._session.json:
            self._print(wrong)
        return self._scenario.name, outcome, wrong

    def _print(self, wrong: list[str]) -> None:
        sign = "[red]failed[/]" if wrong else "[green]passed[/]"
        if wrong or not self._quiet:
            say(f"[bold]{escape(self._scenario.name)}[/]")
            for line in self._lines:
                show_line(line, self._config.time_zone)
        for reason in wrong:
            say(f"  [red]{escape(f'{self._scenario.file}:{self._scenario.line}: {reason}')}[/]")
        say(f"{sign} {escape(self._scenario.name)}")


def _left_over(place: str) -> str:
    return f"keys.{place}: not all were pressed, he did not come there as often"


def with_entry_point(config: Config, flow: str, entry_point: str | None) -> tuple[Config, str]:
    """The configuration with a way into that flow: the named entry point, else one that has it, else a new one."""
    if entry_point is not None:
        return config, entry_point
    known = next((point.id for point in config.entry_points.values() if point.flow == flow), None)
    if known is not None:
        return config, known
    own = EntryPoint(id=_OWN, queue="", flow=flow)
    return replace(config, entry_points=config.entry_points | {_OWN: own}), _OWN


def texts_of(loaded: Loaded) -> dict[tuple[str, str], str]:
    return {(file.prompt, file.language): file.text for file in loaded.prompt_files}


def show_line(line: Line, time_zone: str) -> None:
    """One line of a transcript, by the tenant's clock."""
    at = datetime.fromtimestamp(line.at_ms / 1000, ZoneInfo(time_zone))
    color = _COLORS.get(line.kind)
    text = escape(cell(line.text))
    say(f"  {at:%a %H:%M:%S}  " + (f"[{color}]{text}[/]" if color else text))


# ---------------------------------------------------------------------- you are the caller


class _You:
    """Asks the terminal. Its end of file hangs up."""

    def press(self, asked: Asked) -> str:
        pressed = _typed(f"keys at {asked.names[0]} (Enter: none, h: hang up)")
        while pressed is not None and pressed not in {"", "h"} and set(pressed) - set("0123456789*#"):
            pressed = _typed("digits, * and # alone")
        return HANG_UP if pressed in {None, "h"} else pressed or ""

    def answer(self, asked: Asked) -> Answer:
        while True:
            text = _typed(
                f'answer of look-up {asked.names[0]}, e.g. {{"cad": {{"tier": "gold"}}}} (Enter: none in time)'
            )
            if not text:
                return Answer(late=True)
            try:
                return msgspec.json.decode(text, type=Answer)
            except msgspec.MsgspecError as error:
                say(f"  {escape(str(error))}")


def _typed(prompt: str) -> str | None:
    say(f"[yellow]? {escape(prompt)}[/]")
    line = sys.stdin.readline()
    return line.strip() if line else None


def _converse(session: Session, loaded: Loaded, flow: str) -> None:
    """Everybody who has this flow's queues is available, so that it can be heard to its end."""
    config, entry_point = with_entry_point(loaded.config, flow, None)
    script = Script(entry_point=entry_point, at_ms=now_ms(), available=tuple(config.agents))
    caller: Caller = _You()
    try:
        play(config, texts_of(loaded), script, caller, lambda line: show_line(line, config.time_zone))
    except CannotPlay as error:
        fail(Exit.FOUND, "cannot-play", str(error), session.json)
