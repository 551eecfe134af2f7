"""Signing in with a password, and out."""

from __future__ import annotations

import structlog
from flask import Response, g, jsonify, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from routing.api.auth_people import Opened, Way
from routing.api.limits import Failures
from routing.api.passwords import MAX_LENGTH
from routing.api.problems import Problem
from routing.api.services import services
from routing.core.errors import StoreError
from routing.desk import cookies, door, provider, ways
from routing.desk.asking import Refused
from routing.desk.opening import open_to_all
from routing.desk.site import pages

_AWAY = "logged_out"
_LONGEST_NAME = 100  # as at the API

log = structlog.get_logger()


@pages.get("/sign-in")
@open_to_all
def sign_in_page() -> str:
    _require_window()
    return _page(request.args.get("next"))


@pages.post("/sign-in")
@open_to_all
def sign_in() -> AnyResponse:
    """A new session, whatever the browser brought."""
    name, password = request.form.get("name", "").strip(), request.form.get("password", "")
    tenant = services().server.tenant
    failures = Failures.of_request(f"user:{tenant}:{name[:_LONGEST_NAME]}")
    failures.check()
    can_be = 0 < len(name) <= _LONGEST_NAME and name.isprintable() and len(password) <= MAX_LENGTH
    opened = door.people().sign_in(tenant, name, password) if can_be else None
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


@pages.get("/sign-in/provider")
@open_to_all
def sign_in_elsewhere() -> AnyResponse:
    """To the OpenID provider, who sends the browser back to `provider.CALLBACK`."""
    _require_window()
    address, state = _client().begin(ways.safe(request.args.get("next")))
    answer = redirect(address, 303)
    answer.set_cookie(_state_cookie(), state, path="/", max_age=provider.BEGUN_S, **cookies.rules())
    return answer


@pages.get("/sign-in/callback")
@open_to_all
def sign_in_ended() -> AnyResponse:
    """Back from the provider, with a code or with a refusal."""
    failures = Failures.of_request("")
    failures.check()
    try:
        opened, back = _client().end(request.cookies.get(_state_cookie(), ""))
    except provider.NotSignedIn as error:
        log.warning("provider_sign_in_failed", reason=error.code)
        failures.add()
        answer: AnyResponse = make_response(_page("", is_refused=True), 403)
    else:
        answer = enter(opened, back)
    answer.delete_cookie(_state_cookie(), path="/", **cookies.rules())
    return answer


def _require_window() -> None:
    """In a frame nobody signs in: who looks at it cannot see whose page asks him for his password.

    Raises Problem unauthenticated.
    """
    if request.headers.get("Sec-Fetch-Dest") in ("iframe", "frame"):
        raise Problem("unauthenticated", "")


def _client() -> provider.Client:
    if (found := provider.client()) is None:
        raise Problem("not-found", "nobody signs in at an OpenID provider here")
    return found


def _state_cookie() -> str:
    return cookies.name() + "_state"


def _page(back: str | None, *, name: str = "", is_wrong: bool = False, is_refused: bool = False) -> str:
    about = {
        "name": name,
        "is_wrong": is_wrong,
        "is_refused": is_refused,
        "has_provider": provider.client() is not None,
    }
    return render_template("sign_in.html", next=ways.safe(back), **about)


@pages.get("/who")
def who() -> Response:
    """For an open page whose session was replaced: whose this one is, and the token that its forms bring now."""
    return jsonify({"person": door.person().mark, "token": door.person().form_token})


@pages.post("/sign-out")
def sign_out() -> AnyResponse:
    """End the session. An agent who still works is asked whether calls shall go on being offered to him."""
    wish = request.form.get("work", "")
    if wish != "stay" and (state := _state_at_work()) != _AWAY:
        if wish != "end":
            return make_response(render_template("sign_out.html", state=state))
        door.person().api.post(f"agents/{door.person().agent_id}/sign-out")
    ended = door.people().sign_out(door.person().session)
    if ended and ended.way is Way.PROVIDER and (found := provider.client()) and (place := found.way_out(ended)):
        return cookies.forget(_led_out(place))
    if request.headers.get("HX-Request"):
        return cookies.forget(Response(status=204, headers={"HX-Redirect": door.SIGN_IN}))
    return cookies.forget(redirect(door.SIGN_IN, 303))


def _led_out(place: str) -> Response:
    """Not by a redirect: the answer to a form may not lead to another site (`form-action` of the policy)."""
    del g.desk_person  # he is out already
    answer = make_response(render_template("signed_out.html", place=place))
    answer.headers["Refresh"] = f"0; url={place}"
    return answer


def _state_at_work() -> str:
    """`logged_out` also for a supervisor, and where nobody can say it: whoever leaves is not kept."""
    who = door.person()
    if not who.agent_id:
        return _AWAY
    try:
        return str(who.api.get(f"agents/{who.agent_id}")["state"])
    except (Refused, StoreError):
        return _AWAY
