"""DTMF that an agent sends to the customer's side, e.g. to a menu that was reached (ACT-02)."""

from __future__ import annotations

import re

from routing.core.cad import MASK
from routing.core.commands import PlayDigits
from routing.core.errors import DigitsRefused
from routing.core.events import EventType
from routing.core.facts import CommandEnded, CommandOutcome
from routing.core.guard import require
from routing.core.interaction import AskedDigits, Interaction
from routing.core.orders import SendDigits
from routing.core.recording import RecordingState
from routing.core.roles import Action
from routing.core.world import World

MAX_WAITING = 8  # orders of one call whose digits are still being played
_DIGITS = re.compile(r"[0-9*#A-D]{1,32}")


def send(world: World, order: SendDigits) -> dict[str, object]:
    """`digits.sent` with this `command_id` follows when the PBX has sent them. Raises DigitsRefused, and as `require`.

    While the recording is paused digits may be those of a card: then reply, event and live state hold a mask.
    """
    agent, interaction = require(world, order.agent_id, order.interaction_id, Action.SEND_DIGITS)
    if not _DIGITS.fullmatch(order.digits):
        raise DigitsRefused(reason="1 to 32 of 0-9, *, #, A-D are allowed")
    if len(interaction.asked_digits) >= MAX_WAITING:
        raise DigitsRefused(reason="earlier ones are still being sent")
    shown = MASK if interaction.recording.state is RecordingState.PAUSED else order.digits
    asked = AskedDigits(command_id=world.new_id("cmd"), agent_id=agent.id, shown=shown)
    interaction = world.update_interaction(interaction, asked_digits=(*interaction.asked_digits, asked))
    leg_id = interaction.customer_leg
    world.send(PlayDigits(id=asked.command_id, pbx=interaction.pbx, leg_id=leg_id, digits=order.digits))
    return {"version": interaction.version, "command_id": asked.command_id, "digits": shown}


def command_ended(world: World, fact: CommandEnded) -> None:
    """They were sent, or it is told that they were not; they are not sent again by themselves."""
    interaction = world.interaction_of(fact.command_id)
    asked = _asked(interaction, fact.command_id) if interaction else None
    if interaction is None or asked is None:
        return
    left = tuple(a for a in interaction.asked_digits if a is not asked)
    interaction = world.update_interaction(interaction, asked_digits=left)
    about = {"command_id": asked.command_id}
    if fact.outcome is CommandOutcome.SUCCEEDED:
        world.emit(EventType.DIGITS_SENT, interaction, asked.agent_id, digits=asked.shown, **about)
    else:
        about |= {"pbx": fact.pbx, "what": "digits not sent", "reason": fact.cause[:256] or fact.outcome.value}
        world.emit(EventType.PBX_MISMATCH, interaction, asked.agent_id, **about)


def _asked(interaction: Interaction, command_id: str) -> AskedDigits | None:
    return next((asked for asked in interaction.asked_digits if asked.command_id == command_id), None)
