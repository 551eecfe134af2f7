"""Signing in with a password, and out."""

from __future__ import annotations

from flask import Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from routing.api.auth_people import Opened
from routing.api.limits import Failures
from routing.api.passwords import MAX_LENGTH
from routing.api.services import services
from routing.core.errors import StoreError
from routing.desk import cookies, door, ways
from routing.desk.asking import Refused
from routing.desk.opening import open_to_all
from routing.desk.site import pages

_AWAY = "logged_out"


@pages.get("/sign-in")
@open_to_all
def sign_in_page() -> str:
    return _page(request.args.get("next"))


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
        return make_response(_page(request.form.get("next"), name=name, is_wrong=True), 422)
    return enter(opened, request.form.get("next"))


def enter(opened: Opened, back: str | None) -> AnyResponse:
    """Into the desk with a session that was just opened; the one that the browser had before ends."""
    before = cookies.held().session
    if before:
        door.people().sign_out(before)
    return cookies.keep(redirect(ways.safe(back), 303), opened.token)


def _page(back: str | None, *, name: str = "", is_wrong: bool = False) -> str:
    return render_template("sign_in.html", name=name, is_wrong=is_wrong, next=ways.safe(back))


@pages.post("/sign-out")
def sign_out() -> AnyResponse:
    """End the session. An agent who still works is asked whether calls shall go on being offered to him."""
    wish = request.form.get("work", "")
    if wish != "stay" and (state := _state_at_work()) != _AWAY:
        if wish != "end":
            return make_response(render_template("sign_out.html", state=state))
        door.person().api.post(f"agents/{door.person().agent_id}/sign-out")
    door.people().sign_out(door.person().session)
    if request.headers.get("HX-Request"):
        return cookies.forget(Response(status=204, headers={"HX-Redirect": door.SIGN_IN}))
    return cookies.forget(redirect(door.SIGN_IN, 303))


def _state_at_work() -> str:
    """`logged_out` also for a supervisor, and where nobody can say it: whoever leaves is not kept."""
    who = door.person()
    if not who.agent_id:
        return _AWAY
    try:
        return str(who.api.get(f"agents/{who.agent_id}")["state"])
    except (Refused, StoreError):
        return _AWAY
