"""The store in memory: for tests, what-if and simulation. Values are kept encoded, so that it shares nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from routing.core.config import Config
from routing.core.facts import Fact
from routing.core.interaction import Interaction
from routing.core.matching_types import Trace
from routing.core.orders import Reply
from routing.core.world import WorldState
from routing.store.codec import PLAIN
from routing.store.errors import Fenced, SnapshotGone, StoreFull
from routing.store.memory_stream import Expiring, Stream
from routing.store.memory_tables import Tables
from routing.store.port import (
    START,
    Commit,
    Input,
    Item,
    JournalEntry,
    Limits,
    StoredCommand,
    StoredEvent,
    StoreHealth,
)


class MemoryStore:
    """`Store` of one tenant within one event loop. `now_ms` drives everything that expires.

    `shares`: reserved calls and when they expire by tenant, for all stores that are one server.
    """

    def __init__(
        self,
        tenant: str,
        now_ms: Callable[[], int],
        limits: Limits | None = None,
        shares: dict[str, tuple[int, int]] | None = None,
    ) -> None:
        self.tenant = tenant
        self.limits = limits or Limits()
        self._now_ms = now_ms
        self._tables = Tables()
        self._snapshots: dict[int, Tables] = {}
        self._journal: list[tuple[int, bytes]] = []
        self._inputs, self._events = Stream(now_ms), Stream(now_ms)
        self._commands: dict[str, Stream] = {}
        self._producers: dict[str, tuple[str, int]] = {}
        self._command_positions: dict[str, str] = {}
        self._lease: tuple[str, int] = ("", 0)
        self._token = 0
        self._marks: Expiring[str] = Expiring(now_ms)
        self._beats: Expiring[bool] = Expiring(now_ms)
        self._beaters: set[str] = set()
        self._replies: Expiring[list[bytes]] = Expiring(now_ms)
        self._traces: Expiring[list[bytes]] = Expiring(now_ms)
        self._ended: Expiring[bytes] = Expiring(now_ms)
        self._ended_index: list[str] = []
        self._revisions: list[bytes] = []
        self._shares = {} if shares is None else shares
        self._changed = asyncio.Event()

    # ------------------------------------------------------------------ inputs

    async def append_input(self, item: Item) -> str:
        return await self.append_inputs([item])

    async def append_inputs(self, items: Sequence[Item]) -> str:
        self._check_room(len(items))
        position = START
        for item in items:
            position = self._inputs.append(PLAIN.tagged(item))
        self._wake()
        return position

    def _check_room(self, count: int) -> None:
        if len(self._inputs) + count > self.limits.inputs:
            raise StoreFull(length=len(self._inputs), limit=self.limits.inputs)

    async def append_facts(self, producer: str, first: int, facts: Sequence[Fact]) -> int:
        name, _, incarnation = producer.rpartition(":")
        known, stored = self._producers.get(name, ("", 0))
        stored = stored if known == incarnation else 0
        last = first + len(facts) - 1
        if stored < first - 1 or stored >= last:
            return stored
        self._check_room(last - stored)
        for fact in facts[stored - first + 1 :]:
            self._inputs.append(PLAIN.tagged(fact))
        self._producers[name] = (incarnation, last)
        self._wake()
        return last

    async def read_inputs(self, after: str, count: int, block_ms: int) -> list[Input]:
        found = await self._read(self._inputs, after, count, block_ms)
        return [Input(position=at, item=PLAIN.items.read(data)) for at, data in found]

    async def _read(self, stream: Stream, after: str, count: int, block_ms: int) -> list[tuple[str, bytes]]:
        await self._wait(lambda: bool(stream.after(after, 1)), block_ms / 1000)
        return stream.after(after, count)

    async def _wait(self, is_there: Callable[[], bool], timeout_s: float) -> None:
        """In real time, as a blocking read is; a store on a virtual clock is read without blocking."""
        try:
            async with asyncio.timeout(timeout_s):
                while timeout_s > 0 and not is_there():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pass

    def _wake(self) -> None:
        self._changed.set()

    # ------------------------------------------------------------------ lease

    def _owner(self) -> str:
        owner, until_ms = self._lease
        return owner if until_ms > self._now_ms() else ""

    async def acquire(self, owner: str, ttl_ms: int) -> int | None:
        if self._owner() not in ("", owner):
            return None
        self._lease = (owner, self._now_ms() + ttl_ms)
        self._token += 1
        return self._token

    async def renew(self, owner: str, token: int, ttl_ms: int) -> bool:
        if token != self._token:
            return False
        self._lease = (owner, self._now_ms() + ttl_ms)
        return True

    async def release(self, token: int) -> None:
        if token == self._token:
            self._lease = ("", 0)
            self._token += 1

    # ------------------------------------------------------------------ state

    async def load(self) -> tuple[WorldState | None, str]:
        tables = self._tables
        return (tables.state(self.tenant) if tables.seq else None), tables.position

    async def config(self) -> Config | None:
        return PLAIN.configs.decode(self._tables.config) if self._tables.config else None

    async def revisions(self) -> list[Config]:
        return [PLAIN.configs.decode(data) for data in self._revisions]

    async def commit(self, token: int, commit: Commit) -> None:
        self._check_token(token, commit.base_seq)
        self._tables.apply(commit)
        self._apply_outputs(commit)
        self._inputs.trim(commit.position)
        self._wake()

    def _check_token(self, token: int, seq: int) -> None:
        if token != self._token or seq != self._tables.seq:
            raise Fenced(token=token, seq=seq)

    def _apply_outputs(self, commit: Commit) -> None:
        limits = self.limits
        for command in commit.commands:
            self._stream(command.pbx).append(PLAIN.tagged(command), limit=limits.commands)
        for event in commit.events:
            self._events.append(PLAIN.encode(event), limit=limits.events)
        for reply in commit.replies:
            replies = [*(self._replies.get(reply.reply_to) or []), PLAIN.encode(reply)]
            self._replies.put(reply.reply_to, replies, limits.reply_ttl_ms)
        for trace in commit.traces:
            traces = [*(self._traces.get(trace.interaction_id) or []), PLAIN.encode(trace)]
            kept = traces[-limits.traces_per_interaction :]
            self._traces.put(trace.interaction_id, kept, limits.trace_ttl_ms)
        for id_, interaction in commit.ended.items():
            self._ended.put(id_, PLAIN.encode(interaction), limits.ended_ttl_ms)
            self._ended_index.insert(0, id_)
        for id_ in self._ended_index[limits.ended :]:
            self._ended.drop(id_)
            self._traces.drop(id_)
        del self._ended_index[limits.ended :]
        if commit.config is not None:
            self._revisions = [PLAIN.encode(commit.config), *self._revisions][: limits.revisions]
        for entry in commit.journal:
            self._journal.append((entry.seq, PLAIN.journaled(entry)))

    # ------------------------------------------------------------------ journal

    async def take_snapshot(self, token: int, seq: int) -> None:
        self._check_token(token, seq)
        if seq in self._snapshots:
            return
        self._snapshots[seq] = self._tables.copy()
        while len(self._snapshots) > 2:
            del self._snapshots[min(self._snapshots)]
        oldest = min(self._snapshots)
        self._journal = [entry for entry in self._journal if entry[0] > oldest]

    async def snapshots(self) -> list[int]:
        return sorted(self._snapshots)

    async def load_snapshot(self, seq: int) -> WorldState:
        if seq not in self._snapshots:
            raise SnapshotGone(seq=seq, kept=sorted(self._snapshots))
        return self._snapshots[seq].state(self.tenant)

    async def read_journal(self, after: int, count: int) -> list[JournalEntry]:
        found = [entry for entry in self._journal if entry[0] > after][:count]
        return [PLAIN.read_journaled(seq, data) for seq, data in found]

    # ------------------------------------------------------------------ commands

    def _stream(self, pbx: str) -> Stream:
        return self._commands.setdefault(pbx, Stream(self._now_ms))

    async def read_commands(self, pbx: str, after: str, count: int, block_ms: int) -> list[StoredCommand]:
        found = await self._read(self._stream(pbx), after, count, block_ms)
        return [
            StoredCommand(position=at, at_ms=int(at.partition("-")[0]), command=PLAIN.commands.read(data))
            for at, data in found
        ]

    async def command_position(self, pbx: str) -> str:
        return self._command_positions.get(pbx, START)

    async def save_command_position(self, pbx: str, position: str) -> None:
        self._command_positions[pbx] = position
        self._stream(pbx).trim(position)

    async def mark_dial_started(self, command_id: str, starter: str) -> bool:
        self._marks.add(command_id, starter, self.limits.dial_mark_ttl_ms)
        return self._marks.get(command_id) == starter

    async def beat(self, pbx: str, ttl_ms: int) -> bool:
        was_good = self._beats.get(pbx) is not None or pbx not in self._beaters
        self._beaters.add(pbx)
        self._beats.put(pbx, True, ttl_ms)
        counts_as_lost = self._tables.links.get(pbx) is False and not len(self._inputs)
        return was_good and not counts_as_lost

    async def reserve_calls(self, needed: int, spare: int, limit: int) -> int:
        now_ms = self._now_ms()
        others = sum(calls for who, (calls, until) in self._shares.items() if who != self.tenant and until > now_ms)
        left = max(0, limit - others)
        mine = min(needed, left)
        mine += min(spare, (left - mine) // 100)
        self._shares[self.tenant] = (mine, now_ms + self.limits.share_ttl_ms)
        return mine

    async def silent(self, pbxs: Sequence[str]) -> list[str]:
        return [pbx for pbx in pbxs if pbx in self._beaters and self._beats.get(pbx) is None]

    # ------------------------------------------------------------------ outputs

    async def wait_reply(self, reply_to: str, timeout_s: float) -> Reply | None:
        await self._wait(lambda: bool(self._replies.get(reply_to)), timeout_s)
        replies = self._replies.get(reply_to)
        return PLAIN.replies.decode(replies.pop(0)) if replies else None

    async def events_end(self) -> str:
        return self._events.end()

    async def read_events(self, after: str, count: int, block_ms: int) -> list[StoredEvent]:
        found = await self._read(self._events, after, count, block_ms)
        return [StoredEvent(position=at, event=PLAIN.events.read(data)) for at, data in found]

    async def traces(self, interaction_id: str) -> list[Trace]:
        return [PLAIN.traces.decode(data) for data in self._traces.get(interaction_id) or []]

    async def ended(self, interaction_id: str) -> Interaction | None:
        data = self._ended.get(interaction_id)
        return PLAIN.interactions.decode(data) if data else None

    async def recent_ended(self, count: int) -> list[Interaction]:
        found = [self._ended.get(id_) for id_ in self._ended_index[: max(0, count)]]
        return [PLAIN.interactions.decode(data) for data in found if data]

    async def health(self) -> StoreHealth:
        lengths = {"journal": len(self._journal), "events": len(self._events)}
        lengths |= {"interactions": len(self._tables.interactions), "timers": len(self._tables.timers)}
        lengths |= {f"commands:{pbx}": len(self._stream(pbx)) for pbx in self._command_positions}
        position = self._tables.position
        return StoreHealth(
            owner=self._owner() or None,
            token=self._token,
            seq=self._tables.seq,
            position=position,
            waiting_inputs=len(self._inputs.after(position, len(self._inputs))),
            lag_ms=0,
            lengths=lengths,
        )

    async def close(self) -> None:
        return None
