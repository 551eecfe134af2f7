"""The figures of a tenant at this moment, as Prometheus wants them: from live state, counters and SQL (OPS-03)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, cast

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Connection, select

from routing.app import metrics_table as table
from routing.app.live.campaigns import CampaignRow, campaign_rows
from routing.app.live.queues import queue_rows
from routing.app.metrics_counting import SUM
from routing.app.metrics_table import Kind, Metric
from routing.core.campaign import CampaignState
from routing.core.campaign_rules import DialMode
from routing.core.world import World
from routing.store.counters import Counters
from routing.store.front import Front
from routing.store.port import START
from routing.store.signs import KINDS, Signs
from routing.store.sql.deliveries import counts
from routing.store.sql.history_tables import recorder_positions

Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily
Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What SQL knows. `position`: of the last recorded event."""

    position: str = START
    lost: int = 0
    pending: int = 0
    overdue_ms: int = 0


def read_recorded(connection: Connection, tenant: str, now_ms: int) -> Recorded:
    """Raises StoreUnavailable, StoreRefused."""
    positions = recorder_positions
    query = select(positions.c.position, positions.c.lost_events).where(positions.c.tenant == tenant)
    row = connection.execute(query).one_or_none()
    pending, overdue_ms = counts(connection, tenant, now_ms)
    place = {"position": row.position, "lost": row.lost_events} if row else {}
    return Recorded(pending=pending, overdue_ms=overdue_ms, **place)


def exposition(front: Front, recorded: Recorded | None, now_ms: int) -> bytes:
    """The text form (`text/plain; version=0.0.4`). Without `recorded` (no database) its figures are left out.

    Raises StoreError.
    """
    families = [*_counted(Counters(front.redis, front.tenant).all()), *_gauges(front, recorded, now_ms)]
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Ready(families))
    return generate_latest(registry)


class _Ready(Collector):
    def __init__(self, families: Iterable[Family]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Family]:
        return self._families


# ------------------------------------------------------------------ counters


def _counted(fields: dict[str, int]) -> Iterator[Family]:
    """What a newer version has counted is left out."""
    by_name: dict[str, dict[Labels, int]] = defaultdict(dict)
    for name, number in fields.items():
        metric, *labels = msgspec.json.decode(name, type=list[str])
        by_name[metric][tuple(labels)] = number
    for metric_ in table.COUNTED:
        samples = by_name[metric_.name]
        yield _histogram(metric_, samples) if metric_.kind is Kind.HISTOGRAM else _counter(metric_, samples)


def _counter(metric: Metric, samples: dict[Labels, int]) -> Family:
    family = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, number in sorted(samples.items()):
        if len(labels) == len(metric.labels):
            family.add_metric(labels, number)
    return family


def _histogram(metric: Metric, samples: dict[Labels, int]) -> Family:
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
    by_labels: dict[Labels, dict[str, int]] = defaultdict(dict)
    for labels, number in samples.items():
        by_labels[labels[:-1]][labels[-1]] = number
    for labels, parts in sorted(by_labels.items()):
        total, buckets = 0, []
        for bound in (*map(str, metric.buckets), "+Inf"):
            total += parts.get(bound, 0)
            buckets.append((bound, total))
        family.add_metric(labels, buckets, parts.get(SUM, 0) / 1000)
    return family


# ------------------------------------------------------------------ gauges


def _gauges(front: Front, recorded: Recorded | None, now_ms: int) -> Iterator[Family]:
    state = front.load()
    world = World(state)
    yield _gauge(table.INFO, {(version("switchroom"),): 1})
    rows = queue_rows(world, now_ms)
    yield _gauge(table.WAITING, {(row.id,): row.waiting + row.offered for row in rows})
    yield _gauge(table.OLDEST_WAIT, {(row.id,): row.longest_wait_s for row in rows})
    waits: dict[Labels, float] = {
        (row.id,): row.estimated_wait_ms / 1000 for row in rows if row.estimated_wait_ms is not None
    }
    yield _gauge(table.ESTIMATED_WAIT, waits)
    levels: dict[Labels, float] = {(row.id,): row.service_level / 100 for row in rows if row.service_level is not None}
    yield _gauge(table.SERVICE_LEVEL, levels)
    yield _gauge(table.ELIGIBLE, {(row.id,): row.eligible for row in rows})
    yield _gauge(table.LIVE, _by_state(i.state.value for i in state.interactions.values()))
    yield _gauge(table.AGENTS, _by_state(agent.shown_state for agent in state.agents.values()))
    yield _gauge(table.PBX_CONNECTED, {(pbx,): int(bool(state.links.get(pbx))) for pbx in sorted(state.config.pbxs)})
    yield _gauge(table.REVISION, {(): state.config.revision})
    yield from _campaigns(world, now_ms)
    yield from _processes(front, now_ms)
    yield from _streams(front, list(state.config.pbxs))
    if recorded is not None:
        yield _gauge(table.RECORDER_LAG, {(): recorder_lag_s(front, recorded.position, now_ms)})
        yield _gauge(table.EVENTS_LOST, {(): recorded.lost})
        yield _gauge(table.WEBHOOKS_PENDING, {(): recorded.pending})
        yield _gauge(table.WEBHOOKS_OVERDUE, {(): recorded.overdue_ms / 1000})


