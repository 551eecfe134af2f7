"""The port of live state of one tenant: one writer (the engine with the lease), many readers and producers.

A position is opaque text that only its own stream understands; `START` comes before everything. Every method
raises StoreError (see `routing.store.errors`) and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from routing.core.agent import Agent
from routing.core.campaign import CampaignLive
from routing.core.commands import Command
from routing.core.config import Config
from routing.core.events import Event
from routing.core.facts import Fact, PhoneState
from routing.core.interaction import Interaction
from routing.core.matching_types import Trace
from routing.core.orders import AnyOrder, CapacityGranted, FireTimer, Reply
from routing.core.record import RecordLive
from routing.core.tallies import Figure
from routing.core.world import WorldState

START = "0-0"
# Replies to addresses that begin so are kept for a day and not used up by reading: an order that came with an
# Idempotency-Key is answered the same however often it is asked for.
KEPT = "keep_"

Item = Fact | AnyOrder | FireTimer | CapacityGranted


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecodable:
    """An entry that this version cannot read; it is carried along unchanged, never raised."""

    type: str
    data: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    position: str
    item: Item | Undecodable


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCommand:
    """`at_ms`: when it was committed, by the store's clock."""

    position: str
    at_ms: int
    command: Command | Undecodable


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    position: str
    event: Event | Undecodable


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One step. `is_skipped`: the step failed on it and changed nothing."""

    seq: int
    now_ms: int
    item: Item | Undecodable
    is_skipped: bool = False


@dataclass(slots=True, kw_only=True)
class Commit:
    """All that a batch of steps leaves behind. None as a value means: gone.

    `base_seq` is the journal number of the state the batch builds on, `seq` that of its last step. `position`:
    the last input it has used up. `calls_granted` is stored with each commit, changed or not. `journal`
    holds every step from `base_seq + 1` to `seq`.
    """

    base_seq: int
    seq: int
    now_ms: int
    position: str
    interactions: Mapping[str, Interaction | None] = field(default_factory=dict)
    agents: Mapping[str, Agent | None] = field(default_factory=dict)
    timers: Mapping[str, int | None] = field(default_factory=dict)
    phones: Mapping[str, PhoneState | None] = field(default_factory=dict)
    links: Mapping[str, bool | None] = field(default_factory=dict)
    figures: Mapping[str, Figure | None] = field(default_factory=dict)
    campaigns: Mapping[str, CampaignLive | None] = field(default_factory=dict)
    records: Mapping[str, RecordLive | None] = field(default_factory=dict)
    config: Config | None = None
    calls_granted: int | None = None
    ended: Mapping[str, Interaction] = field(default_factory=dict)
    commands: Sequence[Command] = ()
    events: Sequence[Event] = ()
    replies: Sequence[Reply] = ()
    traces: Sequence[Trace] = ()
    journal: Sequence[JournalEntry] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What bounds every growing key (SAFE-05). Lengths in entries, times in ms.

    `ended`: ended interactions kept, with their traces; about 4 KB each. `dial_mark_ttl_ms`: longer than any dial can
    wait in a stream and still be carried out. `kept_reply_ttl_ms`: how long an idempotency key is good.
    `share_ttl_ms`: how long reserved calls stay a tenant's whose engine is silent.
    """

    inputs: int = 100_000
    commands: int = 20_000
    events: int = 100_000
    traces_per_interaction: int = 64
    ended: int = 100_000
    revisions: int = 20
    ended_ttl_ms: int = 24 * 3600 * 1000
    trace_ttl_ms: int = 24 * 3600 * 1000
    reply_ttl_ms: int = 60_000
    kept_reply_ttl_ms: int = 24 * 3600 * 1000
    dial_mark_ttl_ms: int = 3600 * 1000
    share_ttl_ms: int = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreHealth:
    """For `status` and `doctor`.

    `owner`: who holds the lease, None when nobody does. `waiting_inputs`: appended but not committed. `lag_ms`:
    how much older the last committed input is than the newest. `settings`: the server's own, e.g. `appendonly`;
    empty where it has none or hides them.
    """

    owner: str | None
    token: int
    seq: int
    position: str
    waiting_inputs: int
    lag_ms: int
    lengths: dict[str, int]
    settings: dict[str, str] = field(default_factory=dict)


