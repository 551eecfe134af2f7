"""Waits that are over without an agent, and waits under a new configuration."""

from __future__ import annotations

from routing.core import announcement_plan, overflow
from routing.core.config import Result
from routing.core.endings import end_interaction
from routing.core.interaction import WAITING, Interaction, InteractionState
from routing.core.queueing import is_servable, merge, since, time
from routing.core.timers import Due, key
from routing.core.treatment import OverflowCause
from routing.core.world import World

RETRY_WHILE_DOWN_MS = 1000  # a caller cannot be handed back while the link is down; try again after this


def fit(world: World, interaction: Interaction) -> None:
    """A waiting or offered call follows a new configuration: requirement and deadlines as if it had always waited so.

    Where nobody can serve it any more its wait is over.
    """
    if not is_servable(world, interaction):
        waited_too_long(world, interaction.id)
        return
    queue, waited_ms = world.config.queues[interaction.queue], world.now_ms - since(interaction)
    step = sum(relaxation.after_s * 1000 <= waited_ms for relaxation in queue.relaxation)
    base = queue.relaxation[step - 1].requires if step else queue.requires
    requires = merge(base, interaction.own_requires or ())
    if (requires, step) != (interaction.requires, interaction.relaxation_step):
        interaction = world.update_interaction(interaction, requires=requires, relaxation_step=step)
    time(world, interaction)
    announcement_plan.fit(world, interaction)


def waited_too_long(world: World, interaction_id: str) -> None:
    """The maximum wait is over: the queue lets it go, unless a phone is ringing for this call just now."""
    interaction = world.state.interactions.get(interaction_id)
    if interaction is None or interaction.state not in WAITING:
        return
    is_out_of_reach = not world.is_linked(interaction.pbx) and interaction.pbx in world.config.pbxs
    if is_out_of_reach or interaction.state is InteractionState.OFFERED:
        world.set_timer(key(Due.WAIT, interaction_id), world.now_ms + RETRY_WHILE_DOWN_MS)
    elif is_servable(world, interaction):
        overflow.let_go(world, interaction, OverflowCause.TIMEOUT)
    else:
        end_interaction(world, interaction, Result.UNAVAILABLE, "server")
