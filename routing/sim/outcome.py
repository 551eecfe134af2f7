"""A whole simulation, as the command line prints it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from routing.core.config import Config
from routing.sim.comparison import CONFIDENCE, Compared, Plan, compare
from routing.sim.day import Day
from routing.sim.site import site_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """`a`, `b`: names of the configurations, `b` None where one alone was tried. `calls`: those that count.

    `warnings`: what of the day does not fit a configuration.
    """

    date: str
    zone: str
    calls: int
    replications: int
    seed: int
    confidence: float
    a: str
    b: str | None
    figures: tuple[Compared, ...]
    warnings: tuple[str, ...]


def simulate(day: Day, named: Sequence[tuple[str, Config]], plan: Plan) -> Simulated:
    """`named`: one or two configurations with their names."""
    names = [name for name, _ in named]
    sides = ["A", "B"] if len(named) > 1 else [""]
    warnings = [
        f"{side}: {warning}" if side else warning
        for side, (_, config) in zip(sides, named, strict=True)
        for warning in site_for(day, config, plan.alike).warnings
    ]
    return Simulated(
        date=day.date,
        zone=day.zone,
        calls=sum(day.is_counted(call.at_ms) for call in day.calls),
        replications=plan.replications,
        seed=plan.seed,
        confidence=CONFIDENCE,
        a=names[0],
        b=names[1] if len(names) > 1 else None,
        figures=tuple(compare(day, [config for _, config in named], plan)),
        warnings=tuple(warnings),
    )
