"""A campaign from its first loading on, as a value: its state, who has joined, its drops within the legal window."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from routing.core.campaign_rules import AttemptResult, DialMode
from routing.core.errors import IllegalTransition


class CampaignState(StrEnum):
    """LOADED: agents may join, nothing is dialed (CAMP-04). STOPPED: only its drops are still known, which count
    against its cap when it is loaded again.
    """

    LOADED = "loaded"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


class CampaignTrigger(StrEnum):
    """The order words of the API and the command line."""

    LOAD = "load"
    START = "start"
    PAUSE = "pause"
    STOP = "stop"


_S, _T = CampaignState, CampaignTrigger

CAMPAIGN_TABLE: dict[tuple[CampaignState, CampaignTrigger], CampaignState] = {
    (_S.STOPPED, _T.LOAD): _S.LOADED,
    (_S.LOADED, _T.START): _S.RUNNING,
    (_S.LOADED, _T.STOP): _S.STOPPED,
    (_S.RUNNING, _T.PAUSE): _S.PAUSED,
    (_S.RUNNING, _T.STOP): _S.STOPPED,
    (_S.PAUSED, _T.START): _S.RUNNING,
    (_S.PAUSED, _T.STOP): _S.STOPPED,
}


def next_state(state: CampaignState, trigger: CampaignTrigger) -> CampaignState:
    """The row of the table. Raises IllegalTransition where there is none."""
    try:
        return CAMPAIGN_TABLE[state, trigger]
    except KeyError:
        raise IllegalTransition(machine="campaign", state=state.value, trigger=trigger.value) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class DropDay:
    """One day of a campaign, in the server's time zone. `live`: calls that a person answered; `dropped`: of those, with
    no agent in time (compliance); `hung_up`: of those, who hung up while waiting (true abandon, DIALER-06). `machines`:
    verdicts.
    """

    attempts: int = 0
    live: int = 0
    dropped: int = 0
    hung_up: int = 0
    machines: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """An agent who has joined (CAMP-05). `wants_next`: in preview mode the next record is laid before him (PREV-19).
    `rests_until_ms`: his telephone has failed, nothing is laid before him by itself before. `missed`: previews in a row
    that he has let run out.
    """

    joined_at_ms: int
    wants_next: bool = False
    rests_until_ms: int = 0
    missed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """A number whose call was dropped: it is not dialed without an agent before `until_ms` (DIALER-07)."""

    number: str
    at_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignLive:
    """`joined`: by agent. `days`: by ISO date, within the legal window. `tick`: number of the last pacing order obeyed.
    `pacing`: why it asked for what it asked for, for people. `dialed_at_ms`: when it dialed without an agent, within
    the last minute; only kept where a limit needs it. `reserved`: drops of the last minutes.
    """

    id: str
    state: CampaignState = CampaignState.STOPPED
    since_ms: int = 0
    joined: dict[str, Membership] = field(default_factory=dict)
    days: dict[str, DropDay] = field(default_factory=dict)
    tick: int = 0
    tick_at_ms: int = 0
    pacing: dict[str, float] = field(default_factory=dict)
    dialed_at_ms: tuple[int, ...] = ()
    reserved: tuple[Reserved, ...] = ()


class Verdict(StrEnum):
    """Who answered, as machine detection says; NONE: it is not on, or not done yet."""

    NONE = ""
    HUMAN = "human"
    MACHINE = "machine"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignCall:
    """The campaign's side of an interaction of kind `campaign`, or with an empty `record_id` of kind `seat`.

    `agent_id`: for whom it is dialed, empty: for who is free when it is answered. `number`, `form`, `phone` (the PBX's
    dial string), `ani`: what is dialed and shown. `attempt`: its number among the record's. `dialed_at_ms`,
    `reached_at_ms`: dialing begun; answered by whomever. `due_ms`: an agent after that is too late. `check_id`: of the
    machine detection that is under way. `is_dropped`: its time is over, it hears the message. `result`: once it is
    known. `stops`: the next preview does not open by itself (PREV-20). Of a preview: `accepted_at_ms`: the agent has
    taken it; `dial_at_ms`, `deadline_ms`: it is dialed by itself, taken away from him; 0: it is not.
    """

    campaign: str
    mode: DialMode
    record_id: str = ""
    agent_id: str = ""
    number: str = ""
    number_kind: str = ""
    form: str = ""
    phone: str = ""
    ani: str = ""
    name: str = ""
    origin: str = ""
    attempt: int = 0
    attempt_id: str = ""
    dialed_at_ms: int = 0
    reached_at_ms: int = 0
    due_ms: int = 0
    check_id: str = ""
    verdict: Verdict = Verdict.NONE
    is_dropped: bool = False
    result: AttemptResult | None = None
    stops: bool = False
    accepted_at_ms: int = 0
    dial_at_ms: int = 0
    deadline_ms: int = 0
