"""`/metrics`: what is counted once, what is looked at, and that the dashboard asks for nothing else (OPS-03)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from deploy.lab.redis import RedisServer
from routing.api import metrics
from routing.api.principal import Principal, Scope
from routing.api.problems import Problem, response
from routing.api.services import EXTENSION, Services
from routing.app.clock import SystemClock
from routing.app.metrics_counting import tally
from routing.app.metrics_table import COUNTED, LOOKED_AT, Kind
from routing.app.settings import ApiSettings, ServerSettings
from routing.core.events import Event, EventType
from routing.store.counters import Counters
from routing.store.errors import StoreUnavailable
from routing.store.front import Front, connect
from routing.store.signs import Signs
from routing.store.sql.database import Database
from tests.integration.event_stream import emit, put_campaign, put_interaction, put_state
from tests.integration.past import Past
from workers.counting import Counting, count_delivery, count_rows
from workers.recorder import Recorder, RecorderSettings

pytestmark = pytest.mark.req("OPS-03")
DEPLOY = Path(__file__).parents[2] / "deploy" / "grafana"
_WORD = re.compile(r"\bswitchroom_[a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Tokens:
    tenant: str

    def authenticate(self, token: str) -> Principal | None:
        scopes = {"prometheus": frozenset({Scope.METRICS_READ}), "poor": frozenset[Scope]()}
        return Principal(tenant=self.tenant, actor="key:x", scopes=scopes[token]) if token in scopes else None


@dataclass(frozen=True, slots=True)
class Site:
    app: Flask
    front: Front
    recorder: Recorder

    def scrape(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """Samples by name and labels, as Prometheus reads them."""
        answer = self.app.test_client().get("/metrics", headers={"Authorization": "Bearer prometheus"})
        assert answer.status_code == 200, answer.text
        families = list(text_string_to_metric_families(answer.text))
        return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}

    def happen(self, type_: EventType, **fields: Any) -> None:
        emit(self.front, type_, **fields)
        while self.recorder.turn():
            pass


def application(made: Services) -> Flask:
    """Of the metrics alone."""
    app = Flask(__name__)
    app.extensions[EXTENSION] = made
    app.register_error_handler(Problem, response)
    app.register_blueprint(metrics.pages)
    return app


@pytest.fixture
def past(redis_server: RedisServer, database: Database, tenant: Callable[[], str]) -> Past:
    return Past(redis_server, database, tenant())


@pytest.fixture
def site(redis_server: RedisServer, database: Database, database_url: str, tenant: Callable[[], str]) -> Iterator[Site]:
    name = tenant()
    made = Services(
        server=ServerSettings(tenant=name, redis_url=redis_server.url, database_url=database_url),
        api=ApiSettings(),
        redis=connect(redis_server.url),
        clock=SystemClock(),
        authenticator=Tokens(name),
    )
    front = made.front(name)
    counting = Counting(Counters(made.redis, name))
    settings = RecorderSettings(wait_ms=1)
    recorder = Recorder(front, database, made.clock, settings, on_events=(counting,), on_commit=(counting.committed,))
    yield Site(application(made), front, recorder)
    made.database.close()
    made.redis.close()


def test_events_are_counted_by_queue_and_outcome(site: Site) -> None:
    values = {"result": "answered", "waited_ms": 12_000, "talked_ms": 61_500, "held_ms": 0}
    site.happen(EventType.INTERACTION_QUEUED, queue="sales")
    site.happen(EventType.OFFER_ENDED, queue="sales", agent_id="anna", values={"end": "no_answer"})
    site.happen(EventType.OFFER_ENDED, queue="sales", agent_id="anna", values={"end": "answered"})
    site.happen(EventType.INTERACTION_ENDED, queue="sales", values=values)
    site.happen(EventType.INTERACTION_ENDED, queue="sales", values={"result": "abandoned", "waited_ms": 4000})
    found = site.scrape()
    sales = ("queue", "sales")
    assert found["switchroom_interactions_offered_total", (sales,)] == 1
    assert found["switchroom_interactions_abandoned_total", (sales,)] == 1
    assert found["switchroom_interactions_ended_total", (sales, ("result", "answered"))] == 1
    assert found["switchroom_rona_total", (("cause", "no_answer"), sales)] == 1
    assert ("switchroom_rona_total", (("cause", "answered"), sales)) not in found
    waited = (sales, ("result", "answered"))
    assert found["switchroom_wait_seconds_sum", waited] == 12
    assert found["switchroom_wait_seconds_bucket", (("le", "10.0"), *waited)] == 0
    assert found["switchroom_wait_seconds_bucket", (("le", "15.0"), *waited)] == 1
    assert found["switchroom_wait_seconds_bucket", (("le", "+Inf"), *waited)] == 1
    assert found["switchroom_talk_seconds_sum", (sales,)] == 61.5
    assert found["switchroom_events_total", (("type", "interaction.ended"),)] == 2


def test_live_state_is_told_as_it_is(site: Site) -> None:
    put_interaction(site.front, "int_1", "anna")
    put_state(site.front)
    now_ms = SystemClock().now_ms()
    Signs(site.front.redis, site.front.tenant).give("worker", "w1", now_ms)
    Signs(site.front.redis, site.front.tenant).give("ticker", "t1", now_ms - 30_000)
    found = site.scrape()
    assert found["switchroom_interactions", (("state", "connected"),)] == 1
    assert found["switchroom_agents", (("state", "available"),)] == 1
    assert found["switchroom_pbx_connected", (("pbx", "pbx1"),)] == 0
    assert found["switchroom_engine_up", ()] == 0
    assert found["switchroom_processes", (("kind", "worker"),)] == 1
    assert found["switchroom_processes", (("kind", "ticker"),)] == 0, "its sign is too old"
    assert found["switchroom_stream_length", (("stream", "events"),)] == 0
    assert found["switchroom_recorder_lag_seconds", ()] == 0


@pytest.mark.req("DIALER-06")
def test_attempts_of_campaigns_are_counted_by_result_and_both_measures_apart(site: Site) -> None:
    def ended(result: str, **values: Any) -> None:
        told = {"campaign": "spring", "result": result, "ring_ms": 7000, "wait_ms": 0} | values
        site.happen(EventType.ATTEMPT_ENDED, values=told)

    ended("busy")
    ended("answered", is_live=True, wait_ms=300)
    ended("abandoned", is_live=True, is_hung_up=True, wait_ms=1100)
    ended("dropped", is_live=True, is_dropped=True, wait_ms=2000)
    site.happen(EventType.RECORD_RELEASED, values={"campaign": "spring", "cause": "retry"})
    found, spring = site.scrape(), ("campaign", "spring")
    assert found["switchroom_campaign_attempts_total", (spring, ("result", "busy"))] == 1
    assert found["switchroom_campaign_answered_total", (spring,)] == 3
    assert found["switchroom_campaign_abandoned_total", (spring, ("kind", "compliance"))] == 1
    assert found["switchroom_campaign_abandoned_total", (spring, ("kind", "true"))] == 1
    assert found["switchroom_campaign_records_released_total", (spring, ("cause", "retry"))] == 1
    assert found["switchroom_campaign_ring_seconds_sum", (spring,)] == 28
    assert found["switchroom_campaign_answer_wait_seconds_bucket", (spring, ("le", "1.0"))] == 1
    assert found["switchroom_campaign_answer_wait_seconds_bucket", (spring, ("le", "2.0"))] == 3


def test_what_campaigns_do_now_is_told(site: Site) -> None:
    put_state(site.front)
    put_campaign(site.front, since_ms=SystemClock().now_ms() - 40_000)
    found, spring = site.scrape(), ("campaign", "spring")
    assert found["switchroom_campaign_state", (spring, ("state", "running"))] == 1
    assert found["switchroom_abandon_ratio", (spring, ("kind", "compliance"))] == 0.02
    assert found["switchroom_abandon_ratio", (spring, ("kind", "true"))] == 0.01
    assert found["switchroom_abandon_cap_ratio", (spring,)] == 0.03
    assert found["switchroom_campaign_agents", (spring, ("state", "joined"))] == 1
    assert found["switchroom_campaign_calls", (spring, ("state", "connected"))] == 1
    assert found["switchroom_campaign_records_ready", (spring,)] == 0
    assert found["switchroom_pacing_level", (spring,)] == 3
    assert 40 <= found["switchroom_pacing_age_seconds", (spring,)] < 100, "no tick since it was started"


def test_a_recorder_that_does_not_run_shows_as_a_growing_lag(site: Site) -> None:
    site.happen(EventType.CONFIG_APPLIED)
    first = site.front.events_end()
    ms = int(first.partition("-")[0])
    site.front.redis.xadd(site.front.keys("events"), {"d": b"{}"}, id=f"{ms + 7500}-0")
    assert site.scrape()["switchroom_recorder_lag_seconds", ()] == 7.5


def test_a_portion_whose_transaction_fails_is_counted_once(site: Site, past: Past) -> None:
    counters = Counters(site.front.redis, site.front.tenant)
    counting = Counting(counters)
    failures = iter([True, False])

    def fail(*_args: object) -> None:
        if next(failures):
            raise StoreUnavailable(reason="test")

    recorder = Recorder(
        past.front, past.database, past.clock, on_events=(counting, fail), on_commit=(counting.committed,)
    )
    past.tell([Event(type=EventType.CONFIG_APPLIED, at_ms=1)])
    with pytest.raises(StoreUnavailable):
        recorder.turn()
    assert counters.all() == {}
    recorder.turn()
    assert counters.all() == {'["switchroom_events","config.applied"]': 1}


def test_who_may_read_the_figures(site: Site) -> None:
    client = site.app.test_client()
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer poor"}).status_code == 403
    made: Services = site.app.extensions[EXTENSION]
    made.api = ApiSettings(metrics_open=True)
    assert client.get("/metrics").status_code == 200


def test_every_metric_of_the_dashboard_and_the_alerts_is_in_a_scrape(site: Site) -> None:
    values = {"end": "no_answer", "how": "blind", "outcome": "busy", "pbx": "p", "is_up": False}
    values |= {"campaign": "spring", "cause": "done", "is_live": True, "is_dropped": True}
    results = [
        Event(type=EventType.INTERACTION_ENDED, at_ms=1, values={"result": r}) for r in ("answered", "abandoned")
    ]
    counters = Counters(site.front.redis, site.front.tenant)
    counters.add(tally([*results, *(Event(type=type_, at_ms=1, values=values) for type_ in EventType)]))
    count_delivery(counters)("delivered")
    count_rows(counters)({"added": 2, "refused": 1, "updated": 0})
    put_interaction(site.front, "int_1", "anna")
    put_state(site.front)
    put_campaign(site.front)
    text = site.app.test_client().get("/metrics", headers={"Authorization": "Bearer prometheus"}).text
    scraped = {line.partition("{")[0].partition(" ")[0] for line in text.splitlines() if not line.startswith("#")}
    for name in ("dashboard.json", "alerts.yml"):
        asked = set(_WORD.findall((DEPLOY / name).read_text()))
        assert asked, name
        assert asked <= scraped | {"switchroom_alerts"}, asked - scraped
    dashboard = json.loads((DEPLOY / "dashboard.json").read_text())
    assert all(panel["targets"] for panel in dashboard["panels"] if panel["type"] != "row")


def test_no_label_could_name_a_person_or_a_call() -> None:
    labels = {label for metric in (*COUNTED, *LOOKED_AT) for label in metric.labels}
    assert labels <= {
        "type",
        "queue",
        "result",
        "outcome",
        "cause",
        "how",
        "pbx",
        "version",
        "state",
        "stream",
        "kind",
    } | {"campaign"}
    assert all(metric.buckets for metric in COUNTED if metric.kind is Kind.HISTOGRAM)
