"""`/v1/desk-tokens`: a program opens an agent's desk in a frame of its own pages."""

from __future__ import annotations

import hashlib
import secrets
from typing import Annotated, Any

import msgspec
import structlog
from flask import current_app, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import Field
from redis import Redis
from redis.exceptions import RedisError

from routing.api.auth import BearerAuthenticator
from routing.api.idempotency import KeyUse, idempotent
from routing.api.principal import Scope, current, needs
from routing.api.problems import PUBLIC_URL, Problem, base_url
from routing.api.schemas import Body, Out
from routing.api.services import services
from routing.store.keys import shared_key
from routing.store.redis_link import translated

PREFIX, TOKEN_S = "dt_", 60
PLACE = "/desk/embed"

api = APIBlueprint(
    "desk_tokens", __name__, url_prefix="/v1", abp_tags=[Tag(name="access", description="Who may use the server")]
)
log = structlog.get_logger()


class DeskTokenBody(Body):
    """Whose desk."""

    agent_id: str = Field(min_length=1, max_length=64, description="Id of the agent", examples=["anna"])
    origins: list[Annotated[str, Field(max_length=300)]] = Field(
        default=[],
        max_length=50,
        description="The only origins whose pages may hold this desk, of those allowed; not given: all of those",
        examples=[["https://crm.example.com"]],
    )


class DeskTokenOut(Out):
    """What opens it, once."""

    token: str
    expires_in_s: int
    url: str = Field(description="Address of the frame, with the token; valid once")


class Granted(msgspec.Struct, frozen=True):
    """What a token stands for. `by`: the key that asked for it, or signed it. `origins` empty: all allowed ones."""

    tenant: str
    agent_id: str
    by: str
    origins: tuple[str, ...] = ()


@api.post("/desk-tokens", operation_id="createDeskToken", responses={201: DeskTokenOut})
@idempotent(KeyUse.IGNORED)
@needs(Scope.DESK_EMBED)
def create(body: DeskTokenBody) -> tuple[dict[str, Any], int]:
    """Open the desk of an agent in a frame; ask from your server, for a person whom you know."""
    made = services()
    if not (allowed := made.api.desk.frame_origins):
        raise Problem("desk-not-framed", "no origin may hold the desk in a frame")
    if foreign := [origin for origin in body.origins if origin not in allowed]:
        raise Problem("desk-not-framed", f"not of desk.frame_origins: {', '.join(foreign)}")
    people = made.authenticator.people if isinstance(made.authenticator, BearerAuthenticator) else None
    if people is None or people.agent(current().tenant, body.agent_id) is None:
        raise Problem("agent-unknown", f"there is no agent {body.agent_id} who may sign in")
    granted = Granted(current().tenant, body.agent_id, current().actor, tuple(body.origins))
    token = grant(made.redis, granted)
    log.info("desk_token_made", agent_id=body.agent_id)
    return {"token": token, "expires_in_s": TOKEN_S, "url": _address(token)}, 201


def _address(token: str) -> str:
    base = base_url(request.host_url, current_app.config.get(PUBLIC_URL, ""))
    return f"{base.rstrip('/')}{PLACE}?token={token}"


def grant(redis: Redis, granted: Granted) -> str:
    """A token that nobody can guess; Redis holds a hash of it. Raises StoreError."""
    token = PREFIX + secrets.token_urlsafe(32)
    try:
        redis.set(_key(token), msgspec.json.encode(granted), ex=TOKEN_S)
    except (RedisError, OSError) as error:
        raise translated(error) from error
    return token


def taken(redis: Redis, token: str) -> Granted | None:
    """What it stands for, once; None for one that is over, used or never was. Raises StoreError."""
    try:
        found = redis.getdel(_key(token))
    except (RedisError, OSError) as error:
        raise translated(error) from error
    return msgspec.json.decode(found, type=Granted) if isinstance(found, bytes) else None


def _key(token: str) -> str:
    return shared_key("desk-token", hashlib.sha256(token.encode("utf-8", "replace")).hexdigest())
