"""What an agent does about a record, during its call and after it: result, callback, guide, done (DISP, CBS, GUIDE)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from routing.core import callback_machine, campaigns, closing, decisions, guide, wrapup
from routing.core.agent import EngagementState
from routing.core.callback_machine import GivenUp
from routing.core.config import Result
from routing.core.endings import end_interaction
from routing.core.errors import (
    ActionNotAllowed,
    AgentNotEngaged,
    DispositionRefused,
    GuideRefused,
    RecordNotDone,
    RecordRefused,
)
from routing.core.events import EventType
from routing.core.guard import allowed_actions
from routing.core.interaction import Interaction, InteractionState
from routing.core.numbers import readings
from routing.core.orders import AnswerGuide, Dispose, FinishWrapUp, MarkDone
from routing.core.preview_orders import wish
from routing.core.record import RecordLive, ReleaseCause
from routing.core.releasing import release
from routing.core.roles import Action
from routing.core.world import World

Values = dict[str, object]


def held(world: World, agent_id: str, interaction_id: str, action: Action) -> tuple[RecordLive, Interaction | None]:
    """The record that is this agent's to work with, in its preview, its call or his wrap-up; and that call if it lives.

    Raises UnknownAgent, UnknownInteraction, AgentNotEngaged, ActionNotAllowed, RecordRefused.
    """
    agent, interaction = world.agent(agent_id), world.state.interactions.get(interaction_id)
    engagement = agent.engagements.get(interaction_id)
    if engagement is None:
        world.interaction(interaction_id)
        raise AgentNotEngaged(agent_id=agent_id, interaction_id=interaction_id)
    allowed = allowed_actions(world.config, interaction, agent, engagement)
    if action not in allowed:
        raise ActionNotAllowed(action=action.value, allowed_actions=sorted(a.value for a in allowed))
    is_over = engagement.state is EngagementState.WRAP_UP
    call = interaction.campaign if interaction else None
    record = world.state.records.get(engagement.record_id if is_over else call.record_id if call else "")
    if record is None:
        raise RecordRefused(reason="gone")
    return record, None if is_over else interaction


def about(record: RecordLive) -> dict[str, Any]:
    return {"campaign": record.card.campaign, "record_id": record.id}


def tell(world: World, type_: EventType, order: MarkDone | Dispose | AnswerGuide | Any, **values: Any) -> None:
    """An event about a record whose call may be over."""
    interaction = world.state.interactions.get(order.interaction_id)
    engagement = world.agent(order.agent_id).engagements.get(order.interaction_id)
    queue = interaction.queue if interaction else engagement.queue if engagement else ""
    world.emit(type_, None, order.agent_id, interaction_id=order.interaction_id, queue=queue, **values)


# ------------------------------------------------------------------ done


def mark_done(world: World, order: MarkDone) -> Values:
    """Ends the call and his wrap-up, closes the record; in preview mode the next one opens, unless `stop` (PREV-19).

    Raises as `held`, RecordNotDone (DISP-04, CBS-08), UnknownReason; then nothing has changed.
    """
    record, interaction = held(world, order.agent_id, order.interaction_id, Action.MARK_DONE)
    decisions.require_closable(world, record)
    wish(world, record.card.campaign, order.agent_id, wants=not order.stop)
    if interaction and interaction.state is InteractionState.PREVIEWING:
        return _done_undialed(world, interaction, record, order.agent_id)
    if interaction:
        end_interaction(world, interaction, Result.ANSWERED, order.agent_id)
        closing.after_call(world, world.effects.ended[interaction.id])
    engagement = world.agent(order.agent_id).engagements.get(order.interaction_id)
    if engagement is None:
        return {}
    return wrapup.finish(
        world,
        FinishWrapUp(
            order_id=order.order_id,
            agent_id=order.agent_id,
            reason=order.wrap_up_reason,
            interaction_id=order.interaction_id,
        ),
    )


def _done_undialed(world: World, interaction: Interaction, record: RecordLive, agent_id: str) -> Values:
    """Postponed, or disposed of, before it was dialed (CBS-05)."""
    found = decisions.decided(world, record)
    if found is None:
        raise RecordNotDone(reason="nothing_decided")
    release(world, record, found[0], next_at_ms=found[1])
    end_interaction(world, interaction, _UNDIALED.get(found[0], Result.CANCELLED), agent_id)
    return {}


_UNDIALED = {ReleaseCause.CALLBACK: Result.CALLBACK}

# ------------------------------------------------------------------ result


def dispose(world: World, order: Dispose) -> Values:
    """Codes of the result, the first is the primary one (A27), and the mark, which nothing takes back (DISP-05).

    Raises as `held`, DispositionRefused; then nothing has changed.
    """
    record, _interaction = held(world, order.agent_id, order.interaction_id, Action.DISPOSE)
    known, codes = decisions.dispositions_of(world, record), tuple(dict.fromkeys(order.codes))
    if unknown := [code for code in codes if code not in known]:
        raise DispositionRefused(reason="unknown", codes=unknown)
    campaign = world.config.campaigns.get(record.card.campaign)
    if campaign and campaign.single_disposition and len(codes) > 1:
        raise DispositionRefused(reason="single", codes=list(codes))
    is_marked = order.do_not_call or any(known[code].do_not_call for code in codes)
    number = record.number or _first_number(record)
    was_marked = record.do_not_call
    record = world.put_record(replace(record, codes=codes, do_not_call=was_marked or is_marked))
    told = about(record) | {"codes": list(codes), "do_not_call": record.do_not_call, "number": number}
    tell(world, EventType.RECORD_DISPOSED, order, **told)
    if is_marked and not was_marked:
        _mark(world, record, order, number)
    return {"codes": list(codes), "do_not_call": record.do_not_call}


def _first_number(record: RecordLive) -> str:
    numbers = record.card.numbers
    return numbers[record.card.next_number % len(numbers)].number if numbers else ""


def _mark(world: World, record: RecordLive, order: Dispose, number: str) -> None:
    """Whatever else would call that number stops, and so does what was planned here (DISP-05)."""
    if record.callback:
        world.put_record(replace(record, callback=None))
        tell(world, EventType.RECORD_CALLBACK_CANCELLED, order, **about(record))
    for owed in world.callbacks_to(readings(number, world.config.numbers)):
        callback_machine.give_up(world, owed, GivenUp.DO_NOT_CALL, order.actor or "server")
    campaigns.marked(world, number)


# ------------------------------------------------------------------ guide


def answer_guide(world: World, order: AnswerGuide) -> Values:
    """Answers so far, as often as he likes until they are submitted; of a way that he left they are dropped (GUIDE-03).

    Raises as `held`, GuideRefused; then nothing has changed.
    """
    record, _interaction = held(world, order.agent_id, order.interaction_id, Action.ANSWER_GUIDE)
    campaign = world.config.campaigns.get(record.card.campaign)
    if campaign is None or not campaign.guide:
        raise GuideRefused(reason="no_guide", question="")
    if record.guide_done:
        raise GuideRefused(reason="submitted", question="")
    known = {question.id: question for question in campaign.guide}
    for id_, text in order.answers.items():
        if id_ not in known:
            raise GuideRefused(reason="unknown", question=id_[:64])
        if not guide.fits(known[id_], text):
            raise GuideRefused(reason="answer", question=id_)
    answers = guide.on_the_way(campaign, record.answers | order.answers)
    way = guide.way(campaign, answers)
    if order.submit and way.open:
        raise GuideRefused(reason="incomplete", question=way.open.id)
    world.put_record(replace(record, answers=answers, guide_done=order.submit))
    tell(world, EventType.GUIDE_ANSWERED, order, **about(record), answers=answers, is_complete=order.submit)
    return {"answers": answers, "next_question": way.next.id if way.next else None, "is_complete": order.submit}
