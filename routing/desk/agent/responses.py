"""Standard answers to read to the contact: of the campaigns that he works for, and for every call (ACT-05)."""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from routing.desk.door import person
from routing.desk.site import pages


@pages.get("/agent/work/responses")
def responses_panel() -> str:
    wanted = request.args.get("q", "").strip()
    found = [one for one in _all() if wanted.casefold() in f"{one['title']} {one['text']}".casefold()]
    return render_template("agent/work/responses.html", responses=found, q=wanted)


def _all() -> list[dict[str, Any]]:
    """Those of campaigns first, with the name of the campaign."""
    api = person().api
    found = [
        one | {"label": campaign["label"]}
        for campaign in api.get(f"agents/{person().agent_id}/campaigns")["items"]
        for one in api.get(f"campaigns/{campaign['id']}/responses")["items"]
        if one["campaign"]
    ]
    return found + [one | {"label": ""} for one in api.get("responses")["items"]]