class Store(Protocol):
    """Live state of one tenant."""

    async def append_input(self, item: Item) -> str:
        """Append one input; its position. Raises StoreFull."""

    async def append_inputs(self, items: Sequence[Item]) -> str:
        """Append all of them next to each other, or none; the last position. Raises StoreFull."""

    async def append_facts(self, producer: str, first: int, facts: Sequence[Fact]) -> int:
        """Append numbered facts of one producer exactly once, however often this is repeated.

        `producer` is `name:incarnation`; a new incarnation replaces the old one of that name. `first` is the
        number of the first fact, counted from 1 in each incarnation; what is already there is passed over.
        Returns the highest number stored now: less than `first - 1` means that earlier ones are missing and
        nothing was appended. Raises StoreFull.
        """

    async def read_inputs(self, after: str, count: int, block_ms: int) -> list[Input]:
        """Up to `count` inputs after that position; waits up to `block_ms` (0: not at all) for the first."""

    async def acquire(self, owner: str, ttl_ms: int) -> int | None:
        """A fencing token, higher than any before, if the lease is free or already this owner's; else None."""

    async def renew(self, owner: str, token: int, ttl_ms: int) -> bool:
        """Whether the token is still the current one; if so the lease now lasts `ttl_ms` from here."""

    async def release(self, token: int) -> None:
        """Give the lease back; the token is worth nothing from here on. Without effect for an old token."""

    async def load(self) -> tuple[WorldState | None, str]:
        """State as of the last commit (None: none yet) and the position up to which inputs are used up."""

    async def config(self) -> Config | None:
        """The configuration alone."""

    async def revisions(self) -> list[Config]:
        """The configurations committed last, newest first, for going back; of several in one batch the last."""

    async def commit(self, token: int, commit: Commit) -> None:
        """Everything of it or nothing. Raises Fenced."""

    async def take_snapshot(self, token: int, seq: int) -> None:
        """Keep the committed state, which must be that of `seq`, for replay.

        The two newest snapshots are kept, and the journal from the older one on. Raises Fenced.
        """

    async def snapshots(self) -> list[int]:
        """Journal numbers of the kept snapshots, oldest first."""

    async def load_snapshot(self, seq: int) -> WorldState:
        """Raises SnapshotGone."""

    async def read_journal(self, after: int, count: int) -> list[JournalEntry]:
        """Entries with a higher number than `after`, in order."""

    async def read_commands(self, pbx: str, after: str, count: int, block_ms: int) -> list[StoredCommand]:
        """Commands for one PBX, as `read_inputs`."""

    async def command_position(self, pbx: str) -> str:
        """Where that connector stands."""

    async def save_command_position(self, pbx: str, position: str) -> None:
        """Commands up to there are submitted and may be forgotten."""

    async def mark_dial_started(self, command_id: str, starter: str) -> bool:
        """Whether this starter may dial: within an hour the first one to ask, and he alone however often he asks.

        So asking may be repeated when the answer was lost. Who gets False must not dial.
        """

    async def beat(self, pbx: str, ttl_ms: int) -> bool:
        """A connector's sign of life, good for `ttl_ms`.

        False: it comes too late, the one before had run out; or the state counts the link as lost with no input
        waiting that could change it.
        """

    async def reserve_calls(self, needed: int, spare: int, limit: int) -> int:
        """So many of the `limit` live calls that all tenants of this server may have together are this tenant's now.

        That is `needed` or as many as the others leave, whatever it had before; and up to `spare` more, but no more
        than a hundredth of what is left then. Atomic: never more than `limit` in all, unless the limit was lowered.
        """

    async def silent(self, pbxs: Sequence[str]) -> list[str]:
        """Those whose connector has given signs of life before and does not any more."""

    async def wait_reply(self, reply_to: str, timeout_s: float) -> Reply | None:
        """Take one reply; None when none came in time."""

    async def events_end(self) -> str:
        """Position of the newest event."""

    async def read_events(self, after: str, count: int, block_ms: int) -> list[StoredEvent]:
        """As `read_inputs`; the oldest events are dropped at the limit."""

    async def traces(self, interaction_id: str) -> list[Trace]:
        """Why this call went to whom, in order; kept as long as the call is, and for a day."""

    async def ended(self, interaction_id: str) -> Interaction | None:
        """An ended interaction of the last day, if it is among the newest so many."""

    async def recent_ended(self, count: int) -> list[Interaction]:
        """The last ended interactions, newest first."""

    async def health(self) -> StoreHealth:
        """Sizes, lag and settings."""

    async def close(self) -> None:
        """Give connections back. Other methods may not be called afterwards."""
