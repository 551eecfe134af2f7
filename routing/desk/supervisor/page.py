"""The wallboard, its stream, and what is around its regions."""

from __future__ import annotations

from flask import Response, redirect, render_template
from werkzeug.wrappers import Response as AnyResponse

from routing.desk.door import person
from routing.desk.regions import Region
from routing.desk.site import pages
from routing.desk.stream import stream
from routing.desk.supervisor.live import wallboard


def _status() -> str:
    return render_template("status.html", status=person().api.get("status"))


wallboard.add(Region(name="status", render=_status, touched_by=("pbx.link_changed", "config.applied"), refresh_s=2.0))


@pages.get("/supervisor")
def supervisor_page() -> str | AnyResponse:
    if person().agent_id:
        return redirect(person().home, 303)
    return render_template("supervisor/wallboard.html", region=wallboard.placed, page=wallboard.name)


@pages.get("/stream/wallboard")
def wallboard_stream() -> Response:
    return stream(wallboard)
