"""`/v1/webhooks` over real SQL and Redis, with a worker's own job at the end of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from rq import Queue, SimpleWorker
from standardwebhooks import Webhook
from werkzeug.test import TestResponse

from deploy.lab.redis import RedisServer
from routing.api.principal import AGENT_SCOPES, Principal, Scope
from routing.api.services import Services
from routing.app.clock import SystemClock
from routing.app.settings import ApiSettings, ServerSettings, WebhookSettings
from routing.core.events import Event, EventType
from routing.store.front import connect
from routing.store.port import StoredEvent
from routing.store.sealing import Sealer, SealKeys, new_key
from routing.store.sql.database import Database
from routing.store.sql.webhooks import get_endpoint
from tests.integration.applications import app_over
from tests.integration.receiver import Receiver, Reply
from tests.waiting import wait_until
from workers import webhooks
from workers.jobs import Jobs, queue_name
from workers.outbox import Outbox
from workers.webhooks import Sender

pytestmark = pytest.mark.req("API-06")


@dataclass(frozen=True, slots=True)
class Tokens:
    tenant: str

    def authenticate(self, token: str) -> Principal | None:
        if token == "stranger":
            return Principal(tenant="other", actor="key:stranger", scopes=frozenset(Scope))
        if token == "crm":
            return Principal(tenant=self.tenant, actor="key:crm", scopes=frozenset(Scope))
        return Principal(tenant=self.tenant, actor=f"agent:{token}", scopes=AGENT_SCOPES, agent_id=token)


@dataclass(slots=True)
class Site:
    services: Services
    tenant: str
    receiver: Receiver
    sender: Sender

    def send(self, method: str, path: str, body: Any = None, who: str = "crm", **headers: str) -> TestResponse:
        sent = {"Authorization": f"Bearer {who}"} | {name.replace("_", "-"): v for name, v in headers.items()}
        if method == "POST":
            sent.setdefault("Idempotency-Key", str(uuid4()))
        client = app_over(self.services).test_client()
        return client.open(f"/v1/{path}", method=method, headers=sent, json=body)

    def created(self, **body: Any) -> Any:
        answer = self.send("POST", "webhooks", {"url": self.receiver.url(), **body})
        assert answer.status_code == 201, answer.text
        return answer.json

    def happen(self, type_: EventType, position: str = "1-0") -> None:
        """One event through the recorder's hook."""
        outbox = Outbox(Jobs(self.services.redis, self.tenant), self.services.clock)
        with self.services.database.begin() as connection:
            outbox(connection, self.tenant, [StoredEvent(position=position, event=Event(type=type_, at_ms=1))])
        outbox.committed()

    def work(self) -> None:
        """Do every job that is queued."""
        webhooks.employ(self.sender.submit)
        redis = self.services.redis
        queue = Queue(queue_name(self.tenant, "webhooks"), connection=redis)
        SimpleWorker([queue], connection=redis).work(burst=True, logging_level="ERROR")

    def log(self, webhook_id: str, query: str = "") -> list[Any]:
        answer = self.send("GET", f"webhooks/{webhook_id}/deliveries?{query}")
        assert answer.status_code == 200, answer.text
        return list(answer.json["items"])  # type: ignore[index]


@pytest.fixture
def site(redis_server: RedisServer, database: Database, database_url: str, tenant: Callable[[], str]) -> Iterator[Site]:
    name, local = tenant(), WebhookSettings(allow_private=("127.0.0.0/8",), allow_http=True)
    keys = SealKeys(keys=(new_key("k1"),))
    made = Services(
        server=ServerSettings(tenant=name, redis_url=redis_server.url, database_url=database_url, cad_keys=keys),
        api=ApiSettings(),
        redis=connect(redis_server.url),
        clock=SystemClock(),
        authenticator=Tokens(name),
        webhooks=local,
    )
    sender = Sender(name, database, made.clock, local, Sealer(keys), "worker@here")
    with Receiver() as receiver:
        yield Site(made, name, receiver, sender)
        sender.stop(10)
    made.database.close()
    made.redis.close()


def test_a_webhook_is_created_told_and_its_delivery_is_in_the_log(site: Site, database: Database) -> None:
    made = site.created(event_types=["interaction.*"], description="CRM")
    site.happen(EventType.AGENT_STATE_CHANGED, "1-0")
    site.happen(EventType.INTERACTION_ENDED, "2-0")
    site.work()
    wait_until(lambda: site.log(made["id"], "state=delivered"))
    [got], [row] = site.receiver.got, site.log(made["id"])
    body = Webhook(made["secret"]).verify(got.body, got.headers)
    assert body["type"] == "interaction.ended"
    assert (row["id"], row["event_id"], row["attempts"], row["last_status"]) == (got.id, "2-0", 1, 204)
    assert json.loads(row["body"]) == body
    assert site.log(made["id"], "state=failed") == []
    with database.read() as connection:
        assert made["secret"] not in get_endpoint(connection, site.tenant, made["id"]).secret, "sealed at rest"


def test_the_secret_is_shown_at_creation_alone_and_again_to_a_repeated_request(site: Site) -> None:
    key = str(uuid4())
    answers = [site.send("POST", "webhooks", {"url": site.receiver.url()}, Idempotency_Key=key) for _ in range(2)]
    assert answers[0].json == answers[1].json
    secret, id_ = answers[0].json["secret"], answers[0].json["id"]  # type: ignore[index]
    assert secret.startswith("whsec_")
    assert secret not in site.send("GET", f"webhooks/{id_}").text
    listed = site.send("GET", "webhooks")
    assert [item["id"] for item in listed.json["items"]] == [id_]  # type: ignore[index]
    assert secret not in listed.text


