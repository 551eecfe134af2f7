"""The steps of one call, in the order of events, as stays in queues, parts of agents, and offers. Pure.

A word that this version does not know is left out, and a result that it does not know is an outcome like any other: so
what was offered always adds up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from routing.core.interaction import OfferPurpose, Role
from routing.core.intervals import clipped_ms
from routing.core.treatment import OverflowTo
from routing.store.sql.report_steps import StepKind
from routing.store.sql.report_values import Step

ANSWERED, ABANDONED = "answered", "abandoned"
OVERFLOW, FLOW = "overflow", "flow"
UNKNOWN = "unknown"
KEY = "key"  # he pressed one while he waited
_ENDING = frozenset({OverflowTo.CALLBACK.value, OverflowTo.RETURN.value})
# Who hangs up before he is in any queue: not a caller whom a queue has lost.
ABANDONED_IN_FLOW = "abandoned_in_flow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """Of the queue when the call entered it."""

    percent: int
    within_s: int
    short_abandon_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A stay in a queue, from its entry until an agent or an outside party answers, or until it ends otherwise.

    `outcome`: None while the caller waits.
    """

    queue: str
    begun_at_ms: int
    aim: Aim | None = None
    ended_at_ms: int | None = None
    outcome: str | None = None
    is_transfer_in: bool = False
    transfers_out: int = 0

    @property
    def wait_ms(self) -> int:
        return max(0, self.ended_at_ms - self.begun_at_ms) if self.ended_at_ms is not None else 0

    @property
    def is_within(self) -> bool:
        """Answered in time; without an aim, at once."""
        within_s = self.aim.within_s if self.aim else 0
        return self.outcome == ANSWERED and self.wait_ms <= within_s * 1000

    @property
    def is_short(self) -> bool:
        """Given up so soon that it does not count."""
        return self.outcome == ABANDONED and self.aim is not None and self.wait_ms <= self.aim.short_abandon_s * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An agent's presence in a call. `owned_at_ms`: since when it is his call; None: he was only consulted.

    `visit`: index of the stay in a queue that led to him, None: there was none.
    """

    agent_id: str
    leg_id: str
    joined_at_ms: int
    owned_at_ms: int | None = None
    left_at_ms: int | None = None
    wrapped_up_at_ms: int | None = None
    visit: int | None = None
    is_transfer_in: bool = False
    transfers_out: int = 0

    @property
    def wrap_up_ms(self) -> int:
        if self.left_at_ms is None or self.wrapped_up_at_ms is None:
            return 0
        return max(0, self.wrapped_up_at_ms - self.left_at_ms)

    @property
    def consult_ms(self) -> int:
        """As long as it was another agent's call."""
        until_ms = self.owned_at_ms if self.owned_at_ms is not None else self.left_at_ms
        return max(0, until_ms - self.joined_at_ms) if until_ms is not None else 0

    @property
    def was_consulted(self) -> bool:
        return self.owned_at_ms != self.joined_at_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class PastOffer:
    """An offer to an agent that is over; `outcome` is a word of OfferEnd."""

    agent_id: str
    queue: str
    at_ms: int
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """`outcome`: of the whole call, None while it runs unanswered. `holds`: spans in which the customer heard music."""

    kind: str
    entry_point: str
    begun_at_ms: int
    outcome: str | None
    visits: tuple[Visit, ...] = ()
    parts: tuple[Part, ...] = ()
    offers: tuple[PastOffer, ...] = ()
    holds: tuple[tuple[int, int], ...] = ()

    def hold_ms(self, part: Part) -> int:
        """Of the time in which it was his call."""
        if part.owned_at_ms is None or part.left_at_ms is None:
            return 0
        return sum(clipped_ms(begin, end, part.owned_at_ms, part.left_at_ms) for begin, end in self.holds)

    def talk_ms(self, part: Part) -> int:
        if part.owned_at_ms is None or part.left_at_ms is None:
            return 0
        return max(0, part.left_at_ms - part.owned_at_ms - self.hold_ms(part))


def story_of(steps: Iterable[Step]) -> Story:
    """Of one call, of which there is a step. Raises ValueError without."""
    teller = _Teller()
    for step in steps:
        teller.take(step)
    return teller.story()


