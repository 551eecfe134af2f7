"""The store in Redis 7 or newer; see `keys` for what lies where and lua/ for what is atomic."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from routing.core.config import Config
from routing.core.facts import Fact
from routing.core.interaction import Interaction
from routing.core.matching_types import Trace
from routing.core.orders import Reply
from routing.core.world import WorldState
from routing.store.codec import PLAIN, Codecs
from routing.store.errors import Fenced, SnapshotGone, StoreCorrupt, StoreFull
from routing.store.keys import CALLS, Keys
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
from routing.store.redis_commit import FIXED, CommitScript, link_text
from routing.store.redis_health import read_health
from routing.store.redis_link import RedisLink, Word
from routing.store.redis_state import meta_of, state_of, state_reads


class RedisStore:
    """`Store` of one tenant. `url` as redis-py takes it: redis://, rediss://, unix://.

    What holds CAD goes through `codecs`; methods that read or write it raise SealKeyMissing where these lack the key.
    """

    def __init__(
        self,
        url: str,
        tenant: str,
        limits: Limits | None = None,
        *,
        timeout_s: float = 5.0,
        codecs: Codecs = PLAIN,
    ) -> None:
        self.limits = limits or Limits()
        self.tenant, self._codecs = tenant, codecs
        self._keys = Keys(tenant)
        self._link = RedisLink(url, timeout_s)

    # ------------------------------------------------------------------ inputs

    async def append_input(self, item: Item) -> str:
        return await self.append_inputs([item])

    async def append_inputs(self, items: Sequence[Item]) -> str:
        args: list[Word] = [self.limits.inputs]
        args += map(self._codecs.tagged, items)
        done, result = await self._link.script("append", [self._keys("inputs")], args)
        if not done:
            raise StoreFull(length=result, limit=self.limits.inputs)
        return _text(result) if result else START

    async def append_facts(self, producer: str, first: int, facts: Sequence[Fact]) -> int:
        name, _, incarnation = producer.rpartition(":")
        args: list[Word] = [self.limits.inputs, name, incarnation, first]
        args += map(self._codecs.tagged, facts)
        keys = [self._keys("inputs"), self._keys("producers")]
        done, result = await self._link.script("append_facts", keys, args)
        if not done:
            raise StoreFull(length=result, limit=self.limits.inputs)
        return int(result)

    async def read_inputs(self, after: str, count: int, block_ms: int) -> list[Input]:
        entries = await self._read(self._keys("inputs"), after, count, block_ms)
        return [Input(position=at, item=self._codecs.items.read(data)) for at, data in entries]

    async def _read(self, key: str, after: str, count: int, block_ms: int) -> list[tuple[str, bytes]]:
        words: list[Word] = ["XREAD", "COUNT", count]
        if block_ms > 0:
            words += ["BLOCK", block_ms]
        found = await self._link.call(*words, "STREAMS", key, after, wait_s=block_ms / 1000)
        # What has no such field was not written by us; it is said to be unreadable, and passed over.
        return [(_text(at), fields.get(b"d", b"")) for at, fields in found[0][1]] if found else []

    # ------------------------------------------------------------------ lease

    async def acquire(self, owner: str, ttl_ms: int) -> int | None:
        return await self._lease("acquire", owner, ttl_ms) or None

    async def renew(self, owner: str, token: int, ttl_ms: int) -> bool:
        return bool(await self._lease("renew", owner, token, ttl_ms))

    async def release(self, token: int) -> None:
        await self._lease("release", token)

    async def _lease(self, script: str, *args: Word) -> int:
        return int(await self._link.script(script, [self._keys("lease"), self._keys("fence")], args))

    # ------------------------------------------------------------------ state

    async def load(self) -> tuple[WorldState | None, str]:
        await self._check()
        values = await self._read_state(self._keys.state())
        meta = meta_of(values[-1])
        return state_of(self.tenant, values, self._codecs), meta.get("position", START)

    async def _check(self) -> None:
        """Raises StoreCorrupt where a commit would fail half-way."""
        types = {name: FIXED[name] for name in ("meta", "journal", "hopper_counts")} | FIXED | {"snapshots": "hash"}
        names = list(types)
        wrong = await self._link.script("check", [self._keys(name) for name in names], list(types.values()))
        if wrong:
            raise StoreCorrupt(what=names[wrong[0] - 1], reason=_text(wrong[1]))

    async def _read_state(self, keys: list[str]) -> list[Any]:
        return await self._link.transaction(*state_reads(keys))

    async def config(self) -> Config | None:
        found = await self._link.call("GET", self._keys("config"))
        return self._codecs.configs.decode(found) if found else None

    async def revisions(self) -> list[Config]:
        found = await self._link.call("LRANGE", self._keys("revisions"), 0, -1)
        return [self._codecs.configs.decode(data) for data in found]

    async def commit(self, token: int, commit: Commit) -> None:
        script = CommitScript(self._keys, self.limits, token, commit, self._codecs)
        if not await self._link.script("commit", script.keys, script.args):
            raise Fenced(token=token, seq=commit.base_seq)

    # ------------------------------------------------------------------ journal

    async def take_snapshot(self, token: int, seq: int) -> None:
        keys = [self._keys(name) for name in ("fence", "meta", "journal", "snapshots")]
        keys += self._keys.state() + self._keys.snapshot("a") + self._keys.snapshot("b")
        if not await self._link.script("snapshot", keys, [token, seq]):
            raise Fenced(token=token, seq=seq)

    async def snapshots(self) -> list[int]:
        return sorted(seq for seq, _slot in await self._snapshot_slots())

    async def _snapshot_slots(self) -> list[tuple[int, str]]:
        found = await self._link.call("HGETALL", self._keys("snapshots"))
        return [(int(seq), _text(slot)) for slot, seq in found.items()]

    async def load_snapshot(self, seq: int) -> WorldState:
        slots = dict(await self._snapshot_slots())
        if seq in slots:
            values = await self._read_state(self._keys.snapshot(slots[seq]))
            state = state_of(self.tenant, values, self._codecs) or WorldState(config=Config(tenant=self.tenant))
            if state.seq == seq:
                return state
        raise SnapshotGone(seq=seq, kept=sorted(slots))

    async def read_journal(self, after: int, count: int) -> list[JournalEntry]:
        words = ("XRANGE", self._keys("journal"), f"{after + 1}-0", "+", "COUNT", count)
        found = await self._link.call(*words)
        return [self._codecs.read_journaled(int(at.partition(b"-")[0]), fields[b"d"]) for at, fields in found]

    # ------------------------------------------------------------------ commands

    async def read_commands(self, pbx: str, after: str, count: int, block_ms: int) -> list[StoredCommand]:
        entries = await self._read(self._keys("commands", pbx), after, count, block_ms)
        return [
            StoredCommand(
                position=at,
                at_ms=int(at.partition("-")[0]),
                command=self._codecs.commands.read(data),
            )
            for at, data in entries
        ]

    async def command_position(self, pbx: str) -> str:
        found = await self._link.call("HGET", self._keys("command_positions"), pbx)
        return _text(found) if found else START

    async def save_command_position(self, pbx: str, position: str) -> None:
        await self._link.transaction(
            ("HSET", self._keys("command_positions"), pbx, position),
            ("XTRIM", self._keys("commands", pbx), "MINID", _behind(position)),
        )

    async def mark_dial_started(self, command_id: str, starter: str) -> bool:
        args: list[Word] = [starter, self.limits.dial_mark_ttl_ms]
        return bool(await self._link.script("mark_dial", [self._keys("dial", command_id)], args))

    async def beat(self, pbx: str, ttl_ms: int) -> bool:
        key = self._keys("beat", pbx)
        before, _, is_first, link, waiting = await self._link.transaction(
            ("GET", key),
            ("SET", key, 1, "PX", ttl_ms),
            ("HSET", self._keys("beaters"), pbx, 1),
            ("HGET", self._keys("links"), pbx),
            ("XLEN", self._keys("inputs")),
        )
        counts_as_lost = link == link_text(is_up=False).encode() and not waiting
        return bool(before or is_first) and not counts_as_lost

    async def reserve_calls(self, needed: int, spare: int, limit: int) -> int:
        now_ms = time.time_ns() // 1_000_000
        args: list[Word] = [self.tenant, needed, spare, limit, now_ms, self.limits.share_ttl_ms]
        return int(await self._link.script("reserve_calls", [CALLS], args))

    async def silent(self, pbxs: Sequence[str]) -> list[str]:
        if not pbxs:
            return []
        known, beats = await self._link.transaction(
            ("HMGET", self._keys("beaters"), *pbxs), ("MGET", *(self._keys("beat", pbx) for pbx in pbxs))
        )
        return [pbx for pbx, is_known, beat in zip(pbxs, known, beats, strict=True) if is_known and not beat]

    # ------------------------------------------------------------------ outputs

    async def wait_reply(self, reply_to: str, timeout_s: float) -> Reply | None:
        found = await self._link.call("BLPOP", self._keys("reply", reply_to), f"{timeout_s:.3f}", wait_s=timeout_s)
        return self._codecs.replies.decode(found[1]) if found else None

    async def events_end(self) -> str:
        found = await self._link.call("XREVRANGE", self._keys("events"), "+", "-", "COUNT", 1)
        return _text(found[0][0]) if found else START

    async def read_events(self, after: str, count: int, block_ms: int) -> list[StoredEvent]:
        entries = await self._read(self._keys("events"), after, count, block_ms)
        return [StoredEvent(position=at, event=self._codecs.events.read(data)) for at, data in entries]

    async def traces(self, interaction_id: str) -> list[Trace]:
        found = await self._link.call("LRANGE", self._keys("trace", interaction_id), 0, -1)
        return [self._codecs.traces.decode(data) for data in found]

    async def ended(self, interaction_id: str) -> Interaction | None:
        found = await self._link.call("GET", self._keys("ended", interaction_id))
        return self._codecs.interactions.decode(found) if found else None

    async def recent_ended(self, count: int) -> list[Interaction]:
        if count <= 0:
            return []
        ids = await self._link.call("LRANGE", self._keys("ended_index"), 0, count - 1)
        found = await self._link.call("MGET", *(self._keys("ended", _text(id_)) for id_ in ids)) if ids else []
        return [self._codecs.interactions.decode(data) for data in found if data]

    async def health(self) -> StoreHealth:
        return await read_health(self._link, self._keys)

    async def close(self) -> None:
        await self._link.close()


def _behind(position: str) -> str:
    """The lowest position behind that one."""
    ms, _, number = position.partition("-")
    return f"{ms}-{int(number) + 1}"


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
