"""What became of every caller and what every agent did, written down while a replay runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from routing.core.commands import ReturnLeg
from routing.core.config import Result
from routing.core.effects import Effects
from routing.core.events import Event, EventType
from routing.core.facts import LegArrived
from routing.core.step import Input
from routing.core.world import World


class End(StrEnum):
    """TURNED_AWAY: not let in, e.g. the queue was full. LET_GO: sent elsewhere after a wait, e.g. its maximum was over.

    WAITING: still, when the replay ended.
    """

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    TURNED_AWAY = "turned_away"
    LET_GO = "let_go"
    WAITING = "waiting"


@dataclass(slots=True, kw_only=True)
class Course:
    """Of one caller. Times in ms UTC. `queue`: the first one he waited in. `wrapped_up_ms`: when his agent was free."""

    call_id: str
    at_ms: int
    queue: str = ""
    end: End = End.WAITING
    agent: str = ""
    waited_until_ms: int | None = None
    ended_ms: int | None = None
    wrapped_up_ms: int | None = None


class Doing(StrEnum):
    """BUSY: with a call or its wrap-up. FREE: available, also while his telephone rings. Neither: not at work."""

    BUSY = "busy"
    FREE = "free"
    AWAY = "away"


_DOING = {
    "connected": Doing.BUSY,
    "conference": Doing.BUSY,
    "consulting": Doing.BUSY,
    "held": Doing.BUSY,
    "wrap_up": Doing.BUSY,
    "available": Doing.FREE,
    "reserved": Doing.FREE,
}


class Ledger:
    """An observer. `from_ms`, `until_ms`: agents' time counts between these; `courses` has all callers, by call id.

    `agent_ms[agent][doing]`.
    """

    def __init__(self, from_ms: int, until_ms: int) -> None:
        self.courses: dict[str, Course] = {}
        self.agent_ms: defaultdict[str, defaultdict[Doing, int]] = defaultdict(lambda: defaultdict(int))
        self._from_ms, self._until_ms = from_ms, until_ms
        self._by_interaction: dict[str, Course] = {}
        self._since: dict[str, tuple[Doing, int]] = {}
        self._write: dict[EventType, Callable[[Event], None]] = {
            EventType.INTERACTION_ARRIVED: self._arrived,
            EventType.INTERACTION_QUEUED: self._queued,
            EventType.INTERACTION_CONNECTED: self._connected,
            EventType.INTERACTION_ENDED: self._ended,
            EventType.WRAP_UP_ENDED: self._wrapped_up,
            EventType.AGENT_STATE_CHANGED: self._agent_changed,
        }

    def __call__(self, world: World, item: Input, effects: Effects) -> None:
        if isinstance(item, LegArrived):
            self.courses[item.leg_id] = Course(call_id=item.leg_id, at_ms=world.now_ms)
        for event in effects.events:
            if write := self._write.get(event.type):
                write(event)
        if isinstance(item, LegArrived):
            self._turned_away(item, effects)

    def close(self) -> None:
        """The replay is over: agents are counted up to the end of the time that counts."""
        for agent in list(self._since):
            self._count(agent, self._until_ms)

    def _turned_away(self, item: LegArrived, effects: Effects) -> None:
        course = self.courses[item.leg_id]
        if any(isinstance(command, ReturnLeg) and command.leg_id == item.leg_id for command in effects.commands):
            queue = next((e.queue for e in effects.events if e.type is EventType.INTERACTION_ENDED), "")
            course.end, course.queue, course.waited_until_ms = End.TURNED_AWAY, course.queue or queue, course.at_ms

    def _arrived(self, event: Event) -> None:
        course = self.courses.get(str(event.values["leg_id"]))
        if course is not None:
            self._by_interaction[event.interaction_id] = course

    def _queued(self, event: Event) -> None:
        course = self._by_interaction.get(event.interaction_id)
        if course is not None and not course.queue:
            course.queue = event.queue

    def _connected(self, event: Event) -> None:
        course = self._by_interaction.get(event.interaction_id)
        if course is not None and course.waited_until_ms is None:
            course.end, course.agent, course.waited_until_ms = End.ANSWERED, event.agent_id, event.at_ms

    def _ended(self, event: Event) -> None:
        course = self._by_interaction.get(event.interaction_id)
        if course is None:
            return
        course.ended_ms = event.at_ms
        if course.waited_until_ms is None:
            is_abandoned = event.values["result"] == Result.ABANDONED.value
            course.end, course.waited_until_ms = End.ABANDONED if is_abandoned else End.LET_GO, event.at_ms

    def _wrapped_up(self, event: Event) -> None:
        if course := self._by_interaction.get(event.interaction_id):
            course.wrapped_up_ms = event.at_ms

    def _agent_changed(self, event: Event) -> None:
        self._count(event.agent_id, event.at_ms)
        self._since[event.agent_id] = (_DOING.get(str(event.values["state"]), Doing.AWAY), event.at_ms)

    def _count(self, agent: str, at_ms: int) -> None:
        doing, since_ms = self._since.get(agent, (Doing.AWAY, at_ms))
        self.agent_ms[agent][doing] += max(0, min(at_ms, self._until_ms) - max(since_ms, self._from_ms))
