"""Every metric of `/metrics`: name, what it means, its labels (OPS-03).

Labels are of low cardinality: queues, PBXs, states and outcomes; never an agent, a number or a call. Base units.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# Seconds. Waits and talks of a call centre: from at once to a lunch break.
WAIT_BUCKETS = (1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1200.0, 3600.0)
TALK_BUCKETS = (10.0, 30.0, 60.0, 120.0, 180.0, 300.0, 420.0, 600.0, 900.0, 1200.0, 1800.0, 3600.0)


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """`name`: without the `_total` that a counter has in the text form. `buckets`: upper bounds of a histogram."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


def _counter(name: str, help_: str, *labels: str) -> Metric:
    return Metric(name=f"switchroom_{name}", kind=Kind.COUNTER, help=help_, labels=labels)


def _gauge(name: str, help_: str, *labels: str) -> Metric:
    return Metric(name=f"switchroom_{name}", kind=Kind.GAUGE, help=help_, labels=labels)


def _histogram(name: str, help_: str, buckets: tuple[float, ...], *labels: str) -> Metric:
    return Metric(name=f"switchroom_{name}", kind=Kind.HISTOGRAM, help=help_, labels=labels, buckets=buckets)


# From a call's answer to its agent: what the law counts is two seconds.
ANSWER_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
RING_BUCKETS = (2.0, 5.0, 8.0, 12.0, 15.0, 20.0, 25.0, 30.0, 45.0, 60.0)

# Counted by the recorder from events, and by workers.
EVENTS = _counter("events", "Events recorded, by type", "type")
OFFERED = _counter("interactions_offered", "Interactions that entered a queue", "queue")
ENDED = _counter("interactions_ended", "Interactions that ended, by result", "queue", "result")
ABANDONED = _counter("interactions_abandoned", "Callers who hung up while they waited", "queue")
OFFERS_ENDED = _counter("offers_ended", "Offers to agents that ended, by outcome", "queue", "outcome")
RONA = _counter("rona", "Offers that an agent did not take, by cause", "queue", "cause")
TRANSFERS = _counter("transfers", "Transfers, by how they were made", "queue", "how")
CONSULTS = _counter("consults", "Consults asked for", "queue")
DIALS = _counter("dial_attempts", "Outside numbers dialed, by result", "result")
MISMATCHES = _counter("pbx_mismatches", "Times that a PBX did not do what was asked", "pbx")
LINK_LOSSES = _counter("pbx_link_losses", "Times that the link to a PBX was lost", "pbx")
DELIVERIES = _counter("webhook_deliveries", "Attempts to deliver a webhook, by result", "result")
IMPORT_ROWS = _counter("import_rows", "Rows of imported files, by what became of them", "result")
ATTEMPTS = _counter("campaign_attempts", "Attempts of campaigns that ended, by result", "campaign", "result")
ANSWERED = _counter("campaign_answered", "Attempts of campaigns that a person answered", "campaign")
CAMPAIGN_ABANDONED = _counter(
    "campaign_abandoned",
    "Of those: compliance, no agent in time; true, hung up while waiting",
    *("campaign", "kind"),
)
RELEASED = _counter("campaign_records_released", "Records that left the hopper, by cause", "campaign", "cause")
RING = _histogram("campaign_ring_seconds", "From dialing to the answer, or the end", RING_BUCKETS, "campaign")
ANSWER_WAIT = _histogram(
    "campaign_answer_wait_seconds", "From a person's answer to an agent, or the end", ANSWER_BUCKETS, "campaign"
)
WAIT = _histogram("wait_seconds", "Time waited, told when the interaction ends", WAIT_BUCKETS, "queue", "result")
TALK = _histogram("talk_seconds", "Time talked in answered interactions", TALK_BUCKETS, "queue")
HELD = _histogram("held_seconds", "Time on hold in answered interactions", TALK_BUCKETS, "queue")

