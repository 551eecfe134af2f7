"""How a record is closed: it outlives its call, until its agent is done with it or his wrap-up is over (DISP, CBS).

By whatever way a call ends, its record is looked after in the same step: an agent finishes it, or it is released.
"""

from __future__ import annotations

from routing.core import attempts
from routing.core.agent import EngagementState
from routing.core.campaign_rules import AttemptResult
from routing.core.decisions import close
from routing.core.engagements import amend
from routing.core.interaction import Interaction, Role
from routing.core.record import RecordLive, RecordState, RecordTrigger
from routing.core.releasing import move, put_back
from routing.core.world import World


def sweep(world: World) -> None:
    """Records of the calls that have ended in this step."""
    for interaction in tuple(world.effects.ended.values()):
        if interaction.campaign and interaction.campaign.record_id:
            after_call(world, interaction)


def after_call(world: World, interaction: Interaction) -> None:
    """The call is over. Its owner at the end finishes the record in his wrap-up, whoever had it before; without one, or
    without wrap-up, it is closed with what is known.
    """
    call = interaction.campaign
    record = world.state.records.get(call.record_id) if call else None
    if record is None or record.interaction_id != interaction.id or record.state is RecordState.FINISHING:
        return
    if record.state is RecordState.TALKING:
        _finish(world, interaction, record)
    elif record.state is RecordState.CALLING:  # dialed, and nobody has said how it went: it counts as dialed
        attempts.ended(world, interaction, AttemptResult.UNKNOWN, "lost")
    else:
        put_back(world, record)


def _finish(world: World, interaction: Interaction, record: RecordLive) -> None:
    owner = interaction.party(Role.OWNER)
    agent = world.state.agents.get(owner.agent_id) if owner else None
    engagement = agent.engagements.get(interaction.id) if agent else None
    record = move(world, record, RecordTrigger.HUNG_UP, agent_id=agent.id if agent else "")
    if agent and engagement and engagement.state is EngagementState.WRAP_UP:
        amend(world, agent, interaction.id, record_id=record.id)
    else:
        close(world, record)
