"""How long callers wait for `agents` people who are all alike: the classic formulas, for staffing questions and as a
measure for simulations.

Poisson arrivals and exponential handle times throughout; times in one unit of the caller's choice. `load` is the
offered load in erlangs: arrivals per unit of time x mean handle time.

Sources: A. K. Erlang, "Solution of some problems in the theory of probabilities of significance in automatic telephone
exchanges", 1917 (B and C). C. Palm, "Research on telephone traffic carried by full availability groups", Tele 1, 1957
(abandonment). O. Garnett, A. Mandelbaum, M. Reiman, "Designing a call center with impatient customers", M&SOM 4(3),
2002, doi:10.1287/msom.4.3.208.7753, and A. Mandelbaum, S. Zeltyn, "The Palm/Erlang-A queue, with applications to call
centers", 2005 (Erlang A as a birth and death process). A. Cobham, "Priority assignment in waiting line problems",
Operations Research 2(1), 1954, doi:10.1287/opre.2.1.70 (priorities).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

_NEGLIGIBLE = 1e-12  # what the states beyond weigh against the heaviest one
_SLICES = 400  # of the waiting time that is integrated, Simpson's rule
_MOST_AGENTS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Queueing:
    """A system in its steady state. Shares are 0-1, of all callers, those who are turned away included.

    `delayed`: who does not get an agent at once. `mean_wait`: of all who are let in, whatever becomes of them.
    `within`: answered within the time asked for. `occupancy`: of the agents.
    """

    delayed: float
    mean_wait: float
    within: float
    abandoned: float
    turned_away: float
    occupancy: float


def erlang_b(agents: int, load: float) -> float:
    """Share of callers who find all `agents` busy where nobody may wait."""
    blocked = 1.0
    for busy in range(1, agents + 1):
        blocked = load * blocked / (busy + load * blocked)
    return blocked


def erlang_c(agents: int, load: float) -> float:
    """Share of callers who have to wait, where everybody waits as long as it takes; 1 where that has no end."""
    if load >= agents:
        return 1.0
    blocked = erlang_b(agents, load)
    return agents * blocked / (agents - load * (1 - blocked))


def patient(agents: int, load: float, handle_time: float, within: float) -> Queueing:
    """M/M/s: nobody gives up. Raises ValueError where the queue would grow without end."""
    if not 0 < load < agents:
        raise ValueError(f"{load} erlangs are too much for {agents} agents who lose nobody")
    waits = erlang_c(agents, load)
    spare = (agents - load) / handle_time
    return Queueing(
        delayed=waits,
        mean_wait=waits / spare,
        within=1 - waits * math.exp(-spare * within),
        abandoned=0.0,
        turned_away=0.0,
        occupancy=load / agents,
    )


def impatient(
    agents: int,
    load: float,
    handle_time: float,
    within: float,
    *,
    patience: float = math.inf,
    places: int | None = None,
) -> Queueing:
    """M/M/s/n+M, Erlang A where `places` is None.

    `patience`: mean of the exponential time that a caller is ready to wait; inf: nobody gives up. `places`: so many may
    wait, further callers are turned away. Raises ValueError where the queue would grow without end.
    """
    if places is None and math.isinf(patience):
        return patient(agents, load, handle_time, within)
    leaving = 1 / patience
    waiting = _weights_of_waiting(agents, load, handle_time * leaving, places)
    busy_not = _weight_of_some_free(agents, load)
    whole = busy_not + sum(waiting)
    mean_queue = sum(ahead * weight for ahead, weight in enumerate(waiting)) / whole
    turned_away = waiting[-1] / whole if places is not None else 0.0
    rate = load / handle_time
    abandoned = leaving * mean_queue / rate
    entering = waiting if places is None else waiting[:-1]
    served = _served_within(entering, agents / handle_time, leaving, within) / whole
    return Queueing(
        delayed=sum(entering) / whole,
        mean_wait=mean_queue / (rate * (1 - turned_away)),
        within=busy_not / whole + served,
        abandoned=abandoned,
        turned_away=turned_away,
        occupancy=load * (1 - turned_away - abandoned) / agents,
    )


def _weight_of_some_free(agents: int, load: float) -> float:
    """Of the states with a free agent, where all busy and nobody waiting weighs 1."""
    weight, total = 1.0, 0.0
    for busy in range(agents, 0, -1):
        weight *= busy / load
        total += weight
        if weight < _NEGLIGIBLE * total and busy < load:
            break
    return total


def _weights_of_waiting(agents: int, load: float, leaving: float, places: int | None) -> list[float]:
    """Weights of 0, 1, 2, ... waiting callers; `leaving`: how many give up per mean handle time and caller."""
    weights, heaviest = [1.0], 1.0
    while places is None or len(weights) <= places:
        weights.append(weights[-1] * load / (agents + len(weights) * leaving))
        heaviest = max(heaviest, weights[-1])
        if places is None and weights[-1] < _NEGLIGIBLE * heaviest:
            break
    return weights


def _served_within(weights: list[float], ending: float, leaving: float, within: float) -> float:
    """Weight of those who wait, are still there when their turn comes, and that before `within`.

    `ending`: calls that end per unit of time while all agents are busy. Who finds k waiting has his turn after k + 1
    ends, the rates of which fall from ending + k x leaving to ending with each: the density of that time is integrated
    against his own patience.
    """
    if within <= 0:
        return 0.0
    step = within / _SLICES
    total = 0.0
    for slice_ in range(_SLICES + 1):
        at = slice_ * step
        factor = 1 if slice_ in (0, _SLICES) else 4 if slice_ % 2 else 2
        density = sum(w * d for w, d in zip(weights, _turn_densities(ending, leaving, at), strict=False))
        total += factor * density * math.exp(-leaving * at)
    return total * step / 3


def _turn_densities(ending: float, leaving: float, at: float) -> Iterator[float]:
    """Density at that time of the sum of k + 1 exponential spans with the rates ending + j x leaving, j = 0..k.

    With none leaving it is Erlang's, else it follows from its logarithm's being that of a beta density.
    """
    density, ahead = ending * math.exp(-ending * at), 0
    while True:
        yield density
        ahead += 1
        gone = -math.expm1(-leaving * at) / leaving if leaving else at
        density *= gone * (ending + ahead * leaving) / ahead


def prioritized(agents: int, loads: list[float], handle_time: float) -> list[float]:
    """Mean wait of each class of callers, the most urgent first: M/M/s with priorities that interrupt nobody (Cobham).

    One mean handle time for all. Raises ValueError where the queue would grow without end.
    """
    if not 0 < sum(loads) < agents:
        raise ValueError(f"{sum(loads)} erlangs are too much for {agents} agents who lose nobody")
    whole_wait = erlang_c(agents, sum(loads)) * handle_time / agents
    waits, before = [], 0.0
    for load in loads:
        after = before + load / agents
        waits.append(whole_wait / ((1 - before) * (1 - after)))
        before = after
    return waits


def agents_needed(load: float, handle_time: float, within: float, share: float, *, patience: float = math.inf) -> int:
    """The fewest agents with whom that share (0-1) of all callers is answered `within`.

    Raises ValueError for no load.
    """
    if load <= 0 or not 0 < share < 1:
        raise ValueError("load must be positive and share between 0 and 1")
    agents = max(1, math.floor(load) + 1) if math.isinf(patience) else 1
    while agents < _MOST_AGENTS:
        if impatient(agents, load, handle_time, within, patience=patience).within >= share:
            return agents
        agents += 1
    raise ValueError(f"more than {_MOST_AGENTS} agents")
