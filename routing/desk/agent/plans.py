"""What came of a record: its result, a callback at another time, and done (DISP, CBS, PREV-19..21)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, request

from routing.desk.agent.work import at_field
from routing.desk.asking import Api, Refused
from routing.desk.door import person
from routing.desk.language import gettext as _
from routing.desk.site import pages, said

_FIELDS = ("date", "time", "zone", "callback_number", "callback_kind", "whose")


def plan_form(card: dict[str, Any]) -> dict[str, Any]:
    """What the fields of the callback hold: the one that is planned, else nothing but the contact's zone."""
    planned = card["callback"]
    if planned is None:
        turn = next((n for n in card["numbers"] if n["is_next"]), None)
        zone = (turn["zone"] if turn else "").split(",")[0]
        return dict.fromkeys(_FIELDS, "") | {"zone": zone, "whose": "any"}
    at = datetime.fromisoformat(planned["at"]).astimezone(ZoneInfo(planned["zone"]))
    return {
        "date": at.strftime("%Y-%m-%d"),
        "time": at.strftime("%H:%M"),
        "zone": planned["zone"],
        "callback_number": planned["number"],
        "callback_kind": planned["number_kind"],
        "whose": "me" if planned["is_personal"] else "any",
    }


@pages.post("/agent/records/<interaction_id>/result")
def record_result(interaction_id: str) -> Response:
    """`do`: save; done; stop, i.e. done without another record. All that the form holds is saved first, so that a time
    in the past keeps the record open (CBS-07, CBS-08).
    """
    api, wanted, place = person().api, request.form.get("do", "save"), "result"
    try:
        card = (api.get(f"interactions/{interaction_id}")["campaign"] or {}).get("card")
        if card:
            _dispose(api, interaction_id, card)
            place = "plan"
            _plan(api, interaction_id, card)
        place = "done"
        if wanted in ("done", "stop"):
            reason = request.form.get("reason") or None
            body = {"stop": wanted == "stop", "wrap_up_reason": reason}
            api.post(f"interactions/{interaction_id}/done", body)
    except Refused as refused:
        return at_field(f"{_place_of(refused, place)}-error-{interaction_id}", refused)
    return said(_("Saved.") if wanted == "save" else _("The record is done."))


def _place_of(refused: Refused, place: str) -> str:
    """Where it is told: what is wrong with a callback at the callback, a missing result at the results."""
    told = refused.problem.get("reason")
    return {"callback_past": "plan", "disposition_required": "result"}.get(str(told), place)


def _dispose(api: Api, interaction_id: str, card: dict[str, Any]) -> None:
    """The main result first (A27). Only what has changed is sent."""
    form = request.form
    if "main" not in form:
        return
    chosen = [form["main"], *form.getlist("also")]
    codes = [code for code in dict.fromkeys(chosen) if code]
    is_marked = bool(form.get("do_not_call"))
    if codes != card["codes"] or (is_marked and not card["do_not_call"]):
        api.put(f"interactions/{interaction_id}/dispositions", {"codes": codes, "do_not_call": is_marked})


def _plan(api: Api, interaction_id: str, card: dict[str, Any]) -> None:
    """Without date and time there is none: it is cancelled until the record is closed (CBS-06)."""
    given = {name: request.form.get(name, "").strip() for name in _FIELDS}
    if given == plan_form(card) or "date" not in request.form:
        return
    if not given["date"] and not given["time"]:
        if card["callback"]:
            api.delete(f"interactions/{interaction_id}/callback")
        return
    body = {
        "at": f"{given['date']}T{given['time']}",
        "zone": given["zone"],
        "number": given["callback_number"],
        "number_kind": given["callback_kind"] if given["callback_number"] else "",
        "personal": given["whose"] == "me",
    }
    api.put(f"interactions/{interaction_id}/callback", body)
