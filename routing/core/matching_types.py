"""Values that matching takes and gives."""

from __future__ import annotations

from dataclasses import dataclass, field

from routing.core.declarations import Requirement

# Skills and queue memberships of an agent: agents with the same profile key are interchangeable but for their sort
# keys.
ProfileKey = tuple[Requirement, tuple[tuple[str, int], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingCall:
    """`skip`.

    Agents this call must not be offered to now. Order: priority with aging, then `entered_at_ms`, then id.
    `preferred`: the one agent it waits for, whether or not he is in the queue and has the skills; empty: anyone of it.
    """

    id: str
    queue: str
    requires: Requirement
    priority: int
    entered_at_ms: int
    skip: frozenset[str] = frozenset()
    preferred: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeAgent:
    """An agent who can take an offer now. `occupancy` 0-1 as of the moment he became free."""

    id: str
    profile: ProfileKey
    available_since_ms: int
    last_offer_ms: int
    occupancy: float
    order: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One agent in a trace. `removed_by` names the rule which passed him over, empty for those who were compared."""

    agent_id: str
    removed_by: str = ""
    sort_key: tuple[float | int | str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Why a call went to whom (ROUTE-17).

    `call_key` is the call's place in the total order over queues (lowest first), `call_runner_up` the next call
    that the winner could have taken. `candidates` names at most 64 agents; `removed` counts all by rule, so that
    nothing is hidden.
    """

    at_ms: int
    interaction_id: str
    queue: str
    strategy: str
    requires: Requirement
    config_revision: int
    winners: tuple[str, ...]
    key_names: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    removed: dict[str, int] = field(default_factory=dict)
    call_key: tuple[float | int | str, ...] = ()
    call_runner_up: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Offer this call to these agents (several only for ring all)."""

    call_id: str
    agent_ids: tuple[str, ...]
    trace: Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentView:
    """One agent as a dry run sees him: either `free` is set, or `unavailable_because` says why not.

    `unavailable_because` is a stable word of the caller's, e.g. `idle`, `phone_busy`; it becomes `removed_by`.
    """

    id: str
    profile: ProfileKey
    unavailable_because: str = ""
    free: FreeAgent | None = None
