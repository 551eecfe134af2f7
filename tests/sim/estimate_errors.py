"""How far the estimated wait is from the real one, in simulated days through the real core.

Every tenth caller never gives up, and only these are compared: how long one would have waited who gave up is not known.
Asked is at the moment when a caller is queued; answered is the question by the time until an agent has him.

    python -m tests.sim.estimate_errors     # the table of docs/estimated-wait.md
"""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from routing.core import estimates
from routing.core.config import AgentConfig, Config, Queue
from routing.core.effects import Effects
from routing.core.events import EventType
from routing.core.interaction import InteractionState
from routing.core.step import Input
from routing.core.world import World
from routing.sim.day import HOUR_MS, Span
from routing.sim.generate import Demand, Frame, make_day
from routing.sim.laws import AnyLaw, Exponential, Fixed, LogNormal, Never
from routing.sim.replay import Replay
from routing.sim.site import site_for
from routing.sim.workload import Caller, DayLaws, draw
from tests.factories import agent, config, queue

RING_MS, TALK_MS = 4_000, 240_000
HANDLE_MS = RING_MS + TALK_MS
MEMORYLESS = Exponential(mean_ms=TALK_MS)
SPREAD = LogNormal(mean_ms=TALK_MS, deviation_ms=300_000)
EVERY = 10  # so many callers to one who never gives up
CLOSE_SHARE, CLOSE_MS = 0.25, 60_000


@dataclass(frozen=True, kw_only=True)
class Scene:
    """`loads`: erlangs per queue, one number or one per hour. `away`: agents who are only there between two hours."""

    name: str
    groups: dict[str, tuple[int, tuple[str, ...]]]
    loads: dict[str, float | Sequence[float]]
    hours: int = 12
    talk: AnyLaw = SPREAD
    patience: AnyLaw = field(default_factory=lambda: Exponential(mean_ms=400_000))
    lead_in_h: int = 1
    away: dict[str, tuple[int, int]] = field(default_factory=dict)
    seeds: Sequence[int] = (1, 2, 3)
    queues: dict[str, dict[str, float]] = field(default_factory=dict)

    def agents(self) -> list[AgentConfig]:
        return [agent(f"{name}{n:02}", *queues) for name, (size, queues) in self.groups.items() for n in range(size)]

    def config(self) -> Config:
        made: list[Queue] = [queue(name, **self.queues.get(name, {})) for name in self.loads]
        return config(self.agents(), made)

    def demands(self) -> list[Demand]:
        return [
            Demand(
                queue=name,
                hourly=[erlangs * HOUR_MS / HANDLE_MS for erlangs in self._hourly(load)],
                patience=self.patience,
                talk=self.talk,
                ring=Fixed(ms=RING_MS),
            )
            for name, load in self.loads.items()
        ]

    def _hourly(self, load: float | Sequence[float]) -> Sequence[float]:
        return [load] * self.hours if isinstance(load, int | float) else load

    def shifts(self) -> Mapping[str, Sequence[Span]]:
        whole = (-self.lead_in_h, self.hours + 12)
        spans = {a.id: self.away.get(a.id, whole) for a in self.agents()}
        return {id_: [Span(from_ms=a * HOUR_MS, until_ms=b * HOUR_MS)] for id_, (a, b) in spans.items()}


def one_queue(name: str, agents: int, load: float | Sequence[float], **changes: object) -> Scene:
    return Scene(name=name, groups={"a": (agents, ("sales",))}, loads={"sales": load}, **changes)  # type: ignore[arg-type]


