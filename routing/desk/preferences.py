"""What a reader chooses for himself, in cookies: his language, and light or dark."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from routing.desk import cookies, language, ways
from routing.desk.language import COOKIE as LANGUAGE_COOKIE
from routing.desk.language import LANGUAGES
from routing.desk.opening import open_to_all
from routing.desk.site import pages

THEME_COOKIE = "switchroom_theme"
THEMES = ("light", "dark")
_YEAR_S = 31_536_000


def theme() -> str:
    """Empty: as the system of the reader has it."""
    chosen = request.cookies.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else ""


@pages.app_context_processor
def _always() -> dict[str, Any]:
    return {
        "here": ways.safe(request.full_path.rstrip("?")) if request.method == "GET" else ways.HOME,
        "theme": theme(),
        "language": language.html_language(),
        "chosen_language": language.current(),
        "languages": LANGUAGES,
    }


@pages.post("/language")
@open_to_all
def choose_language() -> AnyResponse:
    answer, chosen = _back(), request.form.get("language", "")
    if chosen in LANGUAGES:
        _keep(answer, LANGUAGE_COOKIE, chosen)
    return answer


@pages.post("/theme")
@open_to_all
def choose_theme() -> AnyResponse:
    """`auto`: like the system."""
    answer, chosen = _back(), request.form.get("theme", "")
    if chosen in THEMES:
        _keep(answer, THEME_COOKIE, chosen)
    elif chosen == "auto":
        answer.delete_cookie(THEME_COOKIE, path="/", **cookies.rules())
    return answer


def _back() -> AnyResponse:
    if request.headers.get("HX-Request"):
        return Response(status=204, headers={"HX-Refresh": "true"})
    return redirect(ways.safe(request.form.get("next")), 303)


def _keep(answer: AnyResponse, name: str, value: str) -> None:
    answer.set_cookie(name, value, path="/", max_age=_YEAR_S, **cookies.rules())
