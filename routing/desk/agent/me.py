"""The agent's own state: what he is, since when, and where he may go from here."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template, request

from routing.api.services import services
from routing.api.times import rfc3339
from routing.desk import words
from routing.desk.agent.live import page
from routing.desk.asking import Refused
from routing.desk.door import person
from routing.desk.language import gettext as _
from routing.desk.regions import Region
from routing.desk.site import pages, said
from routing.desk.words_calls import my_telephone

_GONE = "agent-unknown"  # taken out of the configuration, and nothing is left for him to finish


def _me() -> str:
    try:
        about = _about()
    except Refused as refused:
        if refused.code != _GONE:
            raise
        return render_template("agent/gone.html", title=words.problem(_GONE))
    telephone, left_s = my_telephone(about["me"]["unavailable_because"]), about["me"]["wrap_up_left_s"]
    until = None if left_s is None else rfc3339(services().clock.now_ms() // 1000 * 1000 + left_s * 1000)
    return render_template("agent/me.html", telephone=telephone, wrap_up_until=until, **about)


def _rona() -> str:
    """The two ways out of a missed call (STATE-06)."""
    api = person().api
    if api.get(f"agents/{person().agent_id}")["own_state"] != "rona":
        return ""
    return render_template("agent/rona.html", reasons=api.get("idle-reasons")["items"])


def _about() -> dict[str, Any]:
    api = person().api
    return {"me": api.get(f"agents/{person().agent_id}"), "reasons": api.get("idle-reasons")["items"]}


_TOUCHED = ("agent.*", "wrap_up.*", "offer.*", "pbx.link_changed", "config.applied")
page.add(Region(name="me", render=_me, touched_by=_TOUCHED))
page.add(Region(name="rona", render=_rona, touched_by=("agent.state_changed", "config.applied")))


@pages.post("/agent/state")
def set_state() -> Response:
    """Available, idle with a reason, signed in or out of work."""
    api, mine, form = person().api, person().agent_id, request.form
    wanted, reason = form.get("state", ""), form.get("reason", "")
    if wanted == "sign_in":
        api.post(f"agents/{mine}/sign-in")
    elif wanted == "sign_out":
        api.post(f"agents/{mine}/sign-out")
    elif wanted == "available":
        api.put(f"agents/{mine}/state", {"state": wanted})
    else:
        api.put(f"agents/{mine}/state", {"state": "idle", "reason": reason})
    return said(_("Your state has changed."))
