"""Notes, digits and the wrap-up of a call."""

from __future__ import annotations

from flask import Response, request

from routing.desk.door import person
from routing.desk.language import gettext as _
from routing.desk.site import pages, said


@pages.post("/agent/calls/<call_id>/notes")
def add_note(call_id: str) -> Response:
    """For the history of the call."""
    text = request.form.get("text", "").replace("\r\n", "\n")
    person().api.post(f"interactions/{call_id}/notes", {"text": text})
    return said(_("Note saved."))


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
