"""Campaigns of the agent's team: what is loaded and started, joining and leaving, asking for a record (CAMP)."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template

from routing.desk.agent.live import page
from routing.desk.door import person
from routing.desk.language import gettext as _
from routing.desk.regions import Region
from routing.desk.site import pages, said
from routing.desk.words_work import held_back, unready

_EVENTS = ("campaign.*", "agent.*", "record.*", "config.applied", "pbx.link_changed")


def _campaigns() -> str:
    found = person().api.get(f"agents/{person().agent_id}/campaigns")["items"]
    return render_template("agent/work/campaigns.html", campaigns=[one | {"why": why(one)} for one in found])


# Records become ready without an event of this agent's, so it is looked at from time to time.
page.add(Region(name="campaigns", render=_campaigns, touched_by=_EVENTS, refresh_s=5.0))


def why(campaign: dict[str, Any]) -> str:
    """Why nothing comes, or what will; empty where he asks for records and can have one."""
    if campaign["joined_at"] is None:
        return ""
    if campaign["state"] != "running":
        return held_back([campaign["state"]])
    if campaign["unready_because"]:
        return unready(campaign["unready_because"])
    if because := held_back(campaign["held_back_by"]):
        return because
    if campaign["gets_records"]:
        return "" if campaign["waiting"] else held_back(["hopper_empty"])
    return _("You are ready. The next contact comes by itself.")


@pages.post("/agent/campaigns/<campaign_id>/join")
def join_campaign(campaign_id: str) -> Response:
    """He is ready (CAMP-05)."""
    campaign = person().api.post(f"agents/{person().agent_id}/campaigns/{campaign_id}/join")
    return said(_("You have joined %(campaign)s.") % {"campaign": campaign["label"]})


@pages.post("/agent/campaigns/<campaign_id>/leave")
def leave_campaign(campaign_id: str) -> Response:
    campaign = person().api.post(f"agents/{person().agent_id}/campaigns/{campaign_id}/leave")
    return said(_("You have left %(campaign)s.") % {"campaign": campaign["label"]})


@pages.post("/agent/campaigns/<campaign_id>/record")
def get_record(campaign_id: str) -> Response:
    """The next record, before anything is dialed (PREV-01, CAMP-06)."""
    person().api.post(f"agents/{person().agent_id}/campaigns/{campaign_id}/records")
    return Response(status=204)
