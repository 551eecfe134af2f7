"""What one step leaves behind for the shell: everything of it is committed together or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field

from routing.core.commands import Command
from routing.core.events import Event
from routing.core.interaction import Interaction
from routing.core.matching_types import Trace
from routing.core.orders import Reply


@dataclass(slots=True)
class Effects:
    """Filled by one step.

    `interactions`, `agents`, `timers`: ids and keys whose value in the world changed (or that are gone from it). An id
    in `interactions` that is no longer in the world has ended: its last value is in `ended`. `phones`: changed keys
    `pbx|phone`. `links`: changed PBX ids. `figures`: changed keys. `campaigns`, `records`: changed ids.
    `config_changed`: the whole configuration was replaced.
    """

    interactions: set[str] = field(default_factory=set)
    agents: set[str] = field(default_factory=set)
    timers: set[str] = field(default_factory=set)
    ended: dict[str, Interaction] = field(default_factory=dict)
    phones: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    figures: set[str] = field(default_factory=set)
    campaigns: set[str] = field(default_factory=set)
    records: set[str] = field(default_factory=set)
    config_changed: bool = False
    commands: list[Command] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    traces: list[Trace] = field(default_factory=list)
