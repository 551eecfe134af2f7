"""What is to be heard of somebody at his answer, and what comes of listening to it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from routing.core.commands import GREETING_MS as LONGEST_MS
from routing.core.commands import DetectMachine, PlayPrompts
from routing.core.facts import MachineVerdict
from telephony.detection import (
    AFTER_GREETING_MS,
    GREETING_MS,
    INITIAL_SILENCE_MS,
    LATE,
    SILENT,
    Verdict,
    deadline_ms,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """`after_ms` of silence from the answer on, `says_ms` of speech, then silence.

    `verdict`: what a DetectMachine ends in, whatever is said; None: what the others would find.
    """

    after_ms: int = 300
    says_ms: int = 800
    verdict: MachineVerdict | None = None


PERSON, SILENCE = Greeting(), Greeting(says_ms=0)
MACHINE = Greeting(after_ms=200, says_ms=6_400)


@dataclass(frozen=True, slots=True)
class Judgment:
    """Reached `at_ms` from the beginning of the listening on."""

    at_ms: int
    found: Verdict


def judge(order: DetectMachine, greeting: Greeting, since_ms: int) -> Judgment:
    """Listening begins `since_ms` from the answer on."""
    limit_ms = deadline_ms(order)
    judgment = _heard(greeting, since_ms, limit_ms)
    if greeting.verdict is not None:
        scripted = Verdict(verdict=greeting.verdict, cause="scripted")
        return Judgment(min(judgment.at_ms, limit_ms), scripted)
    return judgment if judgment.at_ms <= limit_ms else Judgment(limit_ms, LATE)


def _heard(greeting: Greeting, since_ms: int, limit_ms: int) -> Judgment:
    begin_ms = max(0, greeting.after_ms - since_ms)
    end_ms = greeting.after_ms + greeting.says_ms - since_ms
    initial_ms = min(INITIAL_SILENCE_MS, limit_ms)
    if end_ms <= begin_ms or begin_ms >= initial_ms:
        return Judgment(initial_ms, SILENT)
    if end_ms - begin_ms >= GREETING_MS:
        machine = Verdict(verdict=MachineVerdict.MACHINE, cause=f"LONGGREETING-{GREETING_MS}")
        return Judgment(begin_ms + GREETING_MS, machine)
    human = Verdict(verdict=MachineVerdict.HUMAN, cause=f"HUMAN-{AFTER_GREETING_MS}")
    return Judgment(end_ms + AFTER_GREETING_MS, human)


def quiet_ms(order: PlayPrompts, greeting: Greeting, since_ms: int) -> int:
    """How long such prompts wait that begin only behind a silence."""
    wanted_ms = order.after_silence_ms
    begin_ms = greeting.after_ms - since_ms
    end_ms = begin_ms + greeting.says_ms
    if wanted_ms <= 0 or end_ms <= 0 or not greeting.says_ms or begin_ms >= wanted_ms:
        return min(max(0, wanted_ms), LONGEST_MS)
    return min(end_ms + wanted_ms, LONGEST_MS)
