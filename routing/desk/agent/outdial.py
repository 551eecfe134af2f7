"""Calling a customer: a number, and the one that he shall see (OUT-02..14). Other parts of the page send here, too."""

from __future__ import annotations

from flask import Response, make_response, render_template, request

from routing.desk.agent.live import page
from routing.desk.agent.targets import sanitized
from routing.desk.asking import Refused
from routing.desk.door import person
from routing.desk.language import gettext as _
from routing.desk.regions import Region
from routing.desk.site import pages, said, told
from routing.desk.words_calls import refusal

_TOLD = "outdial-told"


def _outdial() -> str:
    return render_template("agent/outdial.html", may=person().api.get("outdial-anis"))


page.add(Region(name="outdial", render=_outdial, touched_by=("config.applied",)))


@pages.get("/agent/outdial/number")
def number_to_dial() -> str:
    """What will be dialed of what is typed or pasted."""
    typed = request.args.get("number", "").strip()
    return render_template("agent/number.html", typed=typed, number=sanitized(typed))


@pages.post("/agent/outdial")
def outdial() -> Response:
    """`number`, and if wanted `ani`, `source` (dial_pad, address_book) and `name`."""
    form = request.form
    body = {
        "number": form.get("number", "").strip(),
        "ani": form.get("ani") or None,
        "source": form.get("source") or "dial_pad",
        "name": form.get("name", "")[:128],
    }
    try:
        person().api.post("outdials", body)
    except Refused as refused:
        return _refused(refused)
    return said(_("Your telephone rings first, then the customer's."))


def _refused(refused: Refused) -> Response:
    """At the field where it was typed, else as a message."""
    why = refusal(refused.problem) or str(refused)
    if request.headers.get("HX-Target") != _TOLD:
        return told(refused.status, refused.code, why)
    people = refused.problem.get("candidates", [])
    answer = make_response(render_template("agent/outdial_refused.html", why=why, people=people))
    answer.headers["X-Desk-Problem"] = refused.code
    return answer
