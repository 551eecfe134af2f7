"""The rows of one quarter of an hour, from the stories of calls and the changes of agents that touch it. Pure.

What belongs to which slot: a stay in a queue with all that came of it to the slot in which it began, a whole call (for
its entry point) to the one in which it came in, an agent's part with its whole talk, hold and wrap-up to the one in
which he took it, an offer to the one in which it ended. So the parts of a row add up, and an average is one of whole
calls. An agent's time in states is clipped: each slot holds what was spent in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from routing.app.reports.figures import Figures, Member, Subject
from routing.app.reports.story import ABANDONED, ANSWERED, Part, PastOffer, Story, Visit
from routing.core.agent import AgentState
from routing.core.config import RonaCause
from routing.core.intervals import SLOT_MS, clipped_ms
from routing.store.sql.report_values import Change

OUTDIAL = "outdial"
MISSED = "missed"
_MISSES = frozenset(cause.value for cause in RonaCause)

Rows = dict[Member, Figures]


def rows_of(slot_ms: int, stories: Iterable[Story], changes: Sequence[Change], now_ms: int) -> Rows:
    """Rows of the slot that begins at `slot_ms`. `changes`: of every agent the last one before it, and all within it,
    in order. What lasts on at `now_ms` has lasted until then.
    """
    made = _Slot(slot_ms, _by_agent(changes))
    for story in stories:
        made.story(story)
    made.states(min(now_ms, slot_ms + SLOT_MS))
    return {member: figures for member, figures in made.rows.items() if not figures.is_empty}


def _by_agent(changes: Sequence[Change]) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        found[change.agent_id].append(change)
    return found


@dataclass(slots=True)
class _Slot:
    slot_ms: int
    changes: Mapping[str, Sequence[Change]]
    rows: Rows = field(default_factory=lambda: defaultdict(Figures))

    def _holds(self, at_ms: int) -> bool:
        return self.slot_ms <= at_ms < self.slot_ms + SLOT_MS

    def story(self, story: Story) -> None:
        for index, visit in enumerate(story.visits):
            if self._holds(visit.begun_at_ms):
                figures = self.rows[Member(subject=Subject.QUEUE, id=visit.queue, kind=story.kind)]
                figures.take(visit)
                _handle(figures, story, [part for part in story.parts if part.visit == index])
        if self._holds(story.begun_at_ms) and story.entry_point and story.kind != OUTDIAL:
            figures = self.rows[Member(subject=Subject.ENTRY_POINT, id=story.entry_point, kind=story.kind)]
            figures.take(_as_one(story))
            _handle(figures, story, story.parts)
        for part in story.parts:
            if self._holds(_begin(part)):
                figures = self._agent(part.agent_id, _begin(part), story.kind)
                _handle(figures, story, [part])
                figures.consulted += part.was_consulted
                figures.consult_ms += part.consult_ms
                figures.transfers_in += part.is_transfer_in
                figures.transfers_out += part.transfers_out
        for offer in story.offers:
            if self._holds(offer.at_ms):
                self._offer(offer, story.kind)

    def _offer(self, offer: PastOffer, kind: str) -> None:
        """His row counts every offer, its queue's only those that were missed."""
        own = self._agent(offer.agent_id, offer.at_ms, kind)
        own.offered += 1
        if offer.outcome == ANSWERED:
            own.answered += 1
        elif offer.outcome == ABANDONED:
            own.abandoned += 1
        elif offer.outcome not in _MISSES:
            own.outcomes[offer.outcome] += 1
        else:
            own.outcomes[MISSED] += 1
            _miss(own, offer)
            if offer.queue:
                _miss(self.rows[Member(subject=Subject.QUEUE, id=offer.queue, kind=kind)], offer)

    def _agent(self, agent_id: str, at_ms: int, kind: str) -> Figures:
        team = self._team(agent_id, at_ms)
        return self.rows[Member(subject=Subject.AGENT, id=agent_id, team=team, kind=kind)]

    def _team(self, agent_id: str, at_ms: int) -> str:
        """As of his last change of state by then; of one who has none, that of his first."""
        changes = self.changes.get(agent_id, ())
        known = [change for change in changes if change.at_ms <= at_ms] or changes[:1]
        return (known[-1].team or "") if known else ""

    def states(self, until_ms: int) -> None:
        """Each agent's time from his changes; before the first one that is known he does not count."""
        for agent_id, changes in self.changes.items():
            ends = [change.at_ms for change in changes[1:]] + [max(until_ms, changes[-1].at_ms)]
            for change, end_ms in zip(changes, ends, strict=True):
                spent_ms = clipped_ms(change.at_ms, end_ms, self.slot_ms, until_ms)
                if spent_ms and change.state != AgentState.LOGGED_OUT.value:
                    member = Member(subject=Subject.AGENT, id=agent_id, team=change.team or "")
                    self.rows[member].states[_state(change)] += spent_ms


def _miss(figures: Figures, offer: PastOffer) -> None:
    figures.missed += 1
    figures.misses[offer.outcome] += 1


def _state(change: Change) -> str:
    is_idle = change.state == AgentState.IDLE.value and change.reason
    return f"{change.state}:{change.reason}" if is_idle else change.state


def _begin(part: Part) -> int:
    """When his own call began, else when he was asked for help."""
    return part.owned_at_ms if part.owned_at_ms is not None else part.joined_at_ms


def _handle(figures: Figures, story: Story, parts: Iterable[Part]) -> None:
    """Of every agent whose call it was."""
    for part in parts:
        if part.owned_at_ms is not None:
            figures.handled += 1
            figures.talk_ms += story.talk_ms(part)
            figures.hold_ms += story.hold_ms(part)
        figures.wrap_up_ms += part.wrap_up_ms


def _as_one(story: Story) -> Visit:
    """The whole call as one stay: it has waited as long as in all its queues together, until somebody answered.

    Its aim is that of the queue that it was in last; without any queue there was nothing to wait for.
    """
    waits: list[Visit] = []
    for visit in story.visits:
        waits.append(visit)
        if visit.outcome == ANSWERED:
            break
    waited_ms = sum(visit.wait_ms for visit in waits)
    whole = Visit(
        queue="",
        begun_at_ms=story.begun_at_ms,
        aim=next((visit.aim for visit in reversed(waits) if visit.aim), None),
        ended_at_ms=story.begun_at_ms + waited_ms if story.outcome is not None else None,
        outcome=story.outcome,
    )
    sent = sum(visit.transfers_out for visit in story.visits)
    return replace(whole, transfers_out=sent)
