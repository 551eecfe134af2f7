"""What the engine needs of the core, so that its own tests run on a small one."""

from __future__ import annotations

from typing import Protocol, TypeVar

from routing.core import capacity
from routing.core.effects import Effects
from routing.core.orders import FireTimer
from routing.core.step import step
from routing.core.world import World, WorldState
from routing.store.port import Item, JournalEntry


class HasState(Protocol):
    """A live world; its state is what is stored."""

    @property
    def state(self) -> WorldState: ...


W = TypeVar("W", bound=HasState)


class Core(Protocol[W]):
    def build(self, state: WorldState) -> W:
        """The world of a state that was just loaded; takes the state over."""

    def step(self, world: W, item: Item, now_ms: int, seq: int) -> Effects:
        """Apply one item. When it raises, the world is as it was before."""

    def calls(self, world: W) -> int:
        """Live calls that count for the data centre's limit."""

    def begins_call(self, world: W, item: object) -> bool:
        """Whether one more may count after this item."""


class RoutingCore:
    """The product's own core."""

    def build(self, state: WorldState) -> World:
        return World(state)

    def step(self, world: World, item: Item, now_ms: int, seq: int) -> Effects:
        return step(world, item, now_ms, seq)

    def calls(self, world: World) -> int:
        return world.customer_calls

    def begins_call(self, world: World, item: object) -> bool:
        return capacity.may_begin(world, item)


def apply(core: Core[W], world: W, entry: JournalEntry) -> Effects:
    """One journaled step, the same in the engine and in a replay. Raises what the core raises.

    A skipped entry only moves time and number on. A timer that has been fired is gone, whatever became of it:
    a faulty one must not fire for ever.
    """
    state = world.state
    due = (entry.item.key, state.timers.get(entry.item.key)) if isinstance(entry.item, FireTimer) else None
    effects = Effects()
    if not entry.is_skipped:
        # The store has no undecodable entry that is not skipped.
        effects = core.step(world, entry.item, entry.now_ms, entry.seq)  # type: ignore[arg-type]
    state.now_ms, state.seq = entry.now_ms, entry.seq
    if due and due[1] is not None and state.timers.get(due[0]) == due[1]:
        del state.timers[due[0]]
        effects.timers.add(due[0])
    return effects
