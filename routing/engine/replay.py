"""Do the journaled steps again from a snapshot, and compare with what is stored."""

from __future__ import annotations

from dataclasses import dataclass, fields

from routing.core.config import Config
from routing.core.world import WorldState
from routing.engine.core import Core, W, apply
from routing.store.codec import digest
from routing.store.errors import SnapshotGone
from routing.store.port import Store

_CHUNK = 500
_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """`different` names up to 20 entries that differ, e.g. `agents.agt_anna`; empty when both digests are equal."""

    from_seq: int
    to_seq: int
    steps: int
    stored: str
    replayed: str
    different: tuple[str, ...] = ()

    @property
    def is_same(self) -> bool:
        return self.stored == self.replayed


async def replay(store: Store, core: Core[W], from_seq: int | None = None) -> ReplayResult:
    """From that snapshot (default: the oldest kept) to the state stored now.

    Raises SnapshotGone when the engine replaced the snapshot meanwhile: ask again. Raises what a step raises.
    """
    stored, _ = await store.load()
    kept = await store.snapshots()
    if stored is None or not kept:
        raise SnapshotGone(seq=from_seq, kept=kept)
    start = kept[0] if from_seq is None else from_seq
    state = await replayed_state(store, core, start, stored.seq)
    return ReplayResult(
        from_seq=start,
        to_seq=stored.seq,
        steps=stored.seq - start,
        stored=digest(stored),
        replayed=digest(state),
        different=tuple(differences(stored, state)),
    )


async def replayed_state(store: Store, core: Core[W], from_seq: int, to_seq: int) -> WorldState:
    """The state after journal entry `to_seq`, made again from the snapshot of `from_seq`."""
    world = core.build(await store.load_snapshot(from_seq))
    while world.state.seq < to_seq:
        before = world.state.seq
        for entry in await store.read_journal(before, min(_CHUNK, to_seq - before)):
            if entry.seq != world.state.seq + 1:
                break
            apply(core, world, entry)
        if world.state.seq == before:
            raise SnapshotGone(seq=from_seq, kept=await store.snapshots())
    return world.state


def differences(one: WorldState, other: WorldState) -> list[str]:
    """Names of what differs, at most 20."""
    found: list[str] = []
    for field in fields(WorldState):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, Config) or not isinstance(a, dict):
            found += [field.name] if a != b else []
        else:
            found += [f"{field.name}.{key}" for key in sorted(a.keys() | b.keys()) if a.get(key) != b.get(key)]
    return found[:_SHOWN]
