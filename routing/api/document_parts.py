"""What the document of the API says once for all operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from routing.api.problem_kinds import KINDS

INFO: dict[str, Any] = {
    "title": "Switchroom",
    "version": version("switchroom"),
    "description": "Routing server for Asterisk and FreeSWITCH: calls, agents, call-associated data, history, events. "
    "Errors are RFC 9457 problems, each of a kind that /problems explains.",
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}

SECURITY_SCHEMES: dict[str, Any] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key (`sr_...`), a token of `POST /v1/sessions`, or one of the OpenID Connect provider",
    }
}

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. Further members depend on the kind: each is explained at its `type`.",
    "required": ["type", "title", "status", "detail", "instance", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "Its kind; resolves to a page"},
        "title": {"type": "string", "description": "The same for every problem of this kind"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What went wrong this time"},
        "instance": {"type": "string", "description": "Path of the request"},
        "code": {"type": "string", "description": "Short name of the kind"},
        "errors": {
            "type": "array",
            "description": "What breaks the schema, and where (JSON Pointer)",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
        "allowed_actions": {"type": "array", "items": {"type": "string"}},
        "reason_code": {"type": "integer", "description": "26: capacity of the data centre; 27: of the tenant"},
        "current_version": {"type": "integer"},
        "missing_scopes": {"type": "array", "items": {"type": "string"}},
        "retry_after_s": {"type": "number"},
    },
    "additionalProperties": True,
}

HEADERS: dict[str, Any] = {
    "RequestId": {"description": "Names this request in the server's log", "schema": {"type": "string"}},
    "RateLimit": {"description": 'What is left, e.g. `"minute";r=5999;t=60`', "schema": {"type": "string"}},
    "RateLimitPolicy": {"description": 'The limit, e.g. `"minute";q=6000;w=60`', "schema": {"type": "string"}},
    "RetryAfter": {"description": "Seconds to wait", "schema": {"type": "integer"}},
}

_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A UUID. The same request with the same key within a day is done once and answered the same",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
    "example": "5b6f1d0e-3c0f-4f0c-9c39-0d8f4d5a7b11",
}
PARAMETERS: dict[str, Any] = {
    "IdempotencyKey": _KEY | {"required": True},
    "OptionalIdempotencyKey": _KEY | {"required": False},
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "The ETag of what is edited; `*`: whatever is there",
        "schema": {"type": "string", "pattern": '^("[0-9]{1,18}"|\\*)$'},
        "example": '"7"',
    },
}

# Bodies as somebody would send them, by operationId; checked against the schema when the document is made.
EXAMPLES: dict[str, dict[str, Any]] = {
    "createKey": {"name": "CRM", "scopes": ["interactions:read", "cad:write"]},
    "createSession": {"user": "anna", "password": "correct horse battery staple"},
    "holdInteraction": {"agent_id": "anna"},
    "resumeInteraction": {"agent_id": "anna"},
}

STATUSES = sorted({kind.status for kind in KINDS.values()})


def problem_responses() -> dict[str, Any]:
    """`Problem404` and so on."""
    return {f"Problem{status}": _problem_response(status) for status in STATUSES}


def _problem_response(status: int) -> dict[str, Any]:
    codes = sorted(code for code, kind in KINDS.items() if kind.status == status)
    headers = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
    if status in (429, 503):
        headers["Retry-After"] = {"$ref": "#/components/headers/RetryAfter"}
    return {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(codes)}",
        "headers": headers,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def problem_statuses(method: str, *, has_body: bool, is_public: bool, view: Callable[..., Any]) -> Iterator[int]:
    """What an operation may be refused with."""
    yield from (400, 404, 422, 429, 500, 503)
    if not is_public:
        yield from (401, 403)
    if method != "GET":
        yield 409
    if has_body:
        yield from (408, 413, 415)
    if getattr(view, "is_conditional", False):
        yield from (412, 428)
