"""Who it is: the contact behind each call that is in hand, and the ways to reach him (ACT-03, ACT-04)."""

from __future__ import annotations

from typing import Any

from flask import render_template

from routing.desk.agent.live import page
from routing.desk.agent.work import UNAVAILABLE, in_hand, sources
from routing.desk.asking import Api, Refused
from routing.desk.door import person
from routing.desk.regions import Region

_EVENTS = (
    *("offer.ringing", "offer.ended", "interaction.connected", "interaction.ended", "wrap_up.ended"),
    *("record.shown", "record.declined", "outdial.started", "party.joined", "party.left", "config.applied"),
)
_MOST = 5  # persons behind one number


def _caller() -> str:
    try:
        callers = [_known(call) for call in in_hand() if call["kind"] != "seat"]
    except Refused as refused:
        # Contacts are in the database; calls go on without it.
        if refused.status != UNAVAILABLE:
            raise
        return render_template("agent/work/caller.html", callers=[], is_down=True)
    may = sources() if callers else []
    return render_template("agent/work/caller.html", callers=callers, is_down=False, sources=may)


page.add(Region(name="caller", render=_caller, touched_by=_EVENTS))


def _known(call: dict[str, Any]) -> dict[str, Any]:
    """Who may be behind the customer's number, or behind the record."""
    api, number = person().api, number_of(call)
    card = (call["campaign"] or {}).get("card")
    name = (card["name"] if card else "") or call["ani_name"]
    contacts = _of_record(api, call["id"]) if card and card["contact_id"] else None
    if contacts is None:
        contacts = api.get("contacts", q=number, limit=_MOST)["items"] if number else []
    return {"id": call["id"], "number": number, "name": name, "contacts": contacts}


def _of_record(api: Api, interaction_id: str) -> list[dict[str, Any]] | None:
    """None where the contact is gone from the database."""
    try:
        return [api.get(f"interactions/{interaction_id}/contact")]
    except Refused as refused:
        if refused.status == UNAVAILABLE:
            raise
        return None


def number_of(call: dict[str, Any]) -> str:
    """The customer's: he calls, or is called."""
    if call["callback"]:
        return str(call["callback"]["number"])
    return str(call["dnis"] if call["kind"] in ("outdial", "campaign") else call["ani"])
