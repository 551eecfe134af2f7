"""Two policies without foresight, with the interface of `Predictive`: to fall back to, and to compare with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from routing.core.pacing.reading import Reading


def one_to_one(reading: Reading) -> int:
    """One call for each idle agent who has none: nobody is abandoned unless an agent leaves."""
    return max(0, reading.idle - reading.under_way)


class Progressive:
    """One call per idle agent."""

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        self._cfg = dict(cfg)

    def step(self, now: float, snap: Mapping[str, Any]) -> int:
        del now
        return one_to_one(Reading(snap))

    def on_event(self, now: float, kind: str, data: Mapping[str, Any]) -> None:
        """Nothing is learned."""

    def dump(self) -> dict[str, Any]:
        return {"policy": "progressive"}

    @classmethod
    def load(cls, cfg: Mapping[str, Any], state: Mapping[str, Any]) -> Progressive:
        del state
        return cls(cfg)

    def explain(self) -> dict[str, Any]:
        return {"policy": "progressive"}


class FixedRatio:
    """`ratio` (of `cfg`, default 1.5) calls per idle agent; no cap is kept."""

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        self._cfg = dict(cfg)
        self._ratio = float(cfg.get("ratio") or 1.5)

    def step(self, now: float, snap: Mapping[str, Any]) -> int:
        del now
        reading = Reading(snap)
        return max(0, math.floor(self._ratio * reading.idle + 1e-9) - reading.under_way)

    def on_event(self, now: float, kind: str, data: Mapping[str, Any]) -> None:
        """Nothing is learned."""

    def dump(self) -> dict[str, Any]:
        return {"policy": "fixed_ratio"}

    @classmethod
    def load(cls, cfg: Mapping[str, Any], state: Mapping[str, Any]) -> FixedRatio:
        del state
        return cls(cfg)

    def explain(self) -> dict[str, Any]:
        return {"policy": "fixed_ratio", "ratio": self._ratio}
