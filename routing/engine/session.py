"""One engine's turn: the world in memory, and batches of inputs turned into commits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Generic

import structlog

from routing.app.clock import Clock
from routing.core.effects import Effects
from routing.core.orders import FireTimer, Order, Reply
from routing.core.world import WorldState
from routing.engine.changes import Changes
from routing.engine.core import Core, W, apply
from routing.engine.pace import Pace
from routing.engine.timers import DueTimers
from routing.store.port import Commit, Input, Item, JournalEntry, Undecodable

log = structlog.get_logger()

# Timers fired before each input: enough that inputs cannot starve timers, few enough that timers cannot starve inputs.
_TIMERS_PER_INPUT = 16


class Session(Generic[W]):
    """Takes over `state`. `position`: up to where inputs are used up. `faults` counts items the core failed on."""

    def __init__(self, core: Core[W], state: WorldState, position: str, clock: Clock) -> None:
        self._core, self._pace = core, Pace(clock, state.now_ms)
        self.world = core.build(state)
        self.position = position
        self.faults = 0
        self._timers = DueTimers(state.timers)
        self._changes = Changes()

    @property
    def seq(self) -> int:
        return self.world.state.seq

    def wait_ms(self, longest_ms: int) -> int:
        """How long nothing is due: at least 0, at most `longest_ms`."""
        next_ms = self._timers.next_ms(self.world.state.timers)
        return longest_ms if next_ms is None else max(0, min(longest_ms, next_ms - self._pace.now_ms()))

    def take(
        self, inputs: Sequence[Input], own: Sequence[Item] = (), timers_after: int = 100, *, is_all: bool = True
    ) -> Commit | None:
        """Step through the inputs and the timers due between and after them; None when nothing was to be done.

        In the order in which it happened: while no engine led, somebody may have answered before his time was over.
        `own`: what the engine itself has to say before. `is_all`: no more inputs wait behind these.
        """
        base_seq = self.seq
        for item in own:
            self._step(item)
        for entry in inputs:
            self._fire_due(_TIMERS_PER_INPUT, _came_ms(entry))
            self._step(entry.item)
            self.position = entry.position
        self._fire_due(timers_after, None if is_all or not inputs else _came_ms(inputs[-1]))
        if self.seq == base_seq:
            return None
        changes, self._changes = self._changes, Changes()
        return changes.commit(self.world.state, base_seq, self.position)

    def _fire_due(self, most: int, until_ms: int | None = None) -> None:
        """Those that are due by now, and by `until_ms`."""
        for _ in range(most):
            now_ms = self._pace.now_ms()
            key = self._timers.due(now_ms if until_ms is None else min(now_ms, until_ms), self.world.state.timers)
            if key is None:
                return
            self._step(FireTimer(key=key))

    def _step(self, item: Item | Undecodable) -> None:
        is_unreadable = isinstance(item, Undecodable)
        entry = JournalEntry(seq=self.seq + 1, now_ms=self._pace.now_ms(), item=item, is_skipped=is_unreadable)
        try:
            effects = apply(self._core, self.world, entry)
        except Exception as error:  # noqa: BLE001 - a fault of the core must not stop the engine
            entry = replace(entry, is_skipped=True)
            effects = self._skip(entry, error)
        else:
            if isinstance(item, Undecodable):
                self.faults += 1
                log.error("input_unreadable", seq=entry.seq, type=item.type, reason=item.reason)
        timers = self.world.state.timers
        for key in effects.timers:
            self._timers.note(key, timers)
        self._changes.add(entry, effects)

    def _skip(self, entry: JournalEntry, error: Exception) -> Effects:
        """The step failed: say so to whoever asked, and go on."""
        self.faults += 1
        item = entry.item
        log.error("step_failed", seq=entry.seq, type=type(item).__name__, exc_info=error)
        effects = apply(self._core, self.world, entry)
        if isinstance(item, Order) and item.reply_to:
            detail = f"internal error in journal entry {entry.seq}"
            reply = Reply(order_id=item.order_id, reply_to=item.reply_to, code="internal-error", detail=detail)
            effects.replies.append(reply)
        return effects


def _came_ms(entry: Input) -> int:
    """When it was appended, by the store's clock."""
    return int(entry.position.partition("-")[0])
