"""SR_POSITION and SR_EWT on the legs of callers who wait, for integrators who read channel variables (ROUTE-10).

A position changes with every call that leaves, so not every change is told: a leg is marked when its wait begins, and
then every 15 s if something has changed, less often where many wait: a queue marks no more than 20 legs a second. The
PBX is not flooded (SAFE-05), and a thousand waiting callers cost no more than that.
"""

from __future__ import annotations

from dataclasses import replace

from routing.core import estimates
from routing.core.commands import MarkLeg
from routing.core.events import EventType
from routing.core.interaction import Interaction, InteractionState
from routing.core.tallies import STAY, Stay
from routing.core.timers import Due, key
from routing.core.world import World

REFRESH_MS = 15_000
MS_PER_CALLER = 50
WAIT_STEP_S = 15  # the wait is told in steps of so many seconds, at least one


def begin(world: World) -> None:
    """Mark those whose wait began in this step, unless somebody takes them already. Call it when all is matched."""
    for event in world.effects.events:
        if event.type is EventType.INTERACTION_QUEUED:
            refresh(world, event.interaction_id)


def refresh(world: World, interaction_id: str) -> None:
    """Tell the leg what has changed, and come back to it as long as it waits."""
    interaction = world.state.interactions.get(interaction_id)
    stay = world.state.figures.get(STAY + interaction_id)
    if interaction is None or not interaction.customer_leg or not isinstance(stay, Stay) or not stay.is_open:
        return
    world.set_timer(key(Due.MARK, interaction_id), world.now_ms + _pause_ms(world, interaction.queue))
    if interaction.state is not InteractionState.QUEUED or not world.is_linked(interaction.pbx):
        return
    variables = marks(world, interaction)
    told = " ".join(variables.values())
    if told != stay.told:
        world.put_figure(STAY + interaction_id, replace(stay, told=told))
        leg = {"pbx": interaction.pbx, "leg_id": interaction.customer_leg}
        world.send(MarkLeg(id=world.new_id("cmd"), variables=variables, **leg))


def marks(world: World, interaction: Interaction) -> dict[str, str]:
    """Both are empty where nobody can say."""
    place, wait_ms = estimates.position(world, interaction), estimates.wait_ms(world, interaction)
    steps = None if wait_ms is None else max(1, round(wait_ms / (WAIT_STEP_S * 1000)))
    return {
        "SR_POSITION": "" if place is None else str(place),
        "SR_EWT": "" if steps is None else str(steps * WAIT_STEP_S),
    }


def _pause_ms(world: World, queue: str) -> int:
    return max(REFRESH_MS, world.waiting_in(queue) * MS_PER_CALLER)
