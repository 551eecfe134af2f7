"""What events count for: pure, from an event to increments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from routing.app import metrics_table as table
from routing.app.metrics_table import Metric
from routing.core.config import Result
from routing.core.events import Event, EventType
from routing.core.interaction import OfferEnd

SUM, COUNT = "sum", "count"
_MISSED = frozenset({OfferEnd.NO_ANSWER, OfferEnd.REJECTED, OfferEnd.BUSY, OfferEnd.UNREACHABLE})


class Tally:
    """Increments by field of the hash: `["name", "label value", ...]` as JSON, a histogram's with the bucket behind."""

    def __init__(self) -> None:
        self.fields: Counter[str] = Counter()

    def add(self, metric: Metric, *labels: str) -> None:
        self.fields[field(metric, *labels)] += 1

    def observe(self, metric: Metric, seconds: float, *labels: str) -> None:
        """Buckets hold what fell into each alone; adding them up is the reader's."""
        bound = next((str(bound) for bound in metric.buckets if seconds <= bound), "+Inf")
        self.fields[field(metric, *labels, bound)] += 1
        self.fields[field(metric, *labels, SUM)] += round(seconds * 1000)  # in ms: whole numbers add up exactly


def field(metric: Metric, *labels: str) -> str:
    """Raises ValueError for labels that the metric does not have, apart from a histogram's bucket."""
    wanted = len(metric.labels) + bool(metric.buckets)
    if len(labels) != wanted:
        raise ValueError(f"{metric.name} has {wanted} labels, not {len(labels)}")
    return msgspec.json.encode([metric.name, *labels]).decode()


def tally(events: Iterable[Event]) -> Counter[str]:
    """All increments of these events."""
    found = Tally()
    for event in events:
        found.add(table.EVENTS, event.type.value)
        _count(found, event)
        _count_campaign(found, event)
    return found.fields


def _count(found: Tally, event: Event) -> None:
    values, queue = event.values, event.queue
    match event.type:
        case EventType.INTERACTION_QUEUED:
            found.add(table.OFFERED, queue)
        case EventType.INTERACTION_ENDED:
            _ended(found, event)
        case EventType.OFFER_ENDED:
            outcome = str(values.get("end", ""))
            found.add(table.OFFERS_ENDED, queue, outcome)
            if outcome in _MISSED:
                found.add(table.RONA, queue, outcome)
        case EventType.INTERACTION_TRANSFERRED:
            found.add(table.TRANSFERS, queue, str(values.get("how", "")))
        case EventType.CONSULT_REQUESTED:
            found.add(table.CONSULTS, queue)
        case EventType.DIAL_ENDED:
            found.add(table.DIALS, str(values.get("outcome", "")))
        case EventType.PBX_MISMATCH:
            found.add(table.MISMATCHES, str(values.get("pbx", "")))
        case EventType.PBX_LINK_CHANGED if not values.get("is_up"):
            found.add(table.LINK_LOSSES, str(values.get("pbx", "")))


def _ended(found: Tally, event: Event) -> None:
    result = str(event.values.get("result", ""))
    found.add(table.ENDED, event.queue, result)
    if result == Result.ABANDONED.value:
        found.add(table.ABANDONED, event.queue)
    found.observe(table.WAIT, _seconds(event, "waited_ms"), event.queue, result)
    if result == Result.ANSWERED.value:
        found.observe(table.TALK, _seconds(event, "talked_ms"), event.queue)
        found.observe(table.HELD, _seconds(event, "held_ms"), event.queue)


def _count_campaign(found: Tally, event: Event) -> None:
    if event.type is EventType.ATTEMPT_ENDED:
        _attempted(found, event)
    elif event.type is EventType.RECORD_RELEASED:
        values = event.values
        found.add(table.RELEASED, str(values.get("campaign", "")), str(values.get("cause", "")))


def _attempted(found: Tally, event: Event) -> None:
    """Both measures of an abandoned call are counted apart (DIALER-06)."""
    values, campaign = event.values, str(event.values.get("campaign", ""))
    found.add(table.ATTEMPTS, campaign, str(values.get("result", "")))
    found.observe(table.RING, _seconds(event, "ring_ms"), campaign)
    if values.get("is_live"):
        found.add(table.ANSWERED, campaign)
        found.observe(table.ANSWER_WAIT, _seconds(event, "wait_ms"), campaign)
    for name, kind in (("is_dropped", "compliance"), ("is_hung_up", "true")):
        if values.get(name):
            found.add(table.CAMPAIGN_ABANDONED, campaign, kind)


def _seconds(event: Event, name: str) -> float:
    value = event.values.get(name)
    return max(0, value) / 1000 if isinstance(value, int) else 0.0
