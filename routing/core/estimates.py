"""Place in the queue and estimated wait (ROUTE-10)."""

from __future__ import annotations

from routing.core.errors import UnknownInteraction
from routing.core.interaction import Interaction, InteractionState
from routing.core.world import World

DEFAULT_HANDLE_MS = 180_000


def position(world: World, interaction: Interaction) -> int | None:
    """1: next in its queue, by the order of matching. None: it does not wait, or cannot be offered now."""
    if interaction.state is not InteractionState.QUEUED:
        return None
    try:
        return world.sync_pool().position(interaction.id)
    except UnknownInteraction:  # its PBX's link is down, or its queue is gone
        return None


def wait_ms(world: World, interaction: Interaction) -> int | None:
    """How much longer it is expected to wait. None: it does not wait, or nobody can say."""
    place = position(world, interaction)
    return None if place is None else _wait_ms(world, interaction.queue, place)


def queue_wait_ms(world: World, queue_id: str, priority: int | None = None) -> int | None:
    """How long one would wait who came now with that priority, by default the queue's. None: nobody can say."""
    if queue_id not in world.config.queues:
        return None
    pool = world.sync_pool()
    place = pool.place_of_new(queue_id, priority, world.now_ms)
    if place == 1 and pool.has_free(queue_id):
        return 0
    return _wait_ms(world, queue_id, place)


def _wait_ms(world: World, queue_id: str, place: int) -> int | None:
    staff = world.working_in(queue_id)
    return round(place * DEFAULT_HANDLE_MS / staff) if staff else None
