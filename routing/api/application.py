"""The Flask application: what happens around every request, and its routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import structlog
from flask import Flask, Response, current_app, g, make_response, request
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from routing.api import access_log, document_pages, health, idempotency, limits, metrics, problem_pages
from routing.api.principal import INSIDE, authorize
from routing.api.problems import PUBLIC_URL, Problem, response
from routing.api.requests import ApiRequest, escaped, refuse_bad_target
from routing.api.routes import blueprints
from routing.api.services import EXTENSION, Services, services
from routing.core.errors import StoreError, SwitchroomError

log = structlog.get_logger()

ROOT = "/v1/"
HTTP_CODES = {
    400: "malformed-request",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    408: "request-timeout",
    413: "body-too-large",
    415: "wrong-content-type",
    416: "range-not-satisfiable",
}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def create_app(made: Services) -> Flask:
    """The application over these services; it opens no connection by itself."""
    app = OpenAPI(
        "switchroom",
        info=Info(title="Switchroom", version="1", description="Routing server for Asterisk and FreeSWITCH"),
        doc_ui=False,
        validation_error_callback=_invalid,
        static_folder=None,
    )
    app.request_class = ApiRequest
    app.url_map.strict_slashes = True
    app.config[PUBLIC_URL] = made.api.public_url
    app.extensions[EXTENSION] = made
    _handle_errors(app)
    app.before_request(access_log.begin)
    app.before_request(_admit)
    app.after_request(idempotency.settle)
    app.after_request(_with_headers)
    app.after_request(access_log.end)
    for api in blueprints():
        app.register_api(api)
    for pages in (document_pages.pages, problem_pages.pages, metrics.pages, health.pages):
        app.register_blueprint(pages)
    if hops := made.api.proxy_hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def _handle_errors(app: Flask) -> None:
    app.register_error_handler(Problem, response)
    app.register_error_handler(SwitchroomError, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _fault)


def _admit() -> Response | None:
    """Who asks, whether he may, and whether he has asked before; an answer here is the whole answer."""
    refuse_bad_target()
    if not request.path.startswith(ROOT) or request.method == "OPTIONS":
        return None
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, "is_public", False):
        return None
    inside = request.environ.get(INSIDE)
    g.principal = inside or _principal()
    if inside is None:
        limits.count_request(g.principal)  # what the desk asks was counted when its page was asked for
    if view is None:
        return None  # the error 404 or 405 comes next
    authorize(view)
    return idempotency.reserve(cast("Callable[..., Any]", view))


def _principal() -> Any:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    challenge = {"WWW-Authenticate": 'Bearer realm="switchroom"'}
    if scheme.lower() != "bearer" or not token.strip():
        raise Problem("unauthenticated", "send Authorization: Bearer KEY", challenge)
    token = token.strip()
    failures = limits.Failures.of_request(limits.bearer_of(token))
    principal = services().authenticator.authenticate(token)
    if principal is None:
        failures.add()
        challenge["WWW-Authenticate"] += ', error="invalid_token"'
        raise Problem("unauthenticated", "the key or token is wrong, expired or revoked", challenge)
    access_log.who(principal)
    return principal


def _with_headers(answer: Response) -> Response:
    for name, value in _HEADERS.items():
        answer.headers.setdefault(name, value)
    answer.headers.extend(g.get("limit_headers", {}))
    if services().api.public_url.startswith("https:"):
        answer.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return answer


def _invalid(error: ValidationError) -> Response:
    errors = [
        {"pointer": "".join(f"/{escaped(str(part))}" for part in found["loc"]), "detail": found["msg"]}
        for found in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    count = "1 member breaks" if len(errors) == 1 else f"{len(errors)} members break"
    return response(Problem("invalid-request", f"{count} the schema", errors=errors))


def _refused(error: SwitchroomError) -> Response:
    g.store_failed = isinstance(error, StoreError)
    return response(Problem.of(error))


def _http(error: HTTPException) -> Response:
    if error.response is not None:
        return make_response(error.response)  # a ready answer that was aborted with
    code = HTTP_CODES.get(error.code or 500)
    if code is None:
        return _fault(error)
    headers = {name: value for name, value in error.get_headers() if name == "Allow"}
    return response(Problem(code, error.description or error.name, headers))


def _fault(error: Exception) -> Response:
    log.error("request_failed", path=request.path, method=request.method, exc_info=error)
    return response(Problem("internal-error", "the server failed at this request; its log says why"))
