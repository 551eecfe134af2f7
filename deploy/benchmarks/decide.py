"""What one decision costs, from 100 to 100,000 agents.

The same 200 skill profiles, 12 queues and 36 requirements are configured at every size. Two situations:

- agent becomes free: everybody is busy, N calls wait, one agent of N becomes free.
- call arrives: N agents are free, N calls wait which nobody may take, one more call arrives.

Measured is all that the pool does for one match: enter the new one, decide with trace, take both out, and learn that
there is nothing more to match. What is put back for the next sample is not measured. The sizes take turns in short
rounds, so that a slow moment of the machine hits all of them. The garbage collector runs as it does by default.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from itertools import count
from statistics import median
from time import perf_counter_ns

from deploy.benchmarks.report import Figure, percentile, run
from routing.core.config import AgentConfig, Config, Queue, Strategy
from routing.core.declarations import Requirement
from routing.core.matching import Pool
from routing.core.matching_types import Decision, FreeAgent, ProfileKey, WaitingCall

SIZES = (100, 10_000, 100_000)
PROFILES = 200
SAMPLES = 250
WARM_UP = 50
SKILLS = ("de", "en", "es", "fr", "it", "billing", "claims", "sales", "tech", "vip")
# Ring all takes every agent that there is, so its cost is that of its phones, not of the decision.
STRATEGIES = tuple(s for s in Strategy if s is not Strategy.RING_ALL)
NOBODY_HAS: Requirement = (("nobody_has", 1),)
START_MS = 1_700_000_000_000
RANDOM = random.Random(7)


def queues() -> dict[str, Queue]:
    """12 queues over five strategies; some age faster than others."""
    made = [
        Queue(id=f"q{n:02}", label=f"Queue {n}", strategy=STRATEGIES[n % 5], aging_per_min=(0.5, 1.0, 2.0)[n % 3])
        for n in range(12)
    ]
    return {queue.id: queue for queue in made}


def requirements() -> list[tuple[str, Requirement]]:
    """Three per queue, as after relaxation: two skills, one of them, none."""
    made: list[tuple[str, Requirement]] = []
    for queue in queues():
        first, second = sorted(RANDOM.sample(SKILLS, 2))
        made += [(queue, ((first, 5), (second, 3))), (queue, ((first, 2),)), (queue, ())]
    return made


def profiles() -> list[ProfileKey]:
    """Two to five skills and two to four queues each, with levels and ranks."""
    made: set[ProfileKey] = set()
    while len(made) < PROFILES:
        skills = sorted((name, RANDOM.randint(1, 10)) for name in RANDOM.sample(SKILLS, RANDOM.randint(2, 5)))
        member = sorted(
            (queue, RANDOM.randint(1, 2)) for queue in RANDOM.sample(sorted(queues()), RANDOM.randint(2, 4))
        )
        made.add((tuple(skills), tuple(member)))
    return sorted(made)


class Scene:
    """A pool of one size, its agents, and its clock. Subclasses set up a situation and play one sample of it."""

    name = ""

    def __init__(self, size: int, kinds: list[ProfileKey], classes: list[tuple[str, Requirement]]) -> None:
        self.size = size
        self.classes = classes
        self.now_ms = START_MS
        self.ids = count()
        self.agents = [self.agent(f"agt_{n:026}", kind) for n, kind in enumerate(RANDOM.choices(kinds, k=size))]
        RANDOM.shuffle(self.agents)
        self.pool = Pool(Config(tenant="bench", revision=1, queues=queues(), agents=dict(map(configured, self.agents))))
        self.set_up()
        if self.pool.decide(self.now_ms) is not None:
            raise RuntimeError("there must be no match before the first sample")

    def agent(self, agent_id: str, profile: ProfileKey) -> FreeAgent:
        """An agent who has just become free."""
        offered_ms, occupancy = self.now_ms - RANDOM.randint(60_000, 600_000), RANDOM.random()
        return FreeAgent(
            id=agent_id,
            profile=profile,
            available_since_ms=self.now_ms,
            last_offer_ms=offered_ms,
            occupancy=occupancy,
            order=RANDOM.randint(1, 1000),
        )

    def call(self, queue: str, requires: Requirement) -> WaitingCall:
        """A call that has just entered."""
        return WaitingCall(
            id=f"int_{next(self.ids):026}",
            queue=queue,
            requires=requires,
            priority=RANDOM.randint(1, 10),
            entered_at_ms=self.now_ms,
        )

    def tick(self) -> None:
        self.now_ms += 40

    def set_up(self) -> None:
        raise NotImplementedError

    def sample(self) -> int | None:
        """One match; its cost in ns. None: in a small scene, what was drawn may fit nothing that is there."""
        raise NotImplementedError

    def match(self, enter: Callable[[], None]) -> tuple[int, Decision] | None:
        """Let `enter` put the new one in, take the match, and make sure that it was the only one."""
        pool, now_ms = self.pool, self.now_ms
        start_ns = perf_counter_ns()
        enter()
        decision = pool.decide(now_ms)
        if decision is None:
            return None
        pool.remove_call(decision.call_id)
        for agent_id in decision.agent_ids:
            pool.remove_agent(agent_id)
        if pool.decide(now_ms) is not None:
            raise RuntimeError("there must be one match per sample")
        return perf_counter_ns() - start_ns, decision


class AgentBecomesFree(Scene):
    """Everybody is busy and as many calls as agents wait. A call that is taken is followed by another of its class."""

    name = "agent becomes free"

    def set_up(self) -> None:
        for _ in range(self.size):
            self.tick()
            self.pool.add_call(self.call(*RANDOM.choice(self.classes)))

    def sample(self) -> int | None:
        self.tick()
        known = RANDOM.choice(self.agents)
        agent = self.agent(known.id, known.profile)
        matched = self.match(lambda: self.pool.add_agent(agent))
        if matched is None:
            self.pool.remove_agent(agent.id)
            return None
        cost_ns, decision = matched
        self.pool.add_call(self.call(decision.trace.queue, decision.trace.requires))
        self.pool.decide(self.now_ms)
        return cost_ns


class CallArrives(Scene):
    """Everybody is free; as many calls wait, for a skill that nobody has. An agent who was taken comes back."""

    name = "call arrives"

    def set_up(self) -> None:
        self.profile_of = {agent.id: agent.profile for agent in self.agents}
        for agent in self.agents:
            self.tick()
            self.pool.add_call(self.call(RANDOM.choice(self.classes)[0], NOBODY_HAS))
            self.pool.add_agent(self.agent(agent.id, agent.profile))

    def sample(self) -> int | None:
        self.tick()
        call = self.call(*RANDOM.choice(self.classes))
        matched = self.match(lambda: self.pool.add_call(call))
        if matched is None:
            self.pool.remove_call(call.id)
            return None
        cost_ns, decision = matched
        winner = decision.agent_ids[0]
        self.pool.add_agent(self.agent(winner, self.profile_of[winner]))
        self.pool.decide(self.now_ms)
        return cost_ns


def configured(agent: FreeAgent) -> tuple[str, AgentConfig]:
    skills, member = agent.profile
    config = AgentConfig(
        id=agent.id, name=agent.id, team="bench", pbx="pbx1", phone=agent.id, skills=skills, queues=member
    )
    return agent.id, config


def measure(arguments: argparse.Namespace) -> list[Figure]:
    kinds, classes = profiles(), requirements()
    figures: list[Figure] = []
    for situation in (AgentBecomesFree, CallArrives):
        costs = play([situation(size, kinds, classes) for size in SIZES], arguments.rounds)
        figures += report(situation.name, costs)
    return figures


def play(scenes: list[Scene], rounds: int) -> dict[int, list[int]]:
    """Samples in ns by size."""
    costs: dict[int, list[int]] = {scene.size: [] for scene in scenes}
    for _ in range(rounds):
        for scene in RANDOM.sample(scenes, len(scenes)):
            taken = [cost for _ in range(WARM_UP + SAMPLES) if (cost := scene.sample()) is not None]
            costs[scene.size] += taken[WARM_UP:]
    return costs


def report(situation: str, costs: dict[int, list[int]]) -> list[Figure]:
    figures = []
    for size, samples in costs.items():
        what, many = f"{situation}, {size:,} agents and calls", len(samples)
        figures.append(Figure(what=f"{what}: median", value=median(samples) / 1000, unit="us", samples=many))
        p99 = percentile(samples, 0.99) / 1000
        figures.append(Figure(what=f"{what}: p99", value=p99, unit="us", aim="< 1000", samples=many))
    growth = median(costs[SIZES[-1]]) / median(costs[SIZES[0]])
    what = f"{situation}: median of the largest / of the smallest"
    figures.append(Figure(what=what, value=growth, unit="times", aim="<= 1.3", samples=len(costs[SIZES[0]])))
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="deploy/bench decide")
    parser.add_argument("--rounds", type=int, default=20, help=f"rounds of {SAMPLES} samples per size (default: 20)")
    run("decide", measure, parser)
