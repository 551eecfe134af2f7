"""Live figures (ROUTE-13): every step's events are counted for queues and agents, by the definitions of reports.

A stay in a queue counts in the day and the quarter of an hour in which it began, as in reports; talk, hold and wrap-up
when they are over, an agent's states as they pass. Only callers count for a queue: a callback waits without waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from routing.core.config import Result, RonaCause
from routing.core.events import Event, EventType
from routing.core.flow import StepKind
from routing.core.interaction import Interaction, OfferEnd, OfferPurpose, Role
from routing.core.tallies import AGENT, NOTHING, QUEUE, STAY, Count, Figures, Place, Sheet, Stay, new_agent
from routing.core.treatment import OverflowCause, ServiceLevel
from routing.core.world import World

INBOUND = "inbound"
# How much of what was learned is left after one more: about the last 100 calls and 200 waits count.
KEPT_CALLS, KEPT_WAITS = 0.99, 0.995

_DOING: dict[str, Count] = {
    "available": Count.READY_MS,
    "reserved": Count.READY_MS,
    "seated": Count.READY_MS,
    "connected": Count.TALK_MS,
    "conference": Count.TALK_MS,
    "consulting": Count.TALK_MS,
    "held": Count.HOLD_MS,
    "wrap_up": Count.WRAP_UP_MS,
}
# Plain numbers: looking up members of an enumeration costs more than adding.
_HANDLED, _BUSY, _ABANDONED, _WAITED = map(int, (Place.HANDLED, Place.BUSY_MS, Place.ABANDONED, Place.WAITED_MS))
_DOES, _SINCE = int(Place.DOING), int(Place.SINCE_MS)
_ANSWERED, _OWNER = OfferEnd.ANSWERED.value, Role.OWNER.value
# The agent's telephone is rung for a call that he is to make, or for none yet.
_NO_OFFERS = frozenset({OfferPurpose.OUTDIAL.value, OfferPurpose.SEAT.value})
_QUEUE_STEP = StepKind.QUEUE.value
_CAUSES = frozenset(cause.value for cause in OverflowCause)
_MISSES = frozenset(cause.value for cause in RonaCause)


def count(world: World) -> None:
    """Count what this step has told. Call it once, at the end of the step."""
    effects = world.effects
    if effects.config_changed:
        _forget(world)
    step: _Step | None = None
    for event in effects.events:
        if take := _TAKERS.get(event.type):
            step = step or _Step(world)
            take(step, event)
    if step:
        step.write()


def _forget(world: World) -> None:
    """Figures of queues and agents that are no longer configured."""
    known = {QUEUE + queue for queue in world.config.queues} | {AGENT + agent for agent in world.config.agents}
    for key in sorted(world.state.figures.keys() - known):
        if not key.startswith(STAY):
            world.put_figure(key, None)


class _Step:
    """What one step's events change, written once at its end."""

    def __init__(self, world: World) -> None:
        self._world, self._now_ms = world, world.now_ms
        self._sheets: dict[str, Sheet] = {}
        self._stays: dict[str, Stay | None] = {}
        self._wrapped_up_ms: dict[str, int] = {}

    def write(self) -> None:
        for key, sheet in self._sheets.items():
            self._world.put_figure(key, sheet.figures())
        for interaction_id, stay in self._stays.items():
            self._world.put_figure(STAY + interaction_id, stay)

    # ------------------------------------------------------------------ whose

    def _queue(self, queue_id: str) -> Sheet:
        key = QUEUE + queue_id
        return self._sheets.get(key) or self._opened(key, self._known(key))

    def _agent(self, agent_id: str) -> Sheet:
        key = AGENT + agent_id
        if found := self._sheets.get(key):
            return found
        zone = self._world.config.time_zone
        return self._opened(key, self._known(key) or new_agent(self._now_ms, zone))

    def _known(self, key: str) -> Figures | None:
        found = self._world.state.figures.get(key)
        return found if isinstance(found, Figures) else None

    def _opened(self, key: str, known: Figures | None) -> Sheet:
        found = self._sheets[key] = Sheet(known, self._now_ms, self._world.config.time_zone)
        return found

    def _stay(self, interaction_id: str) -> Stay | None:
        if interaction_id in self._stays:
            return self._stays[interaction_id]
        found = self._world.state.figures.get(STAY + interaction_id)
        return found if isinstance(found, Stay) else None

    def _interaction(self, interaction_id: str) -> Interaction | None:
        """As it is after the step, or was when it ended in it."""
        world = self._world
        return world.state.interactions.get(interaction_id) or world.effects.ended.get(interaction_id)

    # ------------------------------------------------------------------ stays in queues

    def queued(self, event: Event) -> None:
        interaction, stay = self._interaction(event.interaction_id), self._stay(event.interaction_id)
        if interaction is None or interaction.kind != INBOUND:
            return
        if stay and stay.is_open and stay.queue == event.queue:
            return
        self._close(event.interaction_id, stay, Count.LET_GO)
        self._stays[event.interaction_id] = Stay(queue=event.queue, begun_at_ms=event.at_ms)

    def left(self, event: Event) -> None:
        """The queue let him go, or a flow took him."""
        stay = self._stay(event.interaction_id)
        if stay and stay.is_open:
            self._close(event.interaction_id, stay, Count.LET_GO)
        elif event.type is not EventType.FLOW_ENTERED:
            self._turned_away(event)

    def flow_step(self, event: Event) -> None:
        """A flow's queue step is left by the cause for which the queue has let the caller go."""
        if event.values.get("do") == _QUEUE_STEP and event.values.get("exit") in _CAUSES:
            self.left(event)

    def connected(self, event: Event) -> None:
        self._close(event.interaction_id, self._stay(event.interaction_id), Count.ANSWERED)

    def ended(self, event: Event) -> None:
        stay = self._stay(event.interaction_id)
        if not event.interaction_id:
            self._turned_away(event)
        elif stay:
            is_given_up = event.values["result"] == Result.ABANDONED.value
            self._close(event.interaction_id, stay, Count.ABANDONED if is_given_up else Count.LET_GO)
            self._stays[event.interaction_id] = None

    def _turned_away(self, event: Event) -> None:
        if event.queue:
            self._queue(event.queue).add(Count.LET_GO, 1, event.at_ms)

    def _close(self, interaction_id: str, stay: Stay | None, outcome: Count) -> None:
        if stay is None or not stay.is_open:
            return
        self._stays[interaction_id] = replace(stay, is_open=False)
        sheet, begun_at_ms, waited_ms = self._queue(stay.queue), stay.begun_at_ms, self._now_ms - stay.begun_at_ms
        sheet.add(outcome, 1, begun_at_ms)
        sheet.longest(Count.LONGEST_WAIT_MS, waited_ms, begun_at_ms)
        if outcome is Count.ANSWERED:
            sheet.add(Count.ANSWER_WAIT_MS, waited_ms, begun_at_ms)
            sheet.add(Count.ANSWERED_WITHIN, waited_ms <= self._aim(stay.queue).within_s * 1000, begun_at_ms)
        elif outcome is Count.ABANDONED:
            is_short = waited_ms <= self._aim(stay.queue).short_abandon_s * 1000
            sheet.add(Count.SHORT_ABANDONED, is_short, begun_at_ms)
        row = sheet.row
        row[_WAITED] = row[_WAITED] * KEPT_WAITS + waited_ms
        row[_ABANDONED] = row[_ABANDONED] * KEPT_WAITS + (outcome is Count.ABANDONED)

    def _aim(self, queue_id: str) -> ServiceLevel:
        queue = self._world.config.queues.get(queue_id)
        return queue.service_level if queue else ServiceLevel()

    # ------------------------------------------------------------------ agents

    def offer_ended(self, event: Event) -> None:
        if event.values["purpose"] in _NO_OFFERS:
            return
        sheet, end, rang_ms = self._agent(event.agent_id), event.values["end"], event.values["rang_ms"]
        sheet.add(Count.OFFERED, 1, event.at_ms)
        is_of_queue = event.queue and event.values["purpose"] != OfferPurpose.CAMPAIGN.value
        queue = self._queue(event.queue) if is_of_queue else None
        if end == _ANSWERED:
            sheet.add(Count.ANSWERED, 1, event.at_ms)
        elif end in _MISSES:
            sheet.add(Count.MISSED, 1, event.at_ms)
            if queue:
                queue.add(Count.MISSED, 1, event.at_ms)
        if queue and isinstance(rang_ms, int):
            queue.row[_BUSY] += rang_ms

    def agent_changed(self, event: Event) -> None:
        doing, key = _DOING.get(str(event.values["state"]), NOTHING), AGENT + event.agent_id
        sheet, known = self._sheets.get(key), self._known(key)
        if (sheet.row[_DOES] if sheet else known.row[_DOES] if known else NOTHING) == doing:
            return
        row = (sheet := self._agent(event.agent_id)).row
        did, since_ms = int(row[_DOES]), int(row[_SINCE])
        if did != NOTHING:
            sheet.add_span(did, since_ms, event.at_ms)
        if did == Count.WRAP_UP_MS:
            self._wrapped_up_ms[event.agent_id] = event.at_ms - since_ms
        row[_DOES], row[_SINCE] = int(doing), event.at_ms

    def seated(self, event: Event) -> None:
        """It is his call from now on."""
        if event.values["role"] != _OWNER:
            return
        stay, interaction = self._stay(event.interaction_id), self._interaction(event.interaction_id)
        if stay and interaction:
            seated = replace(stay, owned_at_ms=event.at_ms, held_ms=interaction.held_ms)
            self._stays[event.interaction_id] = seated

    def parted(self, event: Event) -> None:
        """Whose call it was has left it."""
        if event.values["role"] != _OWNER or not event.agent_id:
            return
        self._agent(event.agent_id).add(Count.HANDLED, 1, event.at_ms)
        interaction, stay = self._interaction(event.interaction_id), self._stay(event.interaction_id)
        if stay is None or interaction is None:
            return
        spent_ms, held_ms = event.at_ms - stay.owned_at_ms, interaction.held_ms - stay.held_ms
        sheet = self._queue(stay.queue)
        sheet.add(Count.HANDLED, 1, event.at_ms)
        sheet.add(Count.HOLD_MS, held_ms, event.at_ms)
        sheet.add(Count.TALK_MS, spent_ms - held_ms, event.at_ms)
        sheet.row[_HANDLED] = sheet.row[_HANDLED] * KEPT_CALLS + 1
        sheet.row[_BUSY] = sheet.row[_BUSY] * KEPT_CALLS + spent_ms

    def wrapped_up(self, event: Event) -> None:
        spent_ms = self._wrapped_up_ms.get(event.agent_id, 0)
        if spent_ms and event.queue:
            sheet = self._queue(event.queue)
            sheet.add(Count.WRAP_UP_MS, spent_ms, event.at_ms)
            sheet.row[_BUSY] += spent_ms


_T = EventType
_TAKERS: Mapping[EventType, Callable[[_Step, Event], None]] = {
    _T.INTERACTION_QUEUED: _Step.queued,
    _T.QUEUE_OVERFLOWED: _Step.left,
    _T.FLOW_ENTERED: _Step.left,
    _T.FLOW_STEP: _Step.flow_step,
    _T.INTERACTION_CONNECTED: _Step.connected,
    _T.INTERACTION_ENDED: _Step.ended,
    _T.OFFER_ENDED: _Step.offer_ended,
    _T.AGENT_STATE_CHANGED: _Step.agent_changed,
    _T.PARTY_JOINED: _Step.seated,
    _T.PARTY_ROLE_CHANGED: _Step.seated,
    _T.PARTY_LEFT: _Step.parted,
    _T.WRAP_UP_ENDED: _Step.wrapped_up,
}
