"""`doctor`: what is wrong, and how to mend it (OPS-01)."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import typer
from rich.markup import escape

from routing.app.doctor import Finding, Level, examine
from routing.cli.db_commands import DatabaseOption
from routing.cli.exits import Exit
from routing.cli.output import cell, say, show_json
from routing.cli.session import Session, command

_SIGNS = {Level.OK: "[green]ok     [/]", Level.WARNING: "[yellow]warning[/]", Level.ERROR: "[red]error  [/]"}


@command
def doctor_command(session: Session, database: DatabaseOption = None) -> None:
    """Examine Redis, the server's processes, the database and every PBX. Exit code 1 when something is wrong."""
    server = replace(session.server, database_url=database or session.server.database_url)
    found = asyncio.run(examine(session.directory, server))
    counts = {level.value: sum(finding.level is level for finding in found) for level in Level}
    if session.json:
        show_json({"findings": found, "counts": counts})
    else:
        for finding in found:
            _say(finding)
        say(", ".join(f"{count} {level}{_plural(level, count)}" for level, count in counts.items()))
    if counts[Level.ERROR.value]:
        raise typer.Exit(Exit.FOUND)


def _plural(level: str, count: int) -> str:
    return "" if level == Level.OK.value or count == 1 else "s"


def _say(finding: Finding) -> None:
    say(f"{_SIGNS[finding.level]} {escape(finding.subject)} {finding.check}: {escape(cell(finding.detail))}")
    if finding.mend:
        say(f"        -> {escape(finding.mend)}")
