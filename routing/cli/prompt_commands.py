"""`switchroom prompts`: speak texts into files, and see which are there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from routing.app.config import Loaded, load
from routing.app.speech import Fate, Rendered, render
from routing.cli.exits import Exit
from routing.cli.output import PlainTable, fail, say, show_json
from routing.cli.session import Session, command

prompts_app = typer.Typer(no_args_is_help=True, help="Prompt files: text-to-speech, and which are missing.")

ForceOption = Annotated[bool, typer.Option("--force", help="Also what has not changed.")]

_COLORS = {Fate.RENDERED: "green", Fate.KEPT: "dim", Fate.FAILED: "red"}


@prompts_app.command("render")
@command
def render_command(session: Session, force: ForceOption = False) -> None:
    """Speak the texts of prompts into files, by the program of `speech.command`; only what changed."""
    loaded = load(session.directory)
    spoken = [file for file in loaded.prompt_files if file.is_spoken]
    if spoken and not loaded.speech.command:
        detail = "no program is configured: give speech.command, or record the files"
        fail(Exit.REFUSED, "no-speech", detail, session.json)
    done = []
    for one in render(loaded.speech, spoken, is_forced=force):
        done.append(one)
        if not session.json and one.fate is not Fate.KEPT:
            _show(one)
    counts = {fate.value: sum(one.fate is fate for one in done) for fate in Fate}
    if session.json:
        show_json({"directory": loaded.speech.directory, **counts, "prompts": done})
    else:
        words = ", ".join(f"{count} {fate}" for fate, count in counts.items())
        say(f"{words} in {escape(loaded.speech.directory)}")
    if counts[Fate.FAILED.value]:
        raise typer.Exit(Exit.FOUND)


def _show(one: Rendered) -> None:
    detail = one.reason or f"{one.duration_ms / 1000:.1f} s"
    say(f"[{_COLORS[one.fate]}]{one.fate.value}[/] {escape(f'{one.prompt} ({one.language}): {detail}')}")


@prompts_app.command("list")
@command
def list_command(session: Session) -> None:
    """Show which prompt files there are, in each directory that this machine sees."""
    loaded = load(session.directory)
    directories = seen_directories(loaded)
    rows = [
        {
            "prompt": file.prompt,
            "language": file.language,
            "file": file.file,
            "source": "text" if file.is_spoken else "recorded",
            "missing_in": [str(directory) for directory in directories if not file.path(directory).is_file()],
        }
        for file in loaded.prompt_files
    ]
    missing = sum(bool(row["missing_in"]) for row in rows)
    if session.json:
        show_json({"directories": [str(directory) for directory in directories], "missing": missing, "prompts": rows})
    else:
        columns = ("prompt", "language", "file", "source", "missing in")
        note = (
            f"looked into {', '.join(map(str, directories))}" if directories else "no directory of prompts is seen here"
        )
        say(PlainTable("prompts", columns, [tuple(row.values()) for row in rows], note=note))
    if missing:
        raise typer.Exit(Exit.FOUND)


def seen_directories(loaded: Loaded) -> list[Path]:
    """The server's own, and those of PBXs that are on this machine or mounted; each once."""
    named = [loaded.speech.directory, *(pbx.prompts for pbx in loaded.config.pbxs.values())]
    return [directory for directory in map(Path, dict.fromkeys(filter(None, named))) if directory.is_dir()]
