"""Facts of a connector, held against the one life that each leg, command and prompt has."""

from __future__ import annotations

from collections import Counter

from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    DialFailed,
    Fact,
    LegAnswered,
    LegArrived,
    LegEnded,
    LegState,
    LegTransferred,
    LinkRestored,
    MessageEnded,
    PromptsEnded,
    RoomsReached,
    RoomsRefused,
)


class Broken(AssertionError):
    """Something that must never be so."""


class Lives(list[Fact]):
    """Facts as a lab keeps them; raises `faults` against everything that breaks the life of a leg or a command."""

    def __init__(self) -> None:
        super().__init__()
        self.states: dict[str, str] = {}
        self.ends: Counter[str] = Counter()
        self.accepted: set[str] = set()
        self.heard: Counter[str] = Counter()
        self.rooms: dict[tuple[str, int], bool] = {}
        self.faults: list[str] = []

    def append(self, fact: Fact) -> None:
        super().append(fact)
        match fact:
            case CommandEnded():
                self._end(fact)
            case PromptsEnded() | MessageEnded():
                self.heard[fact.command_id] += 1
                self._hold(self.heard[fact.command_id] == 1 and fact.command_id in self.accepted, fact)
            case LegArrived():  # may be repeated by a snapshot
                self._hold(self.states.setdefault(fact.leg_id, "up") == "up", fact)
            case LegAnswered():
                self._turn(fact, fact.leg_id, ("dialing",), "up")
            case DialFailed():
                self._turn(fact, fact.leg_id, ("dialing", "missing"), "over")
            case LegEnded():
                self._turn(fact, fact.leg_id, ("up",), "over")
            case LegTransferred():
                self._hold(False, fact)
            case RoomsReached() | RoomsRefused():
                self.rooms[fact.interaction_id, fact.version] = isinstance(fact, RoomsReached)
            case LinkRestored():
                self._compare(fact)

    def _end(self, fact: CommandEnded) -> None:
        self.ends[fact.command_id] += 1
        self._hold(self.ends[fact.command_id] == 1, fact)
        if fact.outcome is CommandOutcome.SUCCEEDED:
            self.accepted.add(fact.command_id)

    def _hold(self, is_so: bool, fact: Fact) -> None:
        if not is_so:
            self.faults.append(repr(fact))

    def _turn(self, fact: Fact, leg_id: str, before: tuple[str, ...], after: str) -> None:
        self._hold(self.states.get(leg_id) in before, fact)
        self.states[leg_id] = after

    def _compare(self, fact: LinkRestored) -> None:
        """Legs end, and are answered, while nobody listens; nothing comes back to life."""
        there = {leg.leg_id: leg.state for leg in fact.legs}
        for leg_id, state in self.states.items():
            if leg_id not in there and state != "over":
                self.states[leg_id] = "missing" if state == "dialing" else "over"
            elif there.get(leg_id) is LegState.UP:
                self._hold(state in ("dialing", "up"), fact)
                self.states[leg_id] = "up"

    def living(self, *states: str) -> list[str]:
        return [leg_id for leg_id, state in self.states.items() if state in states]
