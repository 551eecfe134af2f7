"""Orders of supervisors: their telephone is rung, then they are an ear of the call until it or they end."""

from __future__ import annotations

from dataclasses import dataclass

from routing.core.agent import EngagementState
from routing.core.commands import DialLeg
from routing.core.config import AgentConfig
from routing.core.errors import (
    AlreadySupervised,
    NotSupervisable,
    NotSupervised,
    SupervisorNotAvailable,
    UnknownAgent,
    UnknownSupervisor,
)
from routing.core.events import EventType
from routing.core.facts import PhoneState
from routing.core.interaction import TALKING, Interaction, Role
from routing.core.orders import ChangeSupervision, StopSupervision, Supervise
from routing.core.reach import dial_string, is_in_reach
from routing.core.supervision import Supervision, SupervisionEnd, SupervisionState, SupervisorConfig
from routing.core.supervision_moves import end, put, to_confirm, told
from routing.core.timers import Due, key
from routing.core.topology import converge
from routing.core.world import World

RING_S = 30
RING_GRACE_S = 5  # the PBX's own time-out is a safety net behind ours

_TAKEN = (PhoneState.BUSY, PhoneState.RINGING, PhoneState.UNREACHABLE)
Values = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listener:
    """Who will listen, at which telephone."""

    supervisor: SupervisorConfig | None
    agent: AgentConfig | None

    @property
    def telephone(self) -> SupervisorConfig | AgentConfig:
        found = self.supervisor or self.agent
        if found is None:
            raise UnknownSupervisor(supervisor="")
        return found

    @property
    def teams(self) -> tuple[str, ...]:
        return self.supervisor.teams if self.supervisor else ()


def supervise(world: World, order: Supervise) -> Values:
    """His telephone is rung. Raises UnknownInteraction, UnknownSupervisor, UnknownAgent, NotSupervisable,
    AlreadySupervised, SupervisorNotAvailable.
    """
    interaction = world.interaction(order.interaction_id)
    listener = _listener(world, order)
    owner = _owner(world, interaction)
    if interaction.supervision is not None:
        raise AlreadySupervised(interaction_id=interaction.id, by=interaction.supervision.by)
    if listener.teams and owner.team not in listener.teams:
        raise NotSupervisable(interaction_id=interaction.id, because="team")
    if because := _not_free_because(world, interaction, listener):
        raise SupervisorNotAvailable(whom=listener.telephone.id, because=because)
    supervision = _ring(world, interaction, listener, order)
    if listener.agent:
        world.update_agent(world.agent(listener.agent.id), supervising=interaction.id)
    interaction = world.update_interaction(interaction, supervision=supervision)
    world.set_timer(key(Due.SUPERVISE, interaction.id), supervision.deadline_ms)
    world.emit(EventType.SUPERVISION_STARTED, interaction, **told(world, interaction, supervision))
    return to_confirm(interaction)


def change(world: World, order: ChangeSupervision) -> Values:
    """Another mode, which counts from his answer on. Raises UnknownInteraction, NotSupervised."""
    interaction, supervision = _running(world, order.interaction_id, order.supervisor)
    if supervision.mode is order.mode:
        return to_confirm(interaction)
    is_heard = supervision.state is SupervisionState.ACTIVE
    state = SupervisionState.JOINING if is_heard else supervision.state
    return to_confirm(put(world, interaction, supervision, state, mode=order.mode))


def stop(world: World, order: StopSupervision) -> Values:
    """He hears nothing any more, and his telephone is hung up. Raises UnknownInteraction, NotSupervised."""
    interaction, _ = _running(world, order.interaction_id, order.supervisor)
    converge(world, end(world, interaction, SupervisionEnd.STOPPED))
    return {}


def _running(world: World, interaction_id: str, supervisor: str) -> tuple[Interaction, Supervision]:
    interaction = world.interaction(interaction_id)
    supervision = interaction.supervision
    if supervision is None or (supervisor and supervision.supervisor != supervisor):
        raise NotSupervised(interaction_id=interaction_id, whom=supervisor or "anybody")
    return interaction, supervision


def _listener(world: World, order: Supervise) -> _Listener:
    config = world.config
    if bool(order.supervisor) == bool(order.phone_of):
        raise UnknownSupervisor(supervisor=order.supervisor)
    if order.phone_of:
        if order.phone_of not in config.agents:
            raise UnknownAgent(agent_id=order.phone_of)
        return _Listener(supervisor=None, agent=config.agents[order.phone_of])
    supervisor = config.supervisors.get(order.supervisor)
    if supervisor is None:
        raise UnknownSupervisor(supervisor=order.supervisor)
    return _Listener(supervisor=supervisor, agent=world.agent_at_phone(supervisor.pbx, supervisor.phone))


def _owner(world: World, interaction: Interaction) -> AgentConfig:
    """The agent whose call it is."""
    owner = interaction.party(Role.OWNER)
    config = world.config.agents.get(owner.agent_id) if owner else None
    if config is None or interaction.state not in TALKING:
        raise NotSupervisable(interaction_id=interaction.id, because="state")
    return config


def _not_free_because(world: World, interaction: Interaction, listener: _Listener) -> str:
    """Why his telephone cannot be rung now; empty when it can."""
    telephone = listener.telephone
    if not is_in_reach(world.config, interaction.pbx, telephone.pbx):
        return "other_pbx"
    if not world.is_linked(interaction.pbx) or not world.is_linked(telephone.pbx):
        return "pbx_link_down"
    if any(s.pbx == telephone.pbx and s.phone == telephone.phone for s in _all(world)):
        return "supervising"
    agent = world.state.agents.get(listener.agent.id) if listener.agent else None
    if agent is None or listener.agent is None:
        return ""
    if any(engagement.state is not EngagementState.WRAP_UP for engagement in agent.engagements.values()):
        return agent.shown_state
    phone = world.phone_state(listener.agent)
    return f"phone_{phone.value}" if phone in _TAKEN else ""


def _all(world: World) -> list[Supervision]:
    return [i.supervision for i in world.state.interactions.values() if i.supervision]


def _ring(world: World, interaction: Interaction, listener: _Listener, order: Supervise) -> Supervision:
    telephone = listener.telephone
    supervision = Supervision(
        id=world.new_id("sup"),
        leg_id=world.new_id("leg"),
        by=order.actor,
        mode=order.mode,
        state=SupervisionState.RINGING,
        supervisor=order.supervisor,
        agent_id=listener.agent.id if listener.agent else "",
        pbx=telephone.pbx,
        phone=telephone.phone,
        asked_at_ms=world.now_ms,
        since_ms=world.now_ms,
        deadline_ms=world.now_ms + RING_S * 1000,
    )
    _dial(world, interaction, supervision, dial_string(world.config, interaction.pbx, telephone))
    return supervision


def _dial(world: World, interaction: Interaction, supervision: Supervision, phone: str) -> None:
    """The customer's number is shown there, and the agent's name."""
    is_ours = interaction.outdial or interaction.campaign  # then `ani` is our own number
    world.send(
        DialLeg(
            id=supervision.id,
            pbx=interaction.pbx,
            leg_id=supervision.leg_id,
            interaction_id=interaction.id,
            phone=phone,
            timeout_s=RING_S + RING_GRACE_S,
            caller_number=interaction.dnis if is_ours else interaction.ani,
            caller_name=_owner(world, interaction).name,
        )
    )
