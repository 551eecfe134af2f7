"""The core's world, as quick as a replay needs it: the same state after every step, with less said about it.

A full explanation of each decision costs more than the decision; `dataclasses.replace` of an interaction and an id of
26 characters are much of what else a step costs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import fields
from itertools import repeat
from operator import attrgetter, call
from typing import Any, Generic, TypeVar

from routing.core.agent import Agent
from routing.core.interaction import Interaction
from routing.core.matching_types import Decision, Trace
from routing.core.world import World, WorldState

T = TypeVar("T")


class _Copier(Generic[T]):
    """Does what `replace` does to a frozen dataclass with slots and without `__post_init__`, in a third of the time."""

    def __init__(self, kind: type[T]) -> None:
        names = [f.name for f in fields(kind)]  # type: ignore[arg-type]
        self._kind = kind
        self._read = attrgetter(*names)
        self._write: dict[str, Callable[[T, Any], None]] = {name: kind.__dict__[name].__set__ for name in names}
        self._writers = tuple(self._write.values())

    def copy(self, value: T, changes: dict[str, Any]) -> T:
        made = object.__new__(self._kind)
        deque(
            map(call, self._writers, repeat(made), self._read(value)), maxlen=0
        )  # each slot, without a loop of Python
        for name, new in changes.items():
            self._write[name](made, new)
        return made


_INTERACTION = _Copier(Interaction)
_AGENT = _Copier(Agent)


class BriefWorld(World):
    """Its traces stay as the pool made them, its ids are numbers in order."""

    def __init__(self, state: WorldState) -> None:
        super().__init__(state)
        self._made = 0

    def explained(self, decision: Decision) -> Trace:
        return decision.trace

    def new_id(self, prefix: str) -> str:
        self._made += 1
        return f"{prefix}_{self._made:012}"

    def update_interaction(self, interaction: Interaction, **changes: Any) -> Interaction:
        changes["version"] = interaction.version + 1
        return self.put_interaction(_INTERACTION.copy(interaction, changes))

    def update_agent(self, agent: Agent, **changes: Any) -> Agent:
        return self.put_agent(_AGENT.copy(agent, changes))
