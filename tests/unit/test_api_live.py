"""The state that lists are read from: how old it may be, and how often it is loaded for many who ask at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest

from routing.api.live import STALE_MS, LiveWorld
from routing.core.config import Config
from routing.core.errors import StoreError
from routing.core.world import World, WorldState
from tests.waiting import wait_until

NOW_MS = 1_800_000_000_000


class Source:
    """Counts its loads; `door` closed: they wait."""

    def __init__(self) -> None:
        self.begun = 0
        self.door = threading.Event()
        self.door.set()

    def load(self) -> WorldState:
        self.begun += 1
        number = self.begun
        assert self.door.wait(5.0)
        return WorldState(config=Config(tenant="main"), seq=number)


class Turn:
    """A lock that counts who has come to it."""

    def __init__(self) -> None:
        self.came = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self.came += 1
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class Askers:
    """Each asks in a thread of its own, one after the other."""

    def __init__(self, source: Source) -> None:
        self.turn = Turn()
        self.live = LiveWorld(source, cast(threading.Lock, self.turn))
        self.threads: list[threading.Thread] = []
        self.answers: list[World] = []

    def ask(self, *, is_fresh: bool, now_ms: int = NOW_MS) -> None:
        def one() -> None:
            self.answers.append(self.live.world(now_ms, is_fresh=is_fresh))

        before = self.turn.came
        self.threads.append(threading.Thread(target=one))
        self.threads[-1].start()
        wait_until(lambda: self.turn.came > before)


@contextmanager
def askers(source: Source) -> Iterator[Askers]:
    found = Askers(source)
    try:
        yield found
    finally:
        source.door.set()
        for thread in found.threads:
            thread.join(5.0)


def test_a_list_is_read_from_a_state_of_a_quarter_of_a_second() -> None:
    source = Source()
    live = LiveWorld(source)
    first = live.world(NOW_MS)
    assert live.world(NOW_MS + STALE_MS - 1) is first
    assert live.world(NOW_MS + STALE_MS) is not first
    assert source.begun == 2


@pytest.mark.req("XFER-05")
def test_a_refresh_never_shows_what_was_loaded_before_it_was_asked_for() -> None:
    source = Source()
    live = LiveWorld(source)
    live.world(NOW_MS)
    assert live.world(NOW_MS, is_fresh=True).state.seq == 2
    assert live.world(NOW_MS, is_fresh=True).state.seq == 3


@pytest.mark.req("XFER-05")
def test_a_refresh_that_meets_a_running_load_waits_for_the_next_one() -> None:
    source = Source()
    source.door.clear()
    with askers(source) as who:
        who.ask(is_fresh=True)
        wait_until(lambda: source.begun == 1)
        who.ask(is_fresh=True)
        source.door.set()
        wait_until(lambda: len(who.answers) == 2)
    assert sorted(world.state.seq for world in who.answers) == [1, 2]


def test_many_who_ask_while_one_loads_share_one_load_more() -> None:
    source = Source()
    source.door.clear()
    with askers(source) as who:
        who.ask(is_fresh=True)
        wait_until(lambda: source.begun == 1)
        for number in range(8):  # their clocks were read in another order than they got their turn
            who.ask(is_fresh=number % 2 == 0, now_ms=NOW_MS - number)
        source.door.set()
        wait_until(lambda: len(who.answers) == 9)
    assert source.begun == 2


def test_a_load_that_fails_leaves_the_next_one_to_try_again() -> None:
    class Failing(Source):
        def load(self) -> WorldState:
            if not self.begun:
                self.begun = 1
                raise StoreError
            return super().load()

    live = LiveWorld(Failing())
    with pytest.raises(StoreError):
        live.world(NOW_MS)
    assert live.world(NOW_MS).state.seq == 2
