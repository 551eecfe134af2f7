"""The core's world, as quick as a replay needs it: the same state after every step, with less said about it.

A full explanation of each decision costs more than the decision, and an id of 26 characters is much of what else a step
costs.
"""

from __future__ import annotations

from routing.core.matching_types import Decision, Trace
from routing.core.world import World, WorldState


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
