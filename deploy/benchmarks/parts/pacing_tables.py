"""What the shifts of one policy with one team size come to, and tables of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from deploy.benchmarks.report import Figure
from routing.sim.pacing.jump import after_jump
from routing.sim.pacing.ledger import Outcome
from routing.sim.pacing.trial import Cell, pooled

Shifts = Sequence[tuple[Cell, Sequence[Outcome]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Shares are 0-1. `abandonment` by cell, "scenario rate" -> share; `first`, `settles_min` as of `AfterJump`, over
    all answer rates; None where no cell has the jump.
    """

    policy: str
    agents: int
    shifts: int
    utilization: float
    utilization_by_cell: dict[str, float]
    abandonment: dict[str, float]
    hung_up: float
    shifts_over: float
    worst_over: float
    per_agent_hour: float
    first: float | None = None
    settles_min: float | None = None

    def figures(self) -> list[Figure]:
        who = f"{self.policy}, {self.agents} agents"
        found = [
            Figure(what=f"{who}: utilization", value=100 * self.utilization, unit="%", samples=self.shifts),
            Figure(what=f"{who}: abandoned, worst cell", value=100 * max(self.abandonment.values()), unit="%"),
            Figure(what=f"{who}: shifts over by more than 2 calls", value=100 * self.shifts_over, unit="%"),
        ]
        if self.first is not None:
            found.append(Figure(what=f"{who}: abandoned after the jump", value=100 * self.first, unit="%"))
        if self.settles_min is not None and math.isfinite(self.settles_min):
            found.append(Figure(what=f"{who}: settles after", value=self.settles_min, unit="min"))
        return found


def summed_up(policy: str, agents: int, shifts: Shifts) -> Column:
    """All cells of one policy and one size."""
    cells = {f"{cell.scenario} {cell.answer_rate:.0%}": pooled(cell, outcomes) for cell, outcomes in shifts}
    jumps = [outcome for cell, outcomes in shifts if cell.scenario == "shock" for outcome in outcomes]
    jump = after_jump(jumps) if jumps else None
    return Column(
        policy=policy,
        agents=agents,
        shifts=sum(cell.shifts for cell in cells.values()),
        utilization=fmean(cell.utilization for cell in cells.values()),
        utilization_by_cell={name: cell.utilization for name, cell in cells.items()},
        abandonment={name: cell.abandonment for name, cell in cells.items()},
        hung_up=fmean(cell.hung_up for cell in cells.values()),
        shifts_over=fmean(cell.shifts_over for cell in cells.values()),
        worst_over=max(cell.worst_over for cell in cells.values()),
        per_agent_hour=fmean(cell.per_agent_hour for cell in cells.values()),
        first=jump.first if jump else None,
        settles_min=jump.settles_min if jump else None,
    )


def markdown(columns: Sequence[Column]) -> str:
    """A table for each measure, policies by sizes; then abandonment cell by cell."""
    measures: dict[str, Callable[[Column], str]] = {
        "utilization, %": lambda column: f"{100 * column.utilization:.1f}",
        "abandoned in the worst cell, %": lambda column: f"{100 * max(column.abandonment.values()):.2f}",
        "cells over the cap": lambda column: f"{_over(column)} of {len(column.abandonment)}",
        "shifts over the cap by more than 2 calls, %": lambda column: f"{100 * column.shifts_over:.1f}",
        "hung up while waiting, mean, %": lambda column: f"{100 * column.hung_up:.2f}",
        "abandoned in the first 5 minutes after the jump, %": lambda column: _percent(column.first),
        "minutes until 5 minutes have at most 4.5 %": lambda column: _minutes(column.settles_min),
    }
    parts = [_table(title, columns, shown) for title, shown in measures.items()]
    names = list(dict.fromkeys(name for column in columns for name in column.abandonment))
    for policy in dict.fromkeys(column.policy for column in columns):
        own = [column for column in columns if column.policy == policy]
        rows = [
            [name, *(f"{100 * c.utilization_by_cell[name]:.1f} / {100 * c.abandonment[name]:.2f}" for c in own)]
            for name in names
        ]
        parts.append(_rows(f"{policy}: utilization / abandoned, %", [str(c.agents) for c in own], rows))
    return "\n".join(parts)


def _over(column: Column) -> int:
    return sum(share > 0.03 for share in column.abandonment.values())


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def _minutes(minutes: float | None) -> str:
    return "" if minutes is None else "never" if math.isinf(minutes) else f"{minutes:.0f}"


def _table(title: str, columns: Sequence[Column], shown: Callable[[Column], str]) -> str:
    sizes = sorted({column.agents for column in columns})
    cells = {(column.policy, column.agents): shown(column) for column in columns}
    policies = dict.fromkeys(column.policy for column in columns)
    rows = [[policy, *(cells.get((policy, size), "") for size in sizes)] for policy in policies]
    return _rows(title, [f"{size} agents" for size in sizes], rows)


def _rows(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {title} | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows), ""])
