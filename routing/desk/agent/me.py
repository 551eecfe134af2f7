"""The agent's own state: what he is, since when, and where he may go from here."""

from __future__ import annotations

from flask import Response, render_template, request

from routing.desk.agent.live import page
from routing.desk.door import person
from routing.desk.language import gettext as _
from routing.desk.regions import Region
from routing.desk.site import pages, said


def _me() -> str:
    api, mine = person().api, person().agent_id
    return render_template("agent/me.html", me=api.get(f"agents/{mine}"), reasons=api.get("idle-reasons")["items"])


page.add(Region(name="me", render=_me, touched_by=("agent.*", "wrap_up.*", "offer.*", "config.applied")))


@pages.post("/agent/state")
def set_state() -> Response:
    """Available, idle with a reason, signed in or out."""
    api, mine, wanted = person().api, person().agent_id, request.form.get("state", "")
    if wanted == "sign_in":
        api.post(f"agents/{mine}/sign-in")
    elif wanted == "sign_out":
        api.post(f"agents/{mine}/sign-out")
    else:
        reason = request.form.get("reason") or None
        api.put(f"agents/{mine}/state", {"state": wanted} | ({"reason": reason} if reason else {}))
    return said(_("Your state has changed"))
