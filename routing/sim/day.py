"""A day as it is replayed: who came when and what became of him, and who was there to answer.

All times are ms since the day's start. What is before 0 or from `length_ms` on is replayed and not counted: the lead-in
fills the center before the day begins, the lead-out lets those who wait at midnight be served as they would have been.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum

from routing.core.declarations import Requirement
from routing.sim.laws import AnyLaw

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000


class Fate(StrEnum):
    """How a visit to a queue ended. UNKNOWN: it was not watched to its end, or is made up.

    LET_GO: the server ended the wait, e.g. by the queue's maximum; the caller would have waited on.
    """

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    LET_GO = "let_go"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One visit of a caller to a queue. A call that was transferred to another queue is two, the second from then on.

    `queue`: where he waited. `entry_point`: by which he came into it at once; empty where a flow or an agent sent him.
    `agent`: pseudonym of who answered. `ring_ms`: how long his telephone rang, or that of somebody when the caller gave
    up. `talk_ms`, `hold_ms`, `wrap_up_ms`: of that answer, None where there is none.
    `is_wrap_up_cut`: the time-out ended it, so it would have taken longer. `patience_ms`: known only of made-up calls.
    `priority`, `requires`: None and none where they are those of entry point and queue.
    """

    id: str
    at_ms: int
    queue: str
    entry_point: str = ""
    pbx: str = ""
    priority: int | None = None
    requires: Requirement = ()
    fate: Fate = Fate.UNKNOWN
    waited_ms: int | None = None
    agent: str = ""
    ring_ms: int | None = None
    talk_ms: int | None = None
    hold_ms: int = 0
    wrap_up_ms: int | None = None
    is_wrap_up_cut: bool = False
    patience_ms: int | None = None


class Presence(StrEnum):
    """An agent's own state; RONA counts as IDLE, and where there is no span he is signed out."""

    AVAILABLE = "available"
    IDLE = "idle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """`until_ms` is not part of it."""

    from_ms: int
    until_ms: int
    presence: Presence = Presence.AVAILABLE
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """When an agent was there, whatever he did meanwhile. Spans in order, none in another."""

    agent: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLaws:
    """How long things take in a queue, where that is declared and not to be measured from the day's calls.

    None: measured. Only of calls that do not bring their own values.
    """

    queue: str
    patience: AnyLaw | None = None
    ring: AnyLaw | None = None
    talk: AnyLaw | None = None
    wrap_up: AnyLaw | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """`starts_at_ms`: ms UTC of its first moment in `zone`. `salt`: see `pseudonym`.

    `calls` are in the order of their times; `shifts`: at most one of an agent.
    """

    date: str
    zone: str
    starts_at_ms: int
    length_ms: int = DAY_MS
    salt: str = ""
    calls: tuple[Call, ...] = ()
    shifts: tuple[Shift, ...] = ()
    laws: dict[str, QueueLaws] = field(default_factory=dict)

    def is_counted(self, at_ms: int) -> bool:
        return 0 <= at_ms < self.length_ms


def pseudonym(salt: str, agent_id: str) -> str:
    """By which a day's file names an agent: who has the configuration can tell who it is, who has but the file cannot.

    It hides names from readers, not from somebody who tries a list of them.
    """
    return "a" + hashlib.blake2b(f"{salt}|{agent_id}".encode(), digest_size=6).hexdigest()
