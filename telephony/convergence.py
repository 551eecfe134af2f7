"""Brings the PBX to the wanted rooms, step by step, and says when they hold or cannot be reached."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from routing.core.commands import Ear, Room, SetRooms
from routing.core.facts import EarsReached, EarsRefused, Fact, RoomsReached, RoomsRefused
from telephony.answers import Answer, Answered, ignore
from telephony.ears import Listen, hearing, hold, prepared, seated
from telephony.goals import Goal, UnderWay
from telephony.legs import Leg, LegBook
from telephony.rooms import CONTEXT_ROOM, PROMPTING, Join, Move, Spots, Step, plan
from telephony.safety import UnsafeAction, word
from telephony.settings import PbxSettings
from telephony.wire import Action, Wire

log = structlog.get_logger(__name__)
RETRY_S = 0.03

Emit = Callable[[Fact], None]


class Convergence:
    """One goal per interaction, the newest. Steps of one leg never overlap; each waits for its event.

    `busy`: legs that somebody else moves. `settled` is told of rooms that hold or are given up.
    """

    def __init__(self, settings: PbxSettings, legs: LegBook, wire: Wire, emit: Emit) -> None:
        self._settings, self._legs, self._wire, self._emit = settings, legs, wire, emit
        self._goals: dict[str, Goal] = {}
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
        rooms = (room for goal in self._goals.values() if not goal.is_told for room in goal.wanted.rooms)
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
        goal = Goal(wanted)
        if older is not None:
            self._inherit(goal, older, older.under_way)
            older.stop()
        self._take_from_others(goal)
        self._goals[wanted.interaction_id] = goal
        # Later in this turn of the loop, so that a hang-up which comes with it is known by then.
        asyncio.get_running_loop().call_soon(self._advance, goal)

    def _inherit(self, goal: Goal, older: Goal, steps: list[UnderWay]) -> None:
        """A step under way is waited for, whoever asked for it."""
        for entry in list(steps):
            older.under_way.remove(entry)
            entry.timer.cancel()
            entry.timer = self._timer(goal, entry.step)
            goal.under_way.append(entry)

    def _take_from_others(self, goal: Goal) -> None:
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
        for goal in [g for g in self._goals.values() if not leg_ids.isdisjoint({*g.legs, *g.ears})]:
            self._advance(goal)

    def clear(self) -> None:
        """The link is gone: the core asks again."""
        for goal in self._goals.values():
            goal.stop()
        self._goals.clear()

    # ------------------------------------------------------------------ one goal

    def _advance(self, goal: Goal, *, is_patient: bool = True) -> None:
        if self._goals.get(goal.wanted.interaction_id) is not goal:
            return
        objection = self.objection(goal.wanted)
        if objection:
            self._end(goal, objection)
            return
        ears = self._live_ears(goal)
        rooms, listening = seated(goal.wanted.rooms, ears)
        spots = self._legs.spots([*goal.legs, *(ear.leg for ear in ears)])
        self._forget_done(goal, spots)
        busy = {leg for entry in goal.under_way for leg in entry.step.legs} | self.busy()
        heard = hearing(listening, spots, busy, self._uid)
        ready = prepared(rooms, listening if self._wire.is_mute_alone else (), spots, busy)
        busy |= {leg for step in heard.steps for leg in step.legs}
        next_ = plan(rooms, spots, busy, goal.wanted.interaction_id, is_patient=is_patient)
        if next_.is_falling and goal.patience is None:
            goal.patience = asyncio.get_running_loop().call_later(self._settings.step_timeout_s, self._hurry, goal)
        is_held = next_.is_reached or (bool(ears) and hold(goal.wanted.rooms, spots, goal.ears))
        if is_held and all(goal.is_of_ears(entry.step) for entry in goal.under_way):
            self._tell(goal)
        if goal.is_told and next_.is_reached and heard.is_reached and ready.is_reached and not goal.under_way:
            self._end(goal, "")
        for step in (*heard.steps, *ready.steps, *next_.steps) if goal.retry is None else ():
            self._do(goal, step)

    def _live_ears(self, goal: Goal) -> tuple[Ear, ...]:
        """Those that can listen. Who is gone, or was given up, is nobody that the others would wait for."""
        return tuple(
            ear
            for ear in goal.wanted.ears
            if ear.leg not in goal.deaf and self._can_listen(ear.leg) and (not ear.hears or self._legs.get(ear.hears))
        )

    def _can_listen(self, leg_id: str) -> bool:
        leg = self._legs.get(leg_id)
        return leg is not None and leg.is_up and not leg.is_returned and leg.hang_up_cause is None

    def _uid(self, leg_id: str) -> str:
        leg = self._legs.get(leg_id)
        return leg.uid if leg else leg_id

    def _forget_done(self, goal: Goal, spots: Spots) -> None:
        for entry in list(goal.under_way):
            if all(leg not in spots for leg in entry.step.legs) or self._is_done(entry, spots):
                entry.timer.cancel()
                goal.under_way.remove(entry)

    def _is_done(self, entry: UnderWay, spots: Spots) -> bool:
        step = entry.step
        if isinstance(step, Join):
            one, other = step.legs
            return one in spots and other in spots and spots[one].company == {other}
        return all(self._has_moved(step, leg_id, entry, spots) for leg_id in step.legs if leg_id in spots)

    def _has_moved(self, step: Move | Listen, leg_id: str, entry: UnderWay, spots: Spots) -> bool:
        spot, leg = spots[leg_id], self._legs.get(leg_id)
        if step.context == CONTEXT_ROOM:
            return spot.conference == step.exten
        arrived = (spot.context, spot.exten) == (step.context, step.exten)
        return leg is None or (arrived and leg.settled > entry.settled[leg_id])

    def _do(self, goal: Goal, step: Step | Listen) -> None:
        legs = [leg for leg_id in step.legs if (leg := self._legs.get(leg_id)) is not None]
        for leg in legs:
            self._take_over(leg, goal.wanted.interaction_id)
        entry = UnderWay(step, {leg.leg_id: leg.settled for leg in legs}, self._timer(goal, step))
        goal.under_way.append(entry)
        try:
            *first, action = self._actions(step, legs)
        except UnsafeAction as error:
            asyncio.get_running_loop().call_soon(self._answered, entry, Answer(Answered.ERROR, str(error)))
            return
        for preparation in first:
            self._wire.send(preparation, ignore)
        self._wire.send(action, lambda answer: self._answered(entry, answer))

    def _actions(self, step: Step | Listen, legs: list[Leg]) -> Sequence[Action]:
        """The answer to the last one counts. Raises UnsafeAction."""
        if isinstance(step, Join):
            self._hush(legs)
            return [self._wire.bridge(legs[0], legs[1])]
        if isinstance(step, Listen) and (other := self._legs.get(step.hears)) is not None:
            return self._wire.listen_at(legs[0], other, step.exten)
        return [self._wire.redirect(legs, step.context, step.exten)]

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

    def _timer(self, goal: Goal, step: Step | Listen) -> asyncio.TimerHandle:
        def overdue() -> None:
            entry = next((e for e in goal.under_way if e.step is step), None)
            if entry is not None:
                self._failed(goal, entry, "not confirmed in time")

        return asyncio.get_running_loop().call_later(self._settings.step_timeout_s, overdue)

    def _answered(self, entry: UnderWay, answer: Answer) -> None:
        if answer.how in (Answered.SUCCESS, Answered.CUT, Answered.OVERDUE):
            return  # the event counts, and the timer
        goal = next((g for g in self._goals.values() if entry in g.under_way), None)
        if goal is not None:
            self._failed(goal, entry, answer.text)

    def _failed(self, goal: Goal, entry: UnderWay, why: str) -> None:
        entry.timer.cancel()
        goal.under_way.remove(entry)
        interaction_id = goal.wanted.interaction_id
        log.warning("room_step_failed", interaction=interaction_id, step=type(entry.step).__name__, reason=why)
        if goal.is_of_ears(entry.step):
            goal.ear_failures += 1
            is_over = goal.ear_failures >= self._settings.step_attempts
        else:
            goal.failures += 1
            is_over = goal.failures >= self._settings.step_attempts
        if is_over and not self._give_up_ears(goal, why):
            goal.is_told = False  # not any more
            self._end(goal, why)
        elif goal.retry is None:
            failures = max(1, goal.failures, goal.ear_failures)
            goal.retry = asyncio.get_running_loop().call_later(RETRY_S * failures, self._retry, goal)

    def _give_up_ears(self, goal: Goal, why: str) -> bool:
        """Whatever went wrong, the rooms are tried once more without those who listen, if somebody does."""
        given_up = goal.ears - goal.deaf
        if not given_up:
            return False
        goal.deaf |= given_up
        goal.why, goal.failures, goal.ear_failures = why, 0, 0
        return True

    def _hurry(self, goal: Goal) -> None:
        """A leg that is alone in a bridge has not left it by itself."""
        goal.patience = None
        self._advance(goal, is_patient=False)

    def _retry(self, goal: Goal) -> None:
        goal.retry = None
        self._advance(goal)

    def _tell(self, goal: Goal) -> None:
        """The rooms hold; who listens may take longer."""
        if goal.is_told:
            return
        goal.is_told = True
        wanted = goal.wanted
        for leg in filter(None, map(self._legs.get, goal.legs)):
            self._take_over(leg, wanted.interaction_id)
        self._emit(RoomsReached(pbx=wanted.pbx, interaction_id=wanted.interaction_id, version=wanted.version))
        self.settled(wanted)

    def _end(self, goal: Goal, refusal: str) -> None:
        wanted = goal.wanted
        goal.stop()
        self._goals.pop(wanted.interaction_id, None)
        if not goal.is_told:
            ids = {"pbx": wanted.pbx, "interaction_id": wanted.interaction_id}
            self._emit(RoomsRefused(**ids, version=wanted.version, reason=refusal))
            self.settled(wanted)
        elif wanted.ears_version:
            self._tell_ears(goal, refusal)

    def _tell_ears(self, goal: Goal, refusal: str) -> None:
        wanted = goal.wanted
        pbx, interaction_id, version = wanted.pbx, wanted.interaction_id, wanted.ears_version
        missing = "" if len(self._live_ears(goal)) == len(wanted.ears) else "a leg is gone"
        if why := refusal or goal.why or missing:
            self._emit(EarsRefused(pbx=pbx, interaction_id=interaction_id, version=version, reason=why))
        else:
            self._emit(EarsReached(pbx=pbx, interaction_id=interaction_id, version=version))
