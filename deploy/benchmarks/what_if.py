"""How long a day of 20,000 calls takes to be replayed through the real core, by one process.

A working day of ten hours, two queues with wrap-up, impatient callers, and as many agents as keep most of them from
giving up. Measured are one replication (what is drawn, the replay, the figures), what reading the day's file takes,
and the steps of the core that a call is.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from time import perf_counter, process_time

from deploy.benchmarks.report import Figure, run
from routing.core.config import AgentConfig, Config, EntryPoint, Pbx, Profile, Queue, WrapUp
from routing.sim.day import HOUR_MS, Day, Span
from routing.sim.day_file import read_day, write_day
from routing.sim.figures import figures_of
from routing.sim.generate import Demand, make_day
from routing.sim.laws import Exponential, LogNormal
from routing.sim.ledger import Ledger
from routing.sim.replay import Replay
from routing.sim.site import site_for
from routing.sim.workload import DayLaws, draw

QUEUES = ("sales", "support")
FIRST_HOUR, HOURS = 8, 10
TALK_MS, WRAP_UP_MS = 180_000, 20_000


def center(agents: int) -> Config:
    members = {
        f"agt_{n:03}": AgentConfig(
            id=f"agt_{n:03}",
            name=f"Agent {n}",
            team=f"team{n % 4}",
            pbx="pbx1",
            phone=f"SIM/{n:03}",
            queues=tuple((queue, 1 + (n + place) % 2) for place, queue in enumerate(QUEUES)),
        )
        for n in range(agents)
    }
    return Config(
        tenant="bench",
        pbxs={"pbx1": Pbx(id="pbx1", kind="simulated")},
        queues={q: Queue(id=q, label=q, wrap_up=WrapUp(timeout_s=60, default_reason="done")) for q in QUEUES},
        entry_points={q: EntryPoint(id=q, queue=q) for q in QUEUES},
        profiles={"default": Profile(id="default")},
        agents=members,
        wrap_up_reasons=("done",),
    )


def working_day(calls: int, rules: Config) -> Day:
    demands = [
        Demand(
            queue=queue,
            hourly=[0.0] * FIRST_HOUR + [calls / len(QUEUES) / HOURS] * HOURS,
            patience=Exponential(mean_ms=240_000),
            talk=LogNormal(mean_ms=TALK_MS, deviation_ms=150_000),
            wrap_up=Exponential(mean_ms=WRAP_UP_MS),
        )
        for queue in QUEUES
    ]
    shift = [Span(from_ms=FIRST_HOUR * HOUR_MS, until_ms=(FIRST_HOUR + HOURS) * HOUR_MS)]
    return make_day(demands, dict.fromkeys(rules.agents, shift))


def measure(arguments: argparse.Namespace) -> list[Figure]:
    calls = arguments.calls
    agents = round(calls / HOURS / HOUR_MS * (TALK_MS + WRAP_UP_MS + 3_000) * 1.03) + 2
    rules = center(agents)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "day.jsonl"
        write_day(working_day(calls, rules), path)
        began = perf_counter()
        day = read_day(path)
        read_s = perf_counter() - began
    wall, cpu = perf_counter(), process_time()
    laws, ledger = DayLaws(day), Ledger(day.starts_at_ms, day.starts_at_ms + day.length_ms)
    replay = Replay(day, site_for(day, rules), laws, [ledger])
    replay.run(draw(day, laws, 1, 0))
    ledger.close()
    found = figures_of(day, rules, ledger, replay.now_ms)["in all"]
    wall, cpu = perf_counter() - wall, process_time() - cpu
    return [
        Figure(what=f"one replication, {len(day.calls)} calls, {agents} agents", value=wall, unit="s", aim="seconds"),
        Figure(what="of it, time of the processor", value=cpu, unit="s"),
        Figure(what="per step of the core", value=cpu / replay.steps * 1e6, unit="us", samples=replay.steps),
        Figure(what="steps per call", value=replay.steps / len(day.calls), unit=""),
        Figure(what="reading the file", value=read_s, unit="s"),
        Figure(what="callers who gave up", value=found.abandoned_share or 0.0, unit="%"),
        Figure(what="occupancy", value=found.occupancy or 0.0, unit="%"),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="deploy/bench what_if", description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000)
    run("what_if", measure, parser)
