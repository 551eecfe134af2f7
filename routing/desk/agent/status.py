"""What does not work now, and what still does."""

from __future__ import annotations

from flask import render_template

from routing.desk.agent.live import page
from routing.desk.door import person
from routing.desk.regions import Region


def _status() -> str:
    return render_template("status.html", status=person().api.get("status"))


page.add(Region(name="status", render=_status, touched_by=("pbx.link_changed", "config.applied"), refresh_s=2.0))
