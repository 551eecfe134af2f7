"""A bound that no policy can reach: it is told what each call will become and when each agent will be free."""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heapify, heapreplace
from math import inf
from typing import TYPE_CHECKING

from routing.sim.pacing.floor import IDLE, OUT
from routing.sim.pacing.snapshot import Snapshot

if TYPE_CHECKING:
    from routing.sim.pacing.shift import Shift


_SOON_S = 9.0  # from dialing to the answer
_SEEN = 4


class Clairvoyant:
    """For each agent who will be free somebody is called who will answer at that moment: not before the agent is free
    but for the time that the law leaves, and hardly after. Nobody else is called, neither who does not answer nor who
    takes long to answer, so that little is decided in advance.

    Its abandonment is next to nothing: with all known, the budget of abandoned calls buys nothing more. What it lacks
    of 100 % are the first calls of agents who come (nobody can be called before), and a lack of lines.
    """

    wants_lists = False

    def __init__(self, told: Mapping[str, object]) -> None:
        self._lead = max(0.0, float(str(told["max_wait"])) - float(str(told["tick"])) / 10)
        self._coming: list[tuple[float, float]] = []
        self._shift: Shift | None = None

    def sees_all(self, shift: Shift) -> None:
        self._shift = shift

    def step(self, now: float, snap: Snapshot) -> int:
        shift = self._shift
        if shift is None:
            raise RuntimeError("a clairvoyant is shown the shift before it begins")
        free = self._free(shift, now)
        started = 0
        while free and started < snap.lines_free:
            chosen = self._fitting(shift, now, started, free[0] - self._lead)
            if chosen is None:
                break
            shift.people.puts_first(chosen, started)
            call = shift.people.peek(started, now)
            self._coming.append((now + call.resolves, call.talk + call.wrap_up))
            heapreplace(free, max(free[0], now + call.resolves) + call.talk + call.wrap_up)
            started += 1
        return started

    def _fitting(self, shift: Shift, now: float, first: int, earliest: float) -> int | None:
        """Whom to call so that he answers as soon as possible after `earliest`; None: it is too early for anybody."""
        place, best = first, (inf, -1)
        while place < first + _SEEN:
            call = shift.people.peek(place, now)
            if call.result != "live" or not call.is_person or call.resolves > _SOON_S:
                shift.people.passes_over(place)
                continue
            if now + call.resolves >= earliest:
                best = min(best, (call.resolves, place))
            place += 1
        return best[1] if best[1] >= 0 else None

    def _free(self, shift: Shift, now: float) -> list[float]:
        """When each agent will be free, all calls that will be answered done."""
        staying = [agent for agent in shift.floor.agents if agent.state != OUT and not agent.wants_out]
        free = [now if agent.state == IDLE else agent.free_at for agent in staying]
        heapify(free)
        self._coming = sorted(call for call in self._coming if call[0] > now)
        waiting = [(now, call.talk + call.wrap_up) for call in shift.waiting.values()]
        if free:
            for answered, handle in waiting + self._coming:
                heapreplace(free, max(free[0], answered) + handle)
        return free
