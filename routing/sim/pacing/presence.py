"""When agents come and go: drawn per agent, the same for every policy."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from routing.sim.pacing.scene import Churn, Scene


def plan(scene: Scene) -> list[tuple[float, int, bool]]:
    """(when, which agent, whether he comes), by time. Who is to go finishes his call and wrap-up first."""
    moves: list[tuple[float, int, bool]] = []
    for number in range(scene.agents):
        if scene.churn is None:
            moves.append((0.0, number, True))
        else:
            moves.extend((when, number, comes) for when, comes in _restless(scene, scene.churn, number))
    for place, absence in enumerate(scene.absences):
        random = Random(f"absence/{scene.seed}/{place}")  # noqa: S311 - a simulation, not a secret
        for number in random.sample(range(scene.agents), round(absence.share * scene.agents)):
            moves += [(absence.from_s, number, False), (absence.until_s, number, True)]
    return sorted((move for move in moves if move[0] < scene.shift_s), key=lambda move: move[0])


def _restless(scene: Scene, churn: Churn, number: int) -> Iterator[tuple[float, bool]]:
    random = Random(f"agent/{scene.seed}/{number}")  # noqa: S311 - a simulation, not a secret
    now = random.random() * churn.late_s if random.random() < churn.late_share else 0.0
    leaves = scene.shift_s - (random.random() * churn.early_s if random.random() < churn.early_share else 0.0)
    while now < leaves:
        yield now, True
        now += random.gammavariate(4, churn.work_s / 4)
        yield min(now, leaves), False
        now += random.gammavariate(4, churn.break_s / 4)
