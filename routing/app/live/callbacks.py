"""Callbacks that are owed to customers as rows: to whom, since when, and when they are due."""

from __future__ import annotations

from dataclasses import dataclass

from routing.core import estimates
from routing.core.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRow:
    """`state`: checking, resting until `not_before_at_ms` (None: no such time), due, or calling: an agent has it.

    `position`: 1 is next in its queue, None while it rests. `last_outcome`: how the last attempt ended.
    """

    id: str
    number: str
    name: str
    queue: str
    state: str
    source: str
    position: int | None
    attempts: int
    last_outcome: str
    entered_at_ms: int
    not_before_at_ms: int | None
    expires_at_ms: int
    origin_id: str


def callback_rows(world: World, queue: str = "") -> list[CallbackRow]:
    """Those that have not reached their customer, by their place; all, or those of one queue."""
    rows = [
        CallbackRow(
            id=interaction.id,
            number=call.number,
            name=interaction.ani_name,
            queue=interaction.queue,
            state=call.state.value,
            source=call.source.value,
            position=estimates.position(world, interaction),
            attempts=call.attempts,
            last_outcome=call.failure,
            entered_at_ms=interaction.entered_at_ms,
            not_before_at_ms=call.not_before_ms or None,
            expires_at_ms=call.expires_ms,
            origin_id=call.origin_id,
        )
        for interaction in world.state.interactions.values()
        if interaction.is_calling_back and (call := interaction.callback) and queue in ("", interaction.queue)
    ]
    return sorted(rows, key=lambda row: (row.entered_at_ms, row.id))