WAVE = [20 * (1 + 0.35 * math.sin(hour / 12 * 2 * math.pi)) for hour in range(24)]
PATIENT = one_queue("M/M/10, load 9.5", 10, 9.5, talk=MEMORYLESS, patience=Never(), hours=24)
OVERLOADED = one_queue("M/M/10+M, load 11", 10, 11, talk=MEMORYLESS, patience=Exponential(mean_ms=300_000))
SHARED = Scene(
    name="3 queues, 12 agents in all of them",
    groups={"z": (12, ("one", "two", "three"))},
    loads={"one": 6, "two": 4, "three": 2},
)
PARTLY_SHARED = Scene(
    name="2 queues, 6 agents each and 8 in both",
    groups={"x": (6, ("one",)), "y": (6, ("two",)), "z": (8, ("one", "two"))},
    loads={"one": 10.5, "two": 10.5},
)
SCENES = (
    PATIENT,
    OVERLOADED,
    one_queue("3 agents, load 2.9", 3, 2.9, hours=36),
    one_queue("20 agents, load 20", 20, 20.0),
    one_queue("20 agents, load 13 to 27 by the hour", 20, WAVE, hours=24),
    one_queue("20 agents, 15 after six hours, load 17", 20, 17.0, away={f"a{n:02}": (-1, 6) for n in range(5)}),
    one_queue("20 agents, the first two hours, nothing learned", 20, 22.0, hours=2, lead_in_h=0, seeds=range(1, 13)),
    SHARED,
    PARTLY_SHARED,
    replace(PARTLY_SHARED, name="the same, unequal loads", loads={"one": 6, "two": 15}),
    Scene(
        name="2 queues, 16 agents in both, load moves over",
        groups={"z": (16, ("one", "two"))},
        loads={"one": [13] * 6 + [4] * 6, "two": [3] * 6 + [13] * 6},
    ),
    Scene(
        name="2 queues, 14 agents in both, one of higher priority",
        groups={"z": (14, ("one", "two"))},
        loads={"one": 5, "two": 9},
        queues={"one": {"priority": 8}},
    ),
)

Estimator = Callable[[World, str, str], float | None]


@dataclass(slots=True)
class Errors:
    """Pairs of estimated and real wait in ms."""

    pairs: list[tuple[float, float]] = field(default_factory=list)

    @property
    def mean_ms(self) -> float:
        return sum(real for _, real in self.pairs) / len(self.pairs)

    @property
    def bias(self) -> float:
        """Mean error relative to the mean wait."""
        return sum(said - real for said, real in self.pairs) / len(self.pairs) / self.mean_ms

    @property
    def absolute(self) -> float:
        return sum(abs(said - real) for said, real in self.pairs) / len(self.pairs) / self.mean_ms

    @property
    def root_mean_square(self) -> float:
        return math.sqrt(sum((said - real) ** 2 for said, real in self.pairs) / len(self.pairs)) / self.mean_ms

    @property
    def close(self) -> float:
        """Share that is no further off than a quarter of the wait or a minute."""
        near = (abs(said - real) <= max(CLOSE_SHARE * real, CLOSE_MS) for said, real in self.pairs)
        return sum(near) / len(self.pairs)


class Watcher:
    """An observer: asks every estimator when a caller who never gives up is queued, and looks when he is served."""

    def __init__(self, patient: set[str], from_ms: int, estimators: Mapping[str, Estimator]) -> None:
        self.errors: defaultdict[str, Errors] = defaultdict(Errors)
        self._patient, self._from_ms, self._estimators = patient, from_ms, estimators
        self._asked: dict[str, tuple[int, dict[str, float | None]]] = {}
        self._entered: dict[str, tuple[str, int]] = {}
        self.last_ms: dict[str, int] = {}

    def __call__(self, world: World, item: Input, effects: Effects) -> None:
        del item
        for event in effects.events:
            if event.type is EventType.INTERACTION_QUEUED:
                self._queued(world, event.interaction_id, event.queue)
            elif event.type is EventType.INTERACTION_CONNECTED:
                self._connected(world, event.interaction_id)
            elif event.type is EventType.INTERACTION_ENDED:
                self._entered.pop(event.interaction_id, None)

    def _queued(self, world: World, interaction_id: str, queue_id: str) -> None:
        interaction = world.state.interactions.get(interaction_id)
        if interaction is None or interaction.state is not InteractionState.QUEUED:
            return
        if interaction.customer_leg in self._patient and world.now_ms >= self._from_ms:
            said = {name: ask(world, interaction_id, queue_id) for name, ask in self._estimators.items()}
            said["last to be served"] = self.last_ms.get(queue_id)
            said["longest waiting"] = self._longest(world, queue_id)
            self._asked[interaction_id] = (world.now_ms, said)
        self._entered[interaction_id] = (queue_id, world.now_ms)

    def _longest(self, world: World, queue_id: str) -> float:
        """So long the head of the line has waited."""
        waits = (world.now_ms - at for i, (name, at) in self._entered.items() if name == queue_id and _waits(world, i))
        return max(waits, default=0)

    def _connected(self, world: World, interaction_id: str) -> None:
        if found := self._entered.pop(interaction_id, None):
            self.last_ms[found[0]] = world.now_ms - found[1]
        if asked := self._asked.pop(interaction_id, None):
            for name, said in asked[1].items():
                if said is not None:
                    self.errors[name].pairs.append((said, world.now_ms - asked[0]))


