"""`/v1/webhooks`: who is told of what happens, and what became of it (Standard Webhooks 1.0.0)."""

from __future__ import annotations

import secrets
from base64 import b64encode
from typing import Any

import msgspec
from flask_openapi3.blueprint import APIBlueprint
from sqlalchemy import Connection

from routing.api.audit import audit
from routing.api.database import reading, writing
from routing.api.etags import conditional, etag, expected_version
from routing.api.idempotency import idempotent, new_or_same_id
from routing.api.pagination import page_of, shown_page
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.schemas import PageQuery
from routing.api.services import services
from routing.api.times import rfc3339
from routing.api.webhook_models import (
    DeliveriesQuery,
    DeliveryListOut,
    DeliveryOut,
    DeliveryPath,
    ReplayIn,
    ReplayOut,
    RotateIn,
    WebhookIn,
    WebhookListOut,
    WebhookOut,
    WebhookPatch,
    WebhookPath,
    WebhookSecretOut,
    delivery_view,
    filters_of,
    filters_view,
    webhook_view,
)
from routing.store.sql import deliveries
from routing.store.sql.contacts import Save
from routing.store.sql.deliveries import NewDelivery
from routing.store.sql.webhooks import (
    DISABLED_BY_HAND,
    Endpoint,
    create_endpoint,
    delete_endpoint,
    get_endpoint,
    list_endpoints,
    update_endpoint,
)
from workers.jobs import Jobs
from workers.webhook_http import Guard

api = APIBlueprint("webhooks", __name__, url_prefix="/v1")

SECRET_BYTES = 32
TEST = "webhook.test"
_QUEUED_MS = 10_000
Answered = tuple[dict[str, Any], int, dict[str, str]]


@api.get("/webhooks", operation_id="listWebhooks", responses={200: WebhookListOut})
@needs(Scope.WEBHOOKS_MANAGE)
def list_webhooks(query: PageQuery) -> dict[str, Any]:
    """Every endpoint, without its secret."""
    now_ms = _now_ms()
    with reading() as connection:
        page = list_endpoints(connection, current().tenant, page_of(query))
    return shown_page(page, lambda endpoint: webhook_view(endpoint, now_ms))


@api.get("/webhooks/<webhook_id>", operation_id="getWebhook", responses={200: WebhookOut})
@needs(Scope.WEBHOOKS_MANAGE)
def get_webhook(path: WebhookPath) -> Answered:
    """One endpoint; its ETag is needed to change it."""
    with reading() as connection:
        return _answer(get_endpoint(connection, current().tenant, path.webhook_id))


@api.post("/webhooks", operation_id="createWebhook", responses={201: WebhookSecretOut})
@needs(Scope.WEBHOOKS_MANAGE)
@idempotent()
def create_webhook(body: WebhookIn) -> Answered:
    """From now on it is told of every event it wants. The secret is shown only here."""
    _require_good(body.url)
    now_ms, secret = _now_ms(), _new_secret()
    endpoint = Endpoint(
        id=new_or_same_id("whk"),
        url=body.url,
        description=body.description,
        event_types=body.event_types,
        filters=filters_of({"queues": body.queues, "campaigns": body.campaigns}),
        secret=_sealed(secret),
        previous_secret="",
        previous_until_ms=None,
        version=1,
        created_by=current().actor,
        created_at_ms=now_ms,
        updated_at_ms=now_ms,
        disabled_at_ms=None if body.is_enabled else now_ms,
        disabled_reason="" if body.is_enabled else DISABLED_BY_HAND,
    )
    with writing() as connection:
        made = create_endpoint(connection, current().tenant, endpoint)
        audit(connection, current(), "webhook.created", f"webhook:{made.id}")
    return _answer(made, 201, secret=_opened(made.secret))


