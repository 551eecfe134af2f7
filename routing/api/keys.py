"""`/v1/keys`: API keys of the tenant. The secret of a key is shown once, when it is made."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import Field

from routing.api.audit import audit
from routing.api.auth import BearerAuthenticator
from routing.api.auth_keys import made_key
from routing.api.database import reading, writing
from routing.api.idempotency import idempotent
from routing.api.pagination import page_of, shown_page
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.schemas import Body, Out, PageQuery, Path
from routing.api.services import services
from routing.api.times import rfc3339
from routing.store.sql import access
from routing.store.sql.access import ApiKey

api = APIBlueprint(
    "keys", __name__, url_prefix="/v1", abp_tags=[Tag(name="access", description="Who may use the server")]
)


class KeyPath(Path):
    key_id: str = Field(min_length=1, max_length=100, description="Id of the key")


class NewKeyBody(Body):
    """A key for a program."""

    name: str = Field(min_length=1, max_length=100, description="What it is for", examples=["CRM"])
    scopes: list[Scope] = Field(
        min_length=1, max_length=len(Scope), description="What it may do; nothing that the one who asks may not"
    )
    rate_limit: int = Field(default=0, ge=0, le=1_000_000, description="Requests a minute; 0: as configured")


class KeyOut(Out):
    """An API key, without its secret."""

    id: str = Field(examples=["key_01JD5KX9Q2T3V4W5X6Y7Z8A9BC"])
    name: str
    scopes: list[str]
    rate_limit: int
    created_at: str
    created_by: str
    last_used_at: str | None = Field(description="To the minute")
    revoked_at: str | None


class MadeKeyOut(KeyOut):
    """A new key; keep its `token`, it is not shown again."""

    token: str = Field(description="What goes into the header Authorization, after `Bearer`")


class KeysOut(Out):
    """Oldest first, revoked ones too."""

    items: list[KeyOut]
    next_cursor: str | None


@api.get("/keys", operation_id="listKeys", responses={200: KeysOut})
@needs(Scope.KEYS_MANAGE)
def list_keys(query: PageQuery) -> dict[str, Any]:
    """List API keys."""
    with reading() as connection:
        return shown_page(access.list_api_keys(connection, current().tenant, page_of(query)), shown)


@api.post("/keys", operation_id="createKey", responses={201: MadeKeyOut})
@idempotent()
@needs(Scope.KEYS_MANAGE)
def create_key(body: NewKeyBody) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Make an API key."""
    principal = current()
    missing = sorted(scope.value for scope in set(body.scopes) - principal.scopes)
    if missing:
        raise Problem("forbidden", "nobody can give what he has not got", missing_scopes=missing)
    scopes = [scope.value for scope in body.scopes]
    now_ms = services().clock.now_ms()
    made = made_key(body.name, scopes, now_ms, created_by=principal.actor, rate_limit=body.rate_limit)
    with writing() as connection:
        access.create_api_key(connection, principal.tenant, made.row)
        audit(connection, principal, "key.created", f"key:{made.row.id}", scopes=made.row.scopes)
    return shown(made.row) | {"token": made.token}, 201, {"Location": f"/v1/keys/{made.row.id}"}


@api.get("/keys/<key_id>", operation_id="getKey", responses={200: KeyOut})
@needs(Scope.KEYS_MANAGE)
def get_key(path: KeyPath) -> dict[str, Any]:
    """Show an API key."""
    with reading() as connection:
        return shown(access.get_api_key(connection, current().tenant, path.key_id))


@api.delete("/keys/<key_id>", operation_id="revokeKey", responses={204: None})
@needs(Scope.KEYS_MANAGE)
def revoke_key(path: KeyPath) -> Response:
    """Revoke an API key: within 5 seconds it opens nothing any more."""
    with writing() as connection:
        access.revoke_api_key(connection, current().tenant, path.key_id, services().clock.now_ms())
        audit(connection, current(), "key.revoked", f"key:{path.key_id}")
    authenticator = services().authenticator
    if isinstance(authenticator, BearerAuthenticator):
        authenticator.keys.rows.forget(path.key_id)
    return Response(status=204)


def shown(key: ApiKey) -> dict[str, Any]:
    """`KeyOut`."""
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "rate_limit": key.rate_limit,
        "created_at": rfc3339(key.created_at_ms),
        "created_by": key.created_by,
        "last_used_at": rfc3339(key.last_used_at_ms),
        "revoked_at": rfc3339(key.revoked_at_ms),
    }
