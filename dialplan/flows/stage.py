"""The world around a call that is played: a telephone system, agents, outside numbers and a CRM, in virtual time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from dialplan.flows.scenario import Answer, NumberAnswers, Script
from dialplan.flows.transcript import Asked, Transcript
from routing.core.commands import (
    Command,
    DialLeg,
    HangUpLeg,
    LookUp,
    LookUpKind,
    PlayPrompts,
    RecordMessage,
    ReturnLeg,
    SetRooms,
)
from routing.core.facts import (
    DialFailed,
    DialOutcome,
    EndedBy,
    Fact,
    LegAnswered,
    LegEnded,
    LegRinging,
    LookedUp,
    LookUpOutcome,
    MessageEnded,
    PromptsEnded,
    RoomsReached,
)
from routing.core.interaction import Interaction

PBX = "player"
FIRST_KEY_MS = 1000  # after the prompts
NEXT_KEY_MS = 400
HANG_UP = "hang up"
ANSWER_MS = 50  # of a look-up

Happening = tuple[int, Fact]


class Caller(Protocol):
    """Who decides while the call goes on."""

    def press(self, asked: Asked) -> str:
        """The keys that he presses at this place, empty: none, HANG_UP: he hangs up."""

    def answer(self, asked: Asked) -> Answer:
        """What a look-up gives."""


@dataclass(slots=True)
class ScriptedCaller:
    """`keys`: by `step`, `flow.step` or `queue.ID` what he presses there, time after time. `answers`: of look-ups."""

    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    _seen: dict[str, int] = field(default_factory=dict)

    def press(self, asked: Asked) -> str:
        name = next((name for name in asked.names if name in self.keys), "")
        number = self._seen[name] = self._seen.get(name, 0) + 1
        presses = self.keys.get(name, ())
        return presses[number - 1] if number <= len(presses) else ""

    def answer(self, asked: Asked) -> Answer:
        name = next((name for name in asked.names if name in self.answers), "")
        return self.answers[name] if name else Answer(failed="the scenario has no answer for it")

    def unused(self) -> Iterator[str]:
        """Places at which keys were left over: most likely a name is mistyped, or he never came there."""
        for name, presses in self.keys.items():
            if self._seen.get(name, 0) < len(presses):
                yield name


class Stage:
    """Answers commands. What it says happens after so many milliseconds, unless something prevents it."""

    def __init__(self, script: Script, caller: Caller, transcript: Transcript) -> None:
        self._script, self._caller, self._transcript = script, caller, transcript
        self._ringing: set[str] = set()
        self._has_talked = False
        self.is_open = False  # until then others call, and everybody answers at once
        self._wait_ms = -1

    def take(self, command: Command, now_ms: int, interaction: Interaction | None) -> list[Happening]:
        match command:
            case SetRooms():
                version = command.version
                return [(0, RoomsReached(pbx=PBX, interaction_id=command.interaction_id, version=version))]
            case DialLeg():
                return self._dial(command)
            case HangUpLeg():
                self._ringing.discard(command.leg_id)
                return [(0, LegEnded(pbx=PBX, leg_id=command.leg_id, ended_by=EndedBy.SERVER))]
            case ReturnLeg():
                self._transcript.returned(command.variables)
                return [(0, LegEnded(pbx=PBX, leg_id=command.leg_id, ended_by=EndedBy.DIALPLAN))]
            case PlayPrompts():
                return self._play(command, now_ms, interaction)
            case RecordMessage():
                return self._record(command, now_ms)
            case LookUp():
                return self._look_up(command, interaction)
        return []

    def still_happens(self, fact: Fact) -> bool:
        """A telephone that was taken back is silent."""
        if isinstance(fact, LegAnswered | DialFailed):
            was_ringing = fact.leg_id in self._ringing
            self._ringing.discard(fact.leg_id)
            return was_ringing
        return True

    def talks_first(self) -> bool:
        """Whether it is the first time that he talks with somebody."""
        is_first, self._has_talked = not self._has_talked, True
        return is_first

    def waits_first(self, since_ms: int) -> bool:
        """Whether this wait was not seen before."""
        is_new, self._wait_ms = since_ms != self._wait_ms, since_ms
        return is_new

    def _dial(self, command: DialLeg) -> list[Happening]:
        self._ringing.add(command.leg_id)
        happens: list[Happening] = [(0, LegRinging(pbx=PBX, leg_id=command.leg_id))]
        answer_ms = None if self._script.answer_s is None else self._script.answer_s * 1000
        answer_ms = answer_ms if self.is_open else 0
        if self._transcript.is_agents(command.phone):
            if answer_ms is not None:
                happens.append((answer_ms, LegAnswered(pbx=PBX, leg_id=command.leg_id)))
        elif self._script.number_answers is NumberAnswers.ANSWERED:
            happens.append((answer_ms or 0, LegAnswered(pbx=PBX, leg_id=command.leg_id)))
        else:
            outcome = DialOutcome(self._script.number_answers.value)
            delay_ms = command.timeout_s * 1000 if outcome is DialOutcome.NO_ANSWER else 1000
            happens.append((delay_ms, DialFailed(pbx=PBX, leg_id=command.leg_id, outcome=outcome)))
        return happens

    def _play(self, command: PlayPrompts, now_ms: int, interaction: Interaction | None) -> list[Happening]:
        takes_ms = self._transcript.plays(command, now_ms, interaction)
        ended = PromptsEnded(pbx=PBX, leg_id=command.leg_id, command_id=command.id)
        if command.keys is None or interaction is None or command.interaction_id != interaction.id:
            return [(takes_ms, ended)]
        pressed = self._caller.press(self._transcript.place(interaction))
        if pressed == HANG_UP:
            self._transcript.says(now_ms + takes_ms, "key", "hangs up")
            return [(takes_ms, LegEnded(pbx=PBX, leg_id=command.leg_id, ended_by=EndedBy.REMOTE))]
        digits, has_ended = _taken(pressed, command.keys.max_digits)
        if not digits and not has_ended:
            return [(takes_ms + command.keys.timeout_ms, ended)]
        pressed_ms = takes_ms + FIRST_KEY_MS + NEXT_KEY_MS * (len(pressed) - 1)
        self._transcript.says(now_ms + pressed_ms, "key", f"presses {pressed}")
        waits_ms = 0 if has_ended else command.keys.next_ms
        told = PromptsEnded(pbx=PBX, leg_id=command.leg_id, command_id=command.id, digits=digits)
        return [(pressed_ms + waits_ms, told)]

    def _record(self, command: RecordMessage, now_ms: int) -> list[Happening]:
        length_s = min(self._script.message_s, command.max_s)
        self._transcript.says(now_ms, "message", f"says something for {length_s} s" if length_s else "says nothing")
        told = MessageEnded(pbx=PBX, leg_id=command.leg_id, command_id=command.id, duration_ms=length_s * 1000)
        return [((length_s + (command.silence_s if length_s < command.max_s else 0)) * 1000, told)]

    def _look_up(self, command: LookUp, interaction: Interaction | None) -> list[Happening]:
        answer = self._answer(command, interaction)
        if answer.late:
            return []
        told = LookedUp(
            pbx=command.pbx,
            interaction_id=command.interaction_id,
            command_id=command.id,
            outcome=LookUpOutcome.FAILED if answer.failed else LookUpOutcome.DONE,
            reason=answer.failed,
            cad=dict(answer.cad),
            priority=answer.priority,
            requires=",".join(f"{skill}:{level}" for skill, level in answer.requires),
            preferred_agent=answer.preferred_agent,
            language=answer.language,
            is_blocked=command.kind is LookUpKind.DO_NOT_CALL and self._script.do_not_call,
        )
        return [(ANSWER_MS, told)]

    def _answer(self, command: LookUp, interaction: Interaction | None) -> Answer:
        """Of the do-not-call list the script says it; nobody else asks but he."""
        is_his = interaction is not None and interaction.id == command.interaction_id
        if command.kind is LookUpKind.DO_NOT_CALL or interaction is None or not is_his:
            return Answer()
        return self._caller.answer(self._transcript.place(interaction))


def _taken(pressed: str, most: int) -> tuple[str, bool]:
    """(the digits that count, whether they end the input at once), as a PBX takes them."""
    if most == 1:
        return pressed[:1], bool(pressed)
    digits, ends, _rest = pressed.partition("#")
    return digits[:most], bool(ends) or len(digits) >= most