COUNTED = (
    EVENTS,
    OFFERED,
    ENDED,
    ABANDONED,
    OFFERS_ENDED,
    RONA,
    TRANSFERS,
    CONSULTS,
    DIALS,
    MISMATCHES,
    LINK_LOSSES,
    DELIVERIES,
    IMPORT_ROWS,
    ATTEMPTS,
    ANSWERED,
    CAMPAIGN_ABANDONED,
    RELEASED,
    RING,
    ANSWER_WAIT,
    WAIT,
    TALK,
    HELD,
)

# Read when they are asked for.
INFO = _gauge("build_info", "Always 1; the version is a label", "version")
WAITING = _gauge("interactions_waiting", "Interactions that wait or are being offered", "queue")
OLDEST_WAIT = _gauge("oldest_wait_seconds", "Longest wait of those that wait now", "queue")
ESTIMATED_WAIT = _gauge("estimated_wait_seconds", "Of one who came now; absent where nobody can say", "queue")
SERVICE_LEVEL = _gauge("service_level_ratio", "Calls of the running day answered in time, 0 to 1", "queue")
LIVE = _gauge("interactions", "Live interactions, by state", "state")
AGENTS = _gauge("agents", "Agents, by the state that people see", "state")
ELIGIBLE = _gauge("agents_eligible", "Agents who could be offered a call of this queue now", "queue")
PBX_CONNECTED = _gauge("pbx_connected", "1 while the link to the PBX is up", "pbx")
ENGINE_UP = _gauge("engine_up", "1 while an engine holds the lease")
ENGINE_LAG = _gauge("engine_lag_seconds", "How much older the last committed input is than the newest")
STREAM_LENGTH = _gauge("stream_length", "Entries of the streams in Redis", "stream")
REVISION = _gauge("config_revision", "Number of the running configuration")
RECORDER_LAG = _gauge("recorder_lag_seconds", "How much older the last recorded event is than the newest")
EVENTS_LOST = _gauge("recorder_events_lost", "Events that were trimmed before they were recorded")
WEBHOOKS_PENDING = _gauge("webhooks_pending", "Deliveries that are not settled")
WEBHOOKS_OVERDUE = _gauge("webhooks_overdue_seconds", "How late the most overdue delivery is")
JOBS = _gauge("jobs_waiting", "Jobs that no worker has taken yet", "queue")
PROCESSES = _gauge("processes", "Processes with a fresh sign of life", "kind")
CAMPAIGNS = _gauge("campaign_state", "1 for the state that each campaign is in", "campaign", "state")
ABANDON_RATIO = _gauge(
    "abandon_ratio", "Abandoned of those answered by persons, within the campaign's legal window", "campaign", "kind"
)
ABANDON_CAP = _gauge("abandon_cap_ratio", "Highest ratio that the campaign may have", "campaign")
HOPPER = _gauge("campaign_records_ready", "Records that are ready to be dialed", "campaign")
CAMPAIGN_AGENTS = _gauge("campaign_agents", "Agents of campaigns: joined, of them ready, seated", "campaign", "state")
CAMPAIGN_CALLS = _gauge("campaign_calls", "Live calls of campaigns, by state", "campaign", "state")
PACING_LEVEL = _gauge("pacing_level", "Calls that the last pacing began", "campaign")
PACING_AGE = _gauge("pacing_age_seconds", "How long ago that was; of running predictive campaigns", "campaign")

LOOKED_AT = (
    INFO,
    WAITING,
    OLDEST_WAIT,
    ESTIMATED_WAIT,
    SERVICE_LEVEL,
    LIVE,
    AGENTS,
    ELIGIBLE,
    PBX_CONNECTED,
    ENGINE_UP,
    ENGINE_LAG,
    STREAM_LENGTH,
    REVISION,
    RECORDER_LAG,
    EVENTS_LOST,
    WEBHOOKS_PENDING,
    WEBHOOKS_OVERDUE,
    JOBS,
    PROCESSES,
    CAMPAIGNS,
    ABANDON_RATIO,
    ABANDON_CAP,
    HOPPER,
    CAMPAIGN_AGENTS,
    CAMPAIGN_CALLS,
    PACING_LEVEL,
    PACING_AGE,
)
