"""The engine process: wait for the lease, load, then read, step and commit until the lease is gone."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Generic

import structlog

from routing.app.clock import Clock
from routing.core.config import Config
from routing.core.errors import StoreError
from routing.core.world import WorldState
from routing.engine.backoff import Backoff
from routing.engine.capacity import CallShare
from routing.engine.core import Core, W
from routing.engine.lease import LeaseKeeper
from routing.engine.session import Session
from routing.engine.silence import SilenceWatch
from routing.store.errors import Fenced, SealKeyMissing, StoreCorrupt
from routing.store.port import Item, Store

log = structlog.get_logger()

# What is stored is not for this engine: somebody must act, or another engine, of another version or with the key.
_UNREADABLE = (SealKeyMissing, StoreCorrupt)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """`lease_ttl_ms` plus `lease_poll_s` bounds how long nobody leads after a crash.

    `batch`: inputs per commit at most. `idle_ms`: longest wait for an input. `snapshot_every`: journal entries
    between two snapshots, so a replay starts at most twice as many entries back. `data_centre_calls`: live customer
    calls of all tenants of the store together, None = no limit.
    """

    tenant: str
    owner: str
    lease_ttl_ms: int = 2000
    lease_poll_s: float = 0.2
    batch: int = 100
    idle_ms: int = 250
    snapshot_every: int = 20_000
    data_centre_calls: int | None = None


class Engine(Generic[W]):
    """One engine, leading or waiting to. `open_store` makes a store with connections of its own."""

    def __init__(self, open_store: Callable[[], Store], core: Core[W], clock: Clock, settings: EngineSettings) -> None:
        self._open_store, self._core, self._clock, self._settings = open_store, core, clock, settings
        self._backoff = Backoff(Random())  # noqa: S311 - spreads reconnects, guards nothing
        self._snapshot_seq: int | None = None
        self._is_standby = False
        self._unreadable, self._must_look = "", False
        self.session: Session[W] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Nothing that the store or an input does ends it."""
        store = self._open_store()
        try:
            while not stop.is_set():
                try:
                    await self._turn(store, stop)
                except Fenced as error:
                    log.warning("engine_fenced", owner=self._settings.owner, reason=str(error))
                    await self._backoff.wait(stop)
                except _UNREADABLE as error:
                    self._tell_unreadable(error)
                    await self._backoff.wait(stop)
                except StoreError as error:
                    log.warning("store_failed", owner=self._settings.owner, code=error.code, reason=str(error))
                    await self._backoff.wait(stop)
                except Exception:  # the supervised outer loop
                    log.exception("engine_failed", owner=self._settings.owner)
                    await self._backoff.wait(stop)
        finally:
            await store.close()

    def _tell_unreadable(self, error: StoreError) -> None:
        """Once, and again when it is something else."""
        reason = str(error)
        report = log.debug if reason == self._unreadable else log.error
        self._unreadable, self._must_look = reason, True
        report(error.code.replace("-", "_"), owner=self._settings.owner, reason=reason)

    async def _turn(self, store: Store, stop: asyncio.Event) -> None:
        """Wait for the lease and lead until it is lost or the world can no longer be trusted."""
        settings = self._settings
        if self._must_look:  # without the lease, so that nobody takes us for an engine that leads
            await store.load()
            self._must_look = False
        token = await store.acquire(settings.owner, settings.lease_ttl_ms)
        if token is None:
            if not self._is_standby:
                log.info("engine_stands_by", owner=settings.owner)
            self._is_standby = True
            await wait_for_stop(stop, settings.lease_poll_s)
            return
        self._is_standby = False
        keeper = LeaseKeeper(self._open_store, settings.owner, token, settings.lease_ttl_ms)
        keeper.start()
        try:
            await self._lead(store, token, keeper, stop)
        except _UNREADABLE:  # another engine may be able to; nothing is used up that could not be read
            await self._step_down(store, token, keeper)
            raise
        finally:
            self.session = None
            await keeper.stop()
        await self._step_down(store, token, keeper)

    async def _step_down(self, store: Store, token: int, keeper: LeaseKeeper) -> None:
        await keeper.stop()
        await store.release(token)
        log.info("engine_released", owner=self._settings.owner, token=token)

    async def _lead(self, store: Store, token: int, keeper: LeaseKeeper, stop: asyncio.Event) -> None:
        session = self.session = await self._load(store, token)
        settings, silence = self._settings, SilenceWatch(store)
        share = CallShare(store, settings.data_centre_calls)
        # Before any deadline: whoever cannot tell that he has answered is not to blame.
        own: Sequence[Item] = await silence.lost(session.world.state.links)
        while not stop.is_set() and not keeper.is_lost:
            keeper.alive()
            await silence.look(session.world.state.links)
            wait_ms = session.wait_ms(settings.idle_ms)
            inputs = await store.read_inputs(session.position, settings.batch, wait_ms)
            begins = sum(self._core.begins_call(session.world, entry.item) for entry in inputs)
            calls = self._core.calls(session.world) + begins
            granted = await share.cover(session.world.state.calls_granted, calls)
            commit = session.take(inputs, [*own, *granted], is_all=len(inputs) < settings.batch)
            own = ()
            if commit is None:
                continue
            await store.commit(token, commit)
            self._backoff.reset()
            self._unreadable = ""
            if commit.config is not None:
                settle_memory()
            if session.seq >= (self._snapshot_seq or 0) + settings.snapshot_every:
                await self._take_snapshot(store, token, session.seq)

    async def _load(self, store: Store, token: int) -> Session[W]:
        state, position = await store.load()
        if state is None:
            state = WorldState(config=Config(tenant=self._settings.tenant))
        session = Session(self._core, state, position, self._clock)
        if self._snapshot_seq is None:
            # Another version of the code may have made the steps so far; only its own ones can be replayed for sure.
            await self._take_snapshot(store, token, session.seq)
        settle_memory()
        log.info("engine_leads", owner=self._settings.owner, token=token, seq=session.seq, position=position)
        return session

    async def _take_snapshot(self, store: Store, token: int, seq: int) -> None:
        await store.take_snapshot(token, seq)
        self._snapshot_seq = seq


def settle_memory() -> None:
    """What is here now mostly stays: keep full garbage collections from walking through it each time."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


async def wait_for_stop(stop: asyncio.Event, within_s: float) -> None:
    """Return when `stop` is set or the time is over."""
    try:
        async with asyncio.timeout(within_s):
            await stop.wait()
    except TimeoutError:
        pass
