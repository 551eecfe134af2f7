"""Who is to be called back: customers who wait in his queues, and scheduled callbacks of campaigns (CBQ, CBS)."""

from __future__ import annotations

from flask import render_template, request

from routing.desk.agent.work import panel
from routing.desk.door import person
from routing.desk.site import pages


@pages.get("/agent/work/callbacks")
@panel
def callbacks_panel() -> str:
    api, cursor = person().api, request.args.get("cursor", "")
    planned = api.get(f"agents/{person().agent_id}/planned-callbacks", cursor=cursor, limit=20)
    if cursor:
        return render_template("agent/work/planned_rows.html", planned=planned)
    waiting = api.get("callbacks", limit=50)
    return render_template("agent/work/callbacks.html", planned=planned, waiting=waiting)
