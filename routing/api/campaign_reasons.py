"""`/v1/campaigns/ID/why` and `/drops`: why nothing is dialed, and what answered calls came to against the cap."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from routing.api.campaign_models import CampaignPath, DropGridOut, WhyOut
from routing.api.campaigns import configured, counts_view, list_counts, now_ms, world_now
from routing.api.database import reading
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.schemas import Query
from routing.api.services import services
from routing.app.live.campaigns import drops_of
from routing.app.live.why import NEEDED, why
from routing.core import windows
from routing.core.campaign_rules import Campaign
from routing.core.config import Config
from routing.store.signs import Signs
from routing.store.sql.campaign_drops import drop_days, drop_months

api = APIBlueprint("campaign_reasons", __name__, url_prefix="/v1/campaigns/<campaign_id>")

MAX_DAYS = 800
_DATE = r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"


class DropUnit(StrEnum):
    DAY = "day"
    MONTH = "month"


class DropsQuery(Query):
    """Days in the tenant's time zone, both included. Without them: the legal window that ends today."""

    begin: str | None = Field(
        default=None, alias="from", pattern=_DATE, description="A day", json_schema_extra={"example": "2026-11-01"}
    )
    end: str | None = Field(
        default=None, alias="to", pattern=_DATE, description="A day", json_schema_extra={"example": "2026-11-21"}
    )
    unit: DropUnit = Field(default=DropUnit.DAY, description="A line for each day or month")


@api.get("/why", operation_id="explainCampaign", responses={200: WhyOut})
@needs(Scope.CAMPAIGNS_READ)
def why_nothing(path: CampaignPath) -> dict[str, Any]:
    """Why is nothing dialed? Counts per reason: of the campaign, its agents, records, lists, processes (DIALER-11)."""
    world = world_now()
    configured(world.config, path.campaign_id)
    signs, at_ms = Signs(services().redis, current().tenant), now_ms()
    alive = [kind for kind in NEEDED if signs.alive(kind, at_ms)]
    found = why(world, path.campaign_id, list_counts(world.config, path.campaign_id), alive)
    return {
        "state": found.state,
        "is_dialing": found.is_dialing,
        "reasons": [asdict(reason) for reason in found.reasons],
        "list_counts": counts_view(found.list_counts),
    }


@api.get("/drops", operation_id="getCampaignDrops", responses={200: DropGridOut})
@needs(Scope.CAMPAIGNS_READ)
def get_drops(path: CampaignPath, query: DropsQuery) -> dict[str, Any]:
    """The abandon grid: both measures apart, per day or month, each with the legal window that ends with it."""
    world = world_now()
    campaign = configured(world.config, path.campaign_id)
    span = _span(query, world.config, campaign)
    with reading() as connection:
        zone = world.config.time_zone
        rows = drop_days(connection, current().tenant, campaign.id, campaign.pacing, span, zone)
    if query.unit is DropUnit.MONTH:
        rows = drop_months(rows, campaign.pacing)
    return {"now": asdict(drops_of(world, campaign)), "items": [asdict(row) for row in rows]}


def _span(query: DropsQuery, config: Config, campaign: Campaign) -> tuple[date, date]:
    """Raises Problem invalid-request."""
    try:
        last = date.fromisoformat(query.end or windows.local_day(config.time_zone, now_ms()))
        window = timedelta(days=max(1, campaign.pacing.window_days) - 1)
        first = date.fromisoformat(query.begin) if query.begin else last - window
    except ValueError as error:
        raise Problem("invalid-request", f"there is no such day: {error}", errors=[]) from error
    if not first <= last or (last - first).days >= MAX_DAYS:
        errors = [{"pointer": "/from", "detail": f"at most {MAX_DAYS} days before the last one"}]
        raise Problem("invalid-request", "the span is empty or too long", errors=errors)
    return first, last
