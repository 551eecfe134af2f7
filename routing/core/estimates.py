"""Place in the queue and estimated wait (ROUTE-10); docs/estimated-wait.md has the formula's errors.

The wait of a caller with k before him is the time until k + 1 have left, k of them perhaps because they gave up: with
s agents who need 1/mu per call on average, and callers who give up at a rate of theta each, the sum of
1 / (s mu + j theta) for j = 0..k. That is the estimator QL_m of R. Ibrahim and W. Whitt, "Real-time delay estimation in
overloaded multiserver queues with abandonments", Management Science 55(10), 2009, doi:10.1287/mnsc.1090.1055, the
expected wait in M/M/s+M by W. Whitt, "Predicting queueing delays", Management Science 45(6), 1999,
doi:10.1287/mnsc.45.6.870. mu and theta are learned per queue, of the last hundred calls or so.

Agents who serve several queues work for others before him as well. It is bounded from both sides then, which is ours:
his own queue's calls can be taken by its own agents alone (at least that long), all calls before him by all who may
take one of these (about that long), unless enough of his agents need not serve any other (at most that long).
"""

from __future__ import annotations

import math

from routing.core.errors import UnknownInteraction
from routing.core.interaction import Interaction, InteractionState
from routing.core.matching_crowd import Crowd
from routing.core.matching_types import WaitingCall
from routing.core.tallies import QUEUE, Figures, Place
from routing.core.world import World

# Before anything is learned, and as much of it as that many calls weigh afterwards.
ASSUMED_HANDLE_MS, ASSUMED_CALLS = 180_000, 2
# Patience is not believed to be short before callers have waited that long together.
ASSUMED_WAITED_MS = 300_000
_SUMMED = 64  # terms of the sum; what is beyond is integrated
_LATEST = "~"  # as an id: behind all of the same moment


def position(world: World, interaction: Interaction) -> int | None:
    """1: next in its queue, by the order of matching. None: it does not wait, or cannot be offered now."""
    if interaction.state is not InteractionState.QUEUED:
        return None
    try:
        return world.sync_pool().position(interaction.id)
    except UnknownInteraction:  # its PBX's link is down, or its queue is gone
        return None


def wait_ms(world: World, interaction: Interaction) -> int | None:
    """How much longer it is expected to wait. None: it does not wait, or nobody can say."""
    if interaction.state is not InteractionState.QUEUED:
        return None
    try:
        crowd = world.sync_pool().crowd(interaction.id, world.now_ms)
    except UnknownInteraction:
        return None
    return _wait_ms(world, interaction.queue, crowd)


def queue_wait_ms(world: World, queue_id: str, priority: int | None = None) -> int | None:
    """How long one would wait who came now with that priority, by default the queue's. None: nobody can say."""
    queue = world.config.queues.get(queue_id)
    if queue is None:
        return None
    call = WaitingCall(
        id=_LATEST,
        queue=queue_id,
        requires=queue.requires,
        priority=queue.priority if priority is None else priority,
        entered_at_ms=world.now_ms,
    )
    crowd = world.sync_pool().crowd_of_new(call, world.now_ms)
    return 0 if crowd is None else _wait_ms(world, queue_id, crowd)


def handle_ms(world: World, queue_id: str) -> float:
    """How long a call of this queue keeps an agent busy, from the offer to the end of his wrap-up."""
    learned = _learned(world, queue_id)
    handled, busy_ms = (learned.at(Place.HANDLED), learned.at(Place.BUSY_MS)) if learned else (0.0, 0.0)
    return (busy_ms + ASSUMED_CALLS * ASSUMED_HANDLE_MS) / (handled + ASSUMED_CALLS)


def abandonment_per_ms(world: World, queue_id: str) -> float:
    """How many callers give up, per ms that one waits."""
    learned = _learned(world, queue_id)
    if learned is None:
        return 0.0
    return learned.at(Place.ABANDONED) / (learned.at(Place.WAITED_MS) + ASSUMED_WAITED_MS)


def _learned(world: World, queue_id: str) -> Figures | None:
    found = world.state.figures.get(QUEUE + queue_id)
    return found if isinstance(found, Figures) else None


def _wait_ms(world: World, queue_id: str, crowd: Crowd) -> int | None:
    if not crowd.agents:
        return None
    queue, leaving = world.config.queues.get(queue_id), abandonment_per_ms(world, queue_id)
    cap = queue.max_talking if queue and queue.max_talking else crowd.agents
    own_ms = handle_ms(world, queue_id)
    before = sum(crowd.all_before.values())
    all_ms = sum(count * handle_ms(world, name) for name, count in crowd.all_before.items()) / before
    at_least = until_left(crowd.alike, min(cap, crowd.agents) / own_ms, leaving)
    jointly = until_left(before, crowd.all_agents / all_ms, leaving)
    at_most = until_left(crowd.alike, crowd.free_agents / own_ms, leaving) if crowd.free_agents else math.inf
    return round(max(at_least, min(jointly, at_most)))


def until_left(calls: int, ending: float, leaving: float) -> float:
    """The expected time until so many calls have left the queue, where agents end calls at the rate `ending` and each
    caller but the last gives up at the rate `leaving`.
    """
    if not leaving:
        return calls / ending
    summed = sum(1 / (ending + ahead * leaving) for ahead in range(min(calls, _SUMMED)))
    if calls <= _SUMMED:
        return summed
    # The sum of f(j) is about the integral of f from half below the first j to half above the last.
    half = ending - leaving / 2
    return summed + math.log((half + calls * leaving) / (half + _SUMMED * leaving)) / leaving
