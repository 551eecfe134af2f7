"""Notes, digits and the wrap-up of a call."""

from __future__ import annotations

from flask import Response, render_template, request

from routing.desk.asking import Refused
from routing.desk.door import person
from routing.desk.language import gettext as _
from routing.desk.site import pages, said

_MOST = 200  # names that are looked up


@pages.post("/agent/calls/<call_id>/notes")
def add_note(call_id: str) -> Response:
    """For the history of the call. The answer adds it to those on the card."""
    text = request.form.get("text", "").replace("\r\n", "\n")
    person().api.post(f"interactions/{call_id}/notes", {"text": text})
    answer = said(_("Note saved."))
    answer.data = answer.get_data() + render_template("agent/note_added.html", call_id=call_id, text=text).encode()
    return answer


@pages.get("/agent/calls/<call_id>/notes")
def notes_of(call_id: str) -> str:
    """Those that were written before the card was drawn; none while the history cannot be read."""
    try:
        found = person().api.get(f"history/{call_id}")["notes"]
    except Refused:
        return ""
    names = {row["id"]: row["name"] for row in person().api.get("agents", limit=_MOST)["items"]} if found else {}
    return render_template("agent/notes.html", notes=found, names=names)


@pages.post("/agent/calls/<call_id>/digits")
def send_digits(call_id: str) -> Response:
    """From the keypad one, from the field many; what stands between them is left out (ACT-02)."""
    digits = "".join(request.form.get("digits", "").split()).upper()
    person().api.post(f"interactions/{call_id}/digits", {"digits": digits})
    return Response(status=204)


@pages.post("/agent/calls/<call_id>/wrap-up")
def finish_wrap_up(call_id: str) -> Response:
    """With a reason, or without one as the queue has it."""
    reason = request.form.get("reason") or None
    person().api.post(f"interactions/{call_id}/wrap-up", {"reason": reason})
    return said(_("Wrap-up finished."))
