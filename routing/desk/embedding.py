"""The desk in a frame of another program: how it is opened, what it tells that program, what that program may ask for.

docs/desk.md has the contract. What the frame tells are answers of the API, put together here; the script sends what
has changed. What the program asks for is a request to the API in the agent's name, like everything that he does.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Response, g, jsonify, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from routing.api import desk_signed
from routing.api.auth_people import Session, Way
from routing.api.desk_tokens import Granted, taken
from routing.api.limits import Failures
from routing.api.problems import Problem
from routing.api.services import services
from routing.desk import cookies, door, framing, provider, words
from routing.desk.agent.live import page
from routing.desk.agent.mine import is_offered, offer_in
from routing.desk.asking import Refused
from routing.desk.opening import open_to_all
from routing.desk.regions import Region
from routing.desk.site import pages

VERSION = 1
_TOUCHED = ("agent.state_changed", "interaction.*", "offer.*", "party.*", "wrap_up.*", "outdial.*")

log = structlog.get_logger()


@pages.get("/embed")
@open_to_all
def open_frame() -> AnyResponse:
    """Only into a frame of an allowed origin; the token is used up, and the address with it is left at once."""
    _require_frame()
    g.desk_opens_frame = True
    failures = Failures.of_request("")
    failures.check()
    granted = _granted(request.args.get("token", ""))
    if granted and granted.origins:
        _require_origin(granted.origins)
    people = door.people()
    opened = people.enter(_session(granted)) if granted else None
    if granted is None or opened is None:
        failures.add()
        raise Problem("unauthenticated", "")
    if before := cookies.held().session:
        people.sign_out(before)
    log.info("desk_framed", tenant=granted.tenant, agent_id=granted.agent_id, by=granted.by)
    return cookies.keep_in_frame(redirect("/desk/agent", 303), opened.token)


def _granted(token: str) -> Granted | None:
    """What it stands for, once. Raises Problem forbidden, StoreError."""
    if not desk_signed.is_signed(token):
        return taken(services().redis, token)
    desk = services().api.desk
    try:
        signed = desk_signed.read(token, desk.frame_keys, provider.base_url(), desk.frame_origins)
    except desk_signed.TokenRefused as refused:
        log.warning("desk_token_refused", reason=refused.reason)
        return None
    if not desk_signed.is_first_use(services().redis, signed):
        log.warning("desk_token_refused", reason="it was used before")
        return None
    tenant, by = signed.key.tenant or services().server.tenant, f"{signed.key.issuer} with {signed.key.id}"
    return Granted(tenant, signed.agent_id, by, signed.origins)


def _session(granted: Granted) -> Session:
    return Session(granted.tenant, granted.agent_id, "", Way.FRAME, origins=granted.origins)


def _require_frame() -> None:
    """Browsers say what a page is for (Fetch Metadata) and mostly from where; what they do not say, the policy of the
    answer enforces (`frame-ancestors`). Raises Problem not-found, forbidden.
    """
    if not (origins := services().api.desk.frame_origins):
        raise Problem("not-found", "")
    if request.headers.get("Sec-Fetch-Dest", "iframe") not in ("iframe", "frame"):
        raise Problem("forbidden", "this address is for a frame")
    _require_origin(origins)


def _require_origin(origins: tuple[str, ...]) -> None:
    """Raises Problem forbidden."""
    around = urlsplit(request.headers.get("Referer", ""))
    if around.netloc and f"{around.scheme}://{around.netloc}" not in (*origins, request.host_url.rstrip("/")):
        raise Problem("forbidden", "this site may not hold the desk in a frame")


@pages.app_context_processor
def _about_frame() -> dict[str, Any]:
    return {"frame_origins": list(framing.origins())}


# ------------------------------------------------------------------ what the frame tells


def _frame() -> str:
    who = door.person()
    if not who.is_framed:
        return "{}"
    me = who.api.get(f"agents/{who.agent_id}")
    calls = who.api.get(f"agents/{who.agent_id}/interactions")["items"]
    agent = {"id": me["id"], "name": me["name"], "state": me["state"], "reason": me["reason"], "since": me["since"]}
    return json.dumps({"agent": agent, "calls": [_call(call) for call in calls]})


def _call(call: dict[str, Any]) -> dict[str, Any]:
    """Of the contract: no call data beyond numbers, but the address that the site itself has configured."""
    return {
        "interaction_id": call["id"],
        "phase": _phase(call),
        "state": call["state"],
        "kind": call["kind"],
        "queue": call["queue"],
        "ani": call["ani"],
        "dnis": call["dnis"],
        "screen_pop": call["screen_pop"],
    }


def _phase(call: dict[str, Any]) -> str:
    if is_offered(call):
        return "offer" if (offer_in(call) or {}).get("state") == "ringing" else "reserved"
    if "finish_wrap_up" in call["allowed_actions"]:
        return "wrap_up"
    return "connected" if call["answered_at"] else "waiting"


page.add(Region(name="frame", render=_frame, touched_by=_TOUCHED, is_data=True))


# ------------------------------------------------------------------ what the program around it asks for


@pages.post("/frame/<command>")
def frame_command(command: str) -> Response:
    """As JSON, for the script: `ok`, and of a refusal its code and words."""
    if not door.person().is_framed or command not in _COMMANDS:
        raise Problem("not-found", "")
    try:
        about = _COMMANDS[command]()
    except Refused as refused:
        title = words.problem(refused.code)
        return jsonify({"ok": False, "code": refused.code, "title": title, "detail": str(refused)})
    return jsonify({"ok": True} | about)


def _click_to_call() -> dict[str, Any]:
    number, ani, name = (request.form.get(field, "").strip() for field in ("number", "ani", "name"))
    begun = door.person().api.post("outdials", {"number": number, "ani": ani or None, "name": name[:128]})
    return {"interaction_id": begun["id"]}


def _set_state() -> dict[str, Any]:
    who, state = door.person(), request.form.get("state", "")
    if state == "logged_out":
        who.api.post(f"agents/{who.agent_id}/sign-out")
    else:
        if who.api.get(f"agents/{who.agent_id}")["own_state"] == "logged_out":
            who.api.post(f"agents/{who.agent_id}/sign-in")
        reason = request.form.get("reason")
        who.api.put(f"agents/{who.agent_id}/state", {"state": state} | ({"reason": reason} if reason else {}))
    return {}


_COMMANDS = {"click_to_call": _click_to_call, "set_state": _set_state}
