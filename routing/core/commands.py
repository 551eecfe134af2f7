"""What the core asks of a PBX.

Neutral orders. Everything but DialLeg is idempotent by content; DialLeg is at most once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from routing.core.config import Result
from routing.core.recording import RecordingState


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Legs that hear each other. One leg alone hears `music` (a class name), or silence when `music` is empty."""

    name: str
    legs: tuple[str, ...]
    music: str = ""


class HeardBy(StrEnum):
    """Who hears an ear. LEG: the one at which it listens. ROOM: all who are in a room with that one, and he."""

    NOBODY = "nobody"
    LEG = "leg"
    ROOM = "room"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ear:
    """A leg in no room, which hears what `hears` says and what is said to him, wherever that leg is just now.

    `hears` empty: it is in silence for now.
    """

    leg: str
    hears: str
    heard_by: HeardBy = HeardBy.NOBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class DialLeg:
    """Ring `phone`. Ends in LegAnswered or DialFailed for `leg_id`, unless hung up before.

    `timeout_s` is a safety net of the PBX; the core times the offer itself. `caller_*`: shown on the phone, from
    outside: the connector sanitizes. `variables`: set on the new channel. `recording`: name, without directory and
    ending, of the file into which the leg is recorded from its answer on; empty: it is not and cannot be.
    `joins`: the leg, alone with music until then, that the answered one will share a room with; a connector may join
    them at the answer, ahead of the SetRooms that follows. Empty: nothing is known of it.
    """

    id: str
    pbx: str
    leg_id: str
    interaction_id: str
    phone: str
    timeout_s: int
    caller_number: str = ""
    caller_name: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    recording: str = ""
    joins: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUpLeg:
    """End a leg in any state, also one that is still ringing or whose dialling is only about to start.

    `answered_elsewhere`: the phone shall not show a missed call.
    """

    id: str
    pbx: str
    leg_id: str
    answered_elsewhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRooms:
    """The wanted rooms of an interaction; a higher `version` replaces the lower. Legs not listed are left alone.

    The first SetRooms for an arrived leg takes it over from the dialplan. Ends in RoomsReached or RoomsRefused
    (and in CommandEnded SUCCEEDED as soon as it is accepted).

    `ears`: who listens, under a version of its own, which replaces as well. They end in EarsReached or EarsRefused of
    that version, and never keep the rooms from being reached: an ear whose leg is gone counts as not listed.
    """

    id: str
    pbx: str
    interaction_id: str
    version: int
    rooms: tuple[Room, ...]
    ears: tuple[Ear, ...] = ()
    ears_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnLeg:
    """Give an arrived leg back to the dialplan that handed it over, with SR_RESULT and further channel variables."""

    id: str
    pbx: str
    leg_id: str
    result: Result
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkLeg:
    """Set channel variables on a live leg, e.g. SR_RESULT=answered for the dialplan's own hang-up handler."""

    id: str
    pbx: str
    leg_id: str
    variables: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyFeature:
    """Answer to FeatureDialed: the phone hears a confirmation or a refusal and is hung up."""

    id: str
    pbx: str
    leg_id: str
    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchPhones:
    """The complete list of telephones whose state is wanted, and of CAD names that the dialplan hands over."""

    id: str
    pbx: str
    phones: tuple[str, ...]
    cad_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRecording:
    """The wanted recording of a leg that was dialled with `recording` = `file`: what it says and what it hears.

    PAUSED: silence in the file, whose time line goes on. OFF: the file ends, for good. The end of the leg ends it too.
    """

    id: str
    pbx: str
    leg_id: str
    file: str
    state: RecordingState


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayDigits:
    """DTMF that the far end of a live leg gets: 1 to 32 of `0-9*#A-D`, one after the other.

    Several of one leg follow each other in order. It ends when the last digit is on its way.
    """

    id: str
    pbx: str
    leg_id: str
    digits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInput:
    """Digits that are taken during and after prompts: up to `max_digits`, `#` ends earlier and is not one of them.

    Where `max_digits` is 1, `#` is a digit as any other. The first digit stops the prompts. `timeout_ms`: for the first
    digit, from the end of the prompts; `next_ms`: for each further one.
    """

    max_digits: int
    timeout_ms: int
    next_ms: int


GREETING_MS = 30_000  # the longest wait of PlayPrompts for the end of a greeting
RECORDED = "recording:"  # in PlayPrompts, before the name of a file that a RecordMessage made on that PBX


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayPrompts:
    """Play sounds, one after the other, to a live leg that is alone in its room; it hears its room again afterwards.

    `prompts`: absolute paths without ending, names of the PBX's own sounds in `language`, or `recording:` and the name
    of a message; none: only digits are taken. It begins when the rooms last asked for hold, replaces what plays on that
    leg, and is accepted then (CommandEnded SUCCEEDED). Ends in PromptsEnded, unless the leg is gone before.
    `after_silence_ms`: not before the far end has been silent for so long, e.g. behind an answering machine's greeting;
    one that never ends is not waited for longer than GREETING_MS.
    """

    id: str
    pbx: str
    leg_id: str
    interaction_id: str
    prompts: tuple[str, ...]
    language: str = "en"
    keys: KeyInput | None = None
    after_silence_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMessage:
    """Record what a live leg says that is alone in its room, after a beep: a voicemail.

    `file`: name without directory and ending, beside the recordings of agents. It ends after `max_s`, after
    `silence_s` of silence, by any digit, or with the leg; as PlayPrompts, in MessageEnded also when the leg is gone.
    """

    id: str
    pbx: str
    leg_id: str
    interaction_id: str
    file: str
    max_s: int
    silence_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectMachine:
    """Listen to an answered leg that we dialled, alone in its room or in none yet: a person, or an answering machine?

    It begins when the rooms last asked for hold, and is accepted then (CommandEnded SUCCEEDED). Ends in MachineDetected
    within `deadline_ms` and a moment; in nothing when the leg is gone, is moved, or gets prompts before.
    """

    id: str
    pbx: str
    leg_id: str
    interaction_id: str
    deadline_ms: int


class LookUpKind(StrEnum):
    """HTTP: a request to a CRM (FLOW-05). LAST_AGENT: who last talked with `number`. DO_NOT_CALL: may it be called?"""

    HTTP = "http"
    LAST_AGENT = "last_agent"
    DO_NOT_CALL = "do_not_call"


LOOKUPS = "@lookups"  # stands for a PBX in LookUp and LookedUp; no PBX of the configuration is called so


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """A question to the outside, carried out by a process of its own; idempotent. Worth nothing after `deadline_ms`.

    `campaign`: whose do-not-call list counts beside the one of all calls; of a record, `interaction_id` is its id.
    `url` and `body` are templates with `{name}` of `values`, which may hold secure CAD; `headers`: plain values, or
    `env:NAME` of that process. Ends in LookedUp, or in nothing: the core has its own deadline.
    """

    id: str
    pbx: str = LOOKUPS
    interaction_id: str
    kind: LookUpKind
    deadline_ms: int
    number: str = ""
    campaign: str = ""
    method: str = "GET"
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    values: dict[str, str] = field(default_factory=dict)


Command = (
    DialLeg
    | HangUpLeg
    | SetRooms
    | ReturnLeg
    | MarkLeg
    | ReplyFeature
    | WatchPhones
    | SetRecording
    | PlayDigits
    | PlayPrompts
    | RecordMessage
    | DetectMachine
    | LookUp
)
