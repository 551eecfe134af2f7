"""A further interaction that a caller leaves behind, a callback or a message: with his place, number and call data."""

from __future__ import annotations

from typing import Any

from routing.core import cad
from routing.core.config import Queue
from routing.core.events import EventType
from routing.core.interaction import Interaction, InteractionState
from routing.core.queueing import merge
from routing.core.world import World


def successor(world: World, origin: Interaction, queue: Queue, kind: str, **changes: Any) -> Interaction:
    """Arrived, and not yet in the world. It will wait in `queue` with what the caller required and had relaxed to."""
    is_same, own = origin.queue == queue.id, origin.own_requires or ()
    values: dict[str, Any] = {
        "pbx": origin.pbx,
        "ani": origin.ani,
        "ani_name": origin.ani_name,
        "dnis": origin.dnis,
        "requires": origin.requires if is_same else merge(queue.requires, own),
        "relaxation_step": origin.relaxation_step if is_same else 0,
    }
    return Interaction(
        id=world.new_id("int"),
        kind=kind,
        state=InteractionState.ARRIVED,
        customer_leg="",
        entry_point=origin.entry_point,
        queue=queue.id,
        entered_at_ms=origin.entered_at_ms,
        priority=origin.priority or queue.priority,
        own_requires=origin.own_requires,
        cad=origin.cad,
        cad_version=origin.cad_version,
        cad_author=origin.cad_author,
        excluded=origin.excluded,
        language=origin.language,
        **(values | changes),
    )


def tell_arrival(world: World, interaction: Interaction, origin_id: str) -> None:
    """As of any call, but nobody is on the line."""
    declared = world.config.cad_of(interaction.entry_point)
    world.emit(
        EventType.INTERACTION_ARRIVED,
        interaction,
        kind=interaction.kind,
        pbx=interaction.pbx,
        leg_id="",
        ani=interaction.ani,
        ani_name=interaction.ani_name,
        dnis=interaction.dnis,
        entry_point=interaction.entry_point,
        cad=cad.masked(declared, interaction.cad),
        origin_id=origin_id,
    )
