"""What the PBX contract suite needs of a world with one PBX: callers, telephones, ears, a link to break.

One implementation per connector. Waiting methods return as soon as the thing is so; when `within_s` (seconds
of the lab's own clock) is over they raise AssertionError with what was seen instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeVar

from routing.core.facts import Fact
from telephony.port import PbxPort

F = TypeVar("F")

# The names of the CAD that the suite hands over; every lab watches them.
CAD_NAMES = ("case", "note", "plain")
# Prompts that every lab has, each a sound of its own, with their seconds; "missing" is the name of none.
PROMPTS = {"short": 0.6, "long": 4.0, "other": 3.0}
MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingCall:
    """What a caller dials and what the dialplan adds when it hands the call over (FLOW-03)."""

    entry_point: str = "sales"
    dnis: str = "7001"
    ani: str = "491701234567"
    ani_name: str = "Carla"
    cad: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)


class Rejection(StrEnum):
    """How a telephone can turn a call down; with SIP: 486, 603, 480, 404."""

    BUSY = "busy"
    REJECTED = "rejected"
    UNAVAILABLE = "unavailable"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class Answers:
    """The telephone rings and is answered after `after_s` seconds."""

    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Rejects:
    how: Rejection


@dataclass(frozen=True, slots=True)
class RingsForEver:
    """The telephone rings and nobody comes."""


@dataclass(frozen=True, slots=True)
class IsDead:
    """Registered, but nothing ever comes back from it, not even a ringing."""


class Greeting(StrEnum):
    """What is to be heard of a telephone from its answer on; then silence, until somebody speaks.

    PERSON: a short word. MACHINE: speech of GREETING_S, a beep. SILENT: silence. TALKER: speech without an end.
    MUTE: not even silence.
    """

    PERSON = "person"
    MACHINE = "machine"
    SILENT = "silent"
    TALKER = "talker"
    MUTE = "mute"


GREETING_S = 6.6  # of the MACHINE, with its beep

PhonePolicy = Answers | Rejects | RingsForEver | IsDead


class PartyState(StrEnum):
    """A caller is UP once the PBX took the call; a telephone is RINGING or UP in its newest call."""

    NONE = "none"
    RINGING = "ringing"
    UP = "up"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a recording in which exactly these voices are audible; none: silence."""

    voices: frozenset[str]
    seconds: float


class LabParty(Protocol):
    """Somebody with ears and a voice of his own."""

    @property
    def name(self) -> str:
        """Unique in the lab, for messages."""

    @property
    def state(self) -> PartyState:
        """As that telephone itself sees it, not as the port reports it."""

    async def hang_up(self) -> None:
        """Ends his newest call from his side, in any state; without effect when there is none."""

    async def press(self, digits: str) -> None:
        """Presses these keys of his telephone, one after the other, about five a second."""

    async def speak(self, is_speaking: bool) -> None:
        """Falls silent, or begins to speak again. From the start everybody speaks all the time."""


class LabCaller(LabParty, Protocol):
    @property
    def leg_id(self) -> str:
        """The leg id which LegArrived gave to this call."""

    @property
    def digits(self) -> str:
        """The DTMF that has come out at his telephone so far."""

    async def variable(self, name: str) -> str:
        """A channel variable of the live call as the dialplan would read it, "" when unset."""

    async def is_back_in_dialplan(self, within_s: float = 5.0) -> None:
        """Waits until the integrator's own dialplan runs again for this call, e.g. after ReturnLeg."""


class LabPhone(LabParty, Protocol):
    """A telephone. After `start` it is registered and answers at once."""

    @property
    def address(self) -> str:
        """What DialLeg.phone and WatchPhones take, e.g. `PJSIP/1001`."""

    @property
    def rings(self) -> int:
        """How many calls have reached it since the start (a dead one counts none)."""

    @property
    def shown_caller(self) -> str:
        """Number and name that its newest call showed, as `number|name`."""

    def behave(self, policy: PhonePolicy) -> None:
        """For calls to come."""

    def greet(self, greeting: Greeting) -> None:
        """In calls to come, instead of his voice."""

    async def has_state(self, state: PartyState, within_s: float = 5.0) -> None: ...

    async def register(self) -> None: ...

    async def unregister(self) -> None: ...

    async def private_call(self) -> None:
        """Its owner dials somebody past Switchroom and is connected; hang_up() ends that."""

    async def transfer_away(self) -> None:
        """Its owner calls somebody past Switchroom and, by a key of his telephone, puts whom he talks with through."""

    async def dial_feature(self, code: str, argument: str = "") -> None:
        """Dials the feature code for `code` (named as in FeatureDialed), then the digits of `argument`."""

    async def feature_answer(self, within_s: float = 5.0) -> bool:
        """Waits until the feature call is over; True: it heard the confirmation, False: the refusal."""


class PbxLab(Protocol):
    """One PBX, its port, and the facts which the port's sink got, in order, from the first connection on."""

    pbx: str
    port: PbxPort
    facts: list[Fact]
    # The longest that a silently stalled link may stay unnoticed, in seconds.
    stall_deadline_s: float

    async def start(self, phones: Sequence[str]) -> None:
        """PBX up, telephones registered, port past LinkRestored and WatchPhones (these and CAD_NAMES)."""

    async def stop(self) -> None:
        """Ends everything, in any state; raises nothing."""

    async def call_in(self, call: IncomingCall) -> LabCaller:
        """A caller whose call is up and handed over. With the link up, its LegArrived is in `facts`."""

    def phone(self, name: str) -> LabPhone: ...

    async def hears(self, listener: LabParty, *speakers: LabParty, within_s: float = 5.0) -> None:
        """Waits until `listener` hears exactly these parties and no music; with no speakers: silence."""

    async def hears_music(self, listener: LabParty, within_s: float = 5.0) -> None:
        """Waits until `listener` hears music and no party."""

    def prompt(self, name: str) -> str:
        """What PlayPrompts takes for one of PROMPTS, or for MISSING."""

    async def hears_prompt(self, listener: LabParty, name: str, within_s: float = 5.0) -> None:
        """Waits until `listener` hears that prompt, no music and no party."""

    @property
    def now_s(self) -> float:
        """The lab's own clock."""

    async def hears_message(self, listener: LabParty, speaker: LabParty, within_s: float = 5.0) -> None:
        """Waits until `listener` hears what `speaker` said when he was recorded, no music and nobody else."""

    async def pass_time(self, seconds: float) -> None:
        """People talk on for so long."""

    async def recorded(self, file: str) -> list[Passage]:
        """What is in the recording of a leg that has ended, by the parties' names. Raises AssertionError when there
        is no such file."""

    @property
    def moves(self) -> int:
        """How often the PBX moved a leg into or out of a bridge or music since start: equal = no break."""

    async def channels(self) -> int:
        """How many live channels the PBX itself has now, private calls among them."""

    async def cut_link(self) -> None:
        """The link is closed at once and cannot come back before restore_link()."""

    async def stall_link(self) -> None:
        """From now on nothing passes the link in either direction, but nobody closes it."""

    async def restore_link(self) -> None:
        """The way is free again; returns at once."""

    async def restart_connector(self) -> None:
        """A new port with no memory on the same PBX, into a new empty `facts`; calls live on.

        Returns after its first LinkRestored; the phones are not watched until somebody sends WatchPhones.
        """

    async def wait_fact(self, kind: type[F], within_s: float = 5.0, since: int = 0, **fields: object) -> F:
        """The first fact of that type from index `since` of `facts` on whose fields have these values."""

    async def settle(self) -> None:
        """Waits until nothing is under way any more: no fact, no event, for a moment."""