@pytest.mark.req("API-04")
def test_a_change_names_the_version_it_is_based_on(site: Site) -> None:
    made = site.created(queues=["sales"], campaigns=["spring"])
    assert (made["queues"], made["campaigns"]) == (["sales"], ["spring"])
    path = f"webhooks/{made['id']}"
    assert site.send("PATCH", path, {"description": "x"}).status_code == 428
    saved = site.send("PATCH", path, {"is_enabled": False, "queues": None}, If_Match='"1"')
    assert saved.headers["ETag"] == '"2"'
    shown: Any = saved.json
    assert (shown["is_enabled"], shown["disabled_reason"], shown["queues"]) == (False, "by hand", None)
    assert shown["campaigns"] == ["spring"], "what is not named stays"
    late = site.send("PATCH", path, {"description": "x"}, If_Match='"1"')
    assert (late.status_code, late.json["current_version"]) == (412, 2)  # type: ignore[index]
    assert site.send("POST", f"{path}/test").status_code == 409
    assert site.send("DELETE", path, If_Match='"1"').status_code == 412
    assert site.send("DELETE", path, If_Match='"2"').status_code == 204
    assert site.send("GET", path).status_code == 404


def test_a_rotated_secret_signs_beside_the_old_one_until_that_is_dropped(site: Site) -> None:
    made = site.created()
    path = f"webhooks/{made['id']}"
    rotated: Any = site.send("POST", f"{path}/secret", {"keep_old_hours": 1}, If_Match='"1"').json
    assert rotated["secret"] != made["secret"]
    assert rotated["old_secret_until"]

    def tested() -> Any:
        before = len(site.receiver.got)
        assert site.send("POST", f"{path}/test").status_code == 202
        site.work()
        wait_until(lambda: len(site.receiver.got) > before)
        return site.receiver.got[-1]

    both = tested()
    for secret in (made["secret"], rotated["secret"]):
        assert Webhook(secret).verify(both.body, both.headers)["type"] == "webhook.test"
    dropped = site.send("DELETE", f"{path}/secret/previous", If_Match='"2"')
    assert dropped.json["old_secret_until"] is None  # type: ignore[index]
    assert len(tested().headers["webhook-signature"].split(" ")) == 1


def test_what_failed_is_replayed_alone_or_since_a_time_with_the_same_id(site: Site) -> None:
    made = site.created()
    site.receiver.answer = lambda _got: Reply(410)
    site.happen(EventType.INTERACTION_ENDED, "1-0")
    site.work()
    wait_until(lambda: site.log(made["id"], "state=failed"))
    site.receiver.answer = lambda _got: Reply()
    path = f"webhooks/{made['id']}"
    enabled = site.send("PATCH", path, {"is_enabled": True}, If_Match="*")
    assert enabled.status_code == 200
    [row] = site.log(made["id"])
    assert site.send("POST", f"webhooks/deliveries/{row['id']}/replay").status_code == 202
    site.work()
    wait_until(lambda: site.log(made["id"], "state=delivered"))
    assert site.receiver.ids() == [row["id"]] * 2
    none = site.send("POST", f"{path}/replay", {"since": "2026-01-01T00:00:00Z"})
    assert none.json == {"replayed": 0}, "nothing has failed now"
    all_ = site.send("POST", f"{path}/replay", {"since": "2026-01-01T00:00:00Z", "states": ["delivered"]})
    assert all_.json == {"replayed": 1}
    late = site.send("POST", f"{path}/replay", {"since": "2126-01-01T00:00:00Z", "states": ["pending"]})
    assert late.json == {"replayed": 0}


@pytest.mark.req("OPS-06")
def test_a_webhook_of_another_tenant_is_not_there(site: Site) -> None:
    made = site.created()
    path = f"webhooks/{made['id']}"
    for method, where in (("GET", ""), ("DELETE", ""), ("POST", "/test"), ("GET", "/deliveries")):
        answer = site.send(method, path + where, None, "stranger", If_Match="*")
        assert answer.status_code == 404, (method, where)
    assert site.send("GET", "webhooks", who="stranger").json["items"] == []  # type: ignore[index]
    assert site.send("GET", path, who="anna").status_code == 403


@pytest.mark.parametrize(
    "url",
    [
        "ftp://crm.invalid/",
        "https://",
        "crm.invalid/hook",
        "https://user:pw@crm.invalid/",
        "https://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://0.0.0.0/",
        "https://crm.invalid/#x",
        "https://crm.invalid:99999/",
    ],
)
def test_an_address_that_must_not_be_reached_is_refused(site: Site, url: str) -> None:
    answer = site.send("POST", "webhooks", {"url": url})
    assert answer.status_code == 422, answer.text
    assert answer.json["errors"][0]["pointer"] == "/url"  # type: ignore[index]


def test_a_type_that_no_event_has_is_refused(site: Site) -> None:
    answer = site.send("POST", "webhooks", {"url": site.receiver.url(), "event_types": ["interaction.begun"]})
    assert answer.status_code == 422
