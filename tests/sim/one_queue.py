"""One queue of agents who are all alike, where theory says what comes out; and the same without the core."""

from __future__ import annotations

import math
from collections.abc import Sequence
from heapq import heapify, heapreplace
from typing import Any

from routing.core.config import Config
from routing.core.treatment import ServiceLevel
from routing.sim.day import HOUR_MS, Day, Span
from routing.sim.generate import Demand, Frame, make_day
from routing.sim.laws import Exponential, Fixed, Never
from routing.sim.ledger import Course, End, Ledger
from routing.sim.replay import Replay
from routing.sim.site import site_for
from routing.sim.workload import Caller, DayLaws, draw
from tests.factories import agent, config, queue

HANDLE_MS = 120_000
WITHIN_S = 20


def center(agents: int, **changes: Any) -> Config:
    aim = ServiceLevel(within_s=WITHIN_S, short_abandon_s=0)
    return config([agent(f"agt_{n:03}") for n in range(agents)], [queue(service_level=aim, **changes)])


def busy_day(agents: int, load: float, patience_s: float = math.inf, frame: Frame | None = None) -> Day:
    """Poisson calls of `load` erlangs, exponential talk and patience, and everybody there from the lead-in on."""
    frame = frame or Frame(length_ms=6 * HOUR_MS)
    patience = Never() if math.isinf(patience_s) else Exponential(mean_ms=patience_s * 1000)
    talk = Exponential(mean_ms=HANDLE_MS)
    hourly = [load * HOUR_MS / HANDLE_MS] * (frame.length_ms // HOUR_MS)
    demand = Demand(queue="sales", hourly=hourly, patience=patience, talk=talk, ring=Fixed(ms=0))
    shift = [Span(from_ms=-frame.lead_in_h * HOUR_MS, until_ms=frame.length_ms + 12 * HOUR_MS)]
    return make_day([demand], {f"agt_{n:03}": shift for n in range(agents)}, frame)


def run(day: Day, rules: Config, seed: int = 1) -> tuple[dict[str, Course], tuple[Caller, ...]]:
    """Once through the core; what became of each caller."""
    laws = DayLaws(day)
    callers = draw(day, laws, seed, 0)
    ledger = Ledger(day.starts_at_ms, day.starts_at_ms + day.length_ms)
    Replay(day, site_for(day, rules), laws, [ledger]).run(callers)
    return ledger.courses, callers


def first_come_first_served(callers: Sequence[Caller], agents: int) -> dict[str, tuple[End, int]]:
    """How each one ends and how long he waits: the next caller gets the agent who is free first (J. Kiefer,
    J. Wolfowitz, "On the theory of queues with many servers", 1955), unless that is later than he is ready to wait.
    """
    free_at_ms = [callers[0].call.at_ms] * agents
    heapify(free_at_ms)
    found = {}
    for caller in callers:
        wait_ms = max(0, free_at_ms[0] - caller.call.at_ms)
        if caller.patience_ms is not None and caller.patience_ms < wait_ms:
            found[caller.call.id] = (End.ABANDONED, caller.patience_ms)
        else:
            heapreplace(free_at_ms, caller.call.at_ms + wait_ms + caller.other.talk_ms)
            found[caller.call.id] = (End.ANSWERED, wait_ms)
    return found
