"""What came of a call that was played."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A step that the caller came to, and by which exit he left it; empty: it was his last."""

    flow: str
    step: str
    exit: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """How a scenario may call it, the last one in full."""
        plain = (self.step, f"{self.flow}.{self.step}")
        return (*plain, *(f"{name}:{self.exit}" for name in plain)) if self.exit else plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`heard`: ids of prompts, and sounds of values. `reason`: SR_REASON. `queue`, `agent`: of the last wait and talk.

    `callback`: one was asked for. `message`: a voicemail was left. `took_s`: from arrival to end.
    """

    path: tuple[Visit, ...] = ()
    heard: tuple[str, ...] = ()
    result: str = ""
    reason: str = ""
    queue: str = ""
    agent: str = ""
    language: str = ""
    callback: bool = False
    message: bool = False
    cad: Mapping[str, str] = field(default_factory=dict)
    took_s: int = 0
