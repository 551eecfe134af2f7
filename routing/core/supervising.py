"""Supervisors hear live calls: their telephone is rung, then they are an ear of the call until it or they end.

Nothing here touches the state of the call, its parties, its clocks or its recordings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

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
from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    DialFailed,
    DialOutcome,
    EarsReached,
    EarsRefused,
    EndedBy,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegState,
    PhoneState,
    SnapshotLeg,
)
from routing.core.interaction import TALKING, Interaction, Role
from routing.core.orders import ChangeSupervision, StopSupervision, Supervise
from routing.core.reach import dial_string, is_in_reach
from routing.core.supervision import Supervision, SupervisionEnd, SupervisionMode, SupervisionState, SupervisorConfig
from routing.core.timers import Due, key
from routing.core.topology import converge, hang_up, wanted_ears
from routing.core.world import World

RING_S = 30
RING_GRACE_S = 5  # the PBX's own time-out is a safety net behind ours
IN_FLIGHT_MS = 1000  # a dial order younger than this may still be on its way when a snapshot is taken

_S, _E = SupervisionState, SupervisionEnd
_ENDS = {
    DialOutcome.BUSY: _E.BUSY,
    DialOutcome.NO_ANSWER: _E.NO_ANSWER,
    DialOutcome.REJECTED: _E.REJECTED,
    DialOutcome.CANCELLED: _E.STOPPED,
}
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


# ------------------------------------------------------------------ orders


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
    world.emit(EventType.SUPERVISION_STARTED, interaction, **_told(world, interaction, supervision))
    return _to_confirm(interaction)


def change(world: World, order: ChangeSupervision) -> Values:
    """Another mode, which counts from his answer on. Raises UnknownInteraction, NotSupervised."""
    interaction, supervision = _running(world, order.interaction_id, order.supervisor)
    if supervision.mode is order.mode:
        return _to_confirm(interaction)
    is_heard = supervision.state is _S.ACTIVE
    state = _S.JOINING if is_heard else supervision.state
    return _to_confirm(_put(world, interaction, supervision, state, mode=order.mode))


def stop(world: World, order: StopSupervision) -> Values:
    """He hears nothing any more, and his telephone is hung up. Raises UnknownInteraction, NotSupervised."""
    interaction, _ = _running(world, order.interaction_id, order.supervisor)
    converge(world, end(world, interaction, _E.STOPPED))
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
        state=_S.RINGING,
        supervisor=order.supervisor,
        agent_id=listener.agent.id if listener.agent else "",
        pbx=telephone.pbx,
        phone=telephone.phone,
        asked_at_ms=world.now_ms,
        since_ms=world.now_ms,
        deadline_ms=world.now_ms + RING_S * 1000,
    )
    is_ours = interaction.outdial or interaction.campaign  # then `ani` is our own number
    world.send(
        DialLeg(
            id=supervision.id,
            pbx=interaction.pbx,
            leg_id=supervision.leg_id,
            interaction_id=interaction.id,
            phone=dial_string(world.config, interaction.pbx, telephone),
            timeout_s=RING_S + RING_GRACE_S,
            caller_number=interaction.dnis if is_ours else interaction.ani,
            caller_name=_owner(world, interaction).name,
        )
    )
    return supervision


# ------------------------------------------------------------------ what the PBX says of his leg


def ringing(world: World, fact: LegRinging) -> bool:
    """Each of these says whether it was about a supervisor's leg."""
    interaction, supervision = _at(world, fact.leg_id)
    if interaction and supervision and not supervision.is_ringing:
        world.update_interaction(interaction, supervision=replace(supervision, is_ringing=True))
    return supervision is not None


def answered(world: World, fact: LegAnswered) -> bool:
    interaction, supervision = _at(world, fact.leg_id)
    if interaction and supervision and not supervision.is_up:
        world.clear_timer(key(Due.SUPERVISE, interaction.id))
        _put(world, interaction, supervision, _S.JOINING)
    return supervision is not None


def dial_failed(world: World, fact: DialFailed) -> bool:
    interaction, supervision = _at(world, fact.leg_id)
    if interaction and supervision:
        converge(world, end(world, interaction, _ENDS.get(fact.outcome, _E.UNREACHABLE), is_gone=True))
    return supervision is not None


def command_ended(world: World, fact: CommandEnded) -> None:
    """His telephone could not be rung, or nobody knows; where it rings its fate is known."""
    interaction = world.interaction_of(fact.command_id)
    supervision = interaction.supervision if interaction else None
    if interaction is None or supervision is None or supervision.id != fact.command_id or supervision.is_up:
        return
    if fact.outcome is CommandOutcome.REFUSED:
        converge(world, end(world, interaction, _E.UNREACHABLE, is_gone=True))
    elif fact.outcome is CommandOutcome.UNKNOWN and not supervision.is_ringing:
        converge(world, end(world, interaction, _E.LOST))


def leg_ended(world: World, fact: LegEnded) -> bool:
    interaction, supervision = _at(world, fact.leg_id)
    if interaction and supervision:
        why = _E.LOST if fact.ended_by is EndedBy.UNKNOWN else _E.HUNG_UP
        converge(world, end(world, interaction, why, is_gone=True))
    return supervision is not None


def rang_out(world: World, interaction_id: str) -> None:
    """He has not answered in time."""
    interaction = world.state.interactions.get(interaction_id)
    if interaction and interaction.supervision and not interaction.supervision.is_up:
        converge(world, end(world, interaction, _E.NO_ANSWER))


