"""What must hold of records after every step: none is lost, called twice, or left with anybody."""

from __future__ import annotations

from collections import Counter

from routing.core.commands import DialLeg
from routing.core.effects import Effects
from routing.core.events import EventType
from routing.core.facts import LookedUp, LookUpOutcome
from routing.core.interaction import InteractionState
from routing.core.orders import AddRecords
from routing.core.record import RecordState
from routing.core.step import Input
from tests.sim.hall import Hall

_I, _E = InteractionState, EventType


class RecordLaws:
    """An observer. `added`, `released`: by claim; `shown`: records that are before an agent, or his."""

    def __init__(self) -> None:
        self.added: Counter[tuple[str, int]] = Counter()
        self.released: Counter[tuple[str, int]] = Counter()
        self.shown: set[str] = set()
        self.allowed: set[str] = set()
        self.attempts: Counter[str] = Counter()

    def __call__(self, hall: Hall, item: Input, effects: Effects) -> None:
        if isinstance(item, LookedUp) and item.outcome is LookUpOutcome.DONE and not item.is_blocked:
            self.allowed.add(item.interaction_id)
        if isinstance(item, AddRecords):
            known = hall.world.state.records
            claimed = {(c.id, c.claim) for c in item.records if c.id in known and known[c.id].card.claim == c.claim}
            self.added.update(claimed - set(self.added))
        for event in effects.events:
            self._event(event.type, str(event.values.get("record_id", "")), event.values)
        self._dials(hall, effects)
        _one_place(hall)
        for claim, count in self.released.items():
            assert count == 1, f"released {count} times: {claim}"
        held = {(r.id, r.card.claim) for r in hall.world.state.records.values()}
        assert held == set(self.added) - set(self.released), "a record is lost, or came from nowhere"

    def _event(self, type_: EventType, record_id: str, values: dict[str, object]) -> None:
        match type_:
            case _E.RECORD_SHOWN:
                assert record_id not in self.shown, f"shown twice: {record_id}"
                self.shown.add(record_id)
            case _E.RECORD_RETURNED:
                self.shown.discard(record_id)
            case _E.RECORD_RELEASED:
                self.shown.discard(record_id)
                claim = (record_id, int(str(values["claim"])))
                self.added.setdefault(claim, 1)  # came and went in one step
                self.released[claim] += 1
            case _E.ATTEMPT_STARTED | _E.ATTEMPT_ENDED:
                self.attempts[str(values["attempt_id"])] += 1 if type_ is _E.ATTEMPT_STARTED else -1

    def _dials(self, hall: Hall, effects: Effects) -> None:
        """Nobody is dialed unasked, and each question is good for one call."""
        for command in effects.commands:
            found = hall.world.state.interactions.get(command.interaction_id) if isinstance(command, DialLeg) else None
            call = found.campaign if found and found.state is _I.CALLING_CUSTOMER else None
            if call is not None:
                assert call.record_id in self.allowed, f"dialed unasked: {found}"
                self.allowed.discard(call.record_id)

    def check_end(self) -> None:
        """Whatever was begun is over."""
        assert not self.shown
        assert set(self.attempts.values()) <= {0}, f"attempts without their end: {self.attempts}"


def _one_place(hall: Hall) -> None:
    """Each is in exactly one place: the hopper, before its agent, in its call, or with who finishes it (PROG-06)."""
    state = hall.world.state
    holders = dict.fromkeys(state.records, 0)
    for interaction in state.interactions.values():
        call = interaction.campaign
        record = state.records.get(call.record_id) if call else None
        assert record or interaction.state not in (_I.PREVIEWING, _I.CALLING_AGENT) or interaction.kind != "campaign"
        if record and record.interaction_id == interaction.id:
            holders[record.id] += 1
    for agent in state.agents.values():
        for engagement in agent.engagements.values():
            if engagement.record_id:
                record = state.records[engagement.record_id]
                assert (record.agent_id, record.interaction_id) == (agent.id, engagement.interaction_id), record
                assert record.state is RecordState.FINISHING, record
                holders[record.id] += 1
    for record in state.records.values():
        is_free = record.state is RecordState.READY or (
            record.state is RecordState.CHECKING and not record.interaction_id
        )
        assert holders[record.id] == (not is_free), f"held by {holders[record.id]}: {record}"
        assert not is_free or not record.interaction_id, record
