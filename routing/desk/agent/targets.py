"""Whom or what a call can go to: the dialog of transfer, consult and conference, and what is chosen in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, render_template, request

from routing.api.problems import Problem
from routing.core import numbers
from routing.core.errors import NumberRefused
from routing.desk.agent.actions import AGENT, ENTRY_POINT, NUMBER, QUEUE, Control, control_of
from routing.desk.asking import Refused
from routing.desk.door import person
from routing.desk.site import pages

MOST = 30  # of a kind; who looks for more types a letter
_ALL = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """`q`: part of a name, or a number."""

    call_id: str
    control: Control
    q: str


@pages.get("/agent/calls/<call_id>/targets/<action>")
def choose_target(call_id: str, action: str) -> str:
    """The dialog, with those of this very moment (XFER-05)."""
    search = _search(call_id, action)
    return render_template("agent/picker.html", search=search, **_found(search))


@pages.get("/agent/calls/<call_id>/targets/<action>/list")
def list_targets(call_id: str, action: str) -> str:
    """What the search finds, as of now."""
    search = _search(call_id, action)
    return render_template("agent/picker_list.html", search=search, **_found(search))


@pages.post("/agent/calls/<call_id>/to/<action>")
def send_to(call_id: str, action: str) -> Response:
    """`to`: the kind and its id, as in `agent:ben` or `number:+12025550143`."""
    control = _search(call_id, action).control
    kind, _, id_ = request.form.get("to", "").partition(":")
    to = {"type": kind, "number" if kind == NUMBER else "id": id_}
    person().api.post(f"interactions/{call_id}/{control.path}", {"to": to})
    return Response(status=204)


def _search(call_id: str, action: str) -> Search:
    control = control_of(action)
    if control is None or not control.needs_target:
        raise Problem("not-found", f"{action} has no targets")
    return Search(call_id=call_id, control=control, q=request.args.get("q", "").strip()[:128])


def _found(search: Search) -> dict[str, Any]:
    """By kind; only kinds that the action and the API allow."""
    kinds = search.control.kinds
    return {
        "number": sanitized(search.q) if NUMBER in kinds else "",
        "agents": _agents(search) if AGENT in kinds else [],
        "queues": _listed(search, "queues") if QUEUE in kinds else [],
        "entry_points": _listed(search, "entry_points") if ENTRY_POINT in kinds else [],
        "book": _book(search) if NUMBER in kinds else [],
        "most": MOST,
    }


def sanitized(text: str) -> str:
    """What would be dialed; empty for what is no number (DIAL-02, DIAL-10)."""
    try:
        return numbers.sanitize(text)
    except NumberRefused:
        return ""


def _agents(search: Search) -> list[dict[str, Any]]:
    """Everybody with his presence; `why_not`: he cannot be chosen now."""
    everybody = _listed(search, "agents", use="consult")
    within_reach = {row["id"] for row in _listed(search, "agents", most=_ALL)}
    return [row | {"why_not": _why_not(row, within_reach)} for row in everybody]


def _why_not(row: dict[str, Any], within_reach: set[str]) -> str:
    """Of who is free and yet not listed for this use, his telephone is out of the call's reach (XFER-07)."""
    return row["agent"]["unavailable_because"] or ("" if row["id"] in within_reach else "other_pbx")


def _listed(search: Search, kind: str, *, use: str = "", most: int = MOST) -> list[dict[str, Any]]:
    about = {"for": use or search.control.use, "interaction_id": search.call_id, "kind": kind}
    items: list[dict[str, Any]] = person().api.get("transfer-targets", **about, q=search.q, limit=most)["items"]
    return items


def _book(search: Search) -> list[dict[str, Any]]:
    """Nothing without the address book, or while its database is down: the rest of the dialog works on."""
    try:
        items: list[dict[str, Any]] = person().api.get("address-book", q=search.q, limit=MOST)["items"]
    except Refused:
        return []
    return items
