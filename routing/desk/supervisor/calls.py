"""Live calls: who waits, who talks, and listening to them."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from routing.api.principal import Scope
from routing.desk.door import person
from routing.desk.language import gettext as _
from routing.desk.site import pages, said
from routing.desk.supervisor.frame import every, every_agent, for_those_with, may, show
from routing.desk.supervisor.live import calls
from routing.desk.supervisor.sharing import THROTTLE_S, Shared, add_shared
from routing.desk.supervisor.sorting import By, Row, sorted_by

_TOUCHED_BY = (
    "interaction.*", "offer.*", "consult.*", "conference.*", "hold.*", "recording.*", "party.*", "flow.*", "callback.*",
    "outdial.*", "dial.*", "queue.*", "supervision.*", "record.*", "attempt.*",
)  # fmt: skip
# States in which the customer has nobody yet.
WAITING = frozenset({"arrived", "in_flow", "queued", "offered", "calling_agent", "calling_customer", "reached"})
MOST = 200  # rows of one table
_WAITING_BY: dict[str, By] = {
    "entered": lambda row: row["entered_at"],
    "queue": lambda row: row["queue_label"].casefold(),
    "position": lambda row: row["position"],
    "priority": lambda row: row["priority"],
}


def chosen() -> dict[str, str]:
    """What the list is limited to; empty ones do not limit."""
    return {name: request.args.get(name, "").strip()[:64] for name in ("queue", "agent_id")}


def _all_live() -> list[Row]:
    """Seats of campaigns are no calls: nobody waits in them, also while their agent's telephone rings."""
    found = every("interactions", **chosen())
    return [call for call in found if call["kind"] != "seat" and call["state"] != "ended"]


_live = Shared(_all_live, THROTTLE_S / 2)


def _waiting() -> str:
    rows, sorting = sorted_by((call for call in _live() if call["state"] in WAITING), _WAITING_BY, "entered")
    return render_template("supervisor/calls_waiting.html", calls=rows[:MOST], count=len(rows), sorting=sorting)


def _talking() -> str:
    rows = [call for call in _live() if call["state"] not in WAITING]
    return render_template("supervisor/calls_talking.html", calls=rows[:MOST], count=len(rows))


for _name, _render in (("waiting", _waiting), ("talking", _talking)):
    add_shared(calls, _name, for_those_with(_render, Scope.INTERACTIONS_READ), _TOUCHED_BY)


@pages.get("/supervisor/calls")
def calls_page() -> str | AnyResponse:
    if person().agent_id or not may(Scope.INTERACTIONS_READ):
        return show("supervisor/calls.html", Scope.INTERACTIONS_READ)
    about: dict[str, Any] = {"queues": [], "agents": [], "listeners": telephones()}
    if may(Scope.AGENTS_READ):
        about["queues"] = [(queue["id"], queue["label"]) for queue in person().api.get("queues")["items"]]
        about["agents"] = sorted(((agent["id"], agent["name"]) for agent in every_agent()), key=lambda one: one[1])
    return show("supervisor/calls.html", live=calls, chosen=chosen(), **about)


def telephones() -> list[Row] | None:
    """At whose telephone this person can listen; his own first. None: he may not listen at all."""
    if not may(Scope.INTERACTIONS_SUPERVISE):
        return None
    found: list[Row] = person().api.get("supervisors")["items"]
    return [one for one in found if one["is_me"]] or found


@pages.post("/supervisor/interactions/<interaction_id>/supervision")
def supervise(interaction_id: str) -> Response:
    """`mode`: monitor, whisper, barge or stop; `change`: somebody listens already."""
    api, mode, path = person().api, request.form.get("mode", ""), f"interactions/{interaction_id}/supervision"
    if mode == "stop":
        api.delete(path)
        return said(_("Nobody listens any more."))
    if request.form.get("change"):
        api.put(path, {"mode": mode})
        return said(_("The way of listening has changed."))
    at = request.form.get("supervisor", "")
    api.post(path, {"mode": mode} | ({"supervisor": at} if at else {}))
    return said(_("Your telephone rings: pick it up to hear the call."))
