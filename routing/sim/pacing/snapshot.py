"""What a policy sees and how it is called: nothing else reaches it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol


class Snapshot(Mapping[str, Any]):
    """The floor and the lines at one moment; fields also by index, `snapshot["agents"]`.

    `agents`: (state, seconds in it) of all who are logged in, state idle, talk, wrap or inbound. `calls`: (age in
    seconds, phase ring or amd) of those not yet resolved. `waiting`: seconds for which answered calls have waited.
    """

    __slots__ = (
        "agents",
        "calls",
        "counters",
        "lines_free",
        "live_waiting",
        "n_idle",
        "n_inbound",
        "n_inflight",
        "n_logged",
        "n_talk",
        "n_wrap",
        "waiting",
    )
    agents: list[tuple[str, float]]
    calls: list[tuple[float, str]]
    waiting: list[float]
    counters: dict[str, int]
    live_waiting: int
    n_idle: int
    n_talk: int
    n_wrap: int
    n_inbound: int
    n_logged: int
    n_inflight: int
    lines_free: int

    def __getitem__(self, name: str) -> Any:
        if name not in self.__slots__:
            raise KeyError(name)
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.__slots__)

    def __len__(self) -> int:
        return len(self.__slots__)


class Policy(Protocol):
    """How many calls to start now; the caller clips it to the free lines. `on_event(now, kind, data)` is optional."""

    def step(self, now: float, snap: Snapshot, /) -> int: ...


MakePolicy = Callable[[Mapping[str, object]], Policy]
OnEvent = Callable[[float, str, Mapping[str, object]], None]

COUNTERS = (
    "dialed",
    "resolved",
    "live",
    "noanswer",
    "busy",
    "machine",
    "invalid",
    "connected",
    "abandoned",
    "inbound",
)
