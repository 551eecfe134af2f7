"""Look-ups: the process that asks the outside for the engine, so that the core waits for nobody (FLOW-05).

The engine's questions are commands for a PBX that does not exist, `@lookups`; answers are inputs. Several processes
may run: each question is claimed by one. What gets lost with one is covered by the deadline that the core itself sets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Protocol

import structlog

from routing.app.clock import Clock
from routing.core.commands import LOOKUPS, LookUp, LookUpKind
from routing.core.errors import StoreError
from routing.core.facts import LookedUp
from routing.engine.backoff import Backoff
from routing.store.port import Store, StoredCommand
from routing.store.signs import EVERY_S, Signs

log = structlog.get_logger()


class Asker(Protocol):
    async def ask(self, command: LookUp, timeout_s: float) -> LookedUp:
        """Always an answer, in `timeout_s` at the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupSettings:
    """`at_once`: questions under way; more wait in Redis. `block_ms`: how long one look for new ones lasts."""

    at_once: int = 200
    block_ms: int = 1000


class Lookups:
    """Of one tenant. `askers`: who answers which kind."""

    def __init__(
        self,
        name: str,
        store: Store,
        askers: Mapping[LookUpKind, Asker],
        clock: Clock,
        signs: Signs,
        settings: LookupSettings | None = None,
    ) -> None:
        self._name, self._store, self._askers, self._clock, self._signs = name, store, askers, clock, signs
        self._settings = settings or LookupSettings()
        self._free = asyncio.Semaphore(self._settings.at_once)
        self._running: set[asyncio.Task[None]] = set()
        self._position: str | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; questions that are under way then are still answered."""
        backoff, is_failing = Backoff(Random(), first_s=0.1, most_s=5.0), False  # noqa: S311 - spreads attempts
        signs = asyncio.create_task(self._give_signs(stop))
        try:
            while not stop.is_set():
                try:
                    await self.turn()
                except StoreError as error:
                    level = log.debug if is_failing else log.warning
                    level("lookups_failed", code=error.code, reason=str(error))
                    is_failing = True
                    await backoff.wait(stop)
                else:
                    is_failing = False
                    backoff.reset()
        finally:
            signs.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def turn(self) -> int:
        """Take what is there, at most as much as there is room for; how many questions. Raises StoreError."""
        if self._position is None:
            self._position = await self._store.command_position(LOOKUPS)
        async with self._free:
            pass  # room for one at least
        found = await self._store.read_commands(
            LOOKUPS, self._position, self._settings.at_once, self._settings.block_ms
        )
        for stored in found:
            await self._take(stored)
            self._position = stored.position
        if found:
            await self._store.save_command_position(LOOKUPS, self._position)
        return len(found)

    async def _take(self, stored: StoredCommand) -> None:
        command = stored.command
        if not isinstance(command, LookUp):
            log.warning("command_unreadable", position=stored.position)
            return
        if command.deadline_ms <= self._clock.now_ms():
            return  # the core has taken its default
        await self._free.acquire()
        try:
            is_ours = await self._store.mark_dial_started(command.id, self._name)
        except BaseException:
            self._free.release()
            raise
        if not is_ours:
            self._free.release()
            return
        task = asyncio.create_task(self._answer(command))
        self._running.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._free.release()
        if not task.cancelled() and (error := task.exception()):
            log.error("lookup_broke", exc_info=error)

    async def _answer(self, command: LookUp) -> None:
        started_ms = self._clock.now_ms()
        timeout_s = max(0.001, (command.deadline_ms - started_ms) / 1000)
        fact = await self._askers[command.kind].ask(command, timeout_s)
        took_ms = self._clock.now_ms() - started_ms
        about = {"kind": command.kind.value, "interaction_id": command.interaction_id, "took_ms": took_ms}
        log.info("lookup_answered", **about, outcome=fact.outcome.value, reason=fact.reason, status=fact.http_status)
        try:
            await self._store.append_input(fact)
        except StoreError as error:
            log.warning("lookup_not_told", **about, code=error.code)

    async def _give_signs(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await asyncio.to_thread(self._signs.give, "lookups", self._name, self._clock.now_ms())
            except StoreError as error:
                log.debug("sign_not_given", code=error.code)
            try:
                await asyncio.wait_for(stop.wait(), EVERY_S)
            except TimeoutError:
                continue
