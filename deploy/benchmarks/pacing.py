"""How well the default policy dials, beside others, on simulated four-hour shifts of campaigns.

By team size: utilization (mean over three answer rates times three scenarios), the worst cell's abandonment, shifts
that ended over the cap by more than two calls, and what happens when the answer rate jumps by 1.8. And what a step
costs. docs/pacing.md says how all that is measured.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from deploy.benchmarks.parts.pacing_tables import Column, markdown, summed_up
from deploy.benchmarks.report import Figure, percentile, run
from routing.sim.pacing import trial
from routing.sim.pacing.scene import Scene
from routing.sim.pacing.scenes import RATES, SCENARIOS, SIZES, STRESSES, scene
from routing.sim.pacing.shift import run_shift

COMPARED = ("one-per-agent", "fixed-ratio", "adaptive", "normal", trial.PREDICTIVE, "informed", "clairvoyant")
SEEDS = {5: 16, 10: 12, 20: 8, 50: 4, 100: 3, 300: 2}  # shifts per cell: small teams vary more
QUICK_POLICIES = ("one-per-agent", "fixed-ratio", "adaptive", trial.PREDICTIVE, "clairvoyant")
QUICK_SIZES, QUICK_RATES, QUICK_SEEDS = (5, 20), (0.3,), 1
STEP_SHIFT_S = 1_800.0


def columns(arguments: argparse.Namespace) -> list[Column]:
    """Every policy with every size."""
    scenarios = tuple(STRESSES) if arguments.stresses else tuple(SCENARIOS)
    found = []
    for name in arguments.policy or (QUICK_POLICIES if arguments.quick else COMPARED):
        for agents in arguments.size or (QUICK_SIZES if arguments.quick else SIZES):
            seeds = arguments.seeds or (QUICK_SEEDS if arguments.quick else SEEDS.get(agents, 2))
            plan = trial.Plan(
                policies=[name],
                sizes=[agents],
                rates=QUICK_RATES if arguments.quick else RATES,
                scenarios=scenarios,
                seeds=range(arguments.seed, arguments.seed + seeds),
                jobs=arguments.jobs,
                base=Scene(agents=1, answer_rate=0.3),
            )
            found.append(summed_up(name, agents, trial.run(plan)))
            sys.stderr.write(f"{name}, {agents} agents: {found[-1].utilization:.1%}\n")
    return found


def step_figures(sizes: Sequence[int]) -> list[Figure]:
    """Time of `step` in this Python, with the answer rate at which most calls are in flight."""
    figures = []
    for agents in sizes:
        hard = scene("stationary", agents, min(RATES), 1, STEP_SHIFT_S)
        taken_s = run_shift(hard, trial.policy(trial.PREDICTIVE), is_timed=True).step_s
        for share in (0.5, 0.99):
            value, what = 1000 * percentile(taken_s, share), f"step, {agents} agents, p{100 * share:.0f}"
            aim = "under 20 ms" if share > 0.5 else ""
            figures.append(Figure(what=what, value=value, unit="ms", aim=aim, samples=len(taken_s)))
    return figures


def measure(arguments: argparse.Namespace) -> list[Figure]:
    found = [] if arguments.steps_only else columns(arguments)
    for earlier in arguments.add or ():
        found += [Column(**column) for column in json.loads(earlier.read_text(encoding="utf-8"))]
    if arguments.columns:
        arguments.columns.write_text(json.dumps([asdict(column) for column in found], indent=1), encoding="utf-8")
    if arguments.markdown:
        arguments.markdown.write_text(markdown(found), encoding="utf-8")
    figures = [figure for column in found for figure in column.figures()]
    if arguments.no_steps:
        return figures
    return figures + step_figures(arguments.size or (QUICK_SIZES if arguments.quick else SIZES))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="deploy/bench pacing", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two sizes, one answer rate, one shift each")
    parser.add_argument("--policy", action="append", metavar="NAME", help="repeat it; default: all")
    parser.add_argument("--size", action="append", type=int, metavar="N", help="agents; repeat it")
    parser.add_argument("--seeds", type=int, metavar="N", help="shifts for each cell")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the first one")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes")
    parser.add_argument("--stresses", action="store_true", help="the stresses instead of the three scenarios")
    parser.add_argument("--no-steps", action="store_true", help="do not take the time of steps")
    parser.add_argument("--steps-only", action="store_true", help="take the time of steps only")
    parser.add_argument("--columns", type=Path, metavar="FILE", help="write what was found, to be added later")
    parser.add_argument("--add", action="append", type=Path, metavar="FILE", help="of --columns, an earlier run")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write tables")
    run("pacing", measure, parser)
