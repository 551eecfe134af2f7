"""Interactions found by number or id, and the newest ones."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from flask import redirect, request
from werkzeug.wrappers import Response as AnyResponse

from routing.api.principal import Scope
from routing.desk.door import person
from routing.desk.site import pages
from routing.desk.supervisor.frame import may, show

_PREFIX = "int_"
_SHOWN = 50


@pages.get("/supervisor/interactions")
def search_page() -> str | AnyResponse:
    """An id leads to its story; anything else is taken for a number, however it is written."""
    text, queue = (request.args.get(name, "").strip()[:64] for name in ("q", "queue"))
    if text.startswith(_PREFIX):
        return redirect(f"/desk/supervisor/interactions/{quote(text, safe='')}", 303)
    if person().agent_id or not may(Scope.HISTORY_READ):
        return show("supervisor/search.html", Scope.HISTORY_READ)
    found = person().api.get("history", number=text, queue=queue, cursor=request.args.get("cursor", ""), limit=_SHOWN)
    kept = {"q": text, "queue": queue, "cursor": found["next_cursor"]}
    queues = (
        [(one["id"], one["label"]) for one in person().api.get("queues")["items"]] if may(Scope.AGENTS_READ) else []
    )
    about = {"calls": found["items"], "text": text, "queue": queue, "queues": queues}
    return show("supervisor/search.html", more="?" + urlencode(kept) if found["next_cursor"] else "", **about)
