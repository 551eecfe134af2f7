"""Waiting calls by class of requirement and free agents by profile, each class knowing whom it may meet."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterable
from heapq import merge
from itertools import chain, islice
from operator import itemgetter

from routing.core.config import Config, Queue
from routing.core.declarations import Requirement
from routing.core.matching_order import (
    ORDER_OF,
    AgentOrder,
    Ordered,
    Place,
    SortKey,
    agent_key,
    aging_units,
    missing_skill,
    skill_rule,
    tier,
)
from routing.core.matching_types import FreeAgent, ProfileKey

Skip = frozenset[str]


class QueueState:
    """What all classes of one queue share. `members`: agents whom the configuration puts into it."""

    __slots__ = ("aging", "classes", "free", "is_capped", "members", "order", "profiles", "queue", "waiting")

    def __init__(self, queue: Queue, members: int) -> None:
        self.queue = queue
        self.members = members
        self.aging = aging_units(queue)
        self.order = ORDER_OF[queue.strategy]
        self.classes: dict[Requirement, CallClass] = {}
        self.profiles: list[tuple[AgentClass, int]] = []
        self.free = 0
        self.waiting = 0
        self.is_capped = False


class AgentClass:
    """Free agents of one profile, in every order that one of its queues asks for. `working`: the busy ones, too."""

    __slots__ = ("agents", "classes", "key", "orders", "queues", "skills", "working")

    def __init__(self, key: ProfileKey, queues: Iterable[QueueState]) -> None:
        self.key = key
        self.skills = dict(key[0])
        self.queues = tuple(queues)
        self.orders: dict[AgentOrder, Ordered[SortKey]] = {queue.order: Ordered() for queue in self.queues}
        self.agents: dict[str, FreeAgent] = {}
        self.classes: dict[CallClass, None] = {}
        self.working = 0

    def add(self, agent: FreeAgent) -> None:
        self.agents[agent.id] = agent
        for order, keys in self.orders.items():
            keys.add(agent_key(order, agent))
        for queue in self.queues:
            queue.free += 1

    def remove(self, agent_id: str) -> None:
        agent = self.agents.pop(agent_id)
        for order, keys in self.orders.items():
            keys.remove(agent_key(order, agent))
        for queue in self.queues:
            queue.free -= 1


class Line:
    """Calls that are alike in all but priority and age: same queue, same requirement, same agents to skip."""

    __slots__ = ("calls", "of", "skip")

    def __init__(self, of: CallClass, skip: Skip) -> None:
        self.of = of
        self.skip = skip
        self.calls: Ordered[Place] = Ordered()


class CallClass:
    """Calls of one queue with one requirement, and the agent classes of that queue with what they are to it.

    `tiers`: agent classes that qualify, by the common part of their sort key, lowest first. `lacking`: those that
    do not, with the rule. Both hold every class of the queue, with or without free agents now.
    """

    __slots__ = ("_lacking_agents", "lacking", "lines", "queue", "requires", "tiers")

    def __init__(self, queue: QueueState, requires: Requirement) -> None:
        self.queue = queue
        self.requires = requires
        self.lines: dict[Skip, Line] = {}
        self.tiers: list[tuple[tuple[int, ...], list[Ordered[SortKey]]]] = []
        self.lacking: dict[str, list[AgentClass]] = {skill_rule(*skill): [] for skill in requires}
        self._lacking_agents: dict[str, list[dict[str, FreeAgent]]] = {rule: [] for rule in self.lacking}

    def meet(self, agents: AgentClass, rank: int) -> None:
        """Enter an agent class of this queue on the right side."""
        if rule := missing_skill(agents.skills, self.requires):
            insort(self.lacking[rule], agents, key=lambda known: known.key)
            self._lacking_agents[rule].append(agents.agents)
            return
        key = tier(self.queue.queue.strategy, rank, agents.skills, self.requires)
        agents.classes[self] = None
        order = agents.orders[self.queue.order]
        for known, orders in self.tiers:
            if known == key:
                orders.append(order)
                return
        insort(self.tiers, (key, [order]), key=itemgetter(0))

    def eligible(self, skip: Skip, limit: int | None) -> list[SortKey]:
        """Sort keys of the first `limit` free agents who qualify and are not skipped, best first, id last."""
        found: list[SortKey] = []
        for key, orders in self.tiers:
            filled = [chain.from_iterable(order.chunks) for order in orders if order.chunks]
            agents: Iterable[SortKey] = merge(*filled) if len(filled) > 1 else filled[0] if filled else ()
            if skip:
                agents = (agent for agent in agents if agent[-1] not in skip)
            found += [key + agent for agent in islice(agents, None if limit is None else limit - len(found))]
            if len(found) == limit:
                break
        return found

    def count_lacking(self) -> dict[str, int]:
        """Free members of the queue who do not qualify, by rule."""
        counts = {rule: sum(map(len, agents)) for rule, agents in self._lacking_agents.items()}
        return {rule: count for rule, count in counts.items() if count}


class Index:
    """All classes; they are made when first needed and know each other from then on."""

    # A class without calls is kept for the next one, up to so many: calls could bring requirements without number.
    _KEPT = 256

    def __init__(self, config: Config) -> None:
        self._config = config
        self._members = Counter(queue for agent in config.agents.values() for queue, _ in agent.queues)
        self._queues: dict[str, QueueState] = {}
        self._agents: dict[ProfileKey, AgentClass] = {}
        self.class_count = 0

    def queue(self, queue_id: str) -> QueueState:
        """A queue that the configuration no longer has keeps its waiting calls, under default rules."""
        found = self._queues.get(queue_id)
        if found is None:
            queue = self._config.queues.get(queue_id) or Queue(id=queue_id, label=queue_id)
            found = self._queues[queue_id] = QueueState(queue, self._members[queue_id])
        return found

    def agents(self, key: ProfileKey) -> AgentClass:
        found = self._agents.get(key)
        if found is None:
            ranks = {self.queue(queue_id): rank for queue_id, rank in key[1]}
            found = self._agents[key] = AgentClass(key, ranks)
            for queue, rank in ranks.items():
                queue.profiles.append((found, rank))
                for calls in queue.classes.values():
                    calls.meet(found, rank)
        return found

    def calls(self, queue_id: str, requires: Requirement) -> CallClass:
        queue = self.queue(queue_id)
        found = queue.classes.get(requires)
        if found is None:
            found = queue.classes[requires] = CallClass(queue, requires)
            self.class_count += 1
            for agents, rank in queue.profiles:
                found.meet(agents, rank)
        return found

    def forget(self, calls: CallClass) -> None:
        """Drop a class that has no calls, unless there are few."""
        if self.class_count <= self._KEPT:
            return
        self.class_count -= 1
        del calls.queue.classes[calls.requires]
        for agents, _ in calls.queue.profiles:
            agents.classes.pop(calls, None)
