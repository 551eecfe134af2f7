"""Why a call went to whom, within a bounded cost (ROUTE-17), and the dry run for one call (ROUTE-18)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from routing.core.config import Queue, Strategy
from routing.core.matching_index import CallClass, Line
from routing.core.matching_order import (
    KEY_NAMES,
    ORDER_OF,
    Rule,
    SortKey,
    agent_key,
    missing_skill,
    tier,
)
from routing.core.matching_types import AgentView, Candidate, Trace, WaitingCall
from routing.core.reach import MARK

# A trace is written at every decision, so it names fewer than a dry run does; both count all by rule.
NAMED_PER_DECISION = 24
COMPARED_PER_DECISION = 12
NAMED_PER_DRY_RUN = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What a trace says of the moment and of the call's place in the order over all queues."""

    at_ms: int
    config_revision: int
    call_key: SortKey
    call_runner_up: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How a call was matched.

    `compared`: sort keys of the eligible agents, best first, at least those to be named.
    `skipped`: free agents who would be eligible but for the call's skip.
    """

    line: Line
    compared: list[SortKey]
    skipped: tuple[str, ...]
    winners: tuple[str, ...]


def of_decision(call: WaitingCall, choice: Choice, moment: Moment) -> Trace:
    """Names the best of those compared and some of those passed over; who is not free is only counted."""
    compared = choice.compared[:COMPARED_PER_DECISION]
    passed_over = islice(_passed_over(choice), NAMED_PER_DECISION - len(compared))
    named = [Candidate(agent_id=str(key[-1]), sort_key=key) for key in compared]
    named += [Candidate(agent_id=agent_id, removed_by=rule) for rule, agent_id in passed_over]
    return _trace(call, choice.line.of.queue.queue, choice.winners, named, _count_passed_over(choice), moment)


def _passed_over(choice: Choice) -> Iterator[tuple[str, str]]:
    for agent_id in choice.skipped:
        yield Rule.SKIPPED.value, agent_id
    order = choice.line.of.queue.order
    for rule, lacking in choice.line.of.lacking.items():
        for agents in lacking:
            for key in agents.orders[order]:
                yield rule, str(key[-1])


def _count_passed_over(choice: Choice) -> dict[str, int]:
    calls = choice.line.of
    removed = calls.count_lacking()
    if choice.skipped:
        removed[Rule.SKIPPED.value] = len(choice.skipped)
    if calls.queue.members > calls.queue.free:
        removed[Rule.NOT_FREE.value] = calls.queue.members - calls.queue.free
    return removed


def of_dry_run(call: WaitingCall, calls: CallClass, views: Iterable[AgentView], moment: Moment) -> Trace:
    """Judge every member of the call's queue among `views`; who is no member is no candidate."""
    queue = calls.queue
    judged = [c for view in views if (c := _judge(call, queue.queue, queue.is_capped, view))]
    eligible = sorted((c for c in judged if not c.removed_by), key=lambda c: c.sort_key)
    passed_over = sorted((c for c in judged if c.removed_by), key=lambda c: (c.removed_by, c.agent_id))
    takes_all = queue.queue.strategy is Strategy.RING_ALL
    winners = tuple(c.agent_id for c in (eligible if takes_all else eligible[:1]))
    named = (eligible + passed_over)[:NAMED_PER_DRY_RUN]
    return _trace(call, queue.queue, winners, named, dict(Counter(c.removed_by for c in passed_over)), moment)


def _judge(call: WaitingCall, queue: Queue, is_capped: bool, view: AgentView) -> Candidate | None:
    ranks, skills = dict(view.profile[1]), dict(view.profile[0])
    if queue.id not in ranks:
        return None
    rule = missing_skill(skills, call.requires) or view.unavailable_because
    if not rule and view.id in call.skip:
        rule = Rule.SKIPPED.value
    if not rule and is_capped:
        rule = Rule.QUEUE_CAP.value
    if rule or view.free is None:
        return Candidate(agent_id=view.id, removed_by=rule or Rule.NOT_FREE.value)
    key = tier(queue.strategy, ranks[queue.id], skills, call.requires)
    return Candidate(agent_id=view.id, sort_key=key + agent_key(ORDER_OF[queue.strategy], view.free))


def _trace(
    call: WaitingCall,
    queue: Queue,
    winners: tuple[str, ...],
    named: list[Candidate],
    removed: dict[str, int],
    moment: Moment,
) -> Trace:
    return Trace(
        at_ms=moment.at_ms,
        interaction_id=call.id,
        queue=call.queue,
        strategy=queue.strategy.value,
        requires=tuple(skill for skill in call.requires if not skill[0].startswith(MARK)),
        config_revision=moment.config_revision,
        winners=winners,
        key_names=KEY_NAMES[queue.strategy],
        candidates=tuple(named),
        removed=removed,
        call_key=moment.call_key,
        call_runner_up=moment.call_runner_up,
    )
