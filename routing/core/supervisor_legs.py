"""A supervisor's leg: what the PBX says of it, and where it goes with the call."""

from __future__ import annotations

from dataclasses import replace

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
    SnapshotLeg,
)
from routing.core.interaction import Interaction, Role
from routing.core.supervision import Supervision, SupervisionEnd, SupervisionState
from routing.core.supervision_moves import end, put
from routing.core.timers import Due, key
from routing.core.topology import converge, wanted_ears
from routing.core.world import World

IN_FLIGHT_MS = 1000  # a dial order younger than this may still be on its way when a snapshot is taken

_S, _E = SupervisionState, SupervisionEnd
_ENDS = {
    DialOutcome.BUSY: _E.BUSY,
    DialOutcome.NO_ANSWER: _E.NO_ANSWER,
    DialOutcome.REJECTED: _E.REJECTED,
    DialOutcome.CANCELLED: _E.STOPPED,
}


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
        put(world, interaction, supervision, _S.JOINING)
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
        put(world, interaction, supervision, state)


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
