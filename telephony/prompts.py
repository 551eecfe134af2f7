"""Prompts, messages and listening on legs that are alone: begun when nothing moves the leg, told when they are over.

The leg stands in a context of its own meanwhile, under the name of its music, and goes on to its room by itself. So it
counts as being in its room, and whatever moves it ends them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from routing.core.commands import DetectMachine, PlayPrompts, RecordMessage, Room, SetRooms
from routing.core.facts import Fact, LegEnded, PromptOutcome
from telephony.answers import Answer, Answered, ignore
from telephony.convergence import Convergence
from telephony.detection import GRACE_S, LATE, deadline_ms
from telephony.legs import Leg, LegBook, LegKind
from telephony.rooms import OURS, PROMPTING, place_of_prompts
from telephony.runs import Heard, Order, Run, Stage, ended
from telephony.safety import UnsafeAction
from telephony.settings import PbxSettings
from telephony.wire import Wire

RETRY_S = 0.05
REPLACED = "replaced by a newer one"


class Prompts:
    """Per leg one that runs and one that waits to replace it. `end` is told once per command."""

    def __init__(
        self,
        settings: PbxSettings,
        legs: LegBook,
        wire: Wire,
        emit: Callable[[Fact], None],
        end: Callable[[str, Answered, str], None],
        now: Callable[[], float],
        convergence: Convergence,
    ) -> None:
        self._settings, self._legs, self._wire, self._convergence = settings, legs, wire, convergence
        self._emit, self._end, self._now = emit, end, now
        self._running: dict[str, Run] = {}
        self._waiting: dict[str, Run] = {}

    def begin(self, order: Order) -> None:
        """Once the leg is at rest; replaces what plays there."""
        leg = self._legs.get(order.leg_id)
        if leg is None or not leg.is_up or leg.is_returned:
            self._end(order.id, Answered.ERROR, f"leg {order.leg_id} is gone")
            return
        older = self._waiting.pop(order.leg_id, None)
        if older is not None:
            self._refuse(older, REPLACED)
        self._waiting[order.leg_id] = Run(order, leg, self._convergence.way(order.leg_id))
        self._start(order.leg_id)

    @property
    def is_idle(self) -> bool:
        """All that was asked for has begun or come to nothing."""
        return not self._waiting and not self.busy()

    def busy(self) -> set[str]:
        """Legs that must not be moved before their dialplan has said where they are."""
        return {leg_id for leg_id, run in self._running.items() if run.stage is Stage.SENT}

    def is_announcing(self, leg_id: str) -> bool:
        """It plays, and waits for no digits and no silence."""
        run = self._running.get(leg_id)
        if run is None or run.stage is not Stage.PLAYING:
            return False
        return isinstance(run.order, PlayPrompts) and run.order.keys is None and not run.order.after_silence_ms

    # ------------------------------------------------------------------ what others tell

    def settled(self, wanted: SetRooms) -> None:
        """These rooms hold, or are given up."""
        for room in wanted.rooms:
            for leg_id in room.legs:
                run = self._waiting.get(leg_id)
                if run is not None and run.room is not None and not _is_same(run.room, room):
                    del self._waiting[leg_id]
                    self._refuse(run, "the leg was moved meanwhile")
                self._start(leg_id)

    def changed(self, leg_ids: Iterable[str]) -> None:
        """Something happened to these legs."""
        for leg_id in leg_ids:
            self._look_at_waiting(leg_id)
            self._look_at_running(leg_id)

    def recording(self, leg: Leg, command_id: str) -> None:
        """From now on the caller's words get into the file."""
        run = self._running.get(leg.leg_id)
        if run is not None and run.order.id == command_id:
            run.began_s = self._now()

    def heard(self, leg: Leg, heard: Heard) -> list[Fact]:
        """The dialplan is through with it."""
        run = self._running.get(leg.leg_id)
        if run is None or run.leg is not leg or run.order.id != heard.command_id:
            return []  # of one that was replaced or moved, or of another life of ours
        if run.stage is Stage.SENT:
            self._accept(run)
        outcome = PromptOutcome.FINISHED if heard.has_played else PromptOutcome.FAILED
        return self._finish(run, outcome, heard)

    def ahead_of(self, fact: Fact) -> list[Fact]:
        """What must be known before that: a message is complete when its leg is gone."""
        run = self._running.get(fact.leg_id) if isinstance(fact, LegEnded) else None
        if run is None or run.stage is not Stage.PLAYING or not isinstance(run.order, RecordMessage):
            return []
        return self._finish(run, PromptOutcome.FINISHED)

    def clear(self) -> None:
        """The link is gone: the core asks again for what it still wants."""
        runs, self._running, self._waiting = [*self._running.values(), *self._waiting.values()], {}, {}
        for run in runs:
            run.stop()
            if run.stage is not Stage.PLAYING:
                self._end(run.order.id, Answered.CUT, "the link was lost")

    # ------------------------------------------------------------------ one run

    def _start(self, leg_id: str) -> None:
        run, before = self._waiting.get(leg_id), self._running.get(leg_id)
        if run is None or self._convergence.way(leg_id) is not None or (before and before.stage is Stage.SENT):
            return
        if _is_landing(run.leg):
            return  # the answer is told a moment before the dialplan says where the leg is
        del self._waiting[leg_id]
        if before is not None:
            self._interrupt(before)
        run.stage = Stage.SENT
        self._running[leg_id] = run
        self._send(run)

    def _send(self, run: Run) -> None:
        spot = self._legs.spots([run.leg.leg_id]).get(run.leg.leg_id)
        place = place_of_prompts(spot) if spot is not None else ""
        if not place:
            self._give_up(run, Answered.ERROR, f"leg {run.leg.leg_id} is not alone in a room")
            return
        try:
            actions = self._actions(run, place)
        except UnsafeAction as error:
            self._give_up(run, Answered.ERROR, str(error))
            return
        run.attempts, run.settled = run.attempts + 1, run.leg.settled
        overdue = Answer(Answered.OVERDUE, "not confirmed in time")
        run.timer = asyncio.get_running_loop().call_later(self._settings.step_timeout_s, self._failed, run, overdue)
        for action in actions[:-1]:
            self._wire.send(action, ignore)
        self._wire.send(actions[-1], lambda answer: self._answered(run, answer))

    def _actions(self, run: Run, place: str) -> list[object]:
        if isinstance(run.order, PlayPrompts):
            return [*self._wire.play(run.leg, run.order, place)]
        if isinstance(run.order, DetectMachine):
            return [*self._wire.listen(run.leg, run.order, place)]
        return [*self._wire.record_message(run.leg, run.order, place)]

    def _answered(self, run: Run, answer: Answer) -> None:
        if answer.how in (Answered.ERROR, Answered.UNSENT):
            self._failed(run, answer)

    def _failed(self, run: Run, last: Answer) -> None:
        if self._running.get(run.leg.leg_id) is not run or run.stage is not Stage.SENT:
            return
        run.stop()
        if last.how is Answered.ERROR and run.attempts < self._settings.step_attempts:
            run.timer = asyncio.get_running_loop().call_later(RETRY_S, self._send, run)
        else:
            self._give_up(run, last.how, last.text)

    def _give_up(self, run: Run, how: Answered, why: str) -> None:
        """It has not begun."""
        self._forget(run)
        self._end(run.order.id, how, why)
        self._start(run.leg.leg_id)
        self._convergence.changed({run.leg.leg_id})

    def _refuse(self, run: Run, why: str) -> None:
        self._end(run.order.id, Answered.ERROR, why)

    def _accept(self, run: Run) -> None:
        run.stop()
        run.stage = Stage.PLAYING
        self._end(run.order.id, Answered.SUCCESS, "")
        if isinstance(run.order, DetectMachine):
            run.began_s = self._now()
            wait_s = deadline_ms(run.order) / 1000 + GRACE_S
            run.timer = asyncio.get_running_loop().call_later(wait_s, self._unheard, run)

    def _unheard(self, run: Run) -> None:
        """Its dialplan has not said anything; what it still says is not waited for."""
        if self._running.get(run.leg.leg_id) is run:
            for fact in self._finish(run, PromptOutcome.FINISHED, Heard(command_id=run.order.id, verdict=LATE)):
                self._emit(fact)

    def _look_at_waiting(self, leg_id: str) -> None:
        run = self._waiting.get(leg_id)
        if run is not None and (self._legs.get(leg_id) is not run.leg or run.leg.is_returned):
            del self._waiting[leg_id]
            self._refuse(run, f"leg {leg_id} is gone")
        elif run is not None:
            self._start(leg_id)

    def _look_at_running(self, leg_id: str) -> None:
        run = self._running.get(leg_id)
        if run is None:
            return
        if self._legs.get(leg_id) is not run.leg:
            self._leg_gone(run)
        elif run.stage is Stage.SENT:
            if run.leg.context in PROMPTING and run.leg.settled > run.settled:
                self._accept(run)
                self._start(leg_id)
                self._convergence.changed({leg_id})
        elif self._is_elsewhere(run.leg):
            self._interrupt(run)

    def _leg_gone(self, run: Run) -> None:
        if run.stage is Stage.SENT:
            self._forget(run)
            self._end(run.order.id, Answered.ERROR, f"leg {run.leg.leg_id} is gone")
        elif isinstance(run.order, RecordMessage):
            for fact in self._finish(run, PromptOutcome.FINISHED):
                self._emit(fact)
        else:
            self._forget(run)

    def _is_elsewhere(self, leg: Leg) -> bool:
        return leg.context not in PROMPTING or bool(self._legs.spots([leg.leg_id])[leg.leg_id].bridge)

    def _forget(self, run: Run) -> None:
        run.stop()
        if self._running.get(run.leg.leg_id) is run:
            del self._running[run.leg.leg_id]

    def _finish(self, run: Run, outcome: PromptOutcome, heard: Heard | None = None) -> list[Fact]:
        self._forget(run)
        return ended(run, self._now(), outcome, heard)

    def _interrupt(self, run: Run) -> None:
        for fact in self._finish(run, PromptOutcome.INTERRUPTED):
            self._emit(fact)


def _is_landing(leg: Leg) -> bool:
    return leg.kind is LegKind.DIALED and not leg.settled and not leg.context.startswith(OURS)


def _is_same(one: Room, other: Room) -> bool:
    return set(one.legs) == set(other.legs) and (len(one.legs) > 1 or one.music == other.music)
