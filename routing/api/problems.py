"""Refusals as RFC 9457 `application/problem+json`: clients key on `type`, people read `detail`."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Response, jsonify, request

from routing.core.errors import SwitchroomError


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One type of problem; `title` never changes for it."""

    status: int
    title: str


# Every code that leaves the API. Each is a page at /problems/CODE, so that `type` resolves.
KINDS: dict[str, Kind] = {
    # what the rules of the product refuse
    "illegal-transition": Kind(status=409, title="Not possible in this state"),
    "agent-unknown": Kind(status=404, title="There is no such agent"),
    "interaction-unknown": Kind(status=404, title="There is no such interaction"),
    "target-unknown": Kind(status=422, title="There is no such target"),
    "reason-unknown": Kind(status=422, title="The reason is not configured"),
    "agent-not-engaged": Kind(status=409, title="The agent has no part in this interaction"),
    "action-not-allowed": Kind(status=409, title="The action is not allowed now"),
    "agent-not-available": Kind(status=409, title="The agent cannot take a call now"),
    "agent-engaged": Kind(status=409, title="The agent still has an interaction"),
    "number-refused": Kind(status=422, title="The number is not dialed"),
    "cad-refused": Kind(status=422, title="CAD refused"),
    "cad-conflict": Kind(status=412, title="Somebody saved first"),
    "version-conflict": Kind(status=412, title="Somebody saved first"),
    "already-exists": Kind(status=409, title="There is one already"),
    "not-wrapped-up": Kind(status=409, title="The call has no wrap-up reason yet"),
    "not-in-history": Kind(status=409, title="The call is not in this agent's history"),
    "recording-elsewhere": Kind(status=404, title="The file of the recording is not on this server"),
    # what the request itself is refused for
    "invalid-request": Kind(status=422, title="The request breaks its schema"),
    "malformed-request": Kind(status=400, title="The request cannot be read"),
    "unauthenticated": Kind(status=401, title="A valid key or token is needed"),
    "forbidden": Kind(status=403, title="A permission is missing"),
    "cursor-invalid": Kind(status=422, title="The cursor is not one of this list"),
    "range-not-satisfiable": Kind(status=416, title="The file has no such range"),
    "not-found": Kind(status=404, title="There is no such thing"),
    "method-not-allowed": Kind(status=405, title="This method is not supported here"),
    # what is the server's fault or state
    "no-reply": Kind(status=503, title="No engine answered in time"),
    "store-unavailable": Kind(status=503, title="The live state cannot be reached"),
    "store-full": Kind(status=503, title="Too many orders wait"),
    "database-unavailable": Kind(status=503, title="The database cannot be reached"),
    "database-refused": Kind(status=500, title="The database refused"),
    "internal-error": Kind(status=500, title="A fault of the server"),
}


class Problem(Exception):
    """Raise it anywhere in a request. `extensions` become members of the answer, e.g. `allowed_actions`."""

    def __init__(self, code: str, detail: str, headers: dict[str, str] | None = None, /, **extensions: Any) -> None:
        super().__init__(detail)
        self.code, self.detail, self.headers, self.extensions = code, detail, headers or {}, extensions

    @classmethod
    def of(cls, error: SwitchroomError) -> Problem:
        """From an error of ours; its fields become members."""
        return cls(error.code, str(error), None, **error.fields)


def response(problem: Problem) -> Response:
    """The answer for it. A code that is not in `KINDS` is a refusal by the rules: 409."""
    kind = KINDS.get(problem.code, Kind(status=409, title="Refused"))
    members = {
        "type": f"{request.host_url}problems/{problem.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        "instance": request.path,
        "code": problem.code,
    }
    answer = jsonify(problem.extensions | members)
    answer.status = HTTPStatus(kind.status)
    answer.content_type = "application/problem+json"
    answer.headers.update(problem.headers)
    return answer
