"""Why a call went to whom, within a bounded cost (ROUTE-17), and the dry run for one call (ROUTE-18)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from routing.core.config import Queue, Strategy
from routing.core.matching_index import CallClass, Line, QueueState
from routing.core.matching_order import (
    KEY_NAMES,
    Rule,
    SortKey,
    missing_skill,
)
from routing.core.matching_preferred import NO_RANK, PreferredLine, sort_key, wanted_agent
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


def waits_for(agent_id: str) -> str:
    """The rule that removes everybody but the preferred agent (ROUTE-08)."""
    return f"waits for {agent_id}"


def _count_passed_over(choice: Choice) -> dict[str, int]:
    calls = choice.line.of
    if isinstance(choice.line, PreferredLine):
        return _count_others(choice.line, is_member=choice.compared[0][0] != NO_RANK)
    removed = calls.count_lacking()
    if choice.skipped:
        removed[Rule.SKIPPED.value] = len(choice.skipped)
    if calls.queue.members > calls.queue.free:
        removed[Rule.NOT_FREE.value] = calls.queue.members - calls.queue.free
    return removed


def _count_others(line: PreferredLine, *, is_member: bool) -> dict[str, int]:
    """The queue's members beside the preferred agent, who is free and perhaps a member."""
    queue = line.of.queue
    counts = {waits_for(line.agent_id): queue.free - is_member, Rule.NOT_FREE.value: queue.members - queue.free}
    return {rule: count for rule, count in counts.items() if count > 0}


def of_dry_run(call: WaitingCall, calls: CallClass, views: Iterable[AgentView], moment: Moment) -> Trace:
    """Judge every member of the call's queue among `views`; of others only a preferred agent is a candidate."""
    queue = calls.queue
    judged = [c for view in views if (c := _judge(call, queue, view))]
    eligible = sorted((c for c in judged if not c.removed_by), key=lambda c: c.sort_key)
    passed_over = sorted((c for c in judged if c.removed_by), key=lambda c: (c.removed_by, c.agent_id))
    takes_all = queue.queue.strategy is Strategy.RING_ALL
    winners = tuple(c.agent_id for c in (eligible if takes_all else eligible[:1]))
    named = (eligible + passed_over)[:NAMED_PER_DRY_RUN]
    return _trace(call, queue.queue, winners, named, dict(Counter(c.removed_by for c in passed_over)), moment)


def _judge(call: WaitingCall, queue: QueueState, view: AgentView) -> Candidate | None:
    wanted = wanted_agent(call)
    if view.id != wanted and queue.queue.id not in dict(view.profile[1]):
        return None
    rule = _rule_against(call, queue, view) if not wanted else _rule_beside(wanted, queue, view)
    if rule or view.free is None:
        return Candidate(agent_id=view.id, removed_by=rule or Rule.NOT_FREE.value)
    return Candidate(agent_id=view.id, sort_key=sort_key(call, queue, view.free))


def _rule_against(call: WaitingCall, queue: QueueState, view: AgentView) -> str:
    """What keeps a call that waits for anybody from this member of its queue."""
    rule = missing_skill(dict(view.profile[0]), call.requires) or view.unavailable_because
    if not rule and view.id in call.skip:
        rule = Rule.SKIPPED.value
    return rule or (Rule.QUEUE_CAP.value if queue.is_capped else "")


def _rule_beside(wanted: str, queue: QueueState, view: AgentView) -> str:
    """Likewise of a call that waits for one agent alone."""
    rule = view.unavailable_because or ("" if view.id == wanted else waits_for(wanted))
    return rule or (Rule.QUEUE_CAP.value if queue.is_capped else "")


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
