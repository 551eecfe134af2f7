"""`pacing ...`: policies of dialing tried on simulated shifts, and advice on the mode (DIALER-12)."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from routing.cli.output import say, show_json
from routing.cli.session import Session, command
from routing.core.errors import ConfigError

if TYPE_CHECKING:
    from routing.sim.pacing.ledger import Outcome
    from routing.sim.pacing.trial import Cell, Plan, Pooled

    Shifts = Sequence[tuple[Cell, Sequence[Outcome]]]

pacing_app = typer.Typer(no_args_is_help=True, help="Pacing of campaigns: simulate policies, advise on the mode.")

_SIZES, _RATES, _SCENARIOS = (5, 20, 100), (0.15, 0.3, 0.5), ("stationary", "drift", "shock")
_POLICIES = ("one-per-agent", "predictive")
_MOST_AGENTS, _MOST_SEEDS = 2_000, 1_000

SizeOption = Annotated[list[int] | None, typer.Option("--agents", "-a", metavar="N", help="Repeat it. [5, 20, 100]")]
RateOption = Annotated[
    list[float] | None,
    typer.Option("--rate", metavar="R", help="Share of calls that a person answers, 0-1; repeat it. [.15, .3, .5]"),
]
ScenarioOption = Annotated[
    list[str] | None, typer.Option("--scenario", metavar="NAME", help="Repeat it. [stationary, drift, shock]")
]
PolicyOption = Annotated[
    list[str] | None, typer.Option("--policy", metavar="NAME", help="Repeat it. [one-per-agent, predictive]")
]
TargetOption = Annotated[
    list[float] | None,
    typer.Option("--target", metavar="SHARE", help="Abandoned calls of those answered, 0-1; repeat it. [0.03]"),
]
SeedsOption = Annotated[
    int, typer.Option("--seeds", "-n", metavar="N", min=1, max=_MOST_SEEDS, help="Shifts per cell.")
]
FirstSeedOption = Annotated[int, typer.Option("--seed", metavar="S", help="The first one.")]
HoursOption = Annotated[float, typer.Option("--hours", metavar="H", min=0.5, max=24, help="Length of a shift.")]
JobsOption = Annotated[int, typer.Option("--jobs", "-j", metavar="N", min=1, max=64, help="Processes that work.")]
MeasuredOption = Annotated[
    Path | None, typer.Option("--measured", metavar="FILE", help="A campaign's own figures, JSON; see docs/pacing.md.")
]
CsvOption = Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write the figures of each cell.")]
CurveOption = Annotated[
    Path | None, typer.Option("--curve", metavar="FILE", help="Draw utilization over abandonment, SVG.")
]
TimeLineOption = Annotated[
    Path | None,
    typer.Option("--time-line", metavar="FILE", help="Draw the shift of the first size, rate and scenario, SVG."),
]


class PacingRefused(ConfigError):
    code = "pacing-refused"
    template = "{reason}"


@command
def simulate_command(
    session: Session,
    agents: SizeOption = None,
    rate: RateOption = None,
    scenario: ScenarioOption = None,
    policy: PolicyOption = None,
    target: TargetOption = None,
    seeds: SeedsOption = 3,
    seed: FirstSeedOption = 1,
    hours: HoursOption = 4.0,
    jobs: JobsOption = 1,
    measured: MeasuredOption = None,
    csv_file: CsvOption = None,
    curve: CurveOption = None,
    time_line: TimeLineOption = None,
) -> None:
    """Try policies of dialing on campaign shifts that are simulated: utilization against abandonment.

    Every policy calls the same people; a cell is a policy, a scenario, a team size and an answer rate.
    """
    from routing.cli.pacing_tables import cell_table
    from routing.sim.pacing import trial
    from routing.sim.pacing.measured import read_measured
    from routing.sim.pacing.scene import Scene

    figures = read_measured(measured) if measured else None
    base = figures.scene() if figures else Scene(agents=1, answer_rate=0.3)
    plan = trial.Plan(
        policies=policy or _POLICIES,
        sizes=agents or _SIZES,
        rates=rate or ([figures.answer_rate] if figures else _RATES),
        scenarios=scenario or _SCENARIOS,
        targets=target or (0.03,),
        seeds=range(seed, seed + seeds),
        jobs=jobs,
        base=replace(base, shift_s=hours * 3600),
    )
    _check(plan)
    shifts = trial.run(plan)
    found = [trial.pooled(cell, outcomes) for cell, outcomes in shifts]
    _draw(shifts, found, curve, time_line)
    if csv_file:
        _write_csv(csv_file, found)
    if session.json:
        show_json(found)
    else:
        say(cell_table(found))


pacing_app.command("simulate")(simulate_command)


def _check(plan: Plan) -> None:
    """Raises PacingRefused for what no shift can be made of."""
    from routing.sim.pacing import scenes, trial

    for name in plan.policies:
        try:
            trial.policy(name)
        except (KeyError, ValueError):
            known = ", ".join((*trial.POLICIES, "fixed-ratio:2.5"))
            raise PacingRefused(reason=f"there is no policy {name}; there are {known}") from None
    if unknown := [name for name in plan.scenarios if name not in scenes.ALL]:
        raise PacingRefused(reason=f"there is no scenario {unknown[0]}; there are {', '.join(scenes.ALL)}")
    if not all(1 <= size <= _MOST_AGENTS for size in plan.sizes):
        raise PacingRefused(reason=f"a team has 1 to {_MOST_AGENTS} agents")
    if not all(0 < rate <= 1 for rate in plan.rates):
        raise PacingRefused(reason="an answer rate is more than 0 and at most 1")
    if not all(0 <= target < 1 for target in plan.targets):
        raise PacingRefused(reason="a target is a share, e.g. 0.03")


def _draw(shifts: Shifts, found: Sequence[Pooled], curve: Path | None, time_line: Path | None) -> None:
    from routing.sim.pacing import curves

    if curve:
        curve.write_text(curves.trade_off(found), encoding="utf-8")
    if time_line:
        first = shifts[0][0]
        alike = [pair for pair in shifts if replace(pair[0], policy=first.policy) == first]
        time_line.write_text(curves.time_line(alike), encoding="utf-8")


def _write_csv(path: Path, found: Sequence[Pooled]) -> None:
    """One line per cell."""
    rows = [flat(pooled) for pooled in found]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def flat(pooled: Pooled) -> dict[str, object]:
    """The cell's own fields beside its figures."""
    figures = asdict(pooled)
    cell: dict[str, object] = figures.pop("cell")
    return {**cell, **figures}


