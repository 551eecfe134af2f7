"""The agent: his own state, an engagement per interaction, and both machines as tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from routing.core.errors import IllegalTransition


class AgentState(StrEnum):
    LOGGED_OUT = "logged_out"
    AVAILABLE = "available"
    IDLE = "idle"
    RONA = "rona"


class AgentTrigger(StrEnum):
    SIGNED_IN = "signed_in"
    SIGNED_IN_IDLE = "signed_in_idle"
    WENT_AVAILABLE = "went_available"
    WENT_IDLE = "went_idle"
    RANG_OUT = "rang_out"
    SIGNED_OUT = "signed_out"


_S, _T = AgentState, AgentTrigger

# RONA has exactly two ways out (STATE-06) and neither is taken by a timer (STATE-08).
AGENT_TABLE: dict[tuple[AgentState, AgentTrigger], AgentState] = {
    (_S.LOGGED_OUT, _T.SIGNED_IN): _S.AVAILABLE,
    (_S.LOGGED_OUT, _T.SIGNED_IN_IDLE): _S.IDLE,
    (_S.AVAILABLE, _T.WENT_AVAILABLE): _S.AVAILABLE,
    (_S.AVAILABLE, _T.WENT_IDLE): _S.IDLE,
    (_S.AVAILABLE, _T.RANG_OUT): _S.RONA,
    (_S.AVAILABLE, _T.SIGNED_OUT): _S.LOGGED_OUT,
    (_S.IDLE, _T.WENT_AVAILABLE): _S.AVAILABLE,
    (_S.IDLE, _T.WENT_IDLE): _S.IDLE,
    (_S.IDLE, _T.RANG_OUT): _S.RONA,
    (_S.IDLE, _T.SIGNED_OUT): _S.LOGGED_OUT,
    (_S.RONA, _T.WENT_AVAILABLE): _S.AVAILABLE,
    (_S.RONA, _T.WENT_IDLE): _S.IDLE,
}


class EngagementState(StrEnum):
    OFFERED = "offered"
    CONNECTED = "connected"
    HELD = "held"
    CONSULTING = "consulting"
    CONFERENCE = "conference"
    PREVIEW = "preview"
    SEATED = "seated"
    WRAP_UP = "wrap_up"


class EngagementTrigger(StrEnum):
    OFFERED = "offered"
    ANSWERED = "answered"
    OFFER_ENDED = "offer_ended"
    HELD = "held"
    RESUMED = "resumed"
    CONSULTED = "consulted"
    CONFERENCED = "conferenced"
    PREVIEWED = "previewed"
    SEATED = "seated"
    ENDED = "ended"
    ENDED_TO_WRAP_UP = "ended_to_wrap_up"
    WRAP_UP_EXTENDED = "wrap_up_extended"
    WRAPPED_UP = "wrapped_up"


_E, _G = EngagementState, EngagementTrigger

_TALKING = (_E.CONNECTED, _E.HELD, _E.CONSULTING, _E.CONFERENCE)

# None on the left: no engagement yet; None on the right: it is over. ANSWERED without one: a seated agent is with a
# contact now.
ENGAGEMENT_TABLE: dict[tuple[EngagementState | None, EngagementTrigger], EngagementState | None] = {
    (None, _G.OFFERED): _E.OFFERED,
    (None, _G.ANSWERED): _E.CONNECTED,
    (None, _G.PREVIEWED): _E.PREVIEW,
    (_E.PREVIEW, _G.OFFERED): _E.OFFERED,
    (_E.PREVIEW, _G.OFFER_ENDED): None,
    (_E.CONNECTED, _G.SEATED): _E.SEATED,
    (_E.SEATED, _G.SEATED): _E.SEATED,
    (_E.SEATED, _G.ENDED): None,
    (_E.OFFERED, _G.ANSWERED): _E.CONNECTED,
    (_E.OFFERED, _G.OFFER_ENDED): None,
    (_E.WRAP_UP, _G.WRAP_UP_EXTENDED): _E.WRAP_UP,
    (_E.WRAP_UP, _G.WRAPPED_UP): None,
    # Whoever is in a call goes where the interaction's state puts his role.
    **{(state, _G.HELD): _E.HELD for state in _TALKING},
    **{(state, _G.RESUMED): _E.CONNECTED for state in _TALKING},
    **{(state, _G.CONSULTED): _E.CONSULTING for state in _TALKING},
    **{(state, _G.CONFERENCED): _E.CONFERENCE for state in _TALKING},
    **{(state, _G.ENDED): None for state in _TALKING},
    **{(state, _G.ENDED_TO_WRAP_UP): _E.WRAP_UP for state in _TALKING},
}


def next_agent_state(state: AgentState, trigger: AgentTrigger) -> AgentState:
    """The row of the table. Raises IllegalTransition where there is none."""
    try:
        return AGENT_TABLE[state, trigger]
    except KeyError:
        raise IllegalTransition(machine="agent", state=state.value, trigger=trigger.value) from None


def next_engagement(state: EngagementState | None, trigger: EngagementTrigger) -> EngagementState | None:
    """The row of the table; None means the engagement is over. Raises IllegalTransition where there is no row."""
    try:
        return ENGAGEMENT_TABLE[state, trigger]
    except KeyError:
        name = state.value if state else "no engagement"
        raise IllegalTransition(machine="engagement", state=name, trigger=trigger.value) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Engagement:
    """One agent's part in one interaction. `deadline_ms`: end of wrap-up, None = until a reason is given.

    `record_id`: in wrap-up, the record that he has not marked done yet.
    """

    interaction_id: str
    queue: str
    state: EngagementState
    since_ms: int
    leg_id: str
    deadline_ms: int | None = None
    extensions: int = 0
    record_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Live state of an agent; who he is stands in the configuration.

    `available_since_ms`: when he last became free, the key of `longest_idle`. `busy_ms` and `signed_in_at_ms` give his
    occupancy. `engagements` by interaction id. `dialed_at_ms`: when he dialed outside numbers, of the last minute at
    least; only kept where a limit needs it. `supervising`: the interaction to which he listens at his telephone.
    """

    id: str
    state: AgentState = AgentState.LOGGED_OUT
    reason: str | None = None
    since_ms: int = 0
    engagements: dict[str, Engagement] = field(default_factory=dict)
    signed_in_at_ms: int = 0
    available_since_ms: int = 0
    last_offer_ms: int = 0
    busy_ms: int = 0
    busy_since_ms: int | None = None
    calls: int = 0
    dialed_at_ms: tuple[int, ...] = ()
    supervising: str = ""

    @property
    def shown_state(self) -> str:
        """The one state that people see (STATE-01): the engagement's where there is one, else his own."""
        order = (
            *(_E.CONNECTED, _E.CONFERENCE, _E.CONSULTING, _E.HELD),
            *(_E.OFFERED, _E.PREVIEW, _E.SEATED, _E.WRAP_UP),
        )
        states = {e.state for e in self.engagements.values()}
        for state in order:
            if state in states:
                return "reserved" if state is _E.OFFERED else state.value
        return self.state.value
