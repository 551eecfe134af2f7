"""The rules of matching as formulas: who may take a call, which agent goes first, which call goes first."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import chain
from typing import Generic, TypeVar

from routing.core.config import Queue, Strategy
from routing.core.declarations import Requirement
from routing.core.matching_types import FreeAgent, WaitingCall
from routing.core.reach import MARK

# Everything is compared as "lowest first".
SortKey = tuple[float | int | str, ...]
# Place of a call within its queue; the same at every moment because all calls of a queue age alike.
Place = tuple[int, int, str]

K = TypeVar("K", bound=SortKey)

# One point of priority, in the integer unit of the comparison: ms per minute times thousandths of a point.
POINT = 60_000 * 1_000


class Rule(StrEnum):
    """Why a member of the queue was passed over; missing skills are named one by one (`missing_skill`)."""

    NOT_FREE = "not_free"
    SKIPPED = "skipped"
    QUEUE_CAP = "queue_cap"
    OTHER_PBX = "other_pbx"  # no trunk leads from the caller's PBX to his


class AgentOrder(StrEnum):
    """The sorted lists in which free agents are kept. Strategies that differ only in the tier share one."""

    IDLE = "idle"
    OCCUPANCY = "occupancy"
    LAST_OFFER = "last_offer"
    CONFIGURED = "configured"


ORDER_OF = {
    Strategy.LONGEST_IDLE: AgentOrder.IDLE,
    Strategy.MOST_SKILLED: AgentOrder.IDLE,
    Strategy.RING_ALL: AgentOrder.IDLE,
    Strategy.LEAST_OCCUPIED: AgentOrder.OCCUPANCY,
    Strategy.ROUND_ROBIN: AgentOrder.LAST_OFFER,
    Strategy.LINEAR: AgentOrder.CONFIGURED,
}

# Names of the parts of `tier` + `agent_key`, for the trace.
KEY_NAMES: dict[Strategy, tuple[str, ...]] = {
    Strategy.LONGEST_IDLE: ("rank", "available_since_ms", "id"),
    Strategy.RING_ALL: ("rank", "available_since_ms", "id"),
    Strategy.MOST_SKILLED: ("rank", "minus_skill_levels", "available_since_ms", "id"),
    Strategy.LEAST_OCCUPIED: ("rank", "occupancy", "available_since_ms", "id"),
    Strategy.ROUND_ROBIN: ("rank", "last_offer_ms", "available_since_ms", "id"),
    Strategy.LINEAR: ("rank", "order", "available_since_ms", "id"),
}


def skill_rule(name: str, level: int) -> str:
    """The name of the rule that removes an agent whose level is lower."""
    return Rule.OTHER_PBX.value if name.startswith(MARK) else f"skill {name} < {level}"


def missing_skill(skills: Mapping[str, int], requires: Requirement) -> str:
    """The first requirement that is not met, e.g. `skill es < 5`; empty when all are (ROUTE-01)."""
    for name, level in requires:
        if skills.get(name, 0) < level:
            return skill_rule(name, level)
    return ""


def tier(strategy: Strategy, rank: int, skills: Mapping[str, int], requires: Requirement) -> tuple[int, ...]:
    """The part of the sort key that all agents of a profile share: rank first, then for most_skilled the levels."""
    if strategy is Strategy.MOST_SKILLED:
        return rank, -sum(skills.get(name, 0) for name, _ in requires if not name.startswith(MARK))
    return (rank,)


def agent_key(order: AgentOrder, agent: FreeAgent) -> SortKey:
    """The agent's own part of the sort key; ends in longest idle, then id, so that no two are equal."""
    idle = (agent.available_since_ms, agent.id)
    if order is AgentOrder.OCCUPANCY:
        return (agent.occupancy, *idle)
    if order is AgentOrder.LAST_OFFER:
        return (agent.last_offer_ms, *idle)
    if order is AgentOrder.CONFIGURED:
        return (agent.order, *idle)
    return idle


def aging_units(queue: Queue) -> int:
    """What one ms of waiting is worth: aging counts in thousandths of a point per minute, so that sums are exact."""
    return round(queue.aging_per_min * 1000)


def place_of(call: WaitingCall, aging: int) -> Place:
    """Lowest first: effective priority (without the part that grows for all alike), entry, id (ROUTE-04)."""
    return aging * call.entered_at_ms - call.priority * POINT, call.entered_at_ms, call.id


def call_key(place: Place, aging: int, now_ms: int) -> SortKey:
    """The call's place among all queues at `now_ms`, lowest first: minus its points of priority, entry, id."""
    return (place[0] - aging * now_ms) / POINT, place[1], place[2]


class Ordered(Generic[K]):
    """A sorted list of distinct keys, in chunks: inserting costs the same among ten and a hundred thousand.

    `chunks` may be read: no chunk is empty, so it is empty when the list is, and iterating over it chained is sorted.
    """

    __slots__ = ("_lasts", "chunks")
    _LIMIT = 512

    def __init__(self) -> None:
        self.chunks: list[list[K]] = []
        self._lasts: list[K] = []

    def __bool__(self) -> bool:
        return bool(self.chunks)

    def __len__(self) -> int:
        return sum(map(len, self.chunks))

    def __iter__(self) -> Iterator[K]:
        return chain.from_iterable(self.chunks)

    def first(self) -> K:
        """The lowest key. Raises IndexError when there is none."""
        return self.chunks[0][0]

    def add(self, key: K) -> None:
        if not self.chunks:
            self.chunks.append([key])
            self._lasts.append(key)
            return
        at = min(bisect_left(self._lasts, key), len(self._lasts) - 1)
        chunk = self.chunks[at]
        insort(chunk, key)
        if len(chunk) > self._LIMIT:
            self._split(at)
        else:
            self._lasts[at] = chunk[-1]

    def remove(self, key: K) -> None:
        """Take out a key that is in the list."""
        at = bisect_left(self._lasts, key)
        chunk = self.chunks[at]
        del chunk[bisect_left(chunk, key)]
        if chunk:
            self._lasts[at] = chunk[-1]
        else:
            del self.chunks[at], self._lasts[at]

    def count_below(self, key: K) -> int:
        """How many keys are lower than `key`, which need not be in the list."""
        at = bisect_left(self._lasts, key)
        below = sum(map(len, self.chunks[:at]))
        return below + (bisect_left(self.chunks[at], key) if at < len(self.chunks) else 0)

    def _split(self, at: int) -> None:
        chunk = self.chunks[at]
        half = len(chunk) // 2
        self.chunks[at : at + 1] = [chunk[:half], chunk[half:]]
        self._lasts[at : at + 1] = [chunk[half - 1], chunk[-1]]
