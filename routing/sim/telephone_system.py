"""A PBX that does at once what it is asked for, in virtual time, as far as it matters to who waits how long.

The one in `telephony.simulated` plays a PBX with its delays, cuts and refusals for tests of the core and of connectors;
here a day of twenty thousand calls has to be over within seconds. So nothing is converged, confirmed or told twice, and
what has no influence on routing (music, marks, recordings, states of telephones) is not answered at all.
"""

from __future__ import annotations

from collections.abc import Callable

from routing.core.commands import Command, DetectMachine, DialLeg, HangUpLeg, LookUp, PlayPrompts, RecordMessage
from routing.core.facts import (
    Fact,
    LegAnswered,
    LookedUp,
    LookUpOutcome,
    MachineDetected,
    MachineVerdict,
    MessageEnded,
    PromptsEnded,
)

PROMPT_MS = 4_000  # how long one prompt takes
MESSAGE_MS = 20_000  # how long a voicemail is
GREETING_MS = 1_700  # until it is clear that a person has answered

Later = Callable[[int, Fact], None]
RingLaw = Callable[[str], int]


class TelephoneSystem:
    """`later(delay_ms, fact)` tells the core something; `ring_ms(interaction_id)`: how long its next one rings."""

    def __init__(self, later: Later, ring_ms: RingLaw) -> None:
        self._later, self._ring_ms = later, ring_ms
        self._ringing: set[str] = set()

    def take(self, command: Command) -> None:
        """Do what the core asks."""
        match command:
            case DialLeg():
                self._ringing.add(command.leg_id)
                ring_ms = self._ring_ms(command.interaction_id)
                self._later(ring_ms, LegAnswered(pbx=command.pbx, leg_id=command.leg_id))
            case HangUpLeg():
                self._ringing.discard(command.leg_id)
            case PlayPrompts():
                pause_ms = command.keys.timeout_ms if command.keys else 0
                ended = PromptsEnded(pbx=command.pbx, leg_id=command.leg_id, command_id=command.id)
                self._later(PROMPT_MS * len(command.prompts) + pause_ms, ended)
            case RecordMessage():
                self._record(command)
            case DetectMachine():
                self._detect(command)
            case LookUp():
                self._look_up(command)

    def _record(self, command: RecordMessage) -> None:
        spoken_ms = min(MESSAGE_MS, command.max_s * 1000)
        told = MessageEnded(pbx=command.pbx, leg_id=command.leg_id, command_id=command.id, duration_ms=spoken_ms)
        self._later(spoken_ms, told)

    def _detect(self, command: DetectMachine) -> None:
        """Everybody here is a person."""
        took_ms = min(GREETING_MS, command.deadline_ms)
        told = MachineDetected(
            pbx=command.pbx,
            leg_id=command.leg_id,
            command_id=command.id,
            verdict=MachineVerdict.HUMAN,
            took_ms=took_ms,
        )
        self._later(took_ms, told)

    def _look_up(self, command: LookUp) -> None:
        """Nothing is asked of the world outside; who asks takes his default."""
        nothing = LookedUp(
            pbx=command.pbx,
            interaction_id=command.interaction_id,
            command_id=command.id,
            outcome=LookUpOutcome.FAILED,
            reason="what-if",
        )
        self._later(0, nothing)

    def still_happens(self, fact: Fact) -> bool:
        """Whether what was to happen has not been prevented meanwhile: a telephone that was taken back is silent."""
        if isinstance(fact, LegAnswered):
            is_ringing = fact.leg_id in self._ringing
            self._ringing.discard(fact.leg_id)
            return is_ringing
        return True
