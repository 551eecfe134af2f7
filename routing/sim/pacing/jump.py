"""What happens after the answer rate has jumped: how much, and for how long."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from routing.sim.pacing import scenes
from routing.sim.pacing.ledger import Outcome

WINDOW_MIN = 5
SETTLED = 0.045
LONGEST_MIN = 40  # until agents go away


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterJump:
    """`first`: abandoned in the first five minutes after the jump. `settles_min`: the first minute after it from which
    on five minutes have no more than `SETTLED`; inf: not within `LONGEST_MIN`.
    """

    first: float
    settles_min: float


def after_jump(outcomes: Sequence[Outcome]) -> AfterJump:
    """Persons of all these shifts together, counted in the minute in which they answered."""
    begins = int(scenes.JUMP_S // 60)
    shares = [_share(outcomes, begins + minute) for minute in range(LONGEST_MIN - WINDOW_MIN)]
    settled = (minute for minute, share in enumerate(shares) if share <= SETTLED)
    return AfterJump(first=shares[0], settles_min=next(settled, math.inf))


def _share(outcomes: Sequence[Outcome], minute: int) -> float:
    people = sum(sum(outcome.people[minute : minute + WINDOW_MIN]) for outcome in outcomes)
    return sum(sum(outcome.late[minute : minute + WINDOW_MIN]) for outcome in outcomes) / max(1, people)
