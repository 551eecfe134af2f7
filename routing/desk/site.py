"""The blueprint of the desk: what is around every page."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, cast

import structlog
from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
)
from jinja2 import FileSystemLoader, StrictUndefined
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from routing.api.application import HTTP_CODES
from routing.api.problem_kinds import KINDS
from routing.api.problems import Problem
from routing.api.services import EXTENSION, Services, services
from routing.core.errors import StoreError, SwitchroomError
from routing.desk import cookies, door, framing, language, words
from routing.desk.asking import Refused
from routing.desk.assets import asset, finish
from routing.desk.navigation import places_of
from routing.desk.opening import open_to_all
from routing.desk.words_work import reason_of

log = structlog.get_logger()

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
)
# Every module with views of the desk; a new one adds its name here.
MODULES = ("preferences", "sign_in", "calling", "agent.page", "supervisor.page", "embedding")
_FAULT, _DOWN, _AGAIN_S = 500, 503, 5  # a page that cannot be had now looks again by itself

pages = Blueprint(
    "desk", __name__, url_prefix="/desk", template_folder="templates", static_folder="static", static_url_path="/static"
)


def with_desk(app: Flask) -> Flask:
    """The application of the API, and the desk on it."""
    for name in MODULES:
        import_module(f"routing.desk.{name}")
    app.register_blueprint(pages)
    app.after_request(_with_headers)
    _handle_refusals(app)
    app.jinja_env.add_extension("jinja2.ext.i18n")
    # Jinja's own: the translations are asked for each request anew, since readers differ.
    cast("Any", app.jinja_env).install_gettext_callables(
        language.gettext, language.ngettext, newstyle=True, pgettext=language.pgettext, npgettext=language.npgettext
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if own := cast("Services", app.extensions[EXTENSION]).api.desk.templates_directory:
        app.jinja_loader = FileSystemLoader(own)  # looked at before that of the blueprint
    app.jinja_env.filters.update(language.FILTERS | words.FILTERS)
    return app


def _is_ours() -> bool:
    return request.path == pages.url_prefix or request.path.startswith(f"{pages.url_prefix}/")


def _handle_refusals(app: Flask) -> None:
    """What the server itself refuses is a page here, and JSON in the API."""
    of_api = dict(app.error_handler_spec[None][None])

    def refused(error: HTTPException) -> Any:
        return _http(error) if _is_ours() else of_api[HTTPException](cast("Any", error))

    def failed(error: Exception) -> Any:
        said = of_api[Exception](cast("Any", error))
        return told(_FAULT, "internal-error", "") if _is_ours() else said

    app.register_error_handler(HTTPException, refused)
    app.register_error_handler(Exception, failed)


def _http(error: HTTPException) -> Any:
    if error.response is not None:
        return error.response
    status = error.code or 500
    answer = told(status, HTTP_CODES.get(status, "malformed-request"), "")
    answer.headers.extend((name, value) for name, value in error.get_headers() if name == "Allow")
    return answer


@pages.before_request
def _admit() -> AnyResponse | None:
    g.desk_view = current_app.view_functions.get(request.endpoint or "")
    if request.endpoint == "desk.static":
        return None
    return door.admit()


def _with_headers(answer: Response) -> Response:
    """Also of a refusal that no view of ours made: an unknown address, a wrong method."""
    if not _is_ours():
        return answer
    if request.endpoint == "desk.static":
        finish(answer)
    origins = framing.origins()
    answer.headers["Content-Security-Policy"] = POLICY.format(ancestors=" ".join(origins) or "'none'")
    if not origins:
        answer.headers["X-Frame-Options"] = "DENY"  # for what does not know the policy; it cannot name origins
    answer.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


@pages.app_context_processor
def _always() -> dict[str, Any]:
    who = getattr(g, "desk_person", None)
    return {
        "person": who,
        "places": places_of(who.principal) if who else [],
        "is_framed": cookies.is_framed(),
        "asset": asset,
        "site_title": services().api.desk.title,
        "has_own_style": bool(services().api.desk.style_file),
        "form_token": who.form_token if who else "",
    }


@pages.errorhandler(Refused)
def _refused(error: Refused) -> Response:
    return told(error.status, error.code, reason_of(error.problem) or str(error))


@pages.errorhandler(Problem)
def _problem(problem: Problem) -> Response:
    kind = KINDS.get(problem.code)
    return told(kind.status if kind else 409, problem.code, problem.detail)


@pages.errorhandler(SwitchroomError)
def _failed(error: SwitchroomError) -> Response:
    detail = "" if isinstance(error, StoreError) else str(error)
    kind = KINDS.get(error.code)
    log.warning("desk_request_refused", code=error.code, reason=str(error))
    return told(kind.status if kind else 409, error.code, detail)


def told(status: int, code: str, detail: str) -> Response:
    """A refusal in the reader's language: of a part of a page as a message on the page, else as a page of its own."""
    about = {"title": words.problem(code), "detail": detail, "code": code}
    if request.headers.get("HX-Request"):
        # A status that htmx swaps in; what was refused is said in the message.
        answer = make_response(render_template("message.html", kind="error", **about))
        answer.headers.update({"HX-Retarget": "#messages", "HX-Reswap": "beforeend", "X-Desk-Problem": code})
        return answer
    is_down = status == _DOWN
    answer = make_response(render_template("problem.html", is_down=is_down, **about), status)
    if is_down and request.method == "GET":
        answer.headers.update({"Refresh": str(_AGAIN_S), "Retry-After": str(_AGAIN_S)})
    return answer


def said(text: str) -> Response:
    """A message on the page: it was done."""
    answer = make_response(render_template("message.html", kind="done", title=text, detail="", code=""))
    answer.headers.update({"HX-Retarget": "#messages", "HX-Reswap": "beforeend"})
    return answer


@pages.get("/style.css")
@open_to_all
def own_style() -> Response:
    """The site's own style sheet."""
    file = services().api.desk.style_file
    if not file or not Path(file).is_file():
        raise Problem("not-found", "")
    answer = Response(Path(file).read_bytes(), mimetype="text/css", headers={"Cache-Control": "no-cache"})
    answer.add_etag()
    answer.make_conditional(request)
    return answer


@pages.get("/")
def home() -> AnyResponse:
    return redirect(door.person().home, 303)
