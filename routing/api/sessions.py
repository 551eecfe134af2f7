"""`/v1/sessions`, `/v1/me`: signing in with a password, and who one is."""

from __future__ import annotations

from typing import Any, Self

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import Field, model_validator

from routing.api.access_log import who
from routing.api.auth import BearerAuthenticator
from routing.api.auth_people import PREFIX, Opened, PeopleDoor
from routing.api.idempotency import KeyUse, idempotent
from routing.api.limits import Failures
from routing.api.passwords import MAX_LENGTH
from routing.api.principal import Principal, current, needs, public
from routing.api.problems import Problem
from routing.api.schemas import Body, Out
from routing.api.services import services

api = APIBlueprint(
    "sessions", __name__, url_prefix="/v1", abp_tags=[Tag(name="access", description="Who may use the server")]
)


class SignInBody(Body):
    """Who signs in: a user by name, or an agent by id."""

    tenant: str | None = Field(default=None, max_length=100, description="Not given: that of the server")
    user: str | None = Field(default=None, min_length=1, max_length=100, description="Name of the user")
    agent_id: str | None = Field(default=None, min_length=1, max_length=100, description="Instead: id of the agent")
    password: str = Field(min_length=1, max_length=MAX_LENGTH)

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if (self.user is None) == (self.agent_id is None):
            raise ValueError("give one of user, agent_id")
        return self


class MeOut(Out):
    """Who asks, and what he may do."""

    tenant: str
    actor: str = Field(description="As events and the audit log name him", examples=["agent:anna"])
    agent_id: str | None = Field(description="The one agent he acts for; null: any, each request names him")
    scopes: list[str]


class SessionOut(MeOut):
    """An open session; its `token` is not shown again."""

    token: str = Field(description="What goes into the header Authorization, after `Bearer`")
    expires_in_s: int = Field(description="Without a request for so long, it ends")


@api.post("/sessions", operation_id="createSession", responses={201: SessionOut})
@idempotent(KeyUse.IGNORED)
@public
def sign_in(body: SignInBody) -> tuple[dict[str, Any], int]:
    """Sign in with a password."""
    tenant = body.tenant or services().server.tenant
    name = body.user or body.agent_id or ""
    failures = Failures.of_request(f"user:{tenant}:{name}")
    failures.check()
    opened = _people().sign_in(tenant, name, body.password)
    if opened is None or not _is_meant(body, opened):
        failures.add()
        raise Problem("unauthenticated", "name or password is wrong", {"WWW-Authenticate": 'Bearer realm="switchroom"'})
    who(opened.principal)
    return _shown(opened.principal) | {"token": opened.token, "expires_in_s": services().api.session_s}, 201


@api.delete("/sessions/current", operation_id="deleteCurrentSession", responses={204: None})
@needs()
def sign_out() -> Response:
    """Sign out: the token opens nothing any more."""
    token = request.headers["Authorization"].partition(" ")[2].strip()
    if not token.startswith(PREFIX):
        raise Problem("not-found", "you did not come with a session")
    _people().sign_out(token)
    return Response(status=204)


@api.get("/me", operation_id="getMe", responses={200: MeOut})
@needs()
def me() -> dict[str, Any]:
    """Who am I, and what may I do?"""
    return _shown(current())


def _is_meant(body: SignInBody, opened: Opened) -> bool:
    return body.agent_id is None or opened.principal.agent_id == body.agent_id


def _people() -> PeopleDoor:
    authenticator = services().authenticator
    if not isinstance(authenticator, BearerAuthenticator):
        raise Problem("not-found", "nobody signs in with a password here")
    return authenticator.people


def _shown(principal: Principal) -> dict[str, Any]:
    return {
        "tenant": principal.tenant,
        "actor": principal.actor,
        "agent_id": principal.agent_id or None,
        "scopes": sorted(scope.value for scope in principal.scopes),
    }
