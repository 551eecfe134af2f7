"""The server's events as a pacing policy is told them, and what is counted of them: pure.

The policy's calls are the attempts, by their ids; an agent's talk and wrap-up are timed from the events themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from routing.core.campaign import Verdict
from routing.core.campaign_rules import AttemptResult
from routing.core.events import Event, EventType

Tell = Callable[[float, str, dict[str, Any]], None]

# A result as the policy knows it; what is in none of these cannot be answered either.
_RESULTS = {
    AttemptResult.BUSY: "busy",
    AttemptResult.REJECTED: "busy",
    AttemptResult.MACHINE: "machine",
    AttemptResult.NO_ANSWER: "noanswer",
    AttemptResult.CANCELLED: "noanswer",
}
_OTHERWISE = "invalid"
_LIVE_ENDS = frozenset({AttemptResult.ANSWERED, AttemptResult.DROPPED, AttemptResult.ABANDONED})


@dataclass(slots=True, kw_only=True)
class Counted:
    """What was told so far. `begun`: when a call began that is not resolved, by attempt; `agents`: since when an agent
    does what he does (talk or wrap): both in ms UTC.
    """

    counters: dict[str, int] = field(default_factory=dict)
    begun: dict[str, int] = field(default_factory=dict)
    agents: dict[str, tuple[str, int]] = field(default_factory=dict)

    def add(self, name: str) -> None:
        self.counters[name] = self.counters.get(name, 0) + 1


class Teller:
    """Of one campaign. `started_ms`: the policy's zero. `counted` is changed."""

    def __init__(self, campaign: str, started_ms: int, counted: Counted, tell: Tell) -> None:
        self._campaign, self._started_ms, self.counted, self._tell = campaign, started_ms, counted, tell
        self._ways: dict[EventType, Callable[[Event], None]] = {
            EventType.ATTEMPT_STARTED: self._call_start,
            EventType.ATTEMPT_REACHED: self._reached,
            EventType.ATTEMPT_ENDED: self._ended,
            EventType.WRAP_UP_STARTED: self._talk_end,
            EventType.WRAP_UP_ENDED: self._wrap_end,
            EventType.CAMPAIGN_JOINED: lambda event: self._say(event, "agent_login", agent=event.agent_id),
            EventType.CAMPAIGN_LEFT: lambda event: self._say(event, "agent_logout", agent=event.agent_id),
        }

    def tell(self, events: Iterable[Event]) -> None:
        """In their order. Those of other campaigns, and of calls that began before its time, are passed over."""
        for event in events:
            way = self._ways.get(event.type)
            if way and event.values.get("campaign", self._campaign) == self._campaign:
                way(event)

    def _say(self, event: Event, kind: str, **data: Any) -> None:
        self._tell((event.at_ms - self._started_ms) / 1000, kind, data)

    def _call_start(self, event: Event) -> None:
        attempt = str(event.values["attempt_id"])
        self.counted.begun[attempt] = event.at_ms
        self.counted.add("dialed")
        self._say(event, "call_start", id=attempt)

    def _resolve(self, event: Event, attempt: str, result: str) -> None:
        begun_ms = self.counted.begun.pop(attempt, None)
        if begun_ms is None:
            return
        self.counted.add("resolved")
        self.counted.add(result)
        self._say(event, "call_result", id=attempt, result=result, elapsed=max(0, event.at_ms - begun_ms) / 1000)

    def _reached(self, event: Event) -> None:
        """A machine is told with the attempt's end."""
        attempt = str(event.values["attempt_id"])
        if event.values.get("verdict") != Verdict.MACHINE.value and attempt in self.counted.begun:
            self._resolve(event, attempt, "live")

    def _ended(self, event: Event) -> None:
        attempt, result = str(event.values["attempt_id"]), AttemptResult(str(event.values["result"]))
        if result not in _LIVE_ENDS:
            self._resolve(event, attempt, _RESULTS.get(result, _OTHERWISE))
            return
        self._resolve(event, attempt, "live")
        if result is AttemptResult.ANSWERED:
            self.counted.add("connected")
            self.counted.agents[event.agent_id] = ("talk", event.at_ms)
            waited_s = int(str(event.values.get("wait_ms") or 0)) / 1000
            self._say(event, "connected", wait=waited_s, agent=event.agent_id)
        if event.values.get("is_dropped"):
            self.counted.add("abandoned")
            self._say(event, "abandoned")

    def _talk_end(self, event: Event) -> None:
        if self._done(event, "talk", "talk_end"):
            self.counted.agents[event.agent_id] = ("wrap", event.at_ms)

    def _wrap_end(self, event: Event) -> None:
        """A queue without wrap-up tells only its end."""
        if not self._done(event, "wrap", "wrap_end"):
            self._done(event, "talk", "talk_end")

    def _done(self, event: Event, doing: str, kind: str) -> bool:
        was, since_ms = self.counted.agents.get(event.agent_id, ("", 0))
        if was != doing:
            return False
        del self.counted.agents[event.agent_id]
        self._say(event, kind, agent=event.agent_id, seconds=(event.at_ms - since_ms) / 1000)
        return True
