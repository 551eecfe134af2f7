"""A record, one contact in one campaign's list, while it is in the engine's hands: in the hopper, tried, talked with.

It comes from SQL as a RecordCard, claimed there under a number that no other claim has; it leaves by exactly one event
`record.released`, which says what becomes of it. So what is in nobody's hands can be told from what is (PROG-06).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from routing.core.campaign_rules import AttemptResult
from routing.core.errors import IllegalTransition


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordNumber:
    """One of the contact's numbers, as it is dialed. `kind`: home, work, mobile, ... `zone`: IANA; where the number's
    range lies in several, those that bound it, joined with a comma: the calling window must be open in each of them.
    `zone_source`: where that is from (list, number, contact, campaign). `attempts`, `attempts_today`: so far;
    `results`: by result.
    """

    number: str
    kind: str = ""
    zone: str = ""
    zone_source: str = ""
    attempts: int = 0
    attempts_today: int = 0
    results: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCallback:
    """A scheduled callback that has fallen due. `agent_id`: whose it is, empty: any agent's (CBS-04)."""

    at_ms: int
    agent_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCard:
    """What SQL knows of a record when it hands it over. `claim`: under which number. `day`: the contact's own, ISO;
    `attempts_today` and those of the numbers are of that day. `next_number`: index of the number whose turn it is.
    `data`: columns of the list (PREV-05). `priority`: 1 to 10, higher first. `reserve_until_ms`: it is not dialed
    without an agent before (DIALER-07). `callback`: it is in the engine's hands because a callback is due. `blocked`:
    numbers that must not be called, as is known since it was handed over (DIALER-04).
    """

    id: str
    campaign: str
    claim: int
    numbers: tuple[RecordNumber, ...]
    name: str = ""
    list_id: str = ""
    contact_id: str = ""
    external_id: str = ""
    data: dict[str, str] = field(default_factory=dict)
    priority: int = 5
    attempts: int = 0
    attempts_today: int = 0
    day: str = ""
    next_number: int = 0
    reserve_until_ms: int = 0
    callback: DueCallback | None = None
    blocked: tuple[str, ...] = ()

    def may_be_called(self) -> bool:
        """It has a number left that is not blocked."""
        return any(known.number not in self.blocked for known in self.numbers)


class RecordState(StrEnum):
    """READY: in the hopper. CHECKING: whether its number may be called is asked. PREVIEWED: before an agent.
    CALLING: being dialed, or answered and without an agent. TALKING: with an agent. FINISHING: the call is over, the
    agent has not marked it done.
    """

    READY = "ready"
    CHECKING = "checking"
    PREVIEWED = "previewed"
    CALLING = "calling"
    TALKING = "talking"
    FINISHING = "finishing"


class RecordTrigger(StrEnum):
    ASKED = "asked"
    SHOWN = "shown"
    DIALED = "dialed"
    CONNECTED = "connected"
    HUNG_UP = "hung_up"
    RETURNED = "returned"


_S, _T = RecordState, RecordTrigger

# ASKED: of do-not-call, before each dialing, from the hopper or from the agent's preview. RETURNED: to the hopper, at
# its head (PROG-04) or where it was. Everything else that becomes of a record is its release.
RECORD_TABLE: dict[tuple[RecordState, RecordTrigger], RecordState] = {
    (_S.READY, _T.ASKED): _S.CHECKING,
    (_S.READY, _T.SHOWN): _S.PREVIEWED,
    (_S.PREVIEWED, _T.ASKED): _S.CHECKING,
    (_S.PREVIEWED, _T.RETURNED): _S.READY,
    (_S.CHECKING, _T.SHOWN): _S.PREVIEWED,
    (_S.CHECKING, _T.DIALED): _S.CALLING,
    (_S.CHECKING, _T.RETURNED): _S.READY,
    (_S.CALLING, _T.CONNECTED): _S.TALKING,
    (_S.CALLING, _T.RETURNED): _S.READY,
    (_S.TALKING, _T.HUNG_UP): _S.FINISHING,
}


def next_state(state: RecordState, trigger: RecordTrigger) -> RecordState:
    """The row of the table. Raises IllegalTransition where there is none."""
    try:
        return RECORD_TABLE[state, trigger]
    except KeyError:
        raise IllegalTransition(machine="record", state=state.value, trigger=trigger.value) from None


class Place(StrEnum):
    """Where it stands in the hopper: a callback that is due goes first, then what was returned to the head of the list,
    in the order in which it came back, then the list's own order.
    """

    CALLBACK = "0"
    HEAD = "1"
    LIST = "2"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCallback:
    """A scheduled callback as the agent has it so far (CBS-03); it stands when the record is marked done.

    `zone`: in which he gave date and time; `number`: another one than the record's, empty: none; `number_zone`: of one
    that the record does not have, by its range.
    """

    at_ms: int
    zone: str
    number: str = ""
    number_kind: str = ""
    number_zone: str = ""
    is_personal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLive:
    """`order`: within its place, lowest first, then by id: ms UTC, or the list's own order. `number`: dialed or to be
    dialed now, with `number_kind`; `is_new_number`: the agent has entered it (PREV-10). `agent_id`: who has it, or
    for whom it is kept. `interaction_id`: its call. `check_id`: of the do-not-call look-up that is under way.
    `declined`: agents who declined it, until when it is not theirs (A15). `codes`: dispositions, the first is the
    primary one (A27). `answers`: of the guide; `guide_done`: they are submitted (GUIDE-04). `revision`: of the do-
    not-call lists that were checked. `attempt_id`: of the last dialing.
    """

    card: RecordCard
    state: RecordState = RecordState.READY
    since_ms: int = 0
    place: Place = Place.LIST
    order: int = 0
    agent_id: str = ""
    interaction_id: str = ""
    check_id: str = ""
    number: str = ""
    number_kind: str = ""
    is_new_number: bool = False
    declined: dict[str, int] = field(default_factory=dict)
    result: AttemptResult | None = None
    attempt_id: str = ""
    revision: int = 0
    codes: tuple[str, ...] = ()
    do_not_call: bool = False
    callback: PlannedCallback | None = None
    answers: dict[str, str] = field(default_factory=dict)
    guide_done: bool = False

    @property
    def id(self) -> str:
        return self.card.id


class ReleaseCause(StrEnum):
    """Why a record leaves the engine, in `record.released`. RETRY: it comes again at `next_at_ms`. CALLBACK: it was
    scheduled. DONE: its agent is done with it. SPENT: no attempt is left. DO_NOT_CALL: a mark. REMOVED: not for this
    campaign (PREV-12). WINDOW: its calling window is closed until `next_at_ms`. NO_NUMBER: none of its numbers may be
    dialed. CAMPAIGN: the campaign was stopped or is gone.
    """

    RETRY = "retry"
    CALLBACK = "callback"
    DONE = "done"
    SPENT = "spent"
    DO_NOT_CALL = "do_not_call"
    REMOVED = "removed"
    WINDOW = "window"
    NO_NUMBER = "no_number"
    CAMPAIGN = "campaign"
