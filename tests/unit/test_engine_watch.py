"""A connector opens its link when an engine leads, or after its patience has ended."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from routing.app.engine_watch import EngineWatch, WatchedPort
from routing.core.commands import Command
from routing.store.memory import MemoryStore
from routing.store.port import Store
from telephony.port import Sink
from tests.waiting import run


@dataclass(slots=True)
class Notebook:
    """A port that notes whether an engine led when its link was opened."""

    watch: EngineWatch
    opened_with_engine: list[bool] = field(default_factory=list)

    async def start(self, sink: Sink) -> None:
        self.opened_with_engine.append(self.watch.is_serving())

    def submit(self, command: Command) -> None:
        raise AssertionError("nothing is ordered here")

    async def stop(self, drain_s: float = 0.0) -> None:
        """Nothing runs."""


@dataclass(slots=True)
class Scene:
    """A watched port over a store in memory; `looked` once the watch has begun."""

    patience_s: float
    store: MemoryStore = field(default_factory=lambda: MemoryStore("main", lambda: 0))
    looked: asyncio.Event = field(default_factory=asyncio.Event)
    port: Notebook = field(init=False)
    watched: WatchedPort = field(init=False)

    def __post_init__(self) -> None:
        watch = EngineWatch(self._open_store, interval_s=0.01, missed_interval_s=0.01)
        self.port = Notebook(watch)
        self.watched = WatchedPort(self.port, watch, self.patience_s)

    def _open_store(self) -> Store:
        self.looked.set()
        return self.store


def test_the_link_waits_for_an_engine_that_starts_later() -> None:
    async def play() -> None:
        scene = Scene(patience_s=15.0)
        opening = asyncio.create_task(scene.watched.start(lambda fact: None))
        await scene.looked.wait()
        assert scene.port.opened_with_engine == []
        await scene.store.acquire("engine-1", 60_000)
        await opening
        assert scene.port.opened_with_engine == [True]
        await scene.watched.stop()

    run(play())


def test_the_link_is_opened_without_an_engine_when_patience_has_ended() -> None:
    async def play() -> None:
        scene = Scene(patience_s=0.05)
        await scene.watched.start(lambda fact: None)
        assert scene.port.opened_with_engine == [False]
        await scene.watched.stop()

    run(play())
