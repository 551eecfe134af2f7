"""Who is called and what becomes of it: drawn by the number of the call, so that every policy calls the same people."""

from __future__ import annotations

from collections import deque
from random import Random

from routing.sim.pacing.laws import Below
from routing.sim.pacing.scene import Amd, Scene

_MOST_RATE = 1.0
_DRAWS = 9
_RECORDS_FOR_S = 60.0  # a machine does not give up before


class Call:
    """One call that was started at `started`. Spans are seconds since then.

    `result`: what the policy is told at `resolves`; `is_person`: whether a person answered, at `answered`; `counts`:
    when his wait begins to count, the end of his greeting. `patience` counts from there, `handle` is talk and wrap-up.
    """

    __slots__ = (
        "answered",
        "counts",
        "id",
        "is_person",
        "patience",
        "resolves",
        "result",
        "started",
        "talk",
        "wrap_up",
    )

    def __init__(self, number: int, started: float) -> None:
        self.id, self.started = number, started
        self.result, self.is_person = "noanswer", False
        self.resolves = self.answered = self.counts = 0.0
        self.patience = self.talk = self.wrap_up = 0.0


class People:
    """Calls by number; `peek` shows what a later one would become if it were started now (for clairvoyants)."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.laws = scene, scene.laws
        self._uniform = Random(f"people/{scene.seed}").random  # noqa: S311 - a simulation, not a secret
        self._ahead: deque[tuple[float, ...]] = deque()
        self._ring = Below(scene.laws.ring, scene.ring_timeout_s)
        self._number = 0

    def rate(self, now: float) -> float:
        """Share of the calls started now that a person answers."""
        return min(_MOST_RATE, self.scene.answer_rate * self.scene.factor(now))

    def next(self, now: float) -> Call:
        number, luck = self._number, self._luck(0)
        self._ahead.popleft()
        self._number += 1
        return self._call(number, now, luck)

    def peek(self, ahead: int, now: float) -> Call:
        return self._call(self._number + ahead, now, self._luck(ahead))

    def puts_first(self, ahead: int, place: int) -> None:
        """Who would be called `ahead` from now is called at `place` (clairvoyants choose)."""
        luck = self._luck(ahead)
        del self._ahead[ahead]
        self._ahead.insert(place, luck)

    def passes_over(self, ahead: int) -> None:
        """Who would be called `ahead` from now is never called."""
        del self._ahead[ahead]

    def _luck(self, ahead: int) -> tuple[float, ...]:
        uniform = self._uniform
        while len(self._ahead) <= ahead:
            self._ahead.append(tuple([uniform() for _ in range(_DRAWS)]))
        return self._ahead[ahead]

    def _call(self, number: int, now: float, luck: tuple[float, ...]) -> Call:
        call = Call(number, now)
        result = self._result(now, luck[0])
        setup = self.laws.setup.at(luck[1])
        if result == "live":
            call.is_person = True
            self._answers(call, setup + self._ring.at(luck[2]), luck)
        elif result == "machine":
            self._answers(call, setup + min(self.laws.machine_ring.at(luck[2]), self.scene.ring_timeout_s), luck)
        else:
            call.result = result
            call.resolves = setup + self._goes_on(result, luck[2])
        return call

    def _result(self, now: float, share: float) -> str:
        rate = self.rate(now)
        if share < rate:
            return "live"
        share = (share - rate) / (1 - rate)
        for result, weight in self.scene.rest.items():
            if share < weight:
                return result
            share -= weight
        return "noanswer"

    def _goes_on(self, result: str, share: float) -> float:
        if result == "noanswer":
            return self.scene.ring_timeout_s
        return (self.laws.busy if result == "busy" else self.laws.invalid).at(share)

    def _answers(self, call: Call, answered: float, luck: tuple[float, ...]) -> None:
        """Somebody or something has answered: what the detection makes of it, and what an agent would hear."""
        scene, laws = self.scene, self.laws
        call.answered = call.counts = call.resolves = answered
        is_taken_for_person = call.is_person
        if scene.amd is Amd.OFF:
            is_taken_for_person = True
        elif scene.amd is Amd.REAL:
            call.counts += laws.greeting.at(luck[6])
            call.resolves = call.counts + laws.decision.at(luck[7])
            is_wrong = luck[8] < (scene.false_positives if call.is_person else scene.false_negatives)
            is_taken_for_person = call.is_person != is_wrong
        call.result = "live" if is_taken_for_person else "machine"
        if is_taken_for_person:
            call.patience = laws.patience.at(luck[3]) if call.is_person else _RECORDS_FOR_S
            call.talk = (laws.talk if call.is_person else laws.machine_talk).at(luck[4])
            call.wrap_up = laws.wrap_up.at(luck[5])
