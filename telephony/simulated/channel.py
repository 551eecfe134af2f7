"""What the simulated PBX is made of: channels, telephones, callers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from routing.core.facts import LegArrived, LegState
from telephony.simulated.clock import Timer
from telephony.simulated.habits import Answers, Habit, Listener, Patient, Reaction
from telephony.simulated.listening import PERSON, Greeting


class Place(StrEnum):
    """HANDED_OVER: waits with music until it is taken; OWN: ours; DIALPLAN: not ours any more."""

    HANDED_OVER = "handed_over"
    OWN = "own"
    DIALPLAN = "dialplan"
    FEATURE = "feature"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True)
class RoomKey:
    interaction_id: str
    name: str


@dataclass(eq=False, slots=True, kw_only=True)
class Channel:
    """`party` is who hears and speaks there. `state` None: gone. `variables` are the channel's own.

    `digits`: the DTMF that its party got. `prompt`: what plays to it; `listener`: what its party does then.
    `greeting`: what was to be heard of it from its answer at `answered_ms` on.
    `phone`: the address that was dialed; `telephone`: what it reached, None until then.
    `file`: into which it is recorded, empty when it is not; `is_silenced`: silence gets into it.
    """

    leg_id: str
    party: str
    place: Place
    state: LegState | None
    phone: str = ""
    telephone: Phone | None = field(default=None, repr=False)
    interaction_id: str = ""
    arrival: LegArrived | None = None
    reaction: Reaction = field(default_factory=Reaction)
    variables: dict[str, str] = field(default_factory=dict)
    room: RoomKey | None = None
    music: str = ""
    shown_caller: str = ""
    confirmed: bool | None = None
    timers: list[Timer] = field(default_factory=list)
    talk: Timer | None = None
    fall_back: Timer | None = None
    has_talked: bool = False
    file: str = ""
    is_silenced: bool = False
    digits: str = ""
    prompt: str = ""
    listener: Listener = field(default_factory=Patient)
    is_speaking: bool = True
    greeting: Greeting = PERSON
    answered_ms: int = 0

    @property
    def is_live(self) -> bool:
        return self.state is not None

    @property
    def is_dialled(self) -> bool:
        """We dialled it (an agent's leg)."""
        return self.place is Place.OWN and self.arrival is None


@dataclass(eq=False, slots=True, kw_only=True)
class Phone:
    """A telephone with one line, of one `node`. `calls`: its channels, oldest first; `rings`: calls that reached it.

    `greeting`: with which its calls are answered.
    A channel of another node is among its calls when that node rang it over a trunk. `changed` tells its own node.
    """

    address: str
    habit: Habit = field(default_factory=Answers)
    greeting: Greeting = PERSON
    node: str = ""
    changed: Callable[[], None] = field(default=lambda: None, repr=False)
    is_registered: bool = True
    calls: list[Channel] = field(default_factory=list)
    rings: int = 0

    @property
    def live(self) -> Channel | None:
        return next((c for c in reversed(self.calls) if c.is_live), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Delays in the PBX, in ms. After `take_within_ms` an untaken call falls back to the dialplan."""

    ring_ms: int = 2
    take_within_ms: int = 3_600_000
    feature_ms: int = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """What one channel hears now: parties by name, the class of music, the prompt ("" = none)."""

    parties: frozenset[str] = frozenset()
    music: str = ""
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """From `at_ms` on, these parties are audible in the file; none: silence. `is_end`: nothing follows."""

    at_ms: int
    parties: frozenset[str] = frozenset()
    is_end: bool = False
