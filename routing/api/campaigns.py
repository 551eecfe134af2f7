"""`/v1/campaigns`: outbound campaigns, what they do now, and their load, start, pause and stop (CAMP, DIALER)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from routing.api.campaign_models import (
    CampaignDetailOut,
    CampaignListOut,
    CampaignOut,
    CampaignPath,
)
from routing.api.database import reading
from routing.api.idempotency import idempotent
from routing.api.orders import obey
from routing.api.pagination import live_page, shown_page
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.schemas import Body, PageQuery
from routing.api.services import services
from routing.api.times import rfc3339
from routing.api.views_campaign import dispositions_of
from routing.app.live.campaigns import CampaignRow, campaign_row, campaign_rows
from routing.core.campaign import CAMPAIGN_TABLE, CampaignState, CampaignTrigger
from routing.core.campaign_rules import Campaign, DialMode
from routing.core.config import Config
from routing.core.orders import ControlCampaign
from routing.core.world import World
from routing.store.sql.campaign_cards import ClaimRules
from routing.store.sql.campaign_counts import RecordCounts, record_counts

api = APIBlueprint("campaigns", __name__, url_prefix="/v1")


class CampaignQuery(PageQuery):
    state: CampaignState | None = Field(default=None, description="Only those in this state")
    mode: DialMode | None = Field(default=None, description="Only those of this mode")
    team: str = Field(default="", max_length=64, description="Only those that this team is assigned to")


class ControlIn(Body):
    """Nothing is needed."""


@api.get("/campaigns", operation_id="listCampaigns", responses={200: CampaignListOut})
@needs(Scope.CAMPAIGNS_READ)
def list_campaigns(query: CampaignQuery) -> dict[str, Any]:
    """Every configured campaign, also those that are not loaded."""
    rows = [row for row in campaign_rows(world_now()) if _is_wanted(row, query)]
    return shown_page(live_page(rows, lambda row: (row.id,), query), campaign_view)


def _is_wanted(row: CampaignRow, query: CampaignQuery) -> bool:
    wanted = (query.state in (None, row.state), query.mode in (None, row.mode))
    return all(wanted) and (not query.team or query.team in row.teams)


@api.get("/campaigns/<campaign_id>", operation_id="getCampaign", responses={200: CampaignDetailOut})
@needs(Scope.CAMPAIGNS_READ)
def get_campaign(path: CampaignPath) -> dict[str, Any]:
    """One campaign, as it is now, with its rules and the records of its lists."""
    world = world_now()
    campaign = configured(world.config, path.campaign_id)
    about = {"rules": _rules(campaign), "list_counts": counts_view(list_counts(world.config, campaign.id))}
    return campaign_view(campaign_row(world, campaign)) | about


@api.post("/campaigns/<campaign_id>/load", operation_id="loadCampaign", responses={200: CampaignOut})
@needs(Scope.CAMPAIGNS_CONTROL)
@idempotent()
def load(path: CampaignPath, body: ControlIn) -> dict[str, Any]:  # noqa: ARG001
    """Its agents are told, and may join; nothing is dialed before it is started (CAMP-04)."""
    return _control(path.campaign_id, CampaignTrigger.LOAD)


@api.post("/campaigns/<campaign_id>/start", operation_id="startCampaign", responses={200: CampaignOut})
@needs(Scope.CAMPAIGNS_CONTROL)
@idempotent()
def start(path: CampaignPath, body: ControlIn) -> dict[str, Any]:  # noqa: ARG001
    """Records come to agents and are dialed from now on; its agents are told. Also after a pause."""
    return _control(path.campaign_id, CampaignTrigger.START)


@api.post("/campaigns/<campaign_id>/pause", operation_id="pauseCampaign", responses={200: CampaignOut})
@needs(Scope.CAMPAIGNS_CONTROL)
@idempotent()
def pause(path: CampaignPath, body: ControlIn) -> dict[str, Any]:  # noqa: ARG001
    """Nothing new is begun; whom it is calling is called on, and who talks does."""
    return _control(path.campaign_id, CampaignTrigger.PAUSE)


@api.post("/campaigns/<campaign_id>/stop", operation_id="stopCampaign", responses={200: CampaignOut})
@needs(Scope.CAMPAIGNS_CONTROL)
@idempotent()
def stop(path: CampaignPath, body: ControlIn) -> dict[str, Any]:  # noqa: ARG001
    """What only rings is given up, records go back to their lists, agents leave; who talks talks on."""
    return _control(path.campaign_id, CampaignTrigger.STOP)


def _control(campaign_id: str, action: CampaignTrigger) -> dict[str, Any]:
    obey(ControlCampaign, campaign=campaign_id, action=action)
    world = world_now(is_fresh=True)
    return campaign_view(campaign_row(world, configured(world.config, campaign_id)))


def now_ms() -> int:
    """Of the server's clock."""
    return services().clock.now_ms()


def world_now(*, is_fresh: bool = False) -> World:
    """All that lives of the tenant of the one who asks, to be read only."""
    return services().live(current().tenant).world(now_ms(), is_fresh=is_fresh)


def configured(config: Config, campaign_id: str) -> Campaign:
    """Raises Problem campaign-unknown."""
    try:
        return config.campaigns[campaign_id]
    except KeyError:
        raise Problem("campaign-unknown", f"there is no campaign {campaign_id}") from None


def list_counts(config: Config, campaign_id: str) -> RecordCounts | None:
    """None while the database does not answer: what lives is told all the same."""
    try:
        with reading() as connection:
            rules = ClaimRules.of(config, campaign_id)
            return record_counts(connection, current().tenant, campaign_id, now_ms(), rules)
    except Problem as problem:
        if problem.code not in ("database-unavailable", "database-refused"):
            raise
        return None


def counts_view(counts: RecordCounts | None) -> dict[str, Any] | None:
    """`ListCountsOut`."""
    if counts is None:
        return None
    shown = asdict(counts)
    opens_ms, next_due_ms = shown.pop("opens_ms"), shown.pop("next_due_ms")
    return shown | {"opens_at": rfc3339(opens_ms), "next_due_at": rfc3339(next_due_ms)}


def campaign_view(row: CampaignRow) -> dict[str, Any]:
    """`CampaignOut`."""
    shown = asdict(row)
    since_ms, paced_at_ms = shown.pop("since_ms"), shown.pop("paced_at_ms")
    return shown | {
        "since": rfc3339(since_ms),
        "allowed_actions": [trigger.value for state, trigger in CAMPAIGN_TABLE if state.value == row.state],
        "paced_at": rfc3339(paced_at_ms),
        "teams": list(row.teams),
        "joined": list(row.joined),
    }


def _rules(campaign: Campaign) -> dict[str, Any]:
    """`CampaignRulesOut`."""
    same = ("entry_point", "pbx", "ring_timeout_s", "seize_agents", "hold_dialing", "hours", "default_zone", "hopper")
    return {name: getattr(campaign, name) for name in (*same, "require_disposition", "single_disposition")} | {
        "limits": asdict(campaign.limits),
        "retries": {
            result.value: asdict(rule) | {"after_s": list(rule.after_s)} for result, rule in campaign.retries.items()
        },
        "guarantee": campaign.pacing.guarantee.value,
        "max_wait_ms": campaign.pacing.max_wait_ms,
        "machine_detection": campaign.machines.is_on,
        "blend": campaign.blend.value,
        "dispositions": dispositions_of(campaign),
        "has_guide": bool(campaign.guide),
    }
