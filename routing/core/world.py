"""Everything live of one tenant, with the indexes that make a step cheap, and one step at a time undone if it is refused."""

from __future__ import annotations

from dataclasses import dataclass, field

from routing.core.agent import Agent
from routing.core.config import Config
from routing.core.facts import PhoneState
from routing.core.interaction import Interaction


@dataclass(slots=True, kw_only=True)
class WorldState:
    """What is stored and what a replay must reproduce; nothing else of the world is truth.

    `phones`: state by `pbx|phone`. `links`: PBX id -> whether its link is up. `timers`: key -> deadline in ms UTC.
    `now_ms`, `seq`: time and journal number of the last step.
    """

    config: Config
    interactions: dict[str, Interaction] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    phones: dict[str, PhoneState] = field(default_factory=dict)
    links: dict[str, bool] = field(default_factory=dict)
    timers: dict[str, int] = field(default_factory=dict)
    now_ms: int = 0
    seq: int = 0
