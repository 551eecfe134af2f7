"""Campaigns: all of them, and one with its figures, why nothing is dialed, its lists, its drops and its ledger."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from routing.api.principal import Scope
from routing.api.services import services
from routing.desk.asking import Refused
from routing.desk.door import person
from routing.desk.language import gettext as _
from routing.desk.regions import Region
from routing.desk.site import pages, said
from routing.desk.supervisor.clock import zone
from routing.desk.supervisor.frame import every, every_agent, for_those_with, may, show
from routing.desk.supervisor.live import campaign, campaigns
from routing.desk.supervisor.names import name_of
from routing.desk.supervisor.sharing import CAMPAIGNS, add_shared
from routing.desk.supervisor.sorting import Row

_SAID = {
    "load": lambda: _("The campaign is loaded: its agents may join."),
    "start": lambda: _("The campaign runs."),
    "pause": lambda: _("The campaign is paused."),
    "stop": lambda: _("The campaign is stopped."),
}


def _campaigns() -> str:
    return render_template("supervisor/campaign_list.html", campaigns=every("campaigns"))


add_shared(campaigns, "list", for_those_with(_campaigns, Scope.CAMPAIGNS_READ), CAMPAIGNS)


@pages.get("/supervisor/campaigns")
def campaigns_page() -> str | AnyResponse:
    return show("supervisor/campaigns.html", live=campaigns)


def _id() -> str:
    return str((request.view_args or {})["campaign_id"])


def _one() -> str:
    return render_template("supervisor/campaign_head.html", one=person().api.get(f"campaigns/{_id()}"))


def _figures() -> str:
    one = person().api.get(f"campaigns/{_id()}")
    states = {agent["id"]: agent for agent in every_agent()} if one["joined"] and may(Scope.AGENTS_READ) else {}
    joined = [{"id": id_, "name": name_of(id_), "agent": states.get(id_)} for id_ in one["joined"]]
    return render_template("supervisor/campaign_figures.html", one=one, joined=joined)


def _why() -> str:
    return render_template("supervisor/campaign_why.html", why=person().api.get(f"campaigns/{_id()}/why"))


def _lists() -> str:
    """Newest first, each with its imports."""
    found: list[Row] = person().api.get("lists", campaign=_id(), limit=20)["items"]
    lists = [one | {"imports": person().api.get(f"lists/{one['id']}/imports", limit=5)["items"]} for one in found]
    return render_template("supervisor/campaign_lists.html", lists=lists)


def _drops() -> str:
    return render_template("supervisor/campaign_drops.html", drops=person().api.get(f"campaigns/{_id()}/drops"))


_TOUCHED_BY = (*CAMPAIGNS, "agent.*", "interaction.*", "config.applied", "pbx.link_changed")
for _name, _render, _scope, _refresh_s in (
    ("head", _one, Scope.CAMPAIGNS_READ, 3.0),
    ("figures", _figures, Scope.CAMPAIGNS_READ, 2.0),
    ("why", _why, Scope.CAMPAIGNS_READ, 3.0),
    ("lists", _lists, Scope.RECORDS_READ, 2.0),
    ("drops", _drops, Scope.CAMPAIGNS_READ, 30.0),
):
    campaign.add(
        Region(
            name=_name,
            render=for_those_with(_render, _scope),
            touched_by=("campaign.*", "config.applied") if _name in ("head", "lists", "drops") else _TOUCHED_BY,
            throttle_s=1.0,
            refresh_s=_refresh_s,
        )
    )


@pages.get("/supervisor/campaigns/<campaign_id>")
def campaign_page(campaign_id: str) -> str | AnyResponse:
    if person().agent_id or not may(Scope.CAMPAIGNS_READ):
        return show("supervisor/campaign.html", Scope.CAMPAIGNS_READ)
    one = person().api.get(f"campaigns/{campaign_id}")
    return show("supervisor/campaign.html", live=campaign, one=one, months=_months())


def _months() -> list[str]:
    """Of which the ledger can be had as a table: this one and the eleven before, newest first."""
    today = datetime.fromtimestamp(services().clock.now_ms() / 1000, ZoneInfo(zone()))
    months = [today.year * 12 + today.month - 1 - back for back in range(12)]
    return [f"{one // 12:04d}-{one % 12 + 1:02d}" for one in months]


@pages.post("/supervisor/campaigns/<campaign_id>/control")
def control_campaign(campaign_id: str) -> Response:
    action = request.form.get("action", "")
    if action not in _SAID:
        raise Refused({"status": 422, "code": "invalid-request", "detail": ""})
    person().api.post(f"campaigns/{campaign_id}/{action}")
    return said(_SAID[action]())


@pages.get("/supervisor/campaigns/<campaign_id>/stop")
def stop_campaign_form(campaign_id: str) -> str:
    """The dialog that asks before it is stopped."""
    return render_template("supervisor/campaign_stop.html", one=person().api.get(f"campaigns/{campaign_id}"))


@pages.get("/supervisor/campaigns/<campaign_id>/advice")
def campaign_advice(campaign_id: str) -> str:
    """Which mode fits; simulated, so it takes some seconds."""
    query = {name: request.args.get(name, "").strip() for name in ("agents", "wrap_up_s")}
    with suppress(ValueError):
        query["rate"] = str(float(request.args.get("hit_rate", "")) / 100)
    advice = person().api.get(f"campaigns/{campaign_id}/advice", **query)
    return render_template("supervisor/campaign_advice.html", advice=advice)


@pages.get("/supervisor/campaigns/<campaign_id>/ledger")
def verify_campaign_ledger(campaign_id: str) -> str:
    """Whether the record of what was dialed still holds."""
    found = person().api.get(f"campaigns/{campaign_id}/ledger/verify")
    return render_template("supervisor/campaign_ledger.html", found=found)


@pages.get("/supervisor/campaigns/<campaign_id>/ledger.csv")
def campaign_ledger_table(campaign_id: str) -> Response:
    month = request.args.get("month", "")
    return person().api.file(f"campaigns/{campaign_id}/ledger/csv", query={"month": month})
