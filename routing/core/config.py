"""The configuration as the core sees it.

Resolved, checked, immutable. `routing.app.config` makes it from TOML files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from routing.core.callback import CallbackRules
from routing.core.campaign_rules import Campaign, Response
from routing.core.declarations import CadVariable, Requirement
from routing.core.dial_rights import DialRights
from routing.core.flow import Flow, Prompt
from routing.core.hours import Hours
from routing.core.limits import CallLimits
from routing.core.outdial import OutdialRules
from routing.core.supervision import ShowSupervision, SupervisorConfig
from routing.core.treatment import Announcement, Overflow, OverflowCause, ServiceLevel

# ITU-T E.164: 979 international premium rate, 870 and 88x satellite and networks without a country; 0900 numbers.
PREMIUM = ("+979", "+870", "+878", "+881", "+882", "+883", "+888", "+1900", "+449", "+49900", "+3389")


class Strategy(StrEnum):
    """The sort key of eligible agents (ROUTE-03). The rank within the queue always comes first."""

    LONGEST_IDLE = "longest_idle"
    MOST_SKILLED = "most_skilled"
    LEAST_OCCUPIED = "least_occupied"
    ROUND_ROBIN = "round_robin"
    RING_ALL = "ring_all"
    LINEAR = "linear"


class RonaCause(StrEnum):
    """Why an offer failed (ROUTE-07)."""

    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    BUSY = "busy"
    UNREACHABLE = "unreachable"


class AfterMiss(StrEnum):
    """Which state the agent takes after a failed offer."""

    RONA = "rona"
    IDLE = "idle"
    AVAILABLE = "available"


class Result(StrEnum):
    """How an interaction ended; what the dialplan gets back in SR_RESULT (FLOW-03). FAILED, CANCELLED: of outdials.

    DECLINED, DROPPED: of campaigns: the agent did not take the record; who answered got no agent in time.

    CALLBACK, VOICEMAIL: the caller asked to be called back, or left a message. TRANSFERRED: his flow sent him to a
    number that took the call. FLOW_ENDED: it hung up, or gave him back, as it was meant to.
    """

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    TIMEOUT = "timeout"
    FULL = "full"
    CLOSED = "closed"
    NO_AGENTS = "no_agents"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"
    CANCELLED = "cancelled"
    CALLBACK = "callback"
    VOICEMAIL = "voicemail"
    TRANSFERRED = "transferred"
    FLOW_ENDED = "flow_ended"
    DECLINED = "declined"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaxationStep:
    """After `after_s` seconds of waiting the requirement is exactly `requires` (a complete predicate, ROUTE-02)."""

    after_s: int
    requires: Requirement


@dataclass(frozen=True, slots=True, kw_only=True)
class MissPolicy:
    """What a failed offer does: the agent's next state, and how long that call skips that agent.

    `skip_s`: 0 = for the rest of this call's wait. `idle_reason` only with `AfterMiss.IDLE`.
    """

    then: AfterMiss = AfterMiss.RONA
    skip_s: int = 0
    idle_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapUp:
    """Wrap-up after a call of this queue (ROUTE-14, END-04).

    `timeout_s`: 0 = no wrap-up, None = until a reason is given. `default_reason` is applied by the time-out.
    `max_extensions` of `extension_s` each may be asked for.
    """

    timeout_s: int | None = 0
    default_reason: str | None = None
    extension_s: int = 60
    max_extensions: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """`aging_per_min`: priority points that one minute of waiting is worth (ROUTE-04).

    `max_talking`: at most so many of its agents talk at once (ROUTE-16). `max_wait_s`, `max_waiting`,
    `leave_when_no_agents` (nobody signed in), `leave_when_no_skills` (nobody signed in who has them, now or after
    relaxation) and closed `hours` (empty: always open) lead to the `overflow` of that cause, by default back to the
    dialplan with a result (ROUTE-09). `preferred_wait_s`: how long a call waits for its preferred agent.
    `callback_after_abandon_s`: who gives up after so many seconds is called back, None: nobody is.
    """

    id: str
    label: str
    strategy: Strategy = Strategy.LONGEST_IDLE
    requires: Requirement = ()
    relaxation: tuple[RelaxationStep, ...] = ()
    priority: int = 5
    aging_per_min: float = 1.0
    ring_timeout_s: int = 20
    on_miss: dict[RonaCause, MissPolicy] = field(default_factory=dict)
    wrap_up: WrapUp = WrapUp()
    max_talking: int | None = None
    max_wait_s: int | None = None
    max_waiting: int | None = None
    leave_when_no_agents: bool = False
    leave_when_no_skills: bool = False
    hours: str = ""
    overflow: dict[OverflowCause, Overflow] = field(default_factory=dict)
    announcements: tuple[Announcement, ...] = ()
    preferred_wait_s: int = 0
    callback_after_abandon_s: int | None = None
    service_level: ServiceLevel = field(default_factory=ServiceLevel)
    music: str = "default"
    offer_variables: tuple[str, ...] = ()
    consult_variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPoint:
    """Numbers that start an interaction, in a flow or at once in a queue: one of the two is empty.

    `cad` overrides the flow's and the tenant's declarations by name. `hours`: outside of them, without a flow, the
    queue's overflow for `closed` applies.
    `return_after_call`: the caller goes back to the dialplan after the agent has ended the call (else: hung up).
    `screen_pop`: template of the URL that an offer shows, see `routing.core.screen_pop`; empty: none.
    """

    id: str
    queue: str
    flow: str = ""
    hours: str = ""
    numbers: tuple[str, ...] = ()
    priority: int | None = None
    cad: tuple[CadVariable, ...] = ()
    return_after_call: bool = False
    screen_pop: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What an agent may do (PERM). `record`: his calls are recorded (REC-01).

    `outdial`: he may call customers, by numbers that he enters (`dial_pad`) or chooses from the `address_book`.
    `outdial_anis`: the numbers that he may show to them, by label in alphabetical order (OUT-09, OUT-10).
    `outdial_to_queue`: an outdial may be transferred to a queue or an entry point (XFER-13).
    `available_after_outdial`: he is available after it even if he was idle before (STATE-13).
    `reschedule`: he may schedule callbacks of campaign calls, `reschedule_personal`: also for himself,
    `reschedule_before_dial`: also before a record was called; `other_number`: to numbers that the record does not have,
    which he may then call, too (PERM-07..09).
    """

    id: str
    receive_calls: bool = True
    end_calls: bool = True
    dial: DialRights = field(default_factory=DialRights)
    record: bool = False
    outdial: bool = False
    dial_pad: bool = False
    address_book: bool = False
    outdial_anis: dict[str, str] = field(default_factory=dict)
    outdial_to_queue: bool = False
    available_after_outdial: bool = False
    reschedule: bool = False
    reschedule_personal: bool = False
    reschedule_before_dial: bool = False
    other_number: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConfig:
    """`phone` is the PBX's own address of his telephone, e.g. `PJSIP/1001`; `queues` pairs queue id and rank (1 =
    first).

    `order`: his place for the strategy `linear`, lowest first. `pin`: digits for signing in by feature code, None
    = none. `extension`: the number by which other PBXs dial that telephone, empty = the one in `phone`.
    """

    id: str
    name: str
    team: str
    pbx: str
    phone: str
    profile: str = "default"
    skills: Requirement = ()
    queues: tuple[tuple[str, int], ...] = ()
    order: int = 0
    pin: str | None = None
    extension: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pbx:
    """What the core needs to know of a PBX node; connection settings belong to the connector's configuration.

    `dial`: dial string of its trunk with `{number}`, empty = no outside numbers. `dial_colon`: what ":" becomes on the
    trunk, None = such a number is refused (A4). `dial_caller_id`: the number shown outside, empty = the trunk's own.
    `trunks`: id of another PBX -> dial string with `{number}` by which this one rings the telephones there.
    `prompts`: directory in which this PBX sees the files of prompts, without a slash at its end.
    """

    id: str
    kind: str
    dial: str = ""
    dial_colon: str | None = None
    dial_caller_id: str = ""
    trunks: dict[str, str] = field(default_factory=dict)
    prompts: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Rules for dial numbers. `max_digits` 14 or 15 (A1). `idd`: prefixes for dialing abroad (DIAL-09).

    `country`: code of the home country, empty = every `+` is abroad. `premium`: prefixes of expensive ranges.
    `ring_timeout_s`: how long an external party's telephone may ring.
    """

    max_digits: int = 14
    idd: tuple[str, ...] = ("011", "00")
    country: str = ""
    premium: tuple[str, ...] = PREMIUM
    ring_timeout_s: int = 30


class UnansweredTransfer(StrEnum):
    """What becomes of a blind transfer that the agent or the outside number does not take (XFER-08, A9)."""

    DROP = "drop"
    RETURN_TO_SENDER = "return_to_sender"
    QUEUE = "queue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """`label`: for people. Queues of its agents are theirs by now."""

    id: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One tenant's configuration. `revision` 0 is the empty one that a server has before the first apply.

    `recording_pause_s`: how long a pause of a recording lasts; None: there is no privacy shield (REC-02, REC-04).
    `wrap_up_after_consult`: a consulted agent wraps up his part, too (A8). `time_zone` (IANA): in which days begin.
    `language`: of prompts, where nothing else is said. `show_supervision`: what agents see of who listens.
    """

    tenant: str
    revision: int = 0
    pbxs: dict[str, Pbx] = field(default_factory=dict)
    queues: dict[str, Queue] = field(default_factory=dict)
    entry_points: dict[str, EntryPoint] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    agents: dict[str, AgentConfig] = field(default_factory=dict)
    cad: tuple[CadVariable, ...] = ()
    idle_reasons: tuple[str, ...] = ()
    wrap_up_reasons: tuple[str, ...] = ()
    unanswered_transfer: UnansweredTransfer = UnansweredTransfer.DROP
    numbers: Numbers = Numbers()
    recording_pause_s: int | None = None
    outdial: OutdialRules = field(default_factory=OutdialRules)
    limits: CallLimits = field(default_factory=CallLimits)
    wrap_up_after_consult: bool = False
    time_zone: str = "UTC"
    language: str = "en"
    flows: dict[str, Flow] = field(default_factory=dict)
    prompts: dict[str, Prompt] = field(default_factory=dict)
    hours: dict[str, Hours] = field(default_factory=dict)
    callbacks: CallbackRules = field(default_factory=CallbackRules)
    campaigns: dict[str, Campaign] = field(default_factory=dict)
    responses: tuple[Response, ...] = ()
    supervisors: dict[str, SupervisorConfig] = field(default_factory=dict)
    show_supervision: ShowSupervision = ShowSupervision.HEARD
    teams: dict[str, Team] = field(default_factory=dict)

    def cad_of(self, entry_point: str) -> dict[str, CadVariable]:
        """Declarations in force for calls of an entry point, by name, in display order."""
        entry = self.entry_points.get(entry_point)
        flow = self.flows.get(entry.flow) if entry else None
        merged = {v.name: v for v in (*self.cad, *(flow.cad if flow else ()), *(entry.cad if entry else ()))}
        return dict(sorted(merged.items(), key=lambda item: (item[1].order, item[0])))