def ears_reached(world: World, fact: EarsReached) -> None:
    """The PBX confirms that he hears what he shall."""
    interaction = world.state.interactions.get(fact.interaction_id)
    supervision = interaction.supervision if interaction else None
    if interaction is None or supervision is None or fact.version != interaction.ears_version:
        return
    if not supervision.is_up or not interaction.ears:
        return
    state = _S.ACTIVE if interaction.ears[0].hears else _S.WAITING
    if state is not supervision.state:
        _put(world, interaction, supervision, state)


def ears_refused(world: World, fact: EarsRefused) -> None:
    """The PBX cannot do it: he does not stay in silence."""
    interaction = world.state.interactions.get(fact.interaction_id)
    if interaction and interaction.supervision and fact.version == interaction.ears_version:
        values = {"what": "supervision refused", "reason": fact.reason[:256]}
        world.emit(EventType.PBX_MISMATCH, None, pbx=fact.pbx, **values)
        converge(world, end(world, interaction, _E.REFUSED))


def compare(world: World, interaction_id: str, live: dict[str, SnapshotLeg]) -> None:
    """After a gap: what has become of his leg."""
    interaction = world.state.interactions.get(interaction_id)
    supervision = interaction.supervision if interaction else None
    if interaction is None or supervision is None:
        return
    leg = live.get(supervision.leg_id)
    if leg is not None and leg.state is LegState.UP:
        answered(world, LegAnswered(pbx=interaction.pbx, leg_id=leg.leg_id))
    elif leg is not None:
        ringing(world, LegRinging(pbx=interaction.pbx, leg_id=leg.leg_id))
    elif supervision.is_up or supervision.is_ringing or world.now_ms - supervision.asked_at_ms > IN_FLIGHT_MS:
        converge(world, end(world, interaction, _E.LOST))


def _at(world: World, leg_id: str) -> tuple[Interaction | None, Supervision | None]:
    interaction = world.interaction_of(leg_id)
    supervision = interaction.supervision if interaction else None
    return interaction, supervision if supervision and supervision.leg_id == leg_id else None


# ------------------------------------------------------------------ with the call


def sweep(world: World) -> None:
    """After every input: he goes where the call goes, and leaves a call that is none of his any more."""
    if not world.supervised:
        return
    changed = world.supervised if world.effects.config_changed else world.supervised & world.effects.interactions
    for interaction_id in sorted(changed):
        interaction = world.interaction(interaction_id)
        if why := _over_because(world, interaction):
            converge(world, end(world, interaction, why))
        elif wanted_ears(interaction) != interaction.ears:
            converge(world, interaction)


def _over_because(world: World, interaction: Interaction) -> SupervisionEnd | None:
    supervision, owner = interaction.supervision, interaction.party(Role.OWNER)
    if supervision is None:
        return None
    supervisor = world.config.supervisors.get(supervision.supervisor)
    if supervision.supervisor and supervisor is None:
        return _E.REMOVED
    if owner is None:
        return None
    config = world.config.agents.get(owner.agent_id)
    if not owner.agent_id:
        return _E.EXTERNAL
    teams = supervisor.teams if supervisor else ()
    return _E.TEAM if teams and config is not None and config.team not in teams else None


def end(world: World, interaction: Interaction, why: SupervisionEnd, *, is_gone: bool = False) -> Interaction:
    """Nobody listens any more; the caller asks for the rooms without him. `is_gone`: his leg has ended by itself."""
    supervision = interaction.supervision
    if supervision is None:
        return interaction
    world.clear_timer(key(Due.SUPERVISE, interaction.id))
    if not is_gone:
        hang_up(world, interaction.pbx, supervision.leg_id)
    if (agent := world.state.agents.get(supervision.agent_id)) and agent.supervising == interaction.id:
        world.update_agent(agent, supervising="")
    since_ms = supervision.heard_since_ms
    heard_ms = world.now_ms - since_ms if since_ms is not None else 0
    told = _told(world, interaction, supervision)
    world.emit(EventType.SUPERVISION_ENDED, interaction, **told, why=why.value, heard_ms=heard_ms)
    return world.update_interaction(interaction, supervision=None)


def _put(
    world: World,
    interaction: Interaction,
    supervision: Supervision,
    state: SupervisionState,
    *,
    mode: SupervisionMode | None = None,
) -> Interaction:
    """He is in this state, in that mode, and everybody hears who should."""
    heard_since_ms = world.now_ms if state is _S.ACTIVE else None
    supervision = replace(
        supervision,
        state=state,
        mode=mode or supervision.mode,
        since_ms=world.now_ms,
        heard_since_ms=heard_since_ms if supervision.heard_since_ms is None else supervision.heard_since_ms,
    )
    interaction = converge(world, world.update_interaction(interaction, supervision=supervision))
    world.emit(EventType.SUPERVISION_CHANGED, interaction, **_told(world, interaction, supervision))
    return interaction


def _told(world: World, interaction: Interaction, supervision: Supervision) -> dict[str, Any]:
    """`is_shown`: agents may see it."""
    owner = interaction.party(Role.OWNER)
    return {
        "supervision_id": supervision.id,
        "by": supervision.by,
        "supervisor": supervision.supervisor,
        "phone_of": supervision.agent_id,
        "supervised": owner.agent_id if owner else "",
        "mode": supervision.mode.value,
        "state": supervision.state.value,
        "ears_version": interaction.ears_version,
        "is_shown": world.config.show_supervision.shows(supervision.mode),
    }


def _to_confirm(interaction: Interaction) -> Values:
    """What it is now; what is heard holds once `supervision.changed` says active with this version, or a higher one."""
    supervision = interaction.supervision
    if supervision is None:
        return {}
    values = {"mode": supervision.mode.value, "state": supervision.state.value}
    return {"supervision_id": supervision.id, "ears_version": interaction.ears_version, **values}
