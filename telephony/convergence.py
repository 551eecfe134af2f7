"""Brings the PBX to the wanted rooms, step by step, and says when they hold or cannot be reached."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import structlog

from routing.core.commands import Room, SetRooms
from routing.core.facts import Fact, RoomsReached, RoomsRefused
from telephony.answers import Answer, Answered, ignore
from telephony.legs import Leg, LegBook
from telephony.rooms import CONTEXT_ROOM, PROMPTING, Join, Move, Spots, Step, plan
from telephony.safety import UnsafeAction, word
from telephony.settings import PbxSettings
from telephony.wire import Wire

log = structlog.get_logger(__name__)
RETRY_S = 0.03

Emit = Callable[[Fact], None]


@dataclass(eq=False, slots=True)
class _UnderWay:
    """A step that was sent; `settled` of its legs when it was."""

    step: Step
    settled: dict[str, int]
    timer: asyncio.TimerHandle


@dataclass(eq=False, slots=True)
class _Goal:
    wanted: SetRooms
    under_way: list[_UnderWay] = field(default_factory=list)
    failures: int = 0
    retry: asyncio.TimerHandle | None = None
    patience: asyncio.TimerHandle | None = None

    @property
    def legs(self) -> list[str]:
        return [leg for room in self.wanted.rooms for leg in room.legs]

    def stop(self) -> None:
        for entry in self.under_way:
            entry.timer.cancel()
        self.under_way.clear()
        for timer in (self.retry, self.patience):
            if timer is not None:
                timer.cancel()


class Convergence:
    """One goal per interaction, the newest. Steps of one leg never overlap; each waits for its event.

    `busy`: legs that somebody else moves. `settled` is told of rooms that hold or are given up.
    """

    def __init__(self, settings: PbxSettings, legs: LegBook, wire: Wire, emit: Emit) -> None:
        self._settings, self._legs, self._wire, self._emit = settings, legs, wire, emit
        self._goals: dict[str, _Goal] = {}
        self.busy: Callable[[], set[str]] = set
        self.settled: Callable[[SetRooms], None] = lambda _: None

    @property
    def is_idle(self) -> bool:
        return not self._goals

    def is_moving(self, leg_id: str) -> bool:
        """It is on its way to where it is wanted."""
        return self.way(leg_id) is not None

    def way(self, leg_id: str) -> Room | None:
        """The room that a leg is on its way to."""
        rooms = (room for goal in self._goals.values() for room in goal.wanted.rooms)
        return next((room for room in rooms if leg_id in room.legs), None)

    def objection(self, wanted: SetRooms) -> str:
        """Why these rooms can never be reached, or empty."""
        try:
            names = [wanted.interaction_id, *(room.name for room in wanted.rooms)]
            names += [room.music for room in wanted.rooms if room.music]
            word("_".join(names[:2]))
            for name in names:
                word(name)
        except UnsafeAction as error:
            return str(error)
        for leg_id in (leg for room in wanted.rooms for leg in room.legs):
            leg = self._legs.get(leg_id)
            if leg is None or leg.is_returned:
                return f"leg {leg_id} is gone"
            if not leg.is_up:
                return f"leg {leg_id} is not answered"
        return ""

    def want(self, wanted: SetRooms) -> None:
        """Start; replaces what was wanted for this interaction before. Ends in RoomsReached or RoomsRefused."""
        older = self._goals.pop(wanted.interaction_id, None)
        goal = _Goal(wanted)
        if older is not None:
            self._inherit(goal, older, older.under_way)
            older.stop()
        self._take_from_others(goal)
        self._goals[wanted.interaction_id] = goal
        # Later in this turn of the loop, so that a hang-up which comes with it is known by then.
        asyncio.get_running_loop().call_soon(self._advance, goal)

    def _inherit(self, goal: _Goal, older: _Goal, steps: list[_UnderWay]) -> None:
        """A step under way is waited for, whoever asked for it."""
        for entry in list(steps):
            older.under_way.remove(entry)
            entry.timer.cancel()
            entry.timer = self._timer(goal, entry.step)
            goal.under_way.append(entry)

    def _take_from_others(self, goal: _Goal) -> None:
        """A leg that goes from one interaction to another belongs to the one that has named it last."""
        taken = {*goal.legs}
        for other in [g for g in self._goals.values() if not taken.isdisjoint(g.legs)]:
            self._inherit(goal, other, [e for e in other.under_way if not taken.isdisjoint(e.step.legs)])
            kept = (
                replace(room, legs=tuple(leg for leg in room.legs if leg not in taken)) for room in other.wanted.rooms
            )
            other.wanted = replace(other.wanted, rooms=tuple(kept))
            asyncio.get_running_loop().call_soon(self._advance, other)

    def changed(self, leg_ids: set[str]) -> None:
        """Something happened to these legs."""
        for goal in [g for g in self._goals.values() if not leg_ids.isdisjoint(g.legs)]:
            self._advance(goal)

    def clear(self) -> None:
        """The link is gone: the core asks again."""
        for goal in self._goals.values():
            goal.stop()
        self._goals.clear()

    # ------------------------------------------------------------------ one goal

    def _advance(self, goal: _Goal, *, is_patient: bool = True) -> None:
        if self._goals.get(goal.wanted.interaction_id) is not goal:
            return
        objection = self.objection(goal.wanted)
        if objection:
            self._end(goal, objection)
            return
        spots = self._legs.spots(goal.legs)
        self._forget_done(goal, spots)
        busy = {leg for entry in goal.under_way for leg in entry.step.legs} | self.busy()
        next_ = plan(goal.wanted.rooms, spots, busy, goal.wanted.interaction_id, is_patient=is_patient)
        if next_.is_falling and goal.patience is None:
            goal.patience = asyncio.get_running_loop().call_later(self._settings.step_timeout_s, self._hurry, goal)
        if next_.is_reached and not goal.under_way:
            self._end(goal, "")
        for step in next_.steps if goal.retry is None else ():
            self._do(goal, step)

    def _forget_done(self, goal: _Goal, spots: Spots) -> None:
        for entry in list(goal.under_way):
            if all(leg not in spots for leg in entry.step.legs) or self._is_done(entry, spots):
                entry.timer.cancel()
                goal.under_way.remove(entry)

    def _is_done(self, entry: _UnderWay, spots: Spots) -> bool:
        step = entry.step
        if isinstance(step, Join):
            one, other = step.legs
            return one in spots and other in spots and spots[one].company == {other}
        return all(self._has_moved(step, leg_id, entry, spots) for leg_id in step.legs if leg_id in spots)

    def _has_moved(self, step: Move, leg_id: str, entry: _UnderWay, spots: Spots) -> bool:
        spot, leg = spots[leg_id], self._legs.get(leg_id)
        if step.context == CONTEXT_ROOM:
            return spot.conference == step.exten
        arrived = (spot.context, spot.exten) == (step.context, step.exten)
        return leg is None or (arrived and leg.settled > entry.settled[leg_id])

    def _do(self, goal: _Goal, step: Step) -> None:
        legs = [leg for leg_id in step.legs if (leg := self._legs.get(leg_id)) is not None]
        for leg in legs:
            self._take_over(leg, goal.wanted.interaction_id)
        if isinstance(step, Join):
            self._hush(legs)
            action = self._wire.bridge(legs[0], legs[1])
        else:
            action = self._wire.redirect(legs, step.context, step.exten)
        entry = _UnderWay(step, {leg.leg_id: leg.settled for leg in legs}, self._timer(goal, step))
        goal.under_way.append(entry)
        self._wire.send(action, lambda answer: self._answered(entry, answer))

    def _hush(self, legs: list[Leg]) -> None:
        """Who falls out of a bridge goes on where he was: not in the middle of prompts."""
        for leg in legs:
            if leg.context in PROMPTING:
                self._wire.send(self._wire.set_variable(leg, "SR_ASK", ""), ignore)

    def _take_over(self, leg: Leg, interaction_id: str) -> None:
        """The channel carries the interaction's id, so that a snapshot can tell it."""
        if leg.interaction_id != interaction_id:
            leg.interaction_id = interaction_id
            self._wire.send(self._wire.set_variable(leg, "SR_IID", interaction_id), ignore)

    def _timer(self, goal: _Goal, step: Step) -> asyncio.TimerHandle:
        def overdue() -> None:
            entry = next((e for e in goal.under_way if e.step is step), None)
            if entry is not None:
                self._failed(goal, entry, "not confirmed in time")

        return asyncio.get_running_loop().call_later(self._settings.step_timeout_s, overdue)

    def _answered(self, entry: _UnderWay, answer: Answer) -> None:
        if answer.how in (Answered.SUCCESS, Answered.CUT, Answered.OVERDUE):
            return  # the event counts, and the timer
        goal = next((g for g in self._goals.values() if entry in g.under_way), None)
        if goal is not None:
            self._failed(goal, entry, answer.text)

    def _failed(self, goal: _Goal, entry: _UnderWay, why: str) -> None:
        entry.timer.cancel()
        goal.under_way.remove(entry)
        goal.failures += 1
        interaction_id = goal.wanted.interaction_id
        log.warning("room_step_failed", interaction=interaction_id, step=type(entry.step).__name__, reason=why)
        if goal.failures >= self._settings.step_attempts:
            self._end(goal, why)
        elif goal.retry is None:
            goal.retry = asyncio.get_running_loop().call_later(RETRY_S * goal.failures, self._retry, goal)

    def _hurry(self, goal: _Goal) -> None:
        """A leg that is alone in a bridge has not left it by itself."""
        goal.patience = None
        self._advance(goal, is_patient=False)

    def _retry(self, goal: _Goal) -> None:
        goal.retry = None
        self._advance(goal)

    def _end(self, goal: _Goal, refusal: str) -> None:
        wanted = goal.wanted
        goal.stop()
        self._goals.pop(wanted.interaction_id, None)
        ids = {"pbx": wanted.pbx, "interaction_id": wanted.interaction_id}
        if refusal:
            self._emit(RoomsRefused(**ids, version=wanted.version, reason=refusal))
        else:
            for leg in filter(None, map(self._legs.get, goal.legs)):
                self._take_over(leg, wanted.interaction_id)
            self._emit(RoomsReached(**ids, version=wanted.version))
        self.settled(wanted)
