"""Refusals as RFC 9457 `application/problem+json`: clients key on `type`, people read `detail`."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import structlog
from flask import Response, current_app, request

from routing.api.problem_kinds import KINDS, RULES, Kind
from routing.core.errors import StoreError, SwitchroomError

__all__ = ["KINDS", "MEDIA_TYPE", "Kind", "Problem", "response"]

MEDIA_TYPE = "application/problem+json"
PUBLIC_URL = "SWITCHROOM_PUBLIC_URL"  # of the application's configuration
_STANDARD = frozenset({"type", "title", "status", "detail", "instance", "code"})

log = structlog.get_logger()


class Problem(Exception):
    """Raise it anywhere in a request. `extensions` become members of the answer, e.g. `allowed_actions`."""

    def __init__(self, code: str, detail: str, headers: dict[str, str] | None = None, /, **extensions: Any) -> None:
        super().__init__(detail)
        self.code, self.detail, self.headers, self.extensions = code, detail, headers or {}, extensions

    @classmethod
    def of(cls, error: SwitchroomError) -> Problem:
        """From an error of ours; its fields become members. What a store says is for the log: it may tell of hosts."""
        if isinstance(error, StoreError):
            log.warning("store_failed", code=error.code, reason=str(error))
            return cls(error.code, KINDS.get(error.code, SERVER_FAULT).meaning)
        return cls(error.code, str(error), None, **error.fields)


SERVER_FAULT = KINDS["internal-error"]


def base_url(host_url: str, public_url: str) -> str:
    """Where this API is reached from outside, with a slash at its end."""
    return public_url.rstrip("/") + "/" if public_url else host_url


def response(problem: Problem) -> Response:
    """The answer for it. A code that is not in `KINDS` is a refusal by the rules: 409."""
    kind = KINDS.get(problem.code, RULES["domain-error"])
    code = problem.code if problem.code in KINDS else "domain-error"
    members = {
        "type": f"{base_url(request.host_url, current_app.config.get(PUBLIC_URL, ''))}problems/{code}",
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        "instance": request.path,
        "code": problem.code,
    }
    extensions = _pointed(problem.extensions)
    extensions = {name: value for name, value in extensions.items() if name not in _STANDARD}
    answer = Response(json.dumps(members | extensions, default=_plain), HTTPStatus(kind.status), mimetype=MEDIA_TYPE)
    answer.headers.update(_headers(problem))
    return answer


def _pointed(extensions: dict[str, Any]) -> dict[str, Any]:
    """What is wrong with which variable, told as of every other member of a body, too: `errors` with pointers."""
    from routing.api.requests import escaped

    problems = extensions.get("problems")
    if not isinstance(problems, dict):
        return extensions
    errors = [{"pointer": f"/{escaped(str(name))}", "detail": what} for name, what in problems.items()]
    return extensions | {"errors": errors}


def _headers(problem: Problem) -> dict[str, str]:
    wait_s = problem.extensions.get("retry_after_s")
    return problem.headers if wait_s is None else {"Retry-After": str(max(1, round(float(wait_s))))} | problem.headers


def _plain(value: object) -> object:
    """What JSON does not know, of the fields of an error."""
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    return list(value) if isinstance(value, tuple) else str(value)
