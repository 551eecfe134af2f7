"""What became of everybody, minute by minute: both measures of abandonment, kept apart (DIALER-06).

A person counts in the minute in which he answered. *Late*: not connected within `max_wait_s` of the end of his
greeting, whatever else happens; persons taken for machines are late. *Gone*: hung up while waiting. Who waited for 1 s
and hung up is gone and not late; who waited for 5 s and was connected is late and not gone. Who hears the message and
is let go is late; he did not hang up.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from routing.sim.pacing.scene import Scene
from routing.sim.pacing.snapshot import COUNTERS

MINUTE_S = 60.0
_EPSILON = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One shift. Lists are per minute; `busy_s`, `logged_s` and `inflight` likewise. `counters` is what the policy
    was told; `people`, `late`, `gone` are what is true, of persons alone.

    `short_of_lines`: calls that were wanted and had no line. `let_go`: persons who heard the message.
    """

    people: list[int]
    late: list[int]
    gone: list[int]
    let_go: int
    dialed: list[int]
    inflight: list[float]
    busy_s: list[float]
    logged_s: list[float]
    counters: dict[str, int]
    connected_people: int
    wait_s: float
    short_of_lines: int
    warm_up_s: float
    inbound_lost: int = 0
    step_s: list[float] = field(default_factory=list)

    @property
    def abandonment(self) -> float:
        """The measure of the law: late ones of all persons who answered."""
        return sum(self.late) / max(1, sum(self.people))

    @property
    def hung_up(self) -> float:
        """The other measure: persons who hung up while waiting, of all who answered."""
        return sum(self.gone) / max(1, sum(self.people))

    @property
    def utilization(self) -> float:
        """Talk and wrap-up, of all logged-in time after the warm-up."""
        first = int(self.warm_up_s // MINUTE_S)
        return sum(self.busy_s[first:]) / max(_EPSILON, sum(self.logged_s[first:]))

    @property
    def agent_hours(self) -> float:
        return sum(self.logged_s) / 3600

    def over(self, target: float) -> float:
        """By how many calls the shift ended over its target; negative: so many were left."""
        return sum(self.late) - target * sum(self.people)


class Ledger:
    """Counts while a shift goes on."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.end = scene, scene.shift_s
        minutes = int(-(-scene.shift_s // MINUTE_S))
        self._last = minutes - 1
        self.people, self.late, self.gone, self.dialed = ([0] * minutes for _ in range(4))
        self.inflight, self.busy_s, self.logged_s = ([0.0] * minutes for _ in range(3))
        self.counters = dict.fromkeys(COUNTERS, 0)
        self.let_go = self.connected_people = self.short_of_lines = self.inbound_lost = 0
        self.wait_s = 0.0
        self.step_s: list[float] = []

    def minute(self, now: float) -> int:
        """What happens after the shift's end, in calls that began before it, counts in its last minute."""
        return min(self._last, int(now // MINUTE_S))

    def answers(self, at: float) -> None:
        self.people[self.minute(at)] += 1

    def connects(self, answered: float, waited: float) -> None:
        self.connected_people += 1
        self.wait_s += waited
        self._if_late(answered, waited)

    def hangs_up(self, answered: float, waited: float) -> None:
        self.gone[self.minute(answered)] += 1
        self._if_late(answered, waited)

    def lets_go(self, answered: float) -> None:
        """With the message, after `max_wait_s`."""
        self.let_go += 1
        self.late[self.minute(answered)] += 1

    def takes_for_machine(self, answered: float) -> None:
        """A person was hung up on."""
        self.late[self.minute(answered)] += 1

    def _if_late(self, answered: float, waited: float) -> None:
        if waited > self.scene.max_wait_s + _EPSILON:
            self.late[self.minute(answered)] += 1

    def works(self, start: float, end: float) -> None:
        _spread(self.busy_s, start, min(end, self.end))

    def is_logged(self, start: float, end: float) -> None:
        _spread(self.logged_s, start, min(end, self.end))

    def outcome(self) -> Outcome:
        ticks = MINUTE_S / self.scene.tick_s
        return Outcome(
            people=self.people,
            late=self.late,
            gone=self.gone,
            let_go=self.let_go,
            dialed=self.dialed,
            inflight=[total / ticks for total in self.inflight],
            busy_s=self.busy_s,
            logged_s=self.logged_s,
            counters=self.counters,
            connected_people=self.connected_people,
            wait_s=self.wait_s,
            short_of_lines=self.short_of_lines,
            warm_up_s=self.scene.warm_up_s,
            inbound_lost=self.inbound_lost,
            step_s=self.step_s,
        )


def _spread(minutes: list[float], start: float, end: float) -> None:
    """Add a span of time to the minutes that it touches."""
    while start < end:
        minute = int(start // MINUTE_S)
        until = min(end, (minute + 1) * MINUTE_S)
        minutes[minute] += until - start
        start = until
