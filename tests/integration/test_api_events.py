"""`GET /v1/events` over Flask's client and a real Redis."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from deploy.lab.redis import RedisServer
from routing.api.application import create_app
from routing.api.event_filter import EventFilter
from routing.api.events import frames
from routing.api.principal import AGENT_SCOPES, Principal, Scope
from routing.api.services import EXTENSION, Services
from routing.app.clock import SystemClock
from routing.app.settings import ApiSettings, ServerSettings
from routing.core.events import EventType
from routing.store.front import Front, connect
from tests.integration.event_stream import emit, put_interaction

TENANT = "api"


class Everybody:
    """Tokens are names: `crm`, `poor` (a key without scopes), or an agent's id."""

    def authenticate(self, token: str) -> Principal | None:
        if token in ("crm", "poor"):
            scopes = frozenset({Scope.EVENTS_READ}) if token == "crm" else frozenset[Scope]()
            return Principal(tenant=TENANT, actor=f"key:{token}", scopes=scopes)
        return Principal(tenant=TENANT, actor=f"agent:{token}", scopes=AGENT_SCOPES, agent_id=token)


@dataclass(frozen=True, slots=True)
class Site:
    app: Flask
    front: Front

    def get(self, query: str = "", who: str = "crm", **headers: str) -> TestResponse:
        client: FlaskClient = self.app.test_client()
        sent = {"Authorization": f"Bearer {who}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return client.get(f"/v1/events?{query}", headers=sent)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with RedisServer() as redis:
        made = Services(
            server=ServerSettings(tenant=TENANT, redis_url=redis.url),
            api=ApiSettings(event_streams=2),
            redis=connect(redis.url),
            clock=SystemClock(),
            authenticator=Everybody(),
        )
        app = create_app(made)
        assert app.extensions[EXTENSION] is made
        yield Site(app, made.front(TENANT))
        made.hub(TENANT).close()
        made.redis.close()


def events_of(response: TestResponse, count: int) -> list[dict[str, str]]:
    """The first `count` server-sent events of a stream, which is closed then."""
    found: list[dict[str, str]] = []
    for chunk in response.iter_encoded():
        for block in chunk.decode().strip().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
            if "data" in fields:
                found.append(fields)
        if len(found) >= count:
            break
    response.close()
    return found


@pytest.mark.req("API-07")
def test_an_event_is_sent_with_its_position_its_type_and_its_public_form(site: Site) -> None:
    response = site.get()
    assert response.content_type == "text/event-stream; charset=utf-8"
    values = {"deadline_ms": 1_795_000_000_500, "entered_at_ms": None, "waited_ms": 7}
    at = emit(site.front, EventType.OFFER_RINGING, interaction_id="int_1", agent_id="anna", values=values)
    [event] = events_of(response, 1)
    assert event["id"] == at
    assert event["event"] == "offer.ringing"
    assert json.loads(event["data"]) == {
        "id": at,
        "type": "offer.ringing",
        "at": "2026-11-18T11:06:40.000Z",
        "interaction_id": "int_1",
        "agent_id": "anna",
        "queue": None,
        "data": {"deadline_at": "2026-11-18T11:06:40.500Z", "entered_at": None, "waited_ms": 7},
    }


@pytest.mark.req("API-07")
def test_a_stream_is_resumed_behind_the_last_id_without_loss(site: Site) -> None:
    sent = [emit(site.front) for _ in range(5)]
    by_header = events_of(site.get("after=0", Last_Event_ID=sent[1]), 3)
    by_query = events_of(site.get(f"after={sent[1]}"), 3)
    assert [event["id"] for event in by_header] == [event["id"] for event in by_query] == sent[2:]


@pytest.mark.req("API-07")
def test_a_stream_whose_past_is_no_longer_kept_begins_with_a_gap(site: Site) -> None:
    old = emit(site.front)
    kept = [emit(site.front, most=2) for _ in range(3)][1:]
    found = events_of(site.get(f"after={old}"), 3)
    assert found[0]["event"] == "stream.gap"
    assert "id" not in found[0], "or a client would take the gap for a place to resume from"
    assert [event["id"] for event in found[1:]] == kept


@pytest.mark.req("API-07")
def test_an_agent_gets_nothing_about_others_even_if_he_asks(site: Site) -> None:
    put_interaction(site.front, "int_his", "bert")
    stream = site.get("interaction_id=int_his", who="anna")
    emit(site.front, EventType.INTERACTION_HELD, interaction_id="int_his")
    emit(site.front, EventType.AGENT_STATE_CHANGED, agent_id="bert", interaction_id="int_his")
    mine = emit(site.front, EventType.AGENT_STATE_CHANGED, agent_id="anna", interaction_id="int_his")
    [event] = events_of(stream, 1)
    assert event["id"] == mine


@pytest.mark.req("API-07")
def test_a_long_poll_answers_at_once_with_what_is_there_and_says_where_to_go_on(site: Site) -> None:
    first: Any = site.get("wait=0").json
    assert first["events"] == []
    sent = [emit(site.front) for _ in range(3)]
    emit(site.front, EventType.CONFIG_APPLIED)
    query = "types=interaction.*&wait=5&limit=2"
    second: Any = site.get(f"{query}&after={first['next_after']}").json
    assert [event["id"] for event in second["events"]] == sent[:2]
    third: Any = site.get(f"{query}&after={second['next_after']}").json
    assert [event["id"] for event in third["events"]] == sent[2:]
    fourth: Any = site.get(f"types=interaction.*&wait=0&after={third['next_after']}").json
    assert fourth["events"] == []


def test_what_makes_no_sense_is_refused_with_a_reason(site: Site) -> None:
    for query, pointer in (("types=interaction.begun", "/types"), ("after=yesterday&wait=0", "/after")):
        response = site.get(query)
        assert response.status_code == 422
        assert response.json["errors"][0]["pointer"] == pointer  # type: ignore[index]
    assert site.get("wait=900").status_code == 422
    assert site.get("wait=0", who="poor").status_code == 403


@pytest.mark.req("SAFE-05")
def test_a_key_has_so_many_streams_and_no_more(site: Site) -> None:
    streams = [site.get(), site.get()]
    refused = site.get()
    assert refused.json["code"] == "too-many-requests"  # type: ignore[index]
    assert int(refused.headers["Retry-After"]) > 0
    other = site.get(who="anna")
    assert other.status_code == 200, "the limit is each one's own"
    for stream in (*streams, other):
        stream.close()
    again = site.get()
    assert again.status_code == 200, "a closed stream is given back, also one that was never read"
    again.close()
    assert site.app.extensions[EXTENSION].hub(TENANT).subscribers == 0


def test_a_silent_stream_gives_signs_of_life_and_ends_in_time(site: Site) -> None:
    hub = site.app.extensions[EXTENSION].hub(TENANT)
    with hub.subscribe(EventFilter(queue="nowhere")) as subscription:
        found = list(islice(frames(subscription, heartbeat_s=0.02), 3))
        assert found == [b"retry: 2000\n\n", b": still here\n\n", b": still here\n\n"]
        assert len(list(frames(subscription, heartbeat_s=60, stream_s=0.05))) == 2
