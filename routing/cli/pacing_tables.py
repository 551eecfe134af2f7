"""What `pacing` found, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType

from routing.cli.output import PlainTable
from routing.sim.pacing.adviser import Advice
from routing.sim.pacing.trial import Pooled

_COLUMNS = (
    "scenario",
    "agents",
    "answer rate",
    "policy",
    "target",
    "utilization",
    "abandoned",
    "hung up",
    "shifts over",
    "calls/agent hour",
    "dialed/answer",
)


def cell_table(found: Sequence[Pooled]) -> RenderableType:
    """Cells of the same traffic stand together."""
    ordered = sorted(found, key=lambda pooled: (pooled.cell.scenario, pooled.cell.agents, pooled.cell.answer_rate))
    note = (
        f"{found[0].shifts} shifts each, ± standard deviation between shifts. abandoned: not connected in time, of all "
        "persons who answered; shifts over: ended over the target by more than 2 calls"
    )
    least = ("dialed/answer", "hung up", "calls/agent hour", "target")
    return PlainTable("Pacing", _COLUMNS, [_row(pooled) for pooled in ordered], least=least, note=note)


def _row(pooled: Pooled) -> tuple[str, ...]:
    cell = pooled.cell
    return (
        cell.scenario,
        str(cell.agents),
        f"{cell.answer_rate:.0%}",
        cell.policy,
        f"{cell.target:.1%}",
        f"{pooled.utilization:.1%} ± {100 * pooled.utilization_spread:.1f}",
        f"{pooled.abandonment:.2%}" + (" over" if pooled.abandonment > cell.target and pooled.abandonment else ""),
        f"{pooled.hung_up:.2%}",
        f"{pooled.shifts_over:.0%}",
        f"{pooled.per_agent_hour:.1f}",
        f"{pooled.dialed_per_person:.1f}",
    )


def advice_lines(advice: Advice) -> Iterator[RenderableType]:
    """The reasons, then a table of the modes."""
    yield from advice.reasons
    yield ""
    rows = [
        (
            found.mode.value + (" *" if found.mode is advice.mode else ""),
            f"{found.utilization:.1%}",
            f"{found.utilization_low:.1%} - {found.utilization_high:.1%}",
            f"{found.calls_per_agent_hour:.1f}",
            f"{found.abandonment:.2%}",
            f"{found.abandonment_high:.2%}",
            f"{found.dialed_per_connection:.1f}",
        )
        for found in advice.expected
    ]
    columns = ("mode", "utilization", "of shifts", "calls/agent hour", "abandoned", "worst shift", "dialed/connection")
    shifts = f"{advice.shifts} shifts of {advice.shift_hours:g} h"
    note = f"{shifts} with {advice.simulated_agents} agents, each from a cold start"
    yield PlainTable("What to expect", columns, rows, note=note)