def _campaigns(world: World, now_ms: int) -> Iterator[Family]:
    rows = campaign_rows(world)
    yield _gauge(table.CAMPAIGNS, {(row.id, row.state): 1 for row in rows})
    rates = {(row.id, "compliance"): row.drops.drop_rate for row in rows}
    rates |= {(row.id, "true"): row.drops.hang_up_rate for row in rows}
    yield _gauge(table.ABANDON_RATIO, {labels: rate for labels, rate in rates.items() if rate is not None})
    yield _gauge(table.ABANDON_CAP, {(row.id,): row.drops.cap for row in rows})
    yield _gauge(table.HOPPER, {(row.id,): row.hopper for row in rows})
    yield _gauge(table.CAMPAIGN_AGENTS, {(row.id, part): n for row in rows for part, n in _crew(row)})
    yield _gauge(table.CAMPAIGN_CALLS, {(row.id, state): n for row in rows for state, n in row.calls.items()})
    paced = [row for row in rows if row.mode == DialMode.PREDICTIVE and row.state == CampaignState.RUNNING]
    yield _gauge(table.PACING_LEVEL, {(row.id,): row.pacing["calls"] for row in paced if "calls" in row.pacing})
    yield _gauge(table.PACING_AGE, {(row.id,): _age_s(row, now_ms) for row in paced})


def _crew(row: CampaignRow) -> tuple[tuple[str, int], ...]:
    return ("joined", len(row.joined)), ("ready", row.ready), ("seated", row.seated)


def _age_s(row: CampaignRow, now_ms: int) -> float:
    """Since its last pacing, or since it was started."""
    return max(0, now_ms - max(row.paced_at_ms or 0, row.since_ms or 0)) / 1000


def _processes(front: Front, now_ms: int) -> Iterator[Family]:
    signs = Signs(front.redis, front.tenant)
    yield _gauge(table.ENGINE_UP, {(): int(front.is_served())})
    yield _gauge(table.PROCESSES, {(kind,): len(signs.alive(kind, now_ms)) for kind in KINDS})


def _streams(front: Front, pbxs: list[str]) -> Iterator[Family]:
    names = ["inputs", "journal", "events", *(f"commands:{pbx}" for pbx in pbxs)]
    lengths, newest, position, jobs = front.sizes(names, f"rq:queue:{front.tenant}:webhooks")
    yield _gauge(table.STREAM_LENGTH, {(name,): length for name, length in zip(names, lengths, strict=True)})
    yield _gauge(table.ENGINE_LAG, {(): _behind_s(position, newest) if position != START else 0})
    yield _gauge(table.JOBS, {("webhooks",): jobs})


def recorder_lag_s(front: Front, position: str, now_ms: int) -> float:
    """How much older the last recorded event is than the newest; with none recorded, the oldest than now."""
    if position != START:
        return _behind_s(position, front.events_end())
    oldest = front.events_begin()
    return _behind_s(oldest, f"{now_ms}-0") if oldest != START else 0.0


def _behind_s(position: str, newest: str) -> float:
    """Positions begin with Redis' time in ms."""
    ms, newest_ms = (int(text.partition("-")[0]) for text in (position, newest))
    return max(0, newest_ms - ms) / 1000 if ms else 0.0


def _by_state(states: Iterable[str]) -> dict[Labels, float]:
    return {(state,): number for state, number in sorted(Counter(states).items())}


def _gauge(metric: Metric, samples: dict[Labels, Any]) -> Family:
    family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, number in samples.items():
        family.add_metric(labels, cast("float", number))
    return family
