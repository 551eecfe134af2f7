"""A campaign as it is declared: mode, teams, windows, retries, machine detection, pacing, guide and dispositions."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from routing.core.dial_rights import DialRights

MIN_RING_S = 15  # 16 CFR 310.4(b)(4)(ii): at least 15 seconds or four rings
DAY_S = 24 * 3600


class DialMode(StrEnum):
    """PREVIEW: the agent asks for a record and dials. PUSH_PREVIEW: it is laid before him. PROGRESSIVE: one call per
    reserved agent. PREDICTIVE: calls are begun for agents who will be free when they are answered (DIALER-01).
    """

    PREVIEW = "preview"
    PUSH_PREVIEW = "push_preview"
    PROGRESSIVE = "progressive"
    PREDICTIVE = "predictive"


class AttemptResult(StrEnum):
    """How an attempt ended. ANSWERED: talked with an agent. DROPPED: a person answered and got no agent in time.

    ABANDONED: he hung up before an agent or the time-out came. MACHINE: by verdict. CANCELLED: we took it back while
    it rang. UNKNOWN: the link was lost; it counts as dialed.
    """

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    INVALID = "invalid"
    CONGESTION = "congestion"
    MACHINE = "machine"
    DROPPED = "dropped"
    ABANDONED = "abandoned"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRule:
    """After a result: rest `after_s` (the last one repeats), at most `most` attempts with that result, then the number
    is spent. `next_number`: the contact's next number is taken, where he has one.
    """

    after_s: tuple[int, ...] = (3600,)
    most: int = 3
    next_number: bool = False


DEFAULT_RETRIES: dict[AttemptResult, RetryRule] = {
    AttemptResult.BUSY: RetryRule(after_s=(300, 900, 3600), most=6),
    AttemptResult.NO_ANSWER: RetryRule(after_s=(3600, 4 * 3600), most=5, next_number=True),
    AttemptResult.REJECTED: RetryRule(after_s=(DAY_S,), most=2),
    AttemptResult.UNREACHABLE: RetryRule(after_s=(3600,), most=3, next_number=True),
    AttemptResult.INVALID: RetryRule(after_s=(60,), most=1, next_number=True),
    AttemptResult.CONGESTION: RetryRule(after_s=(300,), most=10),
    AttemptResult.MACHINE: RetryRule(after_s=(4 * 3600,), most=4, next_number=True),
    AttemptResult.DROPPED: RetryRule(after_s=(3 * DAY_S,), most=2),
    AttemptResult.ABANDONED: RetryRule(after_s=(3 * DAY_S,), most=2),
    AttemptResult.CANCELLED: RetryRule(after_s=(900,), most=10),
    AttemptResult.UNKNOWN: RetryRule(after_s=(3600,), most=3),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLimits:
    """How often at most: a record in all and in a day, one number in all and in a day. The day is the contact's."""

    record: int = 10
    record_per_day: int = 3
    number: int = 6
    number_per_day: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRules:
    """`dial_on_accept`: accepting a record dials it (PREV-07). `dial_after_s`: it is dialed by itself after that
    preview time (PREV-08). `timeout_s`: a record that nobody touches goes back. `decline_retry_s`: when a declined one
    comes again (A14). `cool_off_s`: not to who declined it, unless nobody else can take it (A15). `missed_limit`: after
    so many in a row that he lets run out an agent is in RONA; 0: never.
    """

    dial_on_accept: bool = True
    dial_after_s: int | None = None
    timeout_s: int | None = 60
    decline_retry_s: int = 900
    cool_off_s: int = 300
    missed_limit: int = 3


class OnMachine(StrEnum):
    """What is done with an answering machine (DIALER-09)."""

    HANG_UP = "hang_up"
    LEAVE_MESSAGE = "leave_message"
    CONNECT = "connect"


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineRules:
    """`deadline_ms`: a verdict later than that is UNKNOWN; it counts into the time within which a person must have an
    agent. `message`: prompt that is left. `false_positives`: estimated share of machine verdicts that were persons;
    they count as dropped.
    """

    is_on: bool = False
    deadline_ms: int = 1800
    on_machine: OnMachine = OnMachine.HANG_UP
    on_unknown: OnMachine = OnMachine.CONNECT
    message: str = ""
    false_positives: float = 0.0