def _waits(world: World, interaction_id: str) -> bool:
    found = world.state.interactions.get(interaction_id)
    return found is not None and found.state is InteractionState.QUEUED


def ours(world: World, interaction_id: str, queue_id: str) -> float | None:
    del queue_id
    return estimates.wait_ms(world, world.interaction(interaction_id))


def queue_length(world: World, interaction_id: str, queue_id: str) -> float | None:
    """QL: the place in the queue by the queue's agents, and nothing else."""
    place = estimates.position(world, world.interaction(interaction_id))
    crowd = world.sync_pool().crowd(interaction_id, world.now_ms)
    return place * estimates.handle_ms(world, queue_id) / crowd.agents if place and crowd.agents else None


def queue_length_m(world: World, interaction_id: str, queue_id: str) -> float | None:
    """QL_m: the same with those who will give up."""
    place = estimates.position(world, world.interaction(interaction_id))
    crowd = world.sync_pool().crowd(interaction_id, world.now_ms)
    if not place or not crowd.agents:
        return None
    ending = crowd.agents / estimates.handle_ms(world, queue_id)
    return estimates.until_left(place, ending, estimates.abandonment_per_ms(world, queue_id))


ALL: dict[str, Estimator] = {"Switchroom": ours, "QL_m": queue_length_m, "QL": queue_length}


def measure(scene: Scene, estimators: Mapping[str, Estimator] | None = None) -> dict[str, Errors]:
    """The same scene gives the same figures."""
    found: defaultdict[str, Errors] = defaultdict(Errors)
    for seed in scene.seeds:
        frame = Frame(length_ms=scene.hours * HOUR_MS, lead_in_h=scene.lead_in_h, seed=seed)
        day = make_day(scene.demands(), scene.shifts(), frame)
        laws = DayLaws(day)
        callers = list(draw(day, laws, seed, 0))
        patient = {caller.call.id for caller in callers[::EVERY]}
        watcher = Watcher(patient, day.starts_at_ms, estimators or {"Switchroom": ours})
        Replay(day, site_for(day, scene.config()), laws, [watcher]).run(list(_with(patient, callers)))
        for name, errors in watcher.errors.items():
            found[name].pairs += errors.pairs
    return dict(found)


def _with(patient: set[str], callers: Iterable[Caller]) -> Iterable[Caller]:
    return (replace(c, patience_ms=None) if c.call.id in patient else c for c in callers)


def table() -> str:
    """Markdown."""
    lines = [
        "| Scene | Estimator | Callers | Mean wait | Bias | MAE | RMSE | Close |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for scene in SCENES:
        name = scene.name
        for estimator, errors in measure(scene, ALL).items():
            lines.append(
                f"| {name} | {estimator} | {len(errors.pairs)} | {errors.mean_ms / 1000:.0f} s | {errors.bias:+.0%} | "
                f"{errors.absolute:.0%} | {errors.root_mean_square:.0%} | {errors.close:.0%} |"
            )
            name = ""
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
