"""The record in hand: shown before anything is dialed, then beside its call and in its wrap-up (PREV, PROG, GUIDE)."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template, request

from routing.desk.agent.live import page
from routing.desk.agent.plans import plan_form
from routing.desk.agent.work import IN_HAND, at_field, in_hand
from routing.desk.asking import Refused
from routing.desk.door import person
from routing.desk.language import gettext as _
from routing.desk.regions import Region
from routing.desk.site import pages, said

_EVENTS = (*IN_HAND, "attempt.*", "guide.answered", "dial.*", "config.applied")
KINDS = ("mobile", "home", "work", "other")


def _records() -> str:
    cards = [_card(one) for one in in_hand() if one["campaign"]]
    reasons = person().api.get("wrap-up-reasons")["items"] if cards else []
    return render_template("agent/work/records.html", calls=cards, reasons=reasons, kinds=KINDS)


page.add(Region(name="records", render=_records, touched_by=_EVENTS))


def _card(call: dict[str, Any]) -> dict[str, Any]:
    """The interaction, what its callback form holds, and its guide."""
    card = call["campaign"]["card"]
    zones = {zone for number in card["numbers"] for zone in number["zone"].split(",") if zone} if card else set()
    more: dict[str, Any] = {"plan": plan_form(card) if card else None, "zones": sorted(zones), "guide": None}
    if card and call["campaign"]["has_guide"] and call["state"] != "previewing":
        more["guide"] = _guide(call["id"])
    return call | more


def _guide(interaction_id: str) -> dict[str, Any] | None:
    """None where the record has just gone."""
    try:
        guide: dict[str, Any] = person().api.get(f"interactions/{interaction_id}/guide")
    except Refused:
        return None
    is_open = any(not one["optional"] and one["answer"] is None for one in guide["questions"])
    return guide | {"can_submit": not guide["submitted"] and not is_open}


@pages.post("/agent/records/<interaction_id>/accept")
def accept_record(interaction_id: str) -> Response:
    person().api.post(f"interactions/{interaction_id}/record/accept")
    return Response(status=204)


@pages.post("/agent/records/<interaction_id>/dial")
def dial_record(interaction_id: str) -> Response:
    """One of its numbers, or another one with its kind (PREV-09, PREV-10)."""
    other, form = request.form.get("other", "").strip(), request.form
    chosen = {"number": other, "number_kind": form.get("kind", "")} if other else {"number": form.get("number", "")}
    try:
        person().api.post(f"interactions/{interaction_id}/record/dial", chosen)
    except Refused as refused:
        return at_field(f"dial-error-{interaction_id}", refused)
    return Response(status=204)


@pages.post("/agent/records/<interaction_id>/decline")
def decline_record(interaction_id: str) -> Response:
    """later, never, skip (PREV-11..13)."""
    person().api.post(f"interactions/{interaction_id}/record/decline", {"choice": request.form.get("choice", "later")})
    return said(_("The record is declined."))


@pages.post("/agent/records/<interaction_id>/guide")
def answer_guide(interaction_id: str) -> Response:
    """One answer, or the whole guide is submitted."""
    form = request.form
    question, is_last = form.get("question", ""), form.get("do") == "submit"
    answers = {question: form.get("answer", "")} if question else {}
    try:
        person().api.post(f"interactions/{interaction_id}/guide", {"answers": answers, "submit": is_last})
    except Refused as refused:
        return at_field(f"guide-error-{interaction_id}", refused)
    return said(_("The guide is submitted.") if is_last else _("The answer is saved."))
