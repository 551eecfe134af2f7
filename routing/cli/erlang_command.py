"""`erlang`: how many agents a queue needs, by formula; `simulate` says it more truly where there are skills."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import typer

from routing.cli.output import PlainTable, say, show_json, span
from routing.cli.session import Session, command
from routing.core import erlang
from routing.core.errors import ConfigError

_SHOWN_AROUND = 2
_MOST_ERLANGS = 10_000

CallsOption = Annotated[float, typer.Option("--calls", metavar="N", help="Calls in an hour.")]
HandleOption = Annotated[float, typer.Option("--handle", metavar="S", help="Mean handle time: talk, hold, wrap-up.")]
WithinOption = Annotated[float, typer.Option("--within", metavar="S", min=0, help="Answered within so many seconds.")]
ShareOption = Annotated[float, typer.Option("--percent", metavar="P", help="So many percent of all calls.")]
PatienceOption = Annotated[
    float, typer.Option("--patience", metavar="S", min=0, help="Mean patience of callers; 0: nobody gives up.")
]


class StaffingRefused(ConfigError):
    code = "staffing-refused"
    template = "{reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRow:
    """What so many agents give, in the long run. Shares are percentages. `is_enough`: the aim is reached."""

    agents: int
    service_level: float
    mean_wait_s: float
    delayed: float
    abandoned: float
    occupancy: float
    is_enough: bool


@command
def erlang_command(
    session: Session,
    calls: CallsOption,
    handle: HandleOption,
    within: WithinOption = 20,
    percent: ShareOption = 80,
    patience: PatienceOption = 0,
) -> None:
    """How many agents a queue needs by Erlang C, or with --patience by Erlang A: all alike, calls at random."""
    load = calls / 3600 * handle
    if not 0 < load <= _MOST_ERLANGS or not 0 < percent < 100:
        raise StaffingRefused(reason="calls and handle time are more than 0, the percentage between 0 and 100")
    rows = staffing(load, handle, within, percent / 100, patience or math.inf)
    if session.json:
        show_json(rows)
        return
    shown = [
        (
            row.agents,
            f"{row.service_level:.1f} %",
            span(row.mean_wait_s),
            f"{row.delayed:.1f} %",
            f"{row.abandoned:.1f} %",
            f"{row.occupancy:.1f} %",
            "" if row.is_enough else "too few",
        )
        for row in rows
    ]
    columns = ("agents", f"within {within:g} s", "mean wait", "have to wait", "give up", "occupancy", "")
    say(PlainTable(f"{load:.1f} erlangs, {percent:g} % within {within:g} s", columns, shown))


def staffing(load: float, handle_s: float, within_s: float, share: float, patience_s: float) -> list[StaffRow]:
    """The fewest agents that are enough, and some more and less."""
    needed = erlang.agents_needed(load, handle_s, within_s, share, patience=patience_s)
    fewest = 1 if patience_s < math.inf else math.floor(load) + 1
    around = range(max(fewest, needed - _SHOWN_AROUND), needed + _SHOWN_AROUND + 1)
    return [
        _row(agents, erlang.impatient(agents, load, handle_s, within_s, patience=patience_s), share)
        for agents in around
    ]


def _row(agents: int, found: erlang.Queueing, share: float) -> StaffRow:
    return StaffRow(
        agents=agents,
        service_level=100 * found.within,
        mean_wait_s=found.mean_wait,
        delayed=100 * found.delayed,
        abandoned=100 * found.abandoned,
        occupancy=100 * found.occupancy,
        is_enough=found.within >= share,
    )
