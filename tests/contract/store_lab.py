"""Stores for the contract suite: several handles on one tenant, over memory and over a private Redis."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Protocol
from uuid import uuid4

from deploy.lab.redis import RedisServer
from routing.app.clock import SystemClock
from routing.core.facts import LegRinging
from routing.store.codec import PLAIN, Codecs
from routing.store.memory import MemoryStore
from routing.store.port import Commit, JournalEntry, Limits, Store
from routing.store.redis_store import RedisStore
from routing.store.sealing import Sealer, SealKeys, new_key
from tests.waiting import run

KINDS = ("memory", "redis", "sealed redis")


class StoreLab(Protocol):
    """One tenant. `open` gives another handle on it, as another process would have."""

    def open(self, limits: Limits | None = None) -> Store: ...

    def open_beside(self, limits: Limits | None = None) -> Store:
        """A handle on another tenant of the same server."""

    async def close(self) -> None: ...


class MemoryLab:
    def __init__(self) -> None:
        shares: dict[str, tuple[int, int]] = {}
        self._store = MemoryStore("acme", SystemClock().now_ms, shares=shares)
        self._beside = MemoryStore("globex", SystemClock().now_ms, shares=shares)

    def open(self, limits: Limits | None = None) -> Store:
        self._store.limits = limits or Limits()
        return self._store

    def open_beside(self, limits: Limits | None = None) -> Store:
        self._beside.limits = limits or Limits()
        return self._beside

    async def close(self) -> None:
        return None


class RedisLab:
    def __init__(self, url: str, codecs: Codecs) -> None:
        self.url, self.tenant, self._codecs = url, f"acme-{uuid4().hex[:8]}", codecs
        self._stores: list[RedisStore] = []

    def open(self, limits: Limits | None = None) -> Store:
        self._stores.append(RedisStore(self.url, self.tenant, limits, timeout_s=2.0, codecs=self._codecs))
        return self._stores[-1]

    def open_beside(self, limits: Limits | None = None) -> Store:
        tenant = f"{self.tenant}-beside"
        self._stores.append(RedisStore(self.url, tenant, limits, timeout_s=2.0, codecs=self._codecs))
        return self._stores[-1]

    async def close(self) -> None:
        for store in self._stores:
            await store.close()
        self._stores.clear()


MakeLab = Callable[[], StoreLab]


@contextmanager
def lab_maker(kind: str) -> Iterator[MakeLab]:
    """A maker of empty tenants."""
    if kind == "memory":
        yield MemoryLab
        return
    with RedisServer(unix_socket=True) as server:
        codecs = PLAIN if kind == "redis" else Codecs(Sealer(SealKeys(keys=(new_key("k1"),))))
        yield lambda: RedisLab(server.url, codecs)


def scenario(make: MakeLab, play: Callable[[StoreLab], Coroutine[Any, Any, None]]) -> None:
    """Play it in an event loop of its own, on an empty tenant."""

    async def whole() -> None:
        lab = make()
        try:
            await play(lab)
        finally:
            await lab.close()

    run(whole())


def ringing(leg_id: str) -> LegRinging:
    return LegRinging(pbx="ast1", leg_id=leg_id)


def step_commit(seq: int, **parts: Any) -> Commit:
    """A commit of the one step `seq`."""
    journal = [JournalEntry(seq=seq, now_ms=1000 + seq, item=ringing(f"leg{seq}"))]
    whole: dict[str, Any] = {
        "base_seq": seq - 1,
        "seq": seq,
        "now_ms": 1000 + seq,
        "position": "0-0",
        "journal": journal,
    }
    return Commit(**whole | parts)


async def lead(store: Store, owner: str = "engine-1") -> int:
    """The lease's token."""
    token = await store.acquire(owner, 60_000)
    assert token is not None
    return token
