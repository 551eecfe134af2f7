"""The page itself, its stream, and what is around its regions."""

from __future__ import annotations

from importlib import import_module

from flask import Response, redirect, render_template
from werkzeug.wrappers import Response as AnyResponse

from routing.desk.agent.keys import SHORTCUTS
from routing.desk.agent.live import page
from routing.desk.door import person
from routing.desk.notices import KINDS
from routing.desk.site import pages
from routing.desk.stream import stream

WORK = ("campaigns", "records", "plans", "caller", "callbacks", "history", "contacts", "address_book", "responses")
# Every module with regions or commands of this page; a new one adds its name here.
for _name in ("status", "me", "offer", "calls", "cad", "notes", "targets", "outdial", *WORK):
    import_module(f"routing.desk.agent.{_name}")


@pages.get("/agent")
def agent_page() -> str | AnyResponse:
    if not person().agent_id:
        return redirect(person().home, 303)
    dialogs = {"shortcuts": SHORTCUTS, "notice_kinds": KINDS}
    return render_template("agent.html", region=page.placed, page=page.name, **dialogs)


@pages.get("/stream/agent")
def agent_stream() -> Response:
    return stream(page)
