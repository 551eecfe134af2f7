"""Click to call: an address with a number in it, for links of other programs and for `tel:` links of the browser.

Whoever is sent here sees what would be dialed and presses the button himself: a link alone dials nothing.
"""

from __future__ import annotations

from uuid import uuid4

from flask import make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from routing.desk.agent.targets import sanitized
from routing.desk.asking import Refused
from routing.desk.door import person
from routing.desk.site import pages
from routing.desk.words_calls import refusal

_MOST = 128


@pages.get("/call")
def call_page() -> str | AnyResponse:
    """`number`: as it stands in the link, also `tel:+12025550143`; `name`: whose it is, if that is known."""
    if not person().agent_id:
        return redirect(person().home, 303)
    return _page(_number(request.args.get("number", "")), request.args.get("name", "")[:_MOST])


@pages.post("/call")
def call() -> AnyResponse:
    form = request.form
    number, name = _number(form.get("number", "")), form.get("name", "")[:_MOST]
    body = {"number": number, "ani": form.get("ani") or None, "name": name}
    once = {"Idempotency_Key": form["key"]} if form.get("key", "").isalnum() else {}
    try:
        person().api.post("outdials", body, **once)
    except Refused as refused:
        return make_response(_page(number, name, refusal(refused.problem) or str(refused)), refused.status)
    return redirect("/desk/agent", 303)


def _number(text: str) -> str:
    """Without what a `tel:` link has around it (RFC 3966): its parameters are not dialed."""
    text = text.strip()[:_MOST]
    if text.lower().startswith("tel:"):
        text = text[4:].partition(";")[0]
    return text


def _page(typed: str, name: str, why: str = "") -> str:
    may = person().api.get("outdial-anis")
    about = {"typed": typed, "number": sanitized(typed), "name": name}
    return render_template("call.html", may=may, why=why, key=uuid4().hex, **about)
