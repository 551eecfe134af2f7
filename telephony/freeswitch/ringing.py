"""Telephones that a waiting leg rings itself: it is joined with who answers at once, and its hang-up ends the ringing.

An `originate` with a join behind it costs 60 to 80 ms from the answer on, a `bridge` on the waiting leg less than 1 ms.
FreeSWITCH tells nothing of a bridge whose telephone could not even be tried: an event of our own is queued behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from routing.core.commands import DialLeg
from routing.core.facts import Fact
from telephony.commands import Commands
from telephony.freeswitch.legs import Legs
from telephony.legs import Leg
from telephony.rooms import CONTEXT_PROMPT, CONTEXT_WAIT

# A telephone's channel is there 2 to 25 ms after the order. The waiting leg may have gone elsewhere in that moment.
START_S = 3.0
NEVER_RANG = "NORMAL_TEMPORARY_FAILURE"


class Ringing:
    """One telephone at a time per waiting leg; `tell` takes facts."""

    def __init__(self, legs: Legs, commands: Commands, tell: Callable[[list[Fact]], None]) -> None:
        self._legs, self._commands, self._tell = legs, commands, tell
        self._rings: dict[str, str] = {}

    def who_rings(self, order: DialLeg) -> Leg | None:
        """The leg that shall ring the phone itself: one that waits in its place, with nothing else under way."""
        waiting = self._legs.get(order.joins) if order.joins else None
        if waiting is None or not self._can_ring(waiting):
            return None
        self._rings[waiting.leg_id] = order.leg_id
        asyncio.get_running_loop().call_later(START_S, self._look, waiting.leg_id, order.leg_id)
        return waiting

    def _can_ring(self, leg: Leg) -> bool:
        spot = self._legs.spots([leg.leg_id])[leg.leg_id]
        is_waiting = leg.is_up and not spot.bridge and not spot.is_leaving and self._may_break_off(leg)
        return is_waiting and not self.rings_a_phone(leg) and not self._commands.convergence.is_moving(leg.leg_id)

    def _may_break_off(self, leg: Leg) -> bool:
        """It hears music, or an announcement, which goes on when nobody has answered; no prompt that waits for digits:
        those would be lost."""
        prompts = self._commands.prompts
        if leg.context == CONTEXT_PROMPT:
            return prompts.is_announcing(leg.leg_id)
        return leg.context == CONTEXT_WAIT and leg.leg_id not in prompts.busy()

    def rings_a_phone(self, leg: Leg) -> bool:
        """It does so itself just now."""
        rung = self._legs.get(self._rings.get(leg.leg_id, ""))
        return rung is not None and not rung.is_up

    def _look(self, waiting_id: str, leg_id: str) -> None:
        leg = self._legs.get(leg_id)
        if leg is not None and not leg.is_up and leg.channel:
            asyncio.get_running_loop().call_later(START_S, self._look, waiting_id, leg_id)
            return
        if self._rings.get(waiting_id) == leg_id:
            del self._rings[waiting_id]
        if leg is not None and not leg.is_up:
            self._commands.disown([leg], is_told=True)
            self._tell(self._legs.failed(leg, NEVER_RANG))

    def clear(self) -> None:
        """The link is gone."""
        self._rings.clear()
