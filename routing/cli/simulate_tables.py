"""What `simulate` found, for people."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType

from routing.cli.output import PlainTable
from routing.sim.comparison import Compared, Estimate
from routing.sim.outcome import Simulated

_SHOWN = {
    "offered": "offered",
    "answered": "answered",
    "abandoned": "abandoned",
    "short_abandoned": "short abandons",
    "turned_away": "turned away",
    "let_go": "let go",
    "still_waiting": "still waiting",
    "service_level": "service level, %",
    "abandoned_share": "abandoned, %",
    "mean_wait_s": "mean wait, s",
    "p90_wait_s": "90 % waited up to, s",
    "longest_wait_s": "longest wait, s",
    "mean_handle_s": "mean handle time, s",
    "occupancy": "occupancy, %",
    "agent_hours": "agent hours",
}
_ONLY_IF_ANY = {"turned_away", "let_go", "still_waiting", "short_abandoned"}
_NOT_OF_TEAMS = {"offered", "abandoned", "service_level", "abandoned_share"}


def result_tables(result: Simulated) -> Iterator[RenderableType]:
    """One table for each scope."""
    is_compared = result.b is not None
    yield (
        f"{result.date} ({result.zone}), {result.calls} calls, {result.replications} replications, seed {result.seed}; "
        f"bands of {result.confidence:.0%}"
    )
    yield f"A: {result.a}" + (f"\nB: {result.b}" if is_compared else "") + "\n"
    columns = ("", "A", "B", "B - A", "") if is_compared else ("", "A")
    for scope in dict.fromkeys(found.scope for found in result.figures):
        figures = [found for found in result.figures if found.scope == scope]
        rows = [_row(found) for found in figures if _is_shown(found)]
        if any(side.mean for found in figures for side in (found.a, found.b) if side and found.measure == "offered"):
            yield PlainTable(scope, columns, [row[: len(columns)] for row in rows])


def _is_shown(found: Compared) -> bool:
    sides = [side.mean for side in (found.a, found.b) if side is not None]
    if all(mean is None for mean in sides):
        return False
    if found.measure in _NOT_OF_TEAMS and found.scope.startswith("team "):
        return False
    return found.measure not in _ONLY_IF_ANY or any(sides)


def _row(found: Compared) -> tuple[str, ...]:
    word = ("more" if (found.difference.mean or 0) > 0 else "less") if found.is_certain and found.difference else ""
    return (_SHOWN[found.measure], _shown(found.a), _shown(found.b), _shown(found.difference, "+"), word)


def _shown(value: Estimate | None, sign: str = "") -> str:
    if value is None or value.mean is None:
        return ""
    return f"{value.mean:{sign}.1f}" + (f" ± {value.band:.1f}" if value.band else "")
