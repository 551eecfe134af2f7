"""Call data that a flow writes: of declared variables, in the right type, as their author the flow (CAD-17)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from routing.core import cad
from routing.core.events import EventType
from routing.core.interaction import Interaction
from routing.core.world import World


def put(world: World, interaction: Interaction, given: Mapping[str, str]) -> dict[str, str]:
    """Write what fits its declaration; the rest is left out and returned with the reason, by name."""
    declared, old = world.config.cad_of(interaction.entry_point), interaction.cad
    values, refused = cad.take_over(declared, given)
    if values:
        author = f"flow:{interaction.flow.flow}" if interaction.flow else "flow"
        new, version = old | values, interaction.cad_version + 1
        interaction = world.update_interaction(interaction, cad=new, cad_version=version, cad_author=author)
        changed, previous = (cad.excerpt(declared, side, values) for side in (new, old))
        told: dict[str, Any] = {"cad": changed, "previous": previous, "author": author}
        world.emit(EventType.CAD_CHANGED, interaction, cad_version=version, **told)
    return refused
