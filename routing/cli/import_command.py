"""`import callcenter`, `import queues`: from another queue system's files to ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from routing.app.config import Problem, Severity, check
from routing.app.importing import Fate, Imported, ImportRefused, read_callcenter, read_queues, write_directory
from routing.app.importing.writing import REPORT, report
from routing.cli.config_commands import problem_row
from routing.cli.exits import Exit
from routing.cli.output import fail, say, show_json
from routing.cli.session import Session, command

import_app = typer.Typer(no_args_is_help=True, help="Take over the queues of mod_callcenter or app_queue.")

DirectoryOption = Annotated[
    Path, typer.Option("--directory", "-d", metavar="DIR", help="New directory for the files; nothing is overwritten.")
]
CallcenterArgument = Annotated[Path, typer.Argument(metavar="callcenter.conf.xml", help="mod_callcenter's file.")]
QueuesArgument = Annotated[Path, typer.Argument(metavar="queues.conf", help="app_queue's file.")]
DatabaseOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="callcenter.db: agents and tiers that were added by commands. Only read."),
]
VarsOption = Annotated[
    Path | None, typer.Option("--vars", metavar="FILE", help="vars.xml; found by itself two folders up.")
]
AgentsOption = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="agents.conf, or extensions.conf with hints; may be given several times."),
]


@import_app.command("callcenter")
@command
def callcenter_command(
    session: Session,
    file: CallcenterArgument,
    directory: DirectoryOption = Path("imported"),
    database: DatabaseOption = None,
    variables: VarsOption = None,
) -> None:
    """Write mod_callcenter's queues, agents and tiers as configuration files; report every key that is not the same."""
    _import(session, directory, lambda: read_callcenter(file, database, variables))


@import_app.command("queues")
@command
def queues_command(
    session: Session,
    file: QueuesArgument,
    directory: DirectoryOption = Path("imported"),
    agents: AgentsOption = None,
) -> None:
    """Write app_queue's queues and members as configuration files; report every key that is not the same."""
    _import(session, directory, lambda: read_queues(file, agents or ()))


def _import(session: Session, directory: Path, read: Callable[[], Imported]) -> None:
    try:
        imported = read()
        files = write_directory(imported, directory)
    except ImportRefused as error:
        fail(Exit.FOUND, error.code, str(error), session.json, file=error.fields["file"], line=error.fields["line"])
    problems = check(directory).problems
    if session.json:
        _show_json(imported, directory, files, problems)
    else:
        _show(imported, directory, problems)
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise typer.Exit(Exit.FOUND)


def _show_json(imported: Imported, directory: Path, files: list[Path], problems: Sequence[Problem]) -> None:
    counts = Counter(finding.fate for finding in imported.findings)
    show_json(
        {
            "directory": str(directory),
            "files": [file.name for file in files],
            "counts": {fate.value: counts[fate] for fate in Fate},
            "findings": imported.findings,
            "problems": [problem_row(problem) for problem in problems],
        }
    )


def _show(imported: Imported, directory: Path, problems: Sequence[Problem]) -> None:
    say(escape(report(imported.findings)))
    for problem in problems:
        say(escape(str(problem)))
    say(f"queues: {len(imported.queues)}, agents: {len(imported.agents)}, in {escape(str(directory))}")
    say(f"all of the above is in {REPORT}.txt there; switchroom check {escape(str(directory))} examines the files")
