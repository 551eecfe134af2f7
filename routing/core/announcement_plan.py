"""When announcements of a queue are due for a caller (ROUTE-11); `announcements` plays them."""

from __future__ import annotations

from collections.abc import Iterator

from routing.core.config import Queue
from routing.core.interaction import Interaction
from routing.core.timers import Due, key
from routing.core.treatment import Announcement
from routing.core.world import World

NEVER = (-1, 0)  # nothing announced yet in this wait


def begin(world: World, interaction: Interaction) -> Interaction:
    """A wait begins: nothing of this queue has been heard yet."""
    if interaction.announced != NEVER:
        interaction = world.update_interaction(interaction, announced=NEVER)
    plan(world, interaction)
    return interaction


def fit(world: World, interaction: Interaction) -> None:
    """A new configuration: what would have come before now does not come any more."""
    if interaction.announced != NEVER or waited_ms(world, interaction) > 0:
        interaction = world.update_interaction(interaction, announced=(waited_ms(world, interaction), 0))
    plan(world, interaction)


def plan(world: World, interaction: Interaction) -> None:
    """Time the next announcement; nobody hears one where there is no customer's leg."""
    queue, timer = world.config.queues.get(interaction.queue), key(Due.ANNOUNCE, interaction.id)
    following = next_of(queue, interaction.announced) if queue and interaction.customer_leg else None
    if following is None:
        world.clear_timer(timer)
    else:
        world.set_timer(timer, max(world.now_ms, world.now_ms - waited_ms(world, interaction) + following[0]))


def waited_ms(world: World, interaction: Interaction) -> int:
    """Of this wait, in this queue."""
    since = interaction.waiting_since_ms
    return world.now_ms - (since if since is not None else interaction.entered_at_ms)


def next_of(queue: Queue, after: tuple[int, int]) -> tuple[int, int] | None:
    """Time in ms of waiting, and index, of what comes after `after`; those of one moment come in their order."""
    times = ((at, index) for index, each in enumerate(queue.announcements) for at in _after(each, index, after))
    return min(times, default=None)


def _after(announcement: Announcement, index: int, after: tuple[int, int]) -> Iterator[int]:
    """The first time of this one behind `after`, if it comes again."""
    first_ms = announcement.after_s * 1000
    if (first_ms, index) > after:
        yield first_ms
    elif announcement.every_s is not None:
        period_ms = announcement.every_s * 1000
        at = first_ms + (after[0] - first_ms) // period_ms * period_ms
        yield at if (at, index) > after else at + period_ms
