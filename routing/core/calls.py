"""A call that is up: hold, resume, end, CAD edits, hang-ups at either end, and what the PBX says of the rooms."""

from __future__ import annotations

from typing import Any

from routing.core import cad
from routing.core.agent import ACTION_TABLE, Action, Agent, Engagement, EngagementTrigger
from routing.core.config import Result, RonaCause
from routing.core.endings import end_interaction
from routing.core.engagements import move_engagement
from routing.core.errors import ActionNotAllowed, AgentNotEngaged, CadConflict
from routing.core.events import EventType
from routing.core.facts import EndedBy, LegEnded, RoomsReached, RoomsRefused
from routing.core.interaction import Interaction, InteractionState, InteractionTrigger, next_state
from routing.core.offers import miss
from routing.core.orders import EditCad, EndInteraction, Hold, Resume
from routing.core.timers import Due, key
from routing.core.topology import ask, converge
from routing.core.world import World

ROOMS_RETRY_MS = 2000
Values = dict[str, object]


def allowed_actions(world: World, agent: Agent, engagement: Engagement) -> frozenset[Action]:
    """What this agent may do with this interaction now: the table, less what his profile forbids (OFFER-05)."""
    actions = ACTION_TABLE[engagement.state]
    config = world.config.agents.get(agent.id)
    profile = world.config.profiles.get(config.profile) if config else None
    return actions - {Action.END} if profile and not profile.end_calls else actions


def require(world: World, agent_id: str, interaction_id: str, action: Action) -> tuple[Agent, Interaction]:
    """The guard of every order on a call.

    Raises UnknownInteraction, UnknownAgent, AgentNotEngaged, ActionNotAllowed.
    """
    interaction, agent = world.interaction(interaction_id), world.agent(agent_id)
    engagement = agent.engagements.get(interaction_id)
    if engagement is None:
        raise AgentNotEngaged(agent_id=agent_id, interaction_id=interaction_id)
    allowed = allowed_actions(world, agent, engagement)
    if action not in allowed:
        raise ActionNotAllowed(action=action.value, allowed=sorted(a.value for a in allowed))
    return agent, interaction


def hold(world: World, order: Hold) -> Values:
    """The customer hears music, the agent silence; `interaction.held` follows when the PBX has confirmed it."""
    agent, interaction = require(world, order.agent_id, order.interaction_id, Action.HOLD)
    state = next_state(interaction.state, InteractionTrigger.CUSTOMER_HELD)
    interaction = world.update_interaction(interaction, state=state, held_since_ms=world.now_ms)
    move_engagement(world, agent, interaction.id, EngagementTrigger.HELD)
    return {"version": converge(world, interaction).version}


def resume(world: World, order: Resume) -> Values:
    """Both hear each other again; `interaction.resumed` follows when the PBX has confirmed it."""
    agent, interaction = require(world, order.agent_id, order.interaction_id, Action.RESUME)
    held_ms = interaction.held_ms + world.now_ms - (interaction.held_since_ms or world.now_ms)
    state = next_state(interaction.state, InteractionTrigger.CUSTOMER_RESUMED)
    interaction = world.update_interaction(interaction, state=state, held_since_ms=None, held_ms=held_ms)
    move_engagement(world, agent, interaction.id, EngagementTrigger.RESUMED)
    return {"version": converge(world, interaction).version}


def end(world: World, order: EndInteraction) -> Values:
    """The agent ends the call (END-03: not while it is on hold)."""
    agent, interaction = require(world, order.agent_id, order.interaction_id, Action.END)
    end_interaction(world, interaction, Result.ANSWERED, agent.id)
    return {}


def edit_cad(world: World, order: EditCad) -> Values:
    """One atomic save. Raises CadConflict when somebody saved first, CadRefused when a value breaks its declaration."""
    agent, interaction = require(world, order.agent_id, order.interaction_id, Action.EDIT_CAD)
    if order.expected_version not in (None, interaction.cad_version):
        raise CadConflict(
            current_version=interaction.cad_version,
            expected_version=order.expected_version,
            author=interaction.cad_author,
        )
    declared = world.config.cad_of(interaction.entry_point)
    values = cad.edit(declared, interaction.cad, order.values)
    version = interaction.cad_version + 1
    interaction = world.update_interaction(interaction, cad=values, cad_version=version, cad_author=agent.id)
    changed = cad.masked(declared, {name: values[name] for name in order.values})
    world.emit(EventType.CAD_CHANGED, interaction, agent.id, cad=changed, cad_version=version)
    return {"cad_version": version}


def leg_ended(world: World, fact: LegEnded) -> None:
    """Somebody hung up, or a leg is gone. A leg nobody knows any more has been dealt with."""
    interaction = world.interaction_of(fact.leg_id)
    if interaction is None:
        return
    if fact.leg_id == interaction.customer_leg:
        is_taken_back = fact.ended_by is EndedBy.DIALPLAN
        without_agent = Result.UNAVAILABLE if is_taken_back else Result.ABANDONED
        result = Result.ANSWERED if interaction.parties else without_agent
        end_interaction(world, interaction, result, "dialplan" if is_taken_back else "customer")
    elif offer := next((o for o in interaction.offers if o.leg_id == fact.leg_id), None):
        miss(world, interaction, offer, RonaCause.UNREACHABLE)
    else:
        party = next(p for p in interaction.parties if p.leg_id == fact.leg_id)
        end_interaction(world, interaction, Result.ANSWERED, party.agent_id)


_REACHED = {
    InteractionState.HELD: EventType.INTERACTION_HELD,
    InteractionState.CONNECTED: EventType.INTERACTION_RESUMED,
}


def rooms_reached(world: World, fact: RoomsReached) -> None:
    """The PBX confirms the wanted rooms: only now is a call called bridged, held or resumed."""
    interaction = world.state.interactions.get(fact.interaction_id)
    if interaction is None or fact.version != interaction.rooms_version or fact.version == interaction.rooms_reached:
        return
    is_first = interaction.state is InteractionState.CONNECTED and interaction.bridged_at_ms is None
    changes: dict[str, Any] = {"bridged_at_ms": world.now_ms} if is_first else {}
    interaction = world.update_interaction(interaction, rooms_reached=fact.version, **changes)
    agent_id = interaction.parties[0].agent_id if interaction.parties else ""
    if is_first:
        world.emit(EventType.INTERACTION_BRIDGED, interaction, agent_id)
    elif interaction.state in _REACHED:
        world.emit(_REACHED[interaction.state], interaction, agent_id)


def rooms_refused(world: World, fact: RoomsRefused) -> None:
    """The PBX cannot make the wanted rooms. If a leg is gone its own fact ends the call; else we ask again."""
    interaction = world.state.interactions.get(fact.interaction_id)
    if interaction is not None and fact.version == interaction.rooms_version:
        world.emit(EventType.PBX_MISMATCH, interaction, pbx=fact.pbx, what="rooms refused", reason=fact.reason[:256])
        world.set_timer(key(Due.ROOMS, interaction.id), world.now_ms + ROOMS_RETRY_MS)


def ask_again(world: World, interaction_id: str) -> None:
    """Repeat the wanted rooms under a new version."""
    if interaction := world.state.interactions.get(interaction_id):
        ask(world, world.update_interaction(interaction, rooms_version=interaction.rooms_version + 1))
