"""Prompts that play to channels, the keys that are pressed at them, and messages that are spoken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random

from routing.core.commands import DetectMachine, PlayPrompts, RecordMessage
from routing.core.facts import Fact, LegState, MachineDetected, MessageEnded, PromptOutcome, PromptsEnded
from telephony.runs import SPEECH_MS, Order
from telephony.safety import UnsafeAction, language, message, sound, word
from telephony.simulated.channel import Channel, Mark, Place
from telephony.simulated.clock import Timer, VirtualClock
from telephony.simulated.listening import Judgment, judge, quiet_ms
from telephony.simulated.recordings import Recordings
from telephony.simulated.rooms import Rooms

BEEP_MS = 400


@dataclass(eq=False, slots=True)
class _Run:
    """`began_ms`, `silent_ms`: since when a message is recorded, and nobody speaks.

    `is_disowned`: who asked for it has lost the link, and whoever comes does not know of it.
    """

    order: Order
    channel: Channel
    left: list[str] = field(default_factory=list)
    digits: str = ""
    has_played: bool = False
    is_over: bool = False
    is_disowned: bool = False
    began_ms: int | None = None
    silent_ms: int | None = None
    timers: list[Timer] = field(default_factory=list)

    def stop(self) -> None:
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()


class Prompts:
    """`lengths_ms`: of prompts by the name they are asked for, `length_ms`: of all others; `missing`: no such file.

    `hang_up`: what a caller does who has had enough.
    """

    def __init__(
        self,
        clock: VirtualClock,
        rooms: Rooms,
        recordings: Recordings,
        random: Random,
        tell: Callable[[Fact], None],
        hang_up: Callable[[Channel], None],
    ) -> None:
        self._clock, self._rooms, self._recordings, self._random = clock, rooms, recordings, random
        self._tell, self._hang_up = tell, hang_up
        self._runs: dict[str, _Run] = {}
        self.length_ms = 2_000
        self.lengths_ms: dict[str, int] = {}
        self.missing: set[str] = set()

    def begin(self, order: Order, channel: Channel | None) -> str:
        """Replaces what plays there. Returns why not, or ""."""
        if channel is None or channel.state is not LegState.UP or channel.place is Place.DIALPLAN:
            return f"leg {order.leg_id} is gone"
        if channel.place is not Place.OWN or self._rooms.hears(channel).parties:
            return f"leg {order.leg_id} is not alone in a room"
        try:
            _check(order)
        except UnsafeAction as error:
            return str(error)
        self.interrupt(channel)
        run = self._runs[channel.leg_id] = _Run(order, channel)
        self._in(run, 0, lambda: self._begin(run))
        return ""

    def is_at(self, channel: Channel) -> bool:
        """It hears prompts or is asked for keys or a message, and nothing of its room."""
        return channel.leg_id in self._runs

    def interrupt(self, channel: Channel) -> None:
        """It was moved, or gets other ones."""
        run = self._runs.get(channel.leg_id)
        if run is not None:
            self._end(run, PromptOutcome.INTERRUPTED)

    def gone(self, channel: Channel) -> None:
        """A message is complete when its leg is gone; prompts are forgotten."""
        run = self._runs.get(channel.leg_id)
        if run is None:
            return
        if isinstance(run.order, RecordMessage):
            self._end(run, PromptOutcome.FINISHED)
        else:
            self._forget(run)

    def disown(self) -> None:
        """Nobody who is told of it would know what is meant: they play on, and that is all."""
        for run in self._runs.values():
            run.is_disowned = True

    def press(self, channel: Channel, digit: str) -> None:
        """One key at the caller's telephone; without effect where nobody asks."""
        run = self._runs.get(channel.leg_id)
        if run is None:
            return
        if isinstance(run.order, RecordMessage):
            if run.began_ms is not None:
                self._end(run, PromptOutcome.FINISHED)
        elif isinstance(run.order, PlayPrompts) and run.order.keys is not None:
            self._take(run, digit)

    def speak(self, channel: Channel, is_speaking: bool) -> None:
        """From now on something, or nothing, is to be heard from there."""
        channel.is_speaking = is_speaking
        run = self._runs.get(channel.leg_id)
        if run is not None and run.began_ms is not None:
            self._listen(run)

    # ------------------------------------------------------------------ prompts

    def _begin(self, run: _Run) -> None:
        order, since_ms = run.order, self._clock.now_ms - run.channel.answered_ms
        if isinstance(order, RecordMessage):
            self._in(run, BEEP_MS, lambda: self._record(run))
        elif isinstance(order, DetectMachine):
            judgment = judge(order, run.channel.greeting, since_ms)
            self._in(run, judgment.at_ms, lambda: self._judged(run, judgment))
        elif order.after_silence_ms > 0:
            self._in(run, quiet_ms(order, run.channel.greeting, since_ms), lambda: self._play(run, order))
        else:
            self._play(run, order)

    def _judged(self, run: _Run, judgment: Judgment) -> None:
        self._forget(run)
        pbx, leg_id, command_id, found = run.order.pbx, run.order.leg_id, run.order.id, judgment.found
        about = {"pbx": pbx, "leg_id": leg_id, "command_id": command_id, "cause": found.cause}
        self._tell_asker(run, MachineDetected(**about, verdict=found.verdict, took_ms=judgment.at_ms))

    def _play(self, run: _Run, order: PlayPrompts) -> None:
        run.left = [name for name in order.prompts if self._is_there(name)]
        run.has_played = bool(run.left) or not order.prompts
        self._expect(run, order)
        self._play_next(run)

    def _is_there(self, name: str) -> bool:
        file = message(name)
        return file in self._recordings.files if file else name not in self.missing

    def _length_ms(self, name: str) -> int:
        marks = self._recordings.files.get(message(name), [])
        return marks[-1].at_ms - marks[0].at_ms if marks else self.lengths_ms.get(name, self.length_ms)

    def _expect(self, run: _Run, order: PlayPrompts) -> None:
        """What this caller is going to do."""
        press = run.channel.listener.press(order.prompts, order.keys, self._random)
        if press is None:
            return
        at_ms = press.after_ms
        for digit in press.digits:
            self._clock.call_later(at_ms, partial(self._press_at, run, digit))
            at_ms += press.between_ms
        if press.hangs_up:
            self._clock.call_later(at_ms, partial(self._leave, run))

    def _press_at(self, run: _Run, digit: str) -> None:
        if self._runs.get(run.channel.leg_id) is run:
            self.press(run.channel, digit)

    def _leave(self, run: _Run) -> None:
        if run.channel.is_live and not run.is_over:
            self._hang_up(run.channel)

    def _play_next(self, run: _Run) -> None:
        if run.left:
            name = run.channel.prompt = run.left.pop(0)
            self._in(run, self._length_ms(name), lambda: self._play_next(run))
            return
        run.channel.prompt = ""
        keys = run.order.keys if isinstance(run.order, PlayPrompts) else None
        if keys is None or not run.has_played:
            self._end(run, PromptOutcome.FINISHED if run.has_played else PromptOutcome.FAILED)
        else:
            self._in(run, keys.timeout_ms, lambda: self._end(run, PromptOutcome.FINISHED))

    def _take(self, run: _Run, digit: str) -> None:
        keys = run.order.keys if isinstance(run.order, PlayPrompts) else None
        if keys is None:
            return
        run.stop()
        run.left, run.channel.prompt, run.has_played = [], "", True
        is_end = digit == "#" and keys.max_digits > 1
        run.digits += "" if is_end else digit
        if is_end or len(run.digits) >= keys.max_digits:
            self._end(run, PromptOutcome.FINISHED)
        else:
            self._in(run, keys.next_ms, lambda: self._end(run, PromptOutcome.FINISHED))

    # ------------------------------------------------------------------ messages

    def _record(self, run: _Run) -> None:
        assert isinstance(run.order, RecordMessage)  # noqa: S101 - by construction
        run.began_ms = self._clock.now_ms
        self._listen(run)
        longest_ms = run.order.max_s * 1000
        run.timers.append(self._clock.call_later(longest_ms, lambda: self._end(run, PromptOutcome.FINISHED)))
        speech = run.channel.listener.speak(self._random)
        if speech is not None:
            then = self._leave if speech.hangs_up else self._hush
            self._clock.call_later(speech.says_ms, partial(then, run))

    def _hush(self, run: _Run) -> None:
        if not run.is_over:
            self.speak(run.channel, False)

    def _listen(self, run: _Run) -> None:
        order, now_ms = run.order, self._clock.now_ms
        assert isinstance(order, RecordMessage)  # noqa: S101 - by construction
        heard = frozenset({run.channel.party}) if run.channel.is_speaking else frozenset[str]()
        self._recordings.files.setdefault(order.file, []).append(Mark(now_ms, heard))
        if run.channel.is_speaking:
            run.silent_ms = None
        elif run.silent_ms is None:
            run.silent_ms = now_ms
            if order.silence_s:
                self._clock.call_later(order.silence_s * 1000, lambda: self._silent_since(run, now_ms))

    def _silent_since(self, run: _Run, since_ms: int) -> None:
        if not run.is_over and run.silent_ms == since_ms:
            silence_ms = self._clock.now_ms - since_ms
            self._end(run, PromptOutcome.FINISHED, silence_ms)

    # ------------------------------------------------------------------ the end

    def _in(self, run: _Run, delay_ms: int, call: Callable[[], None]) -> None:
        run.timers.append(self._clock.call_later(delay_ms, call))

    def _forget(self, run: _Run) -> None:
        run.stop()
        run.is_over, run.channel.prompt = True, ""
        if self._runs.get(run.channel.leg_id) is run:
            del self._runs[run.channel.leg_id]

    def _end(self, run: _Run, outcome: PromptOutcome, silence_ms: int = 0) -> None:
        self._forget(run)
        pbx, leg_id, command_id = run.order.pbx, run.order.leg_id, run.order.id
        if isinstance(run.order, PlayPrompts):
            digits = run.digits if outcome is PromptOutcome.FINISHED else ""
            ended = PromptsEnded(pbx=pbx, leg_id=leg_id, command_id=command_id, outcome=outcome, digits=digits)
            self._tell_asker(run, ended)
        elif isinstance(run.order, RecordMessage):
            self._end_message(run, run.order, outcome, silence_ms)

    def _end_message(self, run: _Run, order: RecordMessage, outcome: PromptOutcome, silence_ms: int) -> None:
        said_ms = self._clock.now_ms - run.began_ms - silence_ms if run.began_ms is not None else 0
        if run.began_ms is not None:
            self._recordings.files[order.file].append(Mark(self._clock.now_ms, is_end=True))
        said_ms = said_ms if said_ms >= SPEECH_MS else 0
        told = MessageEnded(
            pbx=order.pbx, leg_id=order.leg_id, command_id=order.id, outcome=outcome, duration_ms=said_ms
        )
        self._tell_asker(run, told)

    def _tell_asker(self, run: _Run, fact: Fact) -> None:
        if not run.is_disowned:
            self._tell(fact)


def _check(order: Order) -> None:
    if isinstance(order, RecordMessage):
        word(order.file)
    elif isinstance(order, PlayPrompts):
        _check_prompts(order)


def _check_prompts(order: PlayPrompts) -> None:
    language(order.language)
    for name in order.prompts:
        if not message(name):
            sound(name)
