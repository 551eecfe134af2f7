"""Idempotency-Key (API-03): the same request with the same key is done once, also over the death of a process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Response
from flask_openapi3.blueprint import APIBlueprint

from deploy.lab.redis import RedisServer
from routing.api.application import create_app
from routing.api.idempotency import KeyUse, idempotent, new_or_same_id
from routing.api.orders import obey
from routing.api.principal import Scope, needs
from routing.api.problems import Problem
from routing.api.schemas import Body
from routing.core.orders import GoAvailable, StartOutdial
from routing.store.idempotency import KEPT_MS, LEASE_MS, KeyRecord, Reserved
from routing.store.redis_store import RedisStore
from tests.integration.api_people import OTHER, TENANT, Doors, doors
from tests.integration.api_server import ApiSite, api_site
from tests.waiting import run, wait_until

pytestmark = pytest.mark.req("API-03")


class Wanted(Body):
    status: int = 201
    is_slow: bool = False


class Counted:
    """A resource that counts how often it was really made."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.may_go_on = threading.Event()
        self.is_working = threading.Event()
        self.api = APIBlueprint(f"things{id(self)}", __name__, url_prefix="/v1")
        self._add_routes()

    def _add_routes(self) -> None:
        @self.api.post("/things", operation_id="makeThing", responses={201: None})
        @idempotent()
        @needs()
        def make(body: Wanted) -> Response:
            """Make a thing."""
            self.made.append(new_or_same_id("thing"))
            if body.is_slow:
                self.is_working.set()
                assert self.may_go_on.wait(10)
            if body.status == 409:
                raise Problem("agent-engaged", "he is busy")
            if body.status == 500:
                raise RuntimeError("a fault")
            return Response(self.made[-1], body.status, {"Location": "/v1/things/1", "ETag": '"1"'})

        @self.api.post("/free", operation_id="freeThing", responses={201: None})
        @needs()
        def free(body: Wanted) -> Response:
            """Make one without needing a key."""
            self.made.append("free")
            return Response("", body.status)

        @self.api.post("/secrets", operation_id="secretThing", responses={201: None})
        @idempotent(KeyUse.IGNORED)
        @needs()
        def secret(body: Wanted) -> Response:
            """Make one that is never kept."""
            self.made.append("secret")
            return Response("", body.status)


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def site(redis: RedisServer, tmp_path: Path) -> Iterator[Doors]:
    with doors(redis, tmp_path) as found:
        yield found


@pytest.fixture
def things(site: Doors) -> Counted:
    """On an application of its own, since others share their routes."""
    found = Counted()
    site.app = create_app(site.services)
    site.app.register_api(found.api)  # type: ignore[attr-defined]
    return found


def make(site: Doors, token: str, key: str, body: Any = None, path: str = "/v1/things") -> Any:
    return site.send("POST", path, token, {} if body is None else body, Idempotency_Key=key)


def test_a_repeated_request_is_done_once_and_answered_the_same(site: Doors, things: Counted) -> None:
    token = site.key()
    first, again = make(site, token, "k-1"), make(site, token, '"k-1"')
    assert (first.status_code, again.status_code) == (201, 201)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.text == first.text
    assert (again.headers["Location"], again.headers["ETag"]) == ("/v1/things/1", '"1"')
    assert len(things.made) == 1


@pytest.mark.parametrize("status", [409, 422])
def test_a_refusal_is_answered_the_same_too(status: int, site: Doors, things: Counted) -> None:
    token = site.key()
    body = {"status": 409} if status == 409 else {"unknown": 1}
    first, again = make(site, token, "k-1", body), make(site, token, "k-1", body)
    assert first.status_code == again.status_code == status
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.content_type == "application/problem+json"
    assert again.text == first.text
    assert len(things.made) == (1 if status == 409 else 0)


def test_a_fault_of_the_server_is_not_kept_and_the_retry_makes_the_same_thing(site: Doors, things: Counted) -> None:
    token = site.key()
    for _ in range(2):
        assert make(site, token, "k-1", {"status": 500}).status_code == 500
    assert len(things.made) == 2
    assert len(set(things.made)) == 1
    assert make(site, token, "k-1", {"status": 201}).status_code == 422, "another payload"


def test_a_key_is_needed_where_something_is_made(site: Doors, things: Counted) -> None:
    token = site.key()
    for key, code in (("", "idempotency-key-invalid"), ("k" * 201, "idempotency-key-invalid")):
        assert make(site, token, key).json["code"] == code
    sent = {"Authorization": f"Bearer {token}"}
    without = site.app.test_client().post("/v1/things", json={}, headers=sent)
    assert without.status_code == 400
    assert without.json is not None
    assert without.json["type"].endswith("/problems/idempotency-key-missing")
    assert site.app.test_client().post("/v1/free", json={}, headers=sent).status_code == 201
    assert things.made == ["free"]


def test_where_no_key_is_needed_one_counts_and_where_it_is_ignored_it_does_not(site: Doors, things: Counted) -> None:
    token = site.key()
    for _ in range(2):
        make(site, token, "k-1", path="/v1/free")
        make(site, token, "k-2", path="/v1/secrets")
    assert things.made == ["free", "secret", "secret"]


def test_the_same_key_for_something_else_is_refused(site: Doors, things: Counted) -> None:
    token = site.key()
    make(site, token, "k-1")
    assert make(site, token, "k-1", {"status": 202}).json["code"] == "idempotency-key-reused"
    assert make(site, token, "k-1", path="/v1/free").json["code"] == "idempotency-key-reused"
    assert len(things.made) == 1


