"""A supervisor who hears a live call: a leg beside it, never a party of it.

His coming, going and failing changes nothing of the call: not its state, its holds, its recordings, its reports, nor
what its agents may do.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SupervisionMode(StrEnum):
    """MONITOR: he hears, and nobody hears him. WHISPER: the agent alone hears him. BARGE: all hear him."""

    MONITOR = "monitor"
    WHISPER = "whisper"
    BARGE = "barge"


class SupervisionState(StrEnum):
    """RINGING: his telephone is rung. JOINING: he has answered, or changes the mode, and the PBX has not confirmed it
    yet. ACTIVE: the PBX says that he hears. WAITING: the call is with no agent now, he hears nothing meanwhile.
    """

    RINGING = "ringing"
    JOINING = "joining"
    ACTIVE = "active"
    WAITING = "waiting"


class SupervisionEnd(StrEnum):
    """STOPPED: by an order. HUNG_UP: by him. CALL_ENDED: with the call. EXTERNAL: nobody of ours is in it any more.

    TEAM: it went to an agent of a team that is not his. REMOVED: he is not configured any more. REFUSED: the PBX could
    not do it. LOST: his leg was found gone. The others are how ringing his telephone came to nothing.
    """

    STOPPED = "stopped"
    HUNG_UP = "hung_up"
    CALL_ENDED = "call_ended"
    EXTERNAL = "external"
    TEAM = "team"
    REMOVED = "removed"
    REFUSED = "refused"
    LOST = "lost"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"


class ShowSupervision(StrEnum):
    """What the agents of a call see of its supervision. HEARD: while it whispers or barges, so that they hear it."""

    NEVER = "never"
    HEARD = "heard"
    ALWAYS = "always"

    def shows(self, mode: SupervisionMode) -> bool:
        return self is ShowSupervision.ALWAYS or (self is ShowSupervision.HEARD and mode is not SupervisionMode.MONITOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorConfig:
    """Somebody who may listen, with a telephone of his own. `teams`: only calls of their agents, none: of all.

    `extension`: as of an agent.
    """

    id: str
    name: str
    pbx: str
    phone: str
    extension: str = ""
    teams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    """`id` is also that of the order to dial his `leg_id`. `by`: who asked for it, as an actor.

    One of `supervisor` (of the configuration) and `agent_id` says whose telephone it is; both, where an agent's is
    that of a supervisor. `pbx` and `phone`: the telephone. `is_ringing`: the PBX says so. `since_ms`: of this state.
    """

    id: str
    leg_id: str
    by: str
    mode: SupervisionMode
    state: SupervisionState
    supervisor: str
    agent_id: str
    pbx: str
    phone: str
    asked_at_ms: int
    since_ms: int
    deadline_ms: int
    is_ringing: bool = False
    heard_since_ms: int | None = None

    @property
    def is_up(self) -> bool:
        """His telephone has been answered."""
        return self.state is not SupervisionState.RINGING
