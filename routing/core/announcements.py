"""What callers hear of a queue while they wait: position, estimated wait, comfort, at configured times (ROUTE-11).

Announcements play one at a time between music. One that is due while a telephone rings for the call comes a little
later; one that an agent's answer cuts short is not repeated, and of several that were missed each comes once.
"""

from __future__ import annotations

from dataclasses import replace

from routing.core import overflow, playing
from routing.core.announcement_plan import next_of, plan, waited_ms
from routing.core.commands import KeyInput
from routing.core.events import EventType
from routing.core.facts import MessageEnded, PromptsEnded
from routing.core.interaction import (
    WAITING,
    AskedKind,
    AskedPrompt,
    Interaction,
    InteractionState,
    InteractionTrigger,
    OfferEnd,
)
from routing.core.ringing import rescind
from routing.core.seats import move
from routing.core.timers import Due, key
from routing.core.treatment import Announcement
from routing.core.world import World

PUT_OFF_MS = 2000  # an announcement that cannot play now is tried again after this


def due(world: World, interaction_id: str) -> None:
    """Play what is due; later, where the caller cannot hear it now."""
    interaction = world.state.interactions.get(interaction_id)
    queue = world.config.queues.get(interaction.queue) if interaction else None
    if interaction is None or queue is None or interaction.state not in WAITING:
        return
    following, waited = next_of(queue, interaction.announced), waited_ms(world, interaction)
    if following is None or following[0] > waited:
        plan(world, interaction)
        return
    is_free = interaction.state is InteractionState.QUEUED and interaction.asked_prompt is None
    if not is_free or not world.is_linked(interaction.pbx):
        world.set_timer(key(Due.ANNOUNCE, interaction.id), world.now_ms + PUT_OFF_MS)
        return
    at_ms, index = following
    announcement = queue.announcements[index]
    if announcement.every_s is not None:  # of several that were missed the last one
        at_ms += max(0, waited - at_ms) // (announcement.every_s * 1000) * announcement.every_s * 1000
    _play(world, world.update_interaction(interaction, announced=(at_ms, index)), announcement, index)


def _play(world: World, interaction: Interaction, announcement: Announcement, index: int) -> None:
    keys = None
    if announcement.keys:
        keys = KeyInput(max_digits=1, timeout_ms=announcement.timeout_s * 1000, next_ms=0)
    interaction = playing.play(world, interaction, announcement.prompts, AskedKind.ANNOUNCEMENT, keys, index=index)
    if asked := interaction.asked_prompt:
        world.update_interaction(interaction, asked_prompt=replace(asked, queue=interaction.queue))
    world.emit(EventType.QUEUE_ANNOUNCED, interaction, index=index, waited_ms=waited_ms(world, interaction))


def over(world: World, interaction: Interaction, asked: AskedPrompt, fact: PromptsEnded | MessageEnded) -> None:
    """It was heard, cut short, or could not be played: whichever, the next one is timed. A key may lead out.

    Keys are those of the queue whose announcement it was; the call may wait in another one by now.
    """
    if interaction.state not in WAITING:
        return
    plan(world, interaction)
    queue = world.config.queues.get(asked.queue or interaction.queue)
    if queue is None or asked.index >= len(queue.announcements) or not isinstance(fact, PromptsEnded):
        return
    wish = queue.announcements[asked.index].keys.get(fact.digits)
    if wish is not None:
        overflow.follow(world, _alone(world, interaction), wish)


def _alone(world: World, interaction: Interaction) -> Interaction:
    """Without the telephones that ring for it just now: what the caller wants goes before an answer that may come."""
    if interaction.state is InteractionState.QUEUED:
        return interaction
    for offer in interaction.offers:
        interaction = rescind(world, interaction, offer, OfferEnd.ABANDONED)
    return move(world, interaction, InteractionTrigger.OFFERS_OVER)
