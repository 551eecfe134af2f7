"""By what a person who answers is told from an answering machine, on every PBX: who says little and then waits is one.

The measures are app_amd's own, but for the silence behind a greeting, which is 800 ms there: a campaign has two
seconds from the answer to the agent. Of 86 recorded announcements of 3.5 s and more, all were taken for machines with
500 ms, 84 with 400 ms; of 180 recorded words of up to 1.3 s, all for persons.
"""

from __future__ import annotations

from dataclasses import dataclass

from routing.core.commands import DetectMachine
from routing.core.facts import MachineVerdict

# Nothing but silence for so long: whoever it is, it is not told by listening on.
INITIAL_SILENCE_MS = 2500
# Who speaks longer than this at once is a machine; who is silent for so long after less is a person.
GREETING_MS, AFTER_GREETING_MS = 1500, 600
# Less is a click; a pause of less is within a word; more words than this are a machine's.
WORD_MS, BETWEEN_WORDS_MS, WORDS = 100, 50, 5
# Mean amplitude of 16-bit samples below which a packet counts as silence.
SILENCE_LEVEL = 256
# A dialplan that has not said anything so long after the deadline is not waited for.
GRACE_S = 0.2
# No more is taken from a configuration: below it nothing can be decided, above it everybody has said something.
MIN_DEADLINE_MS, MAX_DEADLINE_MS = 200, 60_000

NO_SPEECH, NOT_IN_TIME, NO_DETECTOR = "INITIALSILENCE", "TOOLONG", "NOAPP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`cause`: in the words of the PBX."""

    verdict: MachineVerdict
    cause: str = ""


SILENT = Verdict(verdict=MachineVerdict.UNKNOWN, cause=NO_SPEECH)
LATE = Verdict(verdict=MachineVerdict.UNKNOWN, cause=NOT_IN_TIME)


def deadline_ms(order: DetectMachine) -> int:
    return min(max(order.deadline_ms, MIN_DEADLINE_MS), MAX_DEADLINE_MS)
