"""The two pictures of a trial: what abandonment buys, and how a shift goes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from routing.sim.pacing import scenes
from routing.sim.pacing.chart import Panel, Series, draw
from routing.sim.pacing.ledger import Outcome
from routing.sim.pacing.trial import Cell, Pooled

_SPAN_MIN = 5
_SHOCKS = (
    (scenes.JUMP_S / 60, f"answer rate x{scenes.JUMP}"),
    (scenes.AWAY.from_s / 60, "agents go"),
    (scenes.AWAY.until_s / 60, "come"),
    (scenes.FALL_S / 60, f"answer rate x{scenes.FALL}"),
)


def trade_off(found: Sequence[Pooled]) -> str:
    """A point for each cell; those of one policy that differ in its target or ratio alone are joined."""

    def family(pooled: Pooled) -> str:
        cell = pooled.cell
        return f"{cell.policy.partition(':')[0]}, {cell.agents} agents, {cell.answer_rate:.0%}, {cell.scenario}"

    ordered = sorted(found, key=lambda pooled: (family(pooled), pooled.abandonment))
    series = [
        Series(name, [(100 * point.abandonment, 100 * point.utilization) for point in points], has_dots=True)
        for name, points in groupby(ordered, family)
    ]
    return draw([Panel("utilization, %", "abandoned, %", series)])


def time_line(shifts: Sequence[tuple[Cell, Sequence[Outcome]]]) -> str:
    """Cells of one scenario by five minutes: abandonment, utilization, calls in flight per agent."""
    if not shifts:
        raise ValueError("nothing to draw")
    last = len(shifts[0][1][0].people)
    marks = [mark for mark in _SHOCKS if mark[0] < last and shifts[0][0].scenario == "shock"]
    panels = (
        ("abandoned in five minutes, %", _abandoned, shifts[0][0].target * 100),
        ("utilization, %", _utilization, None),
        ("calls in flight per agent logged in", _inflight, None),
    )
    drawn = []
    for title, figure, level in panels:
        series = [
            Series(_name(cell), [(start, figure(outcomes, start)) for start in range(0, last, _SPAN_MIN)])
            for cell, outcomes in shifts
        ]
        drawn.append(Panel(title, "minutes", series, level, marks))
    return draw(drawn)


def _name(cell: Cell) -> str:
    return f"{cell.policy}, {cell.agents} agents, answer rate {cell.answer_rate:.0%}"


def _abandoned(outcomes: Sequence[Outcome], start: int) -> float:
    return 100 * _total(outcomes, "late", start) / max(1.0, _total(outcomes, "people", start))


def _utilization(outcomes: Sequence[Outcome], start: int) -> float:
    return 100 * _total(outcomes, "busy_s", start) / max(1.0, _total(outcomes, "logged_s", start))


def _inflight(outcomes: Sequence[Outcome], start: int) -> float:
    return 60 * _total(outcomes, "inflight", start) / max(1.0, _total(outcomes, "logged_s", start))


def _total(outcomes: Sequence[Outcome], name: str, start: int) -> float:
    return float(sum(sum(getattr(outcome, name)[start : start + _SPAN_MIN]) for outcome in outcomes))
