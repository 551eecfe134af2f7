"""The steps of a supervision: another state or mode, and its end. Nothing of the call is touched by them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from routing.core.events import EventType
from routing.core.interaction import Interaction, Role
from routing.core.supervision import Supervision, SupervisionEnd, SupervisionMode, SupervisionState
from routing.core.timers import Due, key
from routing.core.topology import converge, hang_up
from routing.core.world import World


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
    about = told(world, interaction, supervision)
    world.emit(EventType.SUPERVISION_ENDED, interaction, **about, why=why.value, heard_ms=heard_ms)
    return world.update_interaction(interaction, supervision=None)


def put(
    world: World,
    interaction: Interaction,
    supervision: Supervision,
    state: SupervisionState,
    *,
    mode: SupervisionMode | None = None,
) -> Interaction:
    """He is in this state, in that mode, and everybody hears who should."""
    heard_since_ms = world.now_ms if state is SupervisionState.ACTIVE else None
    supervision = replace(
        supervision,
        state=state,
        mode=mode or supervision.mode,
        since_ms=world.now_ms,
        heard_since_ms=heard_since_ms if supervision.heard_since_ms is None else supervision.heard_since_ms,
    )
    interaction = converge(world, world.update_interaction(interaction, supervision=supervision))
    world.emit(EventType.SUPERVISION_CHANGED, interaction, **told(world, interaction, supervision))
    return interaction


def told(world: World, interaction: Interaction, supervision: Supervision) -> dict[str, Any]:
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


def to_confirm(interaction: Interaction) -> dict[str, object]:
    """What it is now; what is heard holds once `supervision.changed` says active with this version, or a higher one."""
    supervision = interaction.supervision
    if supervision is None:
        return {}
    values = {"mode": supervision.mode.value, "state": supervision.state.value}
    return {"supervision_id": supervision.id, "ears_version": interaction.ears_version, **values}