AgentsOption = Annotated[int, typer.Option("--agents", "-a", metavar="N", min=1, max=_MOST_AGENTS, help="The team.")]
AnswerRateOption = Annotated[
    float, typer.Option("--rate", metavar="R", help="Share of calls that a person answers, 0-1.")
]
AimOption = Annotated[
    float, typer.Option("--target", metavar="SHARE", min=0, max=0.5, help="Abandoned calls of those answered.")
]
TalkOption = Annotated[float, typer.Option("--talk", metavar="S", help="Mean, in seconds.")]
WrapUpOption = Annotated[float, typer.Option("--wrap-up", metavar="S", min=0, help="Mean, in seconds.")]
PreviewOption = Annotated[
    float, typer.Option("--preview", metavar="S", min=0, help="How long an agent would look at a record.")
]
ShiftsOption = Annotated[
    int, typer.Option("--seeds", "-n", metavar="N", min=0, max=_MOST_SEEDS, help="Shifts; 0: by the team's size.")
]


@command
def advise_command(
    session: Session,
    agents: AgentsOption,
    rate: AnswerRateOption = 0.0,
    target: AimOption = 0.03,
    talk: TalkOption = 110.0,
    wrap_up: WrapUpOption = 20.0,
    preview: PreviewOption = 20.0,
    measured: MeasuredOption = None,
    seeds: ShiftsOption = 0,
) -> None:
    """Which mode of dialing fits a campaign, and what to expect: the policies themselves in short simulated shifts.

    Give --rate and what else is known, or --measured.
    """
    from routing.cli.pacing_tables import advice_lines
    from routing.sim.pacing.adviser import Question, advise
    from routing.sim.pacing.measured import Measured, read_measured

    figures = read_measured(measured) if measured else Measured(answer_rate=rate, talk_s=talk, wrap_up_s=wrap_up)
    found = advise(Question(agents=agents, measured=figures, target=target, preview_s=preview, seeds=seeds))
    if session.json:
        show_json(found)
        return
    for line in advice_lines(found):
        say(line)


pacing_app.command("advise")(advise_command)
