"""The Flask application."""

from __future__ import annotations

import structlog
from flask import Flask, Response, g, request
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from routing.api import events, interactions
from routing.api.problems import Problem, response
from routing.api.services import EXTENSION, Services, services
from routing.core.errors import StoreError

log = structlog.get_logger()

_HTTP_CODES = {400: "malformed-request", 404: "not-found", 405: "method-not-allowed"}


def create_app(made: Services) -> Flask:
    """The application over these services; it opens no connection by itself."""
    app = OpenAPI(
        "switchroom",
        info=Info(title="Switchroom", version="1", description="Routing server for Asterisk and FreeSWITCH"),
        doc_prefix="/docs",
        validation_error_callback=_invalid,
    )
    app.extensions[EXTENSION] = made
    app.before_request(_authenticate)
    app.register_error_handler(Problem, response)
    app.register_error_handler(StoreError, lambda error: response(Problem.of(error)))
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _fault)
    for api in (interactions.api, events.api):
        app.register_api(api)
    return app


def _authenticate() -> None:
    if not request.path.startswith("/v1/"):
        return
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    principal = services().authenticator.authenticate(token.strip()) if scheme.lower() == "bearer" else None
    if principal is None:
        raise Problem("unauthenticated", "send Authorization: Bearer KEY", {"WWW-Authenticate": "Bearer"})
    g.principal = principal


def _invalid(error: ValidationError) -> Response:
    errors = [
        {"pointer": "/" + "/".join(str(part) for part in found["loc"]), "detail": found["msg"]}
        for found in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    return response(Problem("invalid-request", f"{len(errors)} members break the schema", errors=errors))


def _http(error: HTTPException) -> Response:
    code = _HTTP_CODES.get(error.code or 500, "malformed-request")
    return response(Problem(code, error.description or error.name))


def _fault(error: Exception) -> Response:
    log.error("request_failed", path=request.path, method=request.method, exc_info=error)
    return response(Problem("internal-error", "the server failed at this request; its log says why"))
