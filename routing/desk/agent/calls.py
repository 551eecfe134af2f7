"""His calls, one card each, until they are wrapped up; and what he does with them."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template

from routing.api.problems import Problem
from routing.api.services import services
from routing.api.times import rfc3339
from routing.desk.agent.actions import control_of, controls
from routing.desk.agent.cad_form import CadForm
from routing.desk.agent.live import page
from routing.desk.agent.mine import mine
from routing.desk.agent.panes import panes_of
from routing.desk.door import person
from routing.desk.regions import Region
from routing.desk.site import pages

_TOUCHED = (
    "interaction.*",
    "party.*",
    "hold.*",
    "consult.*",
    "conference.*",
    "recording.*",
    "wrap_up.*",
    "offer.ended",
    "dial.*",
    "outdial.*",
    "voicemail.*",
    "record.disposed",
    "config.applied",
)
# As which state of an agent the badge of a call looks.
_LOOKS = {
    "connected": "connected",
    "listening": "connected",
    "held": "held",
    "consult_requested": "consulting",
    "inviting": "consulting",
    "consulting": "consulting",
    "consult_held": "consulting",
    "conference": "conference",
    "calling_customer": "ringing",
}


def _calls() -> str:
    found = mine().calls
    reasons = person().api.get("wrap-up-reasons")["items"] if found else []
    return render_template("agent/calls.html", cards=[card_of(call) for call in found], reasons=reasons)


def card_of(call: dict[str, Any]) -> dict[str, Any]:
    """What its template needs, of a call as the API shows it to this person."""
    allowed = call["allowed_actions"]
    return {
        "call": call,
        "allowed": frozenset(allowed),
        "panes": panes_of(call),
        "controls": controls(allowed, "call"),
        "recording": controls(allowed, "recording"),
        "wrap_up": controls(allowed, "wrap_up"),
        "clocks": _clocks(call),
        "form": CadForm.of(call["id"], call["cad"], {party["agent_id"]: party["name"] for party in call["parties"]}),
        "is_wrap_up": "finish_wrap_up" in allowed,
        "look": "wrap_up" if "finish_wrap_up" in allowed else _LOOKS.get(call["state"], ""),
    }


def _clocks(call: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Waiting, talking and holding apart: how long so far, and since when one counts on, less what was before."""
    clocks = call["clocks"]
    waits, holds = clocks["waiting_since"], clocks["held_since"]
    talks = call["answered_at"] and call["bridged_at"] and not (call["ended_at"] or waits or holds or call["flow"])
    return {
        "waited": _clock(clocks["waited_s"], bool(waits)),
        "talked": _clock(clocks["talked_s"], bool(talks)),
        "held": _clock(clocks["held_s"], bool(holds)),
    }


def _clock(so_far_s: int, is_running: bool) -> dict[str, Any]:
    begun_ms = services().clock.now_ms() // 1000 * 1000 - so_far_s * 1000
    return {"s": so_far_s, "since": rfc3339(begun_ms) if is_running else None}


page.add(Region(name="calls", render=_calls, touched_by=_TOUCHED))


@pages.post("/agent/calls/<call_id>/do/<action>")
def do(call_id: str, action: str) -> Response:
    """What a button of the card says. The card shows what has become of it."""
    control = control_of(action)
    if control is None or control.needs_target:
        raise Problem("not-found", f"there is no button {action}")
    person().api.post(f"interactions/{call_id}/{control.path}")
    return Response(status=204)
