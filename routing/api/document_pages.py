"""`/openapi.json`, and `/docs`: the document to read and to try; everything is served from here."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from flask import Blueprint, Response, current_app, send_from_directory

from routing.api.openapi import document_of

pages = Blueprint("document", __name__)

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Switchroom API</title>
<link rel="stylesheet" href="/docs/assets/css/swagger-ui.css">
</head>
<body>
<div id="document"></div>
<script src="/docs/assets/js/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = """window.addEventListener("load", function () {
  SwaggerUIBundle({ url: "/openapi.json", dom_id: "#document", deepLinking: true, docExpansion: "none" });
});
"""
_CSS = """body { font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; }
td { padding: 0.1rem 1rem 0.1rem 0; vertical-align: top; }
@media (prefers-color-scheme: dark) { body { background: #16181c; color: #e6e6e6; } a { color: #8ab4ff; } }
"""


@pages.get("/openapi.json")
def document() -> Response:
    """The document of the API."""
    answer: Response = current_app.json.response(document_of(current_app))  # type: ignore[assignment]
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@pages.get("/docs")
def docs() -> Response:
    """The document as a page. Styles of single elements are set by its program, hence their permission."""
    answer = Response(_PAGE)
    answer.headers["Content-Security-Policy"] = _POLICY
    return answer


@pages.get("/docs/start.js")
def start() -> Response:
    """Outside the page, so that no inline script needs to be permitted."""
    return Response(_START, mimetype="text/javascript")


@pages.get("/docs/page.css")
def style() -> Response:
    """Of the pages of problems."""
    return Response(_CSS, mimetype="text/css")


@pages.get("/docs/assets/<path:name>")
def asset(name: str) -> Response:
    """Files of Swagger UI, from the package that ships them."""
    found = find_spec("flask_openapi3_swagger")
    if found is None or found.origin is None:
        raise FileNotFoundError("flask_openapi3_swagger is not installed")
    return send_from_directory(Path(found.origin).parent / "templates" / "swagger", name, max_age=86_400)
