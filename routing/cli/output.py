"""Tables for people, JSON for programs. The only place that writes to the terminal."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import msgspec
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from routing.cli.exits import Exit

# Into a file or a pipe a table is as wide as it needs, up to this: nothing is cut for want of a terminal.
PIPE_COLUMNS = 240

console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_COLUMNS)
_errors = Console(stderr=True, highlight=False)


def now_ms() -> int:
    """This machine's clock."""
    return time.time_ns() // 1_000_000


def show_json(value: object) -> None:
    """One JSON document on standard output, indented."""
    text = msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2)
    sys.stdout.write(text.decode() + "\n")


def say(text: RenderableType = "") -> None:
    """A line, a table or anything rich can draw, on standard output."""
    console.print(text, soft_wrap=isinstance(text, str))


def complain(text: str) -> None:
    """A plain line on standard error."""
    _errors.print(escape(text), soft_wrap=True)


def fail(exit_code: Exit, code: str, detail: str, as_json: bool, **fields: object) -> NoReturn:
    """End the command: for programs `{"error": {"code", "detail", ...}}` on standard output."""
    if as_json:
        show_json({"error": {"code": code, "detail": detail, **fields}})
    else:
        complain(f"{code}: {detail}")
    raise typer.Exit(exit_code)


@dataclass(frozen=True, slots=True)
class PlainTable:
    """A table of plain text: nothing in a cell is taken for markup, and no cell is broken over lines.

    Where the terminal is too narrow, the columns of `least` are left out, in that order, until the others fit.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    least: Sequence[str] = ()
    note: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(self.title, style="bold")
        columns, drawn = self._fitting(console, options.max_width)
        if self.rows:
            yield drawn
        notes = [self.note, "" if self.rows else "none"]
        if hidden := [column for column in self.columns if column not in columns]:
            notes.append(f"a wider terminal also shows: {', '.join(hidden)}")
        for note in filter(None, notes):
            yield Text(note, style="dim")
        yield ""

    def _fitting(self, console: Console, width: int) -> tuple[list[str], Table]:
        columns, least = list(self.columns), list(self.least)
        wide = console.options.update(max_width=sys.maxsize)
        while True:
            drawn = self._drawn(columns)
            if not least or console.measure(drawn, options=wide).maximum <= width:
                return columns, drawn
            columns.remove(least.pop(0))

    def _drawn(self, columns: Sequence[str]) -> Table:
        drawn = Table(header_style="bold", box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
        for column in columns:
            drawn.add_column(column, no_wrap=True)
        places = [place for place, column in enumerate(self.columns) if column in columns]
        for row in self.rows:
            drawn.add_row(*(escape(cell(row[place])) for place in places))
        return drawn


def cell(value: object) -> str:
    """A value as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    if isinstance(value, tuple | list):
        return ", ".join(cell(item) for item in value)
    # Names of callers come from outside: no control character reaches the terminal.
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value))


def span(seconds: float) -> str:
    """`7 s`, `3:05`, `1:02:05`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def clock(at_ms: int) -> str:
    """Local time of day with milliseconds."""
    return time.strftime("%H:%M:%S", time.localtime(at_ms / 1000)) + f".{at_ms % 1000:03}"


@contextmanager
def watching(*, is_json: bool) -> Iterator[Callable[[Any], None]]:
    """Gives a function that shows the next picture in place of the last (for programs: one line of JSON each).

    Ctrl-C ends it without an error.
    """
    try:
        if is_json:
            yield _line
            return
        with Live(console=console, auto_refresh=False, screen=console.is_terminal) as live:
            yield lambda drawn: live.update(drawn, refresh=True)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return


def _line(value: object) -> None:
    sys.stdout.write(msgspec.json.encode(value, enc_hook=str).decode() + "\n")
    sys.stdout.flush()
