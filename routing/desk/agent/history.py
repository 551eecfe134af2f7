"""The agent's earlier calls: searched, told in full, and called again (HIST)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, render_template, request

from routing.desk.agent.work import at_field, panel, sources
from routing.desk.asking import Refused
from routing.desk.door import person
from routing.desk.language import gettext as _
from routing.desk.language import zone
from routing.desk.site import pages, said

_AT_ONCE = 20
_MOST = 200  # agents of whom the names are known; of others the ids are shown
_FIELDS = ("view", "whose", "number", "queue", "from", "to")


@pages.get("/agent/work/history")
@panel
def history_panel() -> str | Response:
    wanted = _wanted()
    if wanted["whose"] == "all" and not wanted["number"]:
        return at_field("history-error", _("Enter a number to see all calls with it."))
    try:
        query = _query(wanted)
    except (ValueError, OverflowError):  # the second one: behind the last day that there is
        return at_field("history-error", _("This is no date."))
    cursor, queues = request.args.get("cursor", ""), person().api.get("queues")["items"]
    found = person().api.get("history", **query, cursor=cursor, limit=_AT_ONCE)
    mine = person().api.get(f"agents/{person().agent_id}")["queues"]
    return render_template(
        f"agent/work/{'history_rows' if cursor else 'history'}.html",
        found=found,
        wanted=wanted,
        can_call=bool(sources()),
        queues=[one for one in queues if one["id"] in mine],
        labels={one["id"]: one["label"] for one in queues},
    )


def _wanted() -> dict[str, str]:
    """What is searched for; it goes along into the story of a call and back."""
    return {name: request.args.get(name, "").strip() for name in _FIELDS}


def _query(wanted: dict[str, str]) -> dict[str, str]:
    """Of the API. Raises ValueError for what is no date."""
    query = {name: wanted[name] for name in ("view", "number", "queue") if wanted[name]}
    if wanted["whose"] != "all":
        query["agent_id"] = person().agent_id
    if wanted["from"]:
        query["from"] = _begin(wanted["from"])
    if wanted["to"]:
        query["to"] = _begin(wanted["to"], days=1)
    return query


def _begin(day: str, days: int = 0) -> str:
    """Of that day by the reader's clock, or so many days later."""
    at = datetime.combine(date.fromisoformat(day) + timedelta(days=days), time(), ZoneInfo(zone()))
    return at.isoformat().replace("+00:00", "Z")


@pages.get("/agent/work/history/<interaction_id>")
@panel
def history_story(interaction_id: str) -> str:
    """One call: its legs, offers, holds, call data with every version, wrap-up, notes."""
    api = person().api
    told, may = api.get(f"history/{interaction_id}"), api.get("outdial-anis")
    is_his = any(one["agent_id"] == person().agent_id and one["reason"] for one in told["wrap_ups"])
    can_call = is_his and bool(may["sources"])
    about = {"told": told, "names": _names(told), "wanted": _wanted()}
    return render_template("agent/work/story.html", can_call=can_call, anis=may["items"], **about)


def _names(told: dict[str, Any]) -> dict[str, str]:
    """What is shown for the ids of agents, queues and call data in this story."""
    api, entry_point = person().api, told["entry_point"] or ""
    agents = {row["agent_id"] for part in ("legs", "offers", "wrap_ups") for row in told[part] if row["agent_id"]}
    names = {row["id"]: row["name"] for row in api.get("agents", limit=_MOST)["items"] if row["id"] in agents}
    names |= {f"queue {row['id']}": row["label"] for row in api.get("queues")["items"]}
    declared = api.get("cad-variables", entry_point=entry_point)["items"]
    return names | {f"cad {row['name']}": row["label"] for row in declared}


@pages.post("/agent/history/<interaction_id>/call")
def call_again(interaction_id: str) -> Response:
    """The customer's number, or as it was edited (HIST-04)."""
    form = request.form
    body = {name: value for name in ("number", "ani") if (value := form.get(name, "").strip())}
    try:
        begun = person().api.post(f"history/{interaction_id}/call", body)
    except Refused as refused:
        if "number" in form:
            return at_field("again-error", refused)
        raise
    return said(_("Your telephone rings; then %(number)s is called.") % {"number": begun["number"]})
