"""One line per request, with an id that the answer carries too, and the caller's trace (W3C traceparent)."""

from __future__ import annotations

import re
import time
from uuid import uuid4

import structlog
from flask import Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

from routing.api.principal import INSIDE, Principal

log = structlog.get_logger()

REQUEST_ID = "X-Request-Id"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TRACE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_QUIET = frozenset({"/livez", "/readyz", "/metrics"})


def begin() -> None:
    """From here on each log line of this request tells which request it belongs to."""
    given, trace = request.headers.get(REQUEST_ID, ""), request.headers.get("traceparent", "")
    g.request_id = given if _ID.fullmatch(given) else f"req_{uuid4().hex}"
    g.began_s = time.monotonic()
    clear_contextvars()
    bind_contextvars(request_id=g.request_id)
    if _TRACE.fullmatch(trace):
        bind_contextvars(traceparent=trace)


def who(principal: Principal) -> None:
    """Known once he is authenticated."""
    bind_contextvars(tenant=principal.tenant, actor=principal.actor)


def end(answer: Response) -> Response:
    """The path without what stands behind the question mark, where secrets and numbers are."""
    answer.headers[REQUEST_ID] = g.request_id
    level = log.debug if request.path in _QUIET or INSIDE in request.environ else log.info
    level(
        "request_answered",
        method=request.method,
        path=request.path,
        status=answer.status_code,
        took_ms=round((time.monotonic() - g.began_s) * 1000, 1),
        remote=request.remote_addr,
    )
    return answer
