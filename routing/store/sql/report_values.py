"""Rows of `call_steps` and `agent_changes` as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One row of `call_steps`. `step`: a `StepKind`, or a word of a later version."""

    interaction_id: str
    at_ms: int
    step: str
    kind: str | None = None
    queue: str | None = None
    entry_point: str | None = None
    agent_id: str | None = None
    leg_id: str | None = None
    role: str | None = None
    purpose: str | None = None
    outcome: str | None = None
    target: str | None = None
    begun_at_ms: int | None = None
    percent: int | None = None
    within_s: int | None = None
    short_abandon_s: int | None = None
    priority: int | None = None
    requires: dict[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One row of `agent_changes`: what people see of him from `at_ms` on."""

    agent_id: str
    at_ms: int
    state: str
    own_state: str | None = None
    reason: str | None = None
    team: str | None = None
