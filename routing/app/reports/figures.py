"""Figures that add up: of one member in one slot, or in many."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from routing.app.reports.story import ABANDONED, ANSWERED, Visit


class Subject(StrEnum):
    """What a row is about. TEAM is never stored: its rows are those of the agents in it."""

    QUEUE = "queue"
    ENTRY_POINT = "entry_point"
    AGENT = "agent"
    TEAM = "team"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Whose figures. `team`: of an agent. `kind`: of the calls; empty: his own time in states."""

    subject: Subject
    id: str
    team: str = ""
    kind: str = ""


# Each is a sum over slots but `longest_wait_ms`, which is the longest.
SUMS = (
    "offered",
    "answered",
    "answered_within",
    "abandoned",
    "short_abandoned",
    "waiting",
    "answer_wait_ms",
    "abandon_wait_ms",
    "handled",
    "talk_ms",
    "hold_ms",
    "wrap_up_ms",
    "consulted",
    "consult_ms",
    "missed",
    "transfers_in",
    "transfers_out",
)
COUNTERS = ("outcomes", "misses", "states")


@dataclass(slots=True, kw_only=True)
class Figures:
    """`offered` = `answered` + `abandoned` + `waiting` + all of `outcomes`; `short_abandoned` is part of `abandoned`.

    `misses` by cause add up to `missed`. `states`: ms by state, of idle with its reason as `idle:REASON`. The aim is
    that of the last call that came with one.
    """

    offered: int = 0
    answered: int = 0
    answered_within: int = 0
    abandoned: int = 0
    short_abandoned: int = 0
    waiting: int = 0
    answer_wait_ms: int = 0
    abandon_wait_ms: int = 0
    longest_wait_ms: int = 0
    handled: int = 0
    talk_ms: int = 0
    hold_ms: int = 0
    wrap_up_ms: int = 0
    consulted: int = 0
    consult_ms: int = 0
    missed: int = 0
    transfers_in: int = 0
    transfers_out: int = 0
    target_percent: int | None = None
    target_within_s: int | None = None
    outcomes: Counter[str] = field(default_factory=Counter)
    misses: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)

    def add(self, later: Figures) -> None:
        """Those of a later slot, or of another member."""
        for name in SUMS:
            setattr(self, name, getattr(self, name) + getattr(later, name))
        for name in COUNTERS:
            getattr(self, name).update(getattr(later, name))
        self.longest_wait_ms = max(self.longest_wait_ms, later.longest_wait_ms)
        if later.target_percent is not None:
            self.target_percent, self.target_within_s = later.target_percent, later.target_within_s

    def take(self, visit: Visit) -> None:
        """One more stay in a queue, or a whole call as if it were one."""
        self.offered += 1
        self.longest_wait_ms = max(self.longest_wait_ms, visit.wait_ms)
        self.transfers_in += visit.is_transfer_in
        self.transfers_out += visit.transfers_out
        if visit.aim:
            self.target_percent, self.target_within_s = visit.aim.percent, visit.aim.within_s
        match visit.outcome:
            case None:
                self.waiting += 1
            case str() as outcome if outcome == ANSWERED:
                self.answered += 1
                self.answered_within += visit.is_within
                self.answer_wait_ms += visit.wait_ms
            case str() as outcome if outcome == ABANDONED:
                self.abandoned += 1
                self.short_abandoned += visit.is_short
                self.abandon_wait_ms += visit.wait_ms
            case outcome:
                self.outcomes[outcome] += 1

    @property
    def is_empty(self) -> bool:
        """Nothing that anybody would read."""
        counted = any(getattr(self, name) for name in (*SUMS, *COUNTERS))
        return not counted
