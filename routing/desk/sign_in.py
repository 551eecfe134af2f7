"""Signing in with a password, and out."""

from __future__ import annotations

from flask import Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from routing.api.limits import Failures
from routing.api.passwords import MAX_LENGTH
from routing.api.services import services
from routing.desk import door
from routing.desk.language import COOKIE as LANGUAGE_COOKIE
from routing.desk.language import LANGUAGES
from routing.desk.opening import open_to_all
from routing.desk.site import pages


@pages.get("/sign-in")
@open_to_all
def sign_in_page() -> str:
    return render_template("sign_in.html", name="", is_wrong=False)


@pages.post("/sign-in")
@open_to_all
def sign_in() -> AnyResponse:
    """A new session, whatever the browser brought."""
    name, password = request.form.get("name", "").strip(), request.form.get("password", "")
    tenant = services().server.tenant
    failures = Failures.of_request(f"user:{tenant}:{name}")
    failures.check()
    opened = door.people().sign_in(tenant, name, password) if name and len(password) <= MAX_LENGTH else None
    if opened is None:
        failures.add()
        return make_response(render_template("sign_in.html", name=name, is_wrong=True), 422)
    return door.let_in(redirect("/desk/", 303), opened.token)


@pages.post("/sign-out")
def sign_out() -> AnyResponse:
    """End the session; the agent's state is his own affair."""
    door.people().sign_out(door.person().session)
    answer = Response(status=204, headers={"HX-Redirect": door.SIGN_IN})
    return door.let_out(answer)


@pages.post("/language")
@open_to_all
def choose_language() -> AnyResponse:
    chosen = request.form.get("language", "")
    answer = Response(status=204, headers={"HX-Refresh": "true"})
    if not request.headers.get("HX-Request"):
        answer = redirect("/desk/", 303)  # type: ignore[assignment]
    if chosen in LANGUAGES:
        answer.set_cookie(LANGUAGE_COOKIE, chosen, path="/", max_age=31536000, samesite="Lax", secure=door.is_secure())
    return answer
