"""Callbacks that wait: who is owed a call, since when, and giving one up."""

from __future__ import annotations

from flask import Response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from routing.api.principal import Scope
from routing.desk.door import person
from routing.desk.language import gettext as _
from routing.desk.site import pages, said
from routing.desk.supervisor.frame import every, for_those_with, may, show
from routing.desk.supervisor.live import callbacks
from routing.desk.supervisor.sharing import add_shared
from routing.desk.supervisor.sorting import By, sorted_by

_BY: dict[str, By] = {
    "entered": lambda row: row["entered_at"],
    "queue": lambda row: row["queue_label"].casefold(),
    "state": lambda row: row["callback"]["state"],
    "attempts": lambda row: row["callback"]["attempts"],
    "expires": lambda row: row["callback"]["expires_at"],
}


def _queue() -> str:
    return request.args.get("queue", "").strip()[:64]


def _callbacks() -> str:
    rows, sorting = sorted_by(every("callbacks", queue=_queue()), _BY, "entered")
    return render_template("supervisor/callback_rows.html", calls=rows, sorting=sorting)


_TOUCHED_BY = ("callback.*", "interaction.*", "offer.*")
add_shared(callbacks, "callbacks", for_those_with(_callbacks, Scope.INTERACTIONS_READ), _TOUCHED_BY)


@pages.get("/supervisor/callbacks")
def callbacks_page() -> str | AnyResponse:
    if person().agent_id or not may(Scope.INTERACTIONS_READ):
        return show("supervisor/callbacks.html", Scope.INTERACTIONS_READ)
    queues = (
        [(one["id"], one["label"]) for one in person().api.get("queues")["items"]] if may(Scope.AGENTS_READ) else []
    )
    return show("supervisor/callbacks.html", live=callbacks, queues=queues, queue=_queue())


@pages.post("/supervisor/callbacks/<interaction_id>/cancel")
def cancel_callback(interaction_id: str) -> Response:
    person().api.delete(f"callbacks/{interaction_id}")
    return said(_("The callback is cancelled."))
