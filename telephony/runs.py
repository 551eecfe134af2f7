"""One prompt, message or listening under way on a leg, and the fact that tells how it ended. Pure but for its timer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum, auto

from routing.core.commands import DetectMachine, PlayPrompts, RecordMessage, Room
from routing.core.facts import Fact, MachineDetected, MessageEnded, PromptOutcome, PromptsEnded
from telephony.detection import Verdict
from telephony.legs import Leg

# Shorter than this nobody has said anything: it is a click, a breath, the sound of hanging up.
SPEECH_MS = 1000

Order = PlayPrompts | RecordMessage | DetectMachine


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the dialplan says at the end. `has_played`: something could be played, or recorded.

    `silence_ms`: that ended a message; `duration_ms`: of what was said, where the PBX knows it. `verdict`: on who has
    answered.
    """

    command_id: str
    has_played: bool = True
    digits: str = ""
    silence_ms: int = 0
    duration_ms: int | None = None
    verdict: Verdict | None = None


class Stage(Enum):
    """WAITING: for the leg to come to rest. SENT: its dialplan has not said yet that it has begun. PLAYING: it has."""

    WAITING = auto()
    SENT = auto()
    PLAYING = auto()


@dataclass(eq=False, slots=True)
class Run:
    """`room`: where the leg was on its way to when this was asked; `began_s`: when a recording or listening did."""

    order: Order
    leg: Leg
    room: Room | None
    stage: Stage = Stage.WAITING
    attempts: int = 0
    settled: int = 0
    began_s: float | None = None
    timer: asyncio.TimerHandle | None = None

    def stop(self) -> None:
        if self.timer is not None:
            self.timer.cancel()


def ended(run: Run, now_s: float, outcome: PromptOutcome, heard: Heard | None) -> list[Fact]:
    """None of a listening that came to no verdict."""
    about = {"pbx": run.order.pbx, "leg_id": run.leg.leg_id, "command_id": run.order.id}
    if isinstance(run.order, PlayPrompts):
        return [PromptsEnded(**about, outcome=outcome, digits=heard.digits if heard else "")]
    if isinstance(run.order, RecordMessage):
        return [MessageEnded(**about, outcome=outcome, duration_ms=_said_ms(run, now_s, heard))]
    if heard is None or heard.verdict is None:
        return []
    found = heard.verdict
    return [MachineDetected(**about, verdict=found.verdict, cause=found.cause, took_ms=_since_ms(run, now_s))]


def _since_ms(run: Run, now_s: float) -> int:
    return round((now_s - run.began_s) * 1000) if run.began_s is not None else 0


def _said_ms(run: Run, now_s: float, heard: Heard | None) -> int:
    if run.began_s is None or (heard is not None and not heard.has_played):
        return 0
    said_ms = _since_ms(run, now_s) - (heard.silence_ms if heard else 0)
    if heard is not None and heard.duration_ms is not None:
        said_ms = heard.duration_ms
    return said_ms if said_ms >= SPEECH_MS else 0