class Guarantee(StrEnum):
    """BUDGET: learned probabilities, the risk steered by what is left of the budget. WORST_CASE: even if all calls in
    flight are answered and dropped the rate does not pass the cap (DIALER-05).
    """

    BUDGET = "budget"
    WORST_CASE = "worst_case"


class Blend(StrEnum):
    """Whether agents of the campaign take waiting callers of their queues first (DIALER-10).

    SERVICE_LEVEL: while one of those queues is below its service level.
    """

    INBOUND_FIRST = "inbound_first"
    SERVICE_LEVEL = "service_level"
    CAMPAIGN_FIRST = "campaign_first"


@dataclass(frozen=True, slots=True, kw_only=True)
class PacingRules:
    """`cap`: share of calls answered by persons that may be dropped within `window_days`; 0: progressive.

    `max_wait_ms`: an agent after that is none in time (47 CFR 64.1200(a)(7): 2 s). `min_agents`: fewer joined ones are
    served one call each. `lines`: calls of the campaign at once, None: as many as there are. `period_s`: of the job.
    `message`: prompt for who is dropped (safe harbour). `reserve_s`: how long he is not dialed without an agent then.
    """

    cap: float = 0.03
    window_days: int = 30
    guarantee: Guarantee = Guarantee.BUDGET
    max_wait_ms: int = 2000
    min_agents: int = 3
    lines: int | None = None
    period_s: float = 1.0
    message: str = ""
    reserve_s: int = 3 * DAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposition:
    """A call result that agents choose (DISP-01). `closes`: the record is done with it; else `retry_s` says when it is
    called again, None: as after an answered call, never. `do_not_call`: chosen, it marks the number, too.
    """

    code: str
    label: str
    closes: bool = True
    retry_s: int | None = None
    do_not_call: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`next`: the question that follows, empty: the next one in order; `end`: the guide is complete (GUIDE-03)."""

    id: str
    label: str
    next: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Without `answers` it is answered with text. `next`: as of an answer, where the answer says nothing."""

    id: str
    text: str
    answers: tuple[Answer, ...] = ()
    next: str = ""
    is_optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A standard answer to read to the contact (ACT-05)."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordField:
    """A column of the list, or of the campaign, that agents see (PREV-04, PREV-05)."""

    name: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One outbound campaign; its live state is `routing.core.campaign.CampaignLive`.

    `queue`: whose wrap-up, music and ring time hold for its calls. `entry_point`: whose CAD they have; a record's data
    fill variables of the same name. `pbx`: that dials, empty: the first one with a trunk. `ani`: the number shown,
    which must not be empty (DIALER-08). `dial`: numbers that it may dial. `seize_agents`: his telephone is
    connected before there is a contact for an agent (ASM). `hold_dialing`: nothing is dialed before he accepts
    (A12). `hours`: calling window by the contact's own clock, empty: 8 to 21. `default_zone`: of contacts without
    one. `case_fields`: of the campaign: label, description, number, origin; `record_fields`: columns of the list.
    `hopper`: records kept ready.
    """

    id: str
    label: str
    mode: DialMode
    queue: str
    ani: str
    description: str = ""
    teams: tuple[str, ...] = ()
    entry_point: str = ""
    pbx: str = ""
    dial: DialRights = field(default_factory=DialRights)
    ring_timeout_s: int = 25
    seize_agents: bool = False
    hold_dialing: bool = True
    hours: str = ""
    default_zone: str = ""
    hopper: int = 200
    limits: AttemptLimits = field(default_factory=AttemptLimits)
    retries: dict[AttemptResult, RetryRule] = field(default_factory=lambda: dict(DEFAULT_RETRIES))
    preview: PreviewRules = field(default_factory=PreviewRules)
    machines: MachineRules = field(default_factory=MachineRules)
    pacing: PacingRules = field(default_factory=PacingRules)
    blend: Blend = Blend.INBOUND_FIRST
    case_fields: tuple[RecordField, ...] = ()
    record_fields: tuple[RecordField, ...] = ()
    dispositions: tuple[Disposition, ...] = ()
    require_disposition: bool = False
    single_disposition: bool = False
    guide: tuple[Question, ...] = ()
    responses: tuple[Response, ...] = ()