@dataclass(slots=True)
class _Teller:
    kind: str = ""
    entry_point: str = ""
    begun_at_ms: int | None = None
    end: str | None = None
    is_answered: bool = False
    visits: list[Visit] = field(default_factory=list)
    parts: dict[str, Part] = field(default_factory=dict)
    offers: list[PastOffer] = field(default_factory=list)
    holds: list[tuple[int, int]] = field(default_factory=list)
    # A colleague was sent to: whoever joins next has it from him.
    is_sent: bool = False
    # The newest stay began after the last agent had left.
    is_moved: bool = False

    def take(self, step: Step) -> None:
        if self.begun_at_ms is None:
            self.begun_at_ms = step.at_ms
        self.kind = self.kind or step.kind or ""
        self.entry_point = self.entry_point or step.entry_point or ""
        if read := _READERS.get(step.step):
            read(self, step)

    def story(self) -> Story:
        if self.begun_at_ms is None:
            raise ValueError("a call without steps has no story")
        outcome = ANSWERED if self.is_answered else self.end
        if outcome == ABANDONED and not self.visits:
            outcome = ABANDONED_IN_FLOW
        return Story(
            kind=self.kind or "inbound",
            entry_point=self.entry_point,
            begun_at_ms=self.begun_at_ms,
            outcome=outcome,
            visits=tuple(self.visits),
            parts=tuple(self.parts.values()),
            offers=tuple(self.offers),
            holds=tuple(self.holds),
        )

    # ------------------------------------------------------------------ queues

    def _open(self) -> Visit | None:
        return self.visits[-1] if self.visits and self.visits[-1].ended_at_ms is None else None

    def _close(self, at_ms: int, outcome: str) -> None:
        if visit := self._open():
            self.visits[-1] = replace(visit, ended_at_ms=at_ms, outcome=outcome)

    def queued(self, step: Step) -> None:
        visit = self._open()
        if visit and visit.queue == step.queue:
            return  # e.g. a callback that was not reached: it still waits
        self._close(step.at_ms, OVERFLOW)
        aim = None
        if step.percent is not None and step.within_s is not None and step.short_abandon_s is not None:
            aim = Aim(percent=step.percent, within_s=step.within_s, short_abandon_s=step.short_abandon_s)
        self.visits.append(Visit(queue=step.queue or "", begun_at_ms=step.at_ms, aim=aim))
        self.is_moved = True

    def overflowed(self, step: Step) -> None:
        """A queue lets a caller go, or does not let him in."""
        outcome, visit = step.outcome or OVERFLOW, self._open()
        if outcome == KEY and step.target in _ENDING:
            return  # either the call ends in this moment, or it cannot be done and he waits on
        if visit and visit.queue == step.queue:
            self._close(step.at_ms, outcome)
        else:
            self._at_door(step, outcome)

    def refused(self, step: Step) -> None:
        self.end = step.outcome or UNKNOWN
        self._at_door(step, self.end)

    def _at_door(self, step: Step, outcome: str) -> None:
        at_ms = step.at_ms
        self._close(at_ms, OVERFLOW)
        self.visits.append(Visit(queue=step.queue or "", begun_at_ms=at_ms, ended_at_ms=at_ms, outcome=outcome))
        self.is_moved = True

    def flow(self, step: Step) -> None:
        self._close(step.at_ms, FLOW)

    def connected(self, step: Step) -> None:
        self.is_answered = True
        self._close(step.at_ms, ANSWERED)

    def ended(self, step: Step) -> None:
        self.end = step.outcome or UNKNOWN
        # A stay that nobody's answer has closed did not end with one.
        self._close(step.at_ms, self.end if self.end != ANSWERED else UNKNOWN)

    def transferred(self, step: Step) -> None:
        if step.outcome == "not accepted":
            self.is_sent = False
            return
        sender = next((p for p in reversed(self.parts.values()) if p.agent_id == step.agent_id), None)
        if sender:
            self.parts[sender.leg_id] = replace(sender, transfers_out=sender.transfers_out + 1)
        place = len(self.visits) - 1
        if self.is_moved and step.target in ("queue", "entry_point"):
            self.visits[place] = replace(self.visits[place], is_transfer_in=True)
            place -= 1
        if place >= 0:
            self.visits[place] = replace(self.visits[place], transfers_out=self.visits[place].transfers_out + 1)
        self.is_sent = step.outcome == "blind" and step.target == "agent"

    # ------------------------------------------------------------------ agents

    def joined(self, step: Step) -> None:
        leg_id, is_owner = step.leg_id or "", step.role == Role.OWNER.value
        self.parts[leg_id] = Part(
            agent_id=step.agent_id or "",
            leg_id=leg_id,
            joined_at_ms=step.at_ms,
            owned_at_ms=step.at_ms if is_owner else None,
            visit=len(self.visits) - 1 if self.visits else None,
            is_transfer_in=is_owner and self.is_sent,
        )
        if is_owner:
            self.is_sent = self.is_moved = False

    def seated(self, step: Step) -> None:
        part = self.parts.get(step.leg_id or "")
        if part and part.owned_at_ms is None and step.role == Role.OWNER.value:
            self.parts[part.leg_id] = replace(part, owned_at_ms=step.at_ms, is_transfer_in=True)

    def left(self, step: Step) -> None:
        if part := self.parts.get(step.leg_id or ""):
            self.parts[part.leg_id] = replace(part, left_at_ms=step.at_ms)

    def wrapped_up(self, step: Step) -> None:
        if part := self.parts.get(step.leg_id or ""):
            self.parts[part.leg_id] = replace(part, wrapped_up_at_ms=step.at_ms)

    def offered(self, step: Step) -> None:
        """An outdial is nobody's offer: the agent has asked for it himself. One of a campaign is no queue's."""
        if step.purpose != OfferPurpose.OUTDIAL.value:
            queue = "" if step.purpose == OfferPurpose.CAMPAIGN.value else step.queue or ""
            about = {"agent_id": step.agent_id or "", "queue": queue, "outcome": step.outcome or UNKNOWN}
            self.offers.append(PastOffer(at_ms=step.at_ms, **about))

    def held(self, step: Step) -> None:
        if step.begun_at_ms is not None:
            self.holds.append((step.begun_at_ms, step.at_ms))


_READERS: dict[str, Callable[[_Teller, Step], None]] = {
    StepKind.REFUSED: _Teller.refused,
    StepKind.QUEUED: _Teller.queued,
    StepKind.OVERFLOWED: _Teller.overflowed,
    StepKind.FLOW: _Teller.flow,
    StepKind.CONNECTED: _Teller.connected,
    StepKind.TRANSFERRED: _Teller.transferred,
    StepKind.JOINED: _Teller.joined,
    StepKind.SEATED: _Teller.seated,
    StepKind.LEFT: _Teller.left,
    StepKind.OFFERED: _Teller.offered,
    StepKind.HELD: _Teller.held,
    StepKind.WRAPPED_UP: _Teller.wrapped_up,
    StepKind.ENDED: _Teller.ended,
}
