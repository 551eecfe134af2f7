"""Wrap-up.

It belongs to the agent, blocks offers, and ends by a reason, early or by its time-out (ROUTE-14, END-04).
"""

from __future__ import annotations

from routing.core import decisions
from routing.core.agent import Agent, Engagement, EngagementState, EngagementTrigger
from routing.core.config import WrapUp
from routing.core.engagements import move_engagement, set_deadline
from routing.core.errors import ActionNotAllowed, UnknownReason
from routing.core.events import EventType
from routing.core.interaction import Interaction
from routing.core.orders import ExtendWrapUp, FinishWrapUp
from routing.core.roles import Action
from routing.core.timers import Due, key
from routing.core.world import World


def start_wrap_up(world: World, interaction: Interaction, agent_id: str) -> None:
    """The agent's part in the call is over; he wraps up as his queue demands, or is free at once."""
    rules = _rules(world, interaction.queue)
    agent = world.agent(agent_id)
    engagement = agent.engagements[interaction.id]
    if rules.timeout_s == 0:
        move_engagement(world, agent, interaction.id, EngagementTrigger.ENDED)
        _tell_end(world, agent, engagement, rules.default_reason, "queue")
        return
    deadline = world.now_ms + rules.timeout_s * 1000 if rules.timeout_s is not None else None
    agent = move_engagement(world, agent, interaction.id, EngagementTrigger.ENDED_TO_WRAP_UP)
    set_deadline(world, agent, interaction.id, deadline)
    if deadline is not None:
        world.set_timer(key(Due.WRAP_UP, interaction.id, agent_id), deadline)
    world.emit(
        EventType.WRAP_UP_STARTED,
        interaction,
        agent_id,
        leg_id=engagement.leg_id,
        deadline_ms=deadline,
        reasons=list(world.config.wrap_up_reasons),
    )


def finish(world: World, order: FinishWrapUp) -> dict[str, object]:
    """The agent gives a reason.

    Raises ActionNotAllowed outside wrap-up, UnknownReason for one that is not configured, RecordNotDone. It closes the
    record of a campaign's call, too, and the next one does not open by itself.
    """
    agent, engagement = _wrapping(world, order, Action.FINISH_WRAP_UP)
    if engagement.record_id and (record := world.state.records.get(engagement.record_id)):
        decisions.require_closable(world, record)
    reason = order.reason or _rules(world, engagement.queue).default_reason
    if reason not in world.config.wrap_up_reasons:
        raise UnknownReason(kind="wrap-up", reason=reason or "", known=", ".join(world.config.wrap_up_reasons))
    _end(world, agent, engagement, reason, "agent")
    return {"reason": reason}


def extend(world: World, order: ExtendWrapUp) -> dict[str, object]:
    """More time, as often as the queue allows.

    Raises ActionNotAllowed outside wrap-up or when there is no more to have.
    """
    agent, engagement = _wrapping(world, order, Action.EXTEND_WRAP_UP)
    rules = _rules(world, engagement.queue)
    if engagement.deadline_ms is None or engagement.extensions >= rules.max_extensions:
        raise ActionNotAllowed(action=Action.EXTEND_WRAP_UP.value, allowed_actions=[Action.FINISH_WRAP_UP.value])
    deadline = engagement.deadline_ms + rules.extension_s * 1000
    agent = move_engagement(world, agent, engagement.interaction_id, EngagementTrigger.WRAP_UP_EXTENDED)
    set_deadline(world, agent, engagement.interaction_id, deadline, engagement.extensions + 1)
    world.set_timer(key(Due.WRAP_UP, engagement.interaction_id, agent.id), deadline)
    world.emit(
        EventType.WRAP_UP_EXTENDED,
        None,
        agent.id,
        interaction_id=engagement.interaction_id,
        deadline_ms=deadline,
    )
    return {"deadline_ms": deadline}


def timed_out(world: World, interaction_id: str, agent_id: str) -> None:
    """The time-out applies the default reason."""
    agent = world.state.agents.get(agent_id)
    engagement = agent.engagements.get(interaction_id) if agent else None
    if agent and engagement and engagement.deadline_ms is not None and engagement.deadline_ms <= world.now_ms:
        _end(world, agent, engagement, _rules(world, engagement.queue).default_reason, "timeout")


def _end(world: World, agent: Agent, engagement: Engagement, reason: str | None, by: str) -> None:
    world.clear_timer(key(Due.WRAP_UP, engagement.interaction_id, agent.id))
    move_engagement(world, agent, engagement.interaction_id, EngagementTrigger.WRAPPED_UP)
    _tell_end(world, agent, engagement, reason, by)
    if engagement.record_id:
        decisions.wrapped_up(world, engagement.record_id, agent.id)


def _tell_end(world: World, agent: Agent, engagement: Engagement, reason: str | None, by: str) -> None:
    """`by`: agent, timeout, or queue where it has no wrap-up and its default reason is applied at once."""
    world.emit(
        EventType.WRAP_UP_ENDED,
        None,
        agent.id,
        interaction_id=engagement.interaction_id,
        queue=engagement.queue,
        leg_id=engagement.leg_id,
        reason=reason,
        by=by,
    )


def _wrapping(world: World, order: FinishWrapUp | ExtendWrapUp, action: Action) -> tuple[Agent, Engagement]:
    agent = world.agent(order.agent_id)
    for engagement in agent.engagements.values():
        is_meant = order.interaction_id in ("", engagement.interaction_id)
        if is_meant and engagement.state is EngagementState.WRAP_UP:
            return agent, engagement
    raise ActionNotAllowed(action=action.value, allowed_actions=[])


def _rules(world: World, queue: str) -> WrapUp:
    found = world.config.queues.get(queue)
    return found.wrap_up if found else WrapUp()
