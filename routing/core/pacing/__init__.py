"""How many calls to start now: `Predictive` and two simpler policies, each `step(now, snapshot) -> int`.

Pure Python without I/O, clock or chance, of nothing but the standard library; see docs/pacing-policy.md.
"""

from __future__ import annotations

from routing.core.pacing.predictive import Predictive
from routing.core.pacing.simple import FixedRatio, Progressive

__all__ = ["FixedRatio", "Predictive", "Progressive"]