def test_keys_of_two_principals_and_of_two_tenants_are_two_keys(site: Doors, things: Counted) -> None:
    for token in (site.key(), site.key(), site.key(tenant=OTHER)):
        assert "Idempotency-Replayed" not in make(site, token, "k-1").headers
    assert len(set(things.made)) == 3


def test_of_two_at_once_one_is_done_and_the_other_waits(site: Doors, things: Counted) -> None:
    token, answers = site.key(), []
    first = threading.Thread(target=lambda: answers.append(make(site, token, "k-1", {"is_slow": True})))
    first.start()
    assert things.is_working.wait(10)
    second = make(site, token, "k-1", {"is_slow": True})
    assert second.status_code == 409
    assert second.json["code"] == "idempotency-in-progress"
    assert 1 <= int(second.headers["Retry-After"]) <= LEASE_MS // 1000
    things.may_go_on.set()
    first.join()
    assert answers[0].status_code == 201
    assert make(site, token, "k-1", {"is_slow": True}).headers["Idempotency-Replayed"] == "true"
    assert len(things.made) == 1


def test_answers_are_kept_for_a_day_and_are_not_readable_in_redis(site: Doors, things: Counted) -> None:
    made = make(site, site.key(), "k-1")
    (name,) = site.services.redis.keys("sr:{main}:idempotency:*")
    assert KEPT_MS - 60_000 < site.services.redis.pttl(name) <= KEPT_MS
    kept: Any = site.services.redis.hget(name, "answer")
    assert made.text.encode() not in kept
    assert b"k-1" not in name


def test_a_dead_attempt_is_taken_over_and_its_late_answer_does_not_replace_the_other(site: Doors) -> None:
    record = KeyRecord(site.services.redis, TENANT, "k")
    assert record.reserve("f", "one").outcome is Reserved.TAKEN
    assert record.reserve("f", "two").outcome is Reserved.RUNNING
    (lease,) = site.services.redis.keys("*:lease")
    site.services.redis.delete(lease)  # as when its time is over
    assert record.reserve("f", "two").outcome is Reserved.TAKEN
    record.settle("one", b"")
    assert record.reserve("f", "three").outcome is Reserved.RUNNING, "the second still works on it"
    record.settle("two", b"second")
    record.settle("one", b"first")
    assert record.reserve("f", "three").answer == b"second"


def test_orders_of_one_request_have_ids_of_their_own_which_a_retry_repeats(site: Doors) -> None:
    api = APIBlueprint("two", __name__, url_prefix="/v1")

    @api.post("/two", operation_id="two", responses={200: None})
    @needs(Scope.AGENTS_CONTROL)
    def two(body: Wanted) -> Response:
        """Two orders, no engine."""
        for name in ("anna", "ben"):
            with suppress(Problem):
                obey(GoAvailable, agent_id=name)
        return Response("", 503)

    site.app.register_api(api)  # type: ignore[attr-defined]
    import routing.api.orders as orders

    before, orders.REPLY_S = orders.REPLY_S, 0.05
    try:
        token = site.key()
        for _ in range(2):
            assert make(site, token, "k-1", path="/v1/two").status_code == 503
    finally:
        orders.REPLY_S = before
    front = site.services.front(TENANT)
    assert front.redis.xlen(front.keys("inputs")) == 2


@pytest.mark.timeout(120)
def test_an_api_that_is_killed_before_it_answers_has_sent_the_order_once(tmp_path: Path) -> None:
    with api_site(tmp_path) as center:
        first, second = center.server(), center.server()
        token = center.key(Scope.OUTDIAL)
        request: dict[str, Any] = {
            "url": "/v1/outdials",
            "json": {"agent_id": "anna", "number": "+12015550150"},
            "headers": {"Idempotency-Key": "5b6f1d0e-3c0f-4f0c-9c39-0d8f4d5a7b11"},
        }
        lost: list[Exception] = []

        def ask() -> None:
            try:
                with first.client(token) as client:
                    client.post(**request)
            except httpx.TransportError as error:
                lost.append(error)

        asking = threading.Thread(target=ask)
        asking.start()
        wait_until(lambda: center.redis.command("XLEN", "sr:{main}:inputs") == b":1", 10)
        first.kill()
        asking.join()
        assert lost, "nobody was told anything"
        with second.client(token) as client:
            assert client.post(**request).status_code == 409
            center.engine()
            answer = patient(client, request)
            again = client.post(**request)
        assert answer.status_code == 404, answer.text  # there is no agent anna: what counts is who was asked, and once
        assert answer.json()["code"] == "agent-unknown"
        assert again.headers["Idempotency-Replayed"] == "true"
        assert orders_in_journal(center) == 1


def patient(client: httpx.Client, request: dict[str, Any]) -> httpx.Response:
    """As a client would: again when it is told to wait."""
    answers: list[httpx.Response] = []

    def is_answered() -> bool:
        answers.append(client.post(**request))
        return answers[-1].status_code != 409

    wait_until(is_answered, LEASE_MS / 1000 + 15)
    return answers[-1]


def orders_in_journal(center: ApiSite) -> int:
    async def count() -> int:
        store = RedisStore(center.redis.url, "main")
        try:
            return sum(isinstance(entry.item, StartOutdial) for entry in await store.read_journal(0, 1000))
        finally:
            await store.close()

    return run(count())