@api.patch("/webhooks/<webhook_id>", operation_id="updateWebhook", responses={200: WebhookOut})
@needs(Scope.WEBHOOKS_MANAGE)
@conditional
def update_webhook(path: WebhookPath, body: WebhookPatch) -> Answered:
    """Change it, disable it, or enable it again: what is pending then goes on."""
    given = body.model_dump(include=body.model_fields_set)
    if "url" in given:
        _require_good(body.url)
    filters = {name: given.pop(name) for name in ("queues", "campaigns") if name in given}
    with writing() as connection:
        old = get_endpoint(connection, current().tenant, path.webhook_id)
        if filters:
            given["filters"] = filters_of(filters_view(old.filters) | filters)
        given |= _switched(old, given.pop("is_enabled", None))
        return _updated(connection, path.webhook_id, given, "webhook.updated")


@api.delete("/webhooks/<webhook_id>", operation_id="deleteWebhook", responses={204: None})
@needs(Scope.WEBHOOKS_MANAGE)
@conditional
def delete_webhook(path: WebhookPath) -> tuple[str, int]:
    """With its deliveries; what is pending is not sent any more."""
    with writing() as connection:
        delete_endpoint(connection, current().tenant, _save(path.webhook_id))
        audit(connection, current(), "webhook.deleted", f"webhook:{path.webhook_id}")
    return "", 204


@api.post("/webhooks/<webhook_id>/secret", operation_id="rotateWebhookSecret", responses={200: WebhookSecretOut})
@needs(Scope.WEBHOOKS_MANAGE)
@idempotent()
@conditional
def rotate_webhook_secret(path: WebhookPath, body: RotateIn) -> Answered:
    """A new secret. Until `keep_old_hours` are over everything is signed with both."""
    secret, now_ms = _new_secret(), _now_ms()
    with writing() as connection:
        old = get_endpoint(connection, current().tenant, path.webhook_id)
        changes = {
            "secret": _sealed(secret),
            "previous_secret": old.secret if body.keep_old_hours else "",
            "previous_until_ms": now_ms + body.keep_old_hours * 3600_000 if body.keep_old_hours else None,
        }
        view, status, headers = _updated(connection, path.webhook_id, changes, "webhook.secret_rotated")
    return view | {"secret": secret}, status, headers


@api.delete("/webhooks/<webhook_id>/secret/previous", operation_id="dropWebhookSecret", responses={200: WebhookOut})
@needs(Scope.WEBHOOKS_MANAGE)
@conditional
def drop_webhook_secret(path: WebhookPath) -> Answered:
    """The old secret signs no longer."""
    with writing() as connection:
        changes = {"previous_secret": "", "previous_until_ms": None}
        return _updated(connection, path.webhook_id, changes, "webhook.old_secret_dropped")


# ------------------------------------------------------------------ deliveries


@api.post("/webhooks/<webhook_id>/test", operation_id="testWebhook", responses={202: DeliveryOut})
@needs(Scope.WEBHOOKS_MANAGE)
@idempotent()
def test_webhook(path: WebhookPath) -> tuple[dict[str, Any], int]:
    """Send an event `webhook.test` to it; what becomes of it is in the delivery log."""
    now_ms, tenant, id_ = _now_ms(), current().tenant, new_or_same_id("msg")
    data = {"id": None, "type": TEST, "at": rfc3339(now_ms), "interaction_id": None, "agent_id": None}
    event = {"type": TEST, "timestamp": rfc3339(now_ms), "data": data | {"queue": None, "data": {}}}
    new = NewDelivery(
        id=id_,
        endpoint_id=path.webhook_id,
        event_position="",
        event_type=TEST,
        body=msgspec.json.encode(event).decode(),
    )
    with writing() as connection:
        if get_endpoint(connection, tenant, path.webhook_id).disabled_at_ms is not None:
            raise Problem("webhook-disabled", "enable it first: a disabled endpoint is sent nothing")
        deliveries.add(connection, tenant, [new], now_ms, _QUEUED_MS)
        made = deliveries.get_delivery(connection, tenant, id_)
    _jobs().deliver([(path.webhook_id, id_)])
    return delivery_view(made), 202


