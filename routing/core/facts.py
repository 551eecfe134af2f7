"""What a PBX tells us: neutral facts, past tense. A connector makes them, the core consumes them.

`leg_id` is ours and opaque. For a leg we dial the core chooses it; for a leg that arrives the connector derives it
from the PBX's own channel id, so that the same channel has the same leg id after any restart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class PhoneState(StrEnum):
    """State of a telephone as the PBX sees it (ROUTE-15). Only FREE takes offers."""

    UNKNOWN = "unknown"
    UNREACHABLE = "unreachable"
    FREE = "free"
    RINGING = "ringing"
    BUSY = "busy"


def phone_key(pbx: str, phone: str) -> str:
    """Under which the state of a telephone is kept."""
    return f"{pbx}|{phone}"


class DialOutcome(StrEnum):
    """How dialling a leg ended, when not answered."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    INVALID = "invalid"
    CONGESTION = "congestion"
    CANCELLED = "cancelled"


class EndedBy(StrEnum):
    """Who ended a leg: its far end, we ourselves, or not known (e.g. found gone after a lost link).

    DIALPLAN: nobody hung up; the dialplan has the leg again. We gave it back (an interaction that still counts on the
    leg is over nevertheless), or it took it back because it heard nothing of us (FLOW-04).
    """

    REMOTE = "remote"
    SERVER = "server"
    DIALPLAN = "dialplan"
    UNKNOWN = "unknown"


class CommandOutcome(StrEnum):
    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class LegState(StrEnum):
    """RINGING: dialled, not answered. UP: answered. A customer leg is UP from its arrival on."""

    DIALING = "dialing"
    RINGING = "ringing"
    UP = "up"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegArrived:
    """The dialplan handed a call over (FLOW-03). `entry_point` may be empty: then `dnis` decides.

    `cad`: values as text, already decoded. `options`: further settings of the hand-over line, e.g. `priority`;
    `cad_too_long` lists the names whose values were too long to be sent.
    Repeated for the same leg after a reconnect when nobody has taken the call; the core ignores repeats.
    """

    pbx: str
    leg_id: str
    entry_point: str = ""
    dnis: str = ""
    ani: str = ""
    ani_name: str = ""
    cad: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRinging:
    pbx: str
    leg_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegAnswered:
    pbx: str
    leg_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DialFailed:
    """A dialled leg came to nothing. Exactly one of LegAnswered and DialFailed follows each DialLeg that was started.

    `cause`: ITU-T Q.850 cause, 0 = none given.
    """

    pbx: str
    leg_id: str
    outcome: DialOutcome
    cause: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LegEnded:
    """A leg that was up is gone. `cause`: ITU-T Q.850."""

    pbx: str
    leg_id: str
    ended_by: EndedBy = EndedBy.UNKNOWN
    cause: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LegTransferred:
    """A telephone sent this leg elsewhere by itself, past us (CONS-14): it lives on there and is not ours any more.

    `by_leg_id`: the leg of that telephone, empty when it is not ours. `how`: blind or attended. `to`: a number, may be
    empty.
    """

    pbx: str
    leg_id: str
    by_leg_id: str = ""
    how: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomsReached:
    """PBX events confirm that the rooms of this version hold."""

    pbx: str
    interaction_id: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomsRefused:
    """The rooms of this version cannot be reached (a leg is gone, the PBX refuses); nothing is retried any more."""

    pbx: str
    interaction_id: str
    version: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EarsReached:
    """PBX events confirm that the ears of this version hear what they shall, and are heard by nobody else."""

    pbx: str
    interaction_id: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EarsRefused:
    """An ear of this version cannot hear what it shall; it is left where it is, and nothing is retried any more."""

    pbx: str
    interaction_id: str
    version: int
    reason: str


class PromptOutcome(StrEnum):
    """FINISHED: played to the end, with or without digits. INTERRUPTED: the leg was moved, or got other prompts.

    FAILED: nothing could be played, e.g. a file is missing.
    """

    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptsEnded:
    """A PlayPrompts is over. `digits`: what was pressed, without the `#` that ended it; empty: nothing in time."""

    pbx: str
    leg_id: str
    command_id: str
    outcome: PromptOutcome = PromptOutcome.FINISHED
    digits: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEnded:
    """A RecordMessage is over, also because the leg is gone. `duration_ms`: of what it recorded, 0: nothing is kept."""

    pbx: str
    leg_id: str
    command_id: str
    outcome: PromptOutcome = PromptOutcome.FINISHED
    duration_ms: int = 0


class MachineVerdict(StrEnum):
    """UNKNOWN: not decided in time, nothing was said, or that PBX cannot tell."""

    HUMAN = "human"
    MACHINE = "machine"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineDetected:
    """A DetectMachine is over. `cause`: why that verdict, in the words of the PBX; `took_ms`: how long it listened."""

    pbx: str
    leg_id: str
    command_id: str
    verdict: MachineVerdict
    cause: str = ""
    took_ms: int = 0


class LookUpOutcome(StrEnum):
    """FAILED: no answer, a wrong one, or none of use; the asker takes its default."""

    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedUp:
    """The answer to a LookUp. `reason`: why it failed, for people; `http_status` 0: there was none.

    HTTP: `cad`, `priority`, `requires` (`spanish:5,vip:1`), `preferred_agent`, `language`, as far as the answer had
    them and they read as such. LAST_AGENT: `preferred_agent`, empty when nobody is known. DO_NOT_CALL: `is_blocked`,
    and `revision` of the list that was looked at.
    """

    pbx: str
    interaction_id: str
    command_id: str
    outcome: LookUpOutcome
    reason: str = ""
    http_status: int = 0
    cad: dict[str, str] = field(default_factory=dict)
    priority: int | None = None
    requires: str = ""
    preferred_agent: str = ""
    language: str = ""
    is_blocked: bool = False
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneChanged:
    pbx: str
    phone: str
    state: PhoneState


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureDialed:
    """An agent dialled a feature code on his phone. `code`: sign_in, sign_out, available, idle, wrap_up_done.

    `argument`: digits after the code (PIN for sign_in, index of the reason for idle, 1-based), may be empty.
    The leg waits for ReplyFeature.
    """

    pbx: str
    leg_id: str
    phone: str
    code: str
    argument: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotLeg:
    """One live channel. `interaction_id` and `leg_id` are read back from the channel's own variables.

    Without `interaction_id`: a call that was handed over and nobody has taken; its LegArrived follows the snapshot.
    """

    leg_id: str
    interaction_id: str
    state: LegState


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRestored:
    """The link to the PBX is up; everything that lives there now. What was outstanding is unknown unless listed here.

    Legs of ours that are not in `legs` are gone. `phones`: every watched telephone.
    """

    pbx: str
    legs: tuple[SnapshotLeg, ...] = ()
    phones: dict[str, PhoneState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLost:
    pbx: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandEnded:
    """Every command ends exactly once. UNKNOWN: the link was lost in between; a snapshot follows."""

    pbx: str
    command_id: str
    outcome: CommandOutcome
    cause: str = ""


Fact = (
    LegArrived
    | LegRinging
    | LegAnswered
    | DialFailed
    | LegEnded
    | LegTransferred
    | RoomsReached
    | RoomsRefused
    | EarsReached
    | EarsRefused
    | PromptsEnded
    | MessageEnded
    | MachineDetected
    | LookedUp
    | PhoneChanged
    | FeatureDialed
    | LinkRestored
    | LinkLost
    | CommandEnded
)
