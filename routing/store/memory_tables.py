"""The committed state in memory; a snapshot is a copy of it. Values are encoded, so that nothing is shared."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Self, TypeVar

from routing.core.config import Config
from routing.core.facts import PhoneState
from routing.core.world import WorldState
from routing.store.codec import PLAIN
from routing.store.port import START, Commit

T = TypeVar("T")


@dataclass(slots=True)
class Tables:
    interactions: dict[str, bytes] = field(default_factory=dict)
    agents: dict[str, bytes] = field(default_factory=dict)
    phones: dict[str, PhoneState] = field(default_factory=dict)
    links: dict[str, bool] = field(default_factory=dict)
    timers: dict[str, int] = field(default_factory=dict)
    figures: dict[str, bytes] = field(default_factory=dict)
    campaigns: dict[str, bytes] = field(default_factory=dict)
    records: dict[str, bytes] = field(default_factory=dict)
    config: bytes = b""
    calls_granted: int | None = None
    seq: int = 0
    now_ms: int = 0
    position: str = START

    def copy(self) -> Self:
        return deepcopy(self)

    def state(self, tenant: str) -> WorldState:
        """Raises StoreCorrupt."""
        return WorldState(
            config=PLAIN.configs.decode(self.config) if self.config else Config(tenant=tenant),
            interactions={k: PLAIN.interactions.decode(v) for k, v in self.interactions.items()},
            agents={k: PLAIN.agents.decode(v) for k, v in self.agents.items()},
            phones=dict(self.phones),
            links=dict(self.links),
            timers=dict(self.timers),
            figures={k: PLAIN.figure(k, v) for k, v in self.figures.items()},
            campaigns={k: PLAIN.campaigns.decode(v) for k, v in self.campaigns.items()},
            records={k: PLAIN.records.decode(v) for k, v in self.records.items()},
            calls_granted=self.calls_granted,
            now_ms=self.now_ms,
            seq=self.seq,
        )

    def apply(self, commit: Commit) -> None:
        """The state part of a commit."""
        _merge(self.interactions, _encoded(commit.interactions))
        _merge(self.agents, _encoded(commit.agents))
        _merge(self.phones, commit.phones)
        _merge(self.links, commit.links)
        _merge(self.timers, commit.timers)
        _merge(self.figures, _encoded(commit.figures))
        _merge(self.campaigns, _encoded(commit.campaigns))
        _merge(self.records, _encoded(commit.records))
        if commit.config:
            self.config = PLAIN.encode(commit.config)
        self.calls_granted = commit.calls_granted
        self.seq, self.now_ms, self.position = commit.seq, commit.now_ms, commit.position


def _merge(table: dict[str, T], changes: Mapping[str, T | None]) -> None:
    for key, value in changes.items():
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value


def _encoded(changes: Mapping[str, object]) -> dict[str, bytes | None]:
    return {key: None if value is None else PLAIN.encode(value) for key, value in changes.items()}