@api.get("/webhooks/<webhook_id>/deliveries", operation_id="listDeliveries", responses={200: DeliveryListOut})
@needs(Scope.WEBHOOKS_MANAGE)
def list_deliveries(path: WebhookPath, query: DeliveriesQuery) -> dict[str, Any]:
    """What was sent to it, or is to be, and what became of it."""
    tenant = current().tenant
    with reading() as connection:
        get_endpoint(connection, tenant, path.webhook_id)
        page = deliveries.list_deliveries(connection, tenant, path.webhook_id, query.state, page_of(query))
    return shown_page(page, delivery_view)


@api.post("/webhooks/deliveries/<delivery_id>/replay", operation_id="replayDelivery", responses={202: DeliveryOut})
@needs(Scope.WEBHOOKS_MANAGE)
def replay_delivery(path: DeliveryPath) -> tuple[dict[str, Any], int]:
    """Send it again, with the same webhook-id and all attempts anew."""
    tenant = current().tenant
    with writing() as connection:
        deliveries.get_delivery(connection, tenant, path.delivery_id)
        count = deliveries.replay(connection, tenant, deliveries.is_delivery(path.delivery_id), _now_ms())
        again = deliveries.get_delivery(connection, tenant, path.delivery_id)
        if count:
            audit(connection, current(), "webhook.replayed", f"webhook:{again.endpoint_id}", delivery=again.id)
    _jobs().deliver([(again.endpoint_id, again.id)])
    return delivery_view(again), 202


@api.post("/webhooks/<webhook_id>/replay", operation_id="replayWebhook", responses={202: ReplayOut})
@needs(Scope.WEBHOOKS_MANAGE)
def replay_webhook(path: WebhookPath, body: ReplayIn) -> tuple[dict[str, int], int]:
    """Send again what was made since a time, by default what has failed; it goes out within seconds."""
    tenant, since_ms = current().tenant, int(body.since.timestamp() * 1000)
    with writing() as connection:
        get_endpoint(connection, tenant, path.webhook_id)
        chosen = deliveries.is_since(path.webhook_id, since_ms, body.states)
        count = deliveries.replay(connection, tenant, chosen, _now_ms())
        audit(connection, current(), "webhook.replayed", f"webhook:{path.webhook_id}", count=count)
    return {"replayed": count}, 202


# ------------------------------------------------------------------ parts


def _now_ms() -> int:
    return services().clock.now_ms()


def _jobs() -> Jobs:
    tenant = current().tenant
    return Jobs(services().front(tenant).redis, tenant)


def _require_good(url: str) -> None:
    """What a look at the address tells; where its name leads is looked at each time something is sent."""
    settings = services().webhooks
    guard = Guard(allow_private=settings.allow_private, allow_http=settings.allow_http)
    if problem := guard.problem(url):
        errors = [{"pointer": "/url", "detail": problem}]
        raise Problem("invalid-request", f"the url {problem}", errors=errors)


def _new_secret() -> str:
    return "whsec_" + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _sealed(secret: str) -> str:
    return services().front(current().tenant).codecs.sealer.seal_whole(secret.encode()).decode()


def _opened(secret: str) -> str:
    return services().front(current().tenant).codecs.sealer.open_whole(secret.encode()).decode()


def _switched(old: Endpoint, is_enabled: bool | None) -> dict[str, Any]:
    if is_enabled is None or is_enabled == (old.disabled_at_ms is None):
        return {}
    if is_enabled:
        return {"disabled_at_ms": None, "disabled_reason": ""}
    return {"disabled_at_ms": _now_ms(), "disabled_reason": DISABLED_BY_HAND}


def _save(webhook_id: str) -> Save:
    return Save(id=webhook_id, expected_version=expected_version(), now_ms=_now_ms())


def _updated(connection: Connection, webhook_id: str, changes: dict[str, Any], action: str) -> Answered:
    saved = update_endpoint(connection, current().tenant, _save(webhook_id), changes)
    audit(connection, current(), action, f"webhook:{saved.id}", version=saved.version)
    return _answer(saved)


def _answer(endpoint: Endpoint, status: int = 200, **more: str) -> Answered:
    return webhook_view(endpoint, _now_ms()) | more, status, {"ETag": etag(endpoint.version)}
