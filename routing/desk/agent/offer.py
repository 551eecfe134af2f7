"""The contact request: first that he is chosen, then that his telephone rings (OFFER-01..04). He answers there."""

from __future__ import annotations

from typing import Any

from flask import render_template

from routing.desk.agent.actions import controls
from routing.desk.agent.live import page
from routing.desk.agent.mine import mine, offer_in
from routing.desk.door import person
from routing.desk.regions import Region


def _offer() -> str:
    offered = mine().offered
    cards = _cards() if offered else {}
    rows = [_row(call, cards[call["id"]]) for call in offered if call["id"] in cards]
    return render_template("agent/offer.html", offers=rows)


def _cards() -> dict[str, Any]:
    found = person().api.get(f"agents/{person().agent_id}/offer")["items"]
    return {card["interaction_id"]: card for card in found}


def _row(call: dict[str, Any], card: dict[str, Any]) -> dict[str, Any]:
    offer = offer_in(call) or {}
    return {
        "call": call,
        "card": card,
        "is_ringing": offer.get("state") == "ringing",
        "controls": controls(call["allowed_actions"], "call"),
    }


page.add(
    Region(
        name="offer",
        render=_offer,
        touched_by=("offer.*", "interaction.cad_changed", "interaction.ended", "outdial.*", "config.applied"),
    )
)
