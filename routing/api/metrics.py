"""`/metrics`: the figures of a tenant in the text form of Prometheus (OPS-03).

Outside `/v1`, where scrapers look for it. With a key it answers for the key's tenant; open, for the server's own.
"""

from __future__ import annotations

from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST

from routing.api import limits
from routing.api.principal import Scope
from routing.api.problems import Problem
from routing.api.services import services
from routing.app.metrics import Recorded, exposition, read_recorded
from routing.core.errors import StoreError

pages = Blueprint("metrics", __name__)


@pages.get("/metrics")
def metrics() -> Response:
    """Needs the scope `metrics:read`, unless `metrics_open` of the table `api` is set."""
    tenant, now_ms = _tenant(), services().clock.now_ms()
    text = exposition(services().front(tenant), _recorded(tenant, now_ms), now_ms)
    return Response(text, content_type=CONTENT_TYPE_LATEST)


def _tenant() -> str:
    made = services()
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if not token.strip() and made.api.metrics_open:
        return made.server.tenant
    token = token.strip() if scheme.lower() == "bearer" else ""
    failures = limits.Failures.of_request(limits.bearer_of(token))
    principal = made.authenticator.authenticate(token) if token else None
    if principal is None:
        if token:
            failures.add()
        raise Problem("unauthenticated", "send Authorization: Bearer KEY", {"WWW-Authenticate": "Bearer"})
    if Scope.METRICS_READ not in principal.scopes:
        missing = [Scope.METRICS_READ.value]
        raise Problem("forbidden", "the permission metrics:read is missing", missing_scopes=missing)
    return principal.tenant


def _recorded(tenant: str, now_ms: int) -> Recorded | None:
    """None without a database: live figures matter most when something is down."""
    try:
        with services().database.read() as connection:
            return read_recorded(connection, tenant, now_ms)
    except StoreError:
        return None
