"""`/v1/agents/ID/campaigns`: an agent's campaigns, joined and left, and the records that he asks for (CAMP, PREV)."""

from __future__ import annotations

from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from routing.api.agents import AgentPath
from routing.api.campaign_models import CampaignPath
from routing.api.campaigns import ControlIn, configured, world_now
from routing.api.database import reading
from routing.api.idempotency import idempotent
from routing.api.interactions import shown_now
from routing.api.orders import obey
from routing.api.pagination import page_of, shown_page
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.schemas import At, Out, PageQuery
from routing.api.services import services
from routing.api.times import rfc3339
from routing.api.views_models import InteractionOut
from routing.app.live.campaigns import may_work_for, state_of
from routing.core import dial_reasons
from routing.core.campaign import CampaignState
from routing.core.campaign_rules import Campaign, DialMode, Response
from routing.core.config import Config
from routing.core.members import not_ready_because
from routing.core.orders import GetRecord, JoinCampaign, LeaveCampaign
from routing.core.world import World
from routing.store.sql.campaign_callbacks import callbacks_for
from routing.store.sql.campaign_listing import RecordRow

api = APIBlueprint("agent_campaigns", __name__, url_prefix="/v1")

_LOOKED_AT = 20  # records; an agent asks more often than a supervisor
_NO_HINDRANCE = frozenset({"calling", "callbacks", "no_agents_joined"})


class AgentCampaignPath(AgentPath):
    campaign_id: str = Field(max_length=64, json_schema_extra={"example": "spring"})


class MyCampaignOut(Out):
    """A campaign of the agent's team that is loaded, running or paused."""

    id: str
    label: str
    description: str
    mode: str = Field(description="preview, push_preview, progressive or predictive")
    state: str = Field(description="loaded, running or paused")
    since: At | None
    joined_at: At | None = Field(description="Null: he has not said that he is ready; nothing is delivered then")
    ready: bool = Field(description="Whether he could be given a contact now")
    unready_because: str | None = Field(description="Why not: a stable word, e.g. not_joined, idle, phone_busy")
    gets_records: bool = Field(description="Whether he asks for records; in other modes they come by themselves")
    waiting: int = Field(description="Records that are ready")
    held_back_by: list[str] = Field(
        description="Why nothing may be called now although he is ready: stable words, as of /v1/campaigns/ID/why"
    )


class MyCampaignsOut(Out):
    """By id."""

    items: list[MyCampaignOut]


class MyCallbackOut(Out):
    """A scheduled callback that waits for its time, or is due and waits for an agent."""

    record_id: str
    campaign: str
    label: str = Field(description="Of the campaign")
    name: str
    number: str = Field(description="That will be called")
    at: At
    zone: str = Field(description="In which date and time were given")
    personal: bool = Field(description="Only he calls back; else any agent of the campaign")


class MyCallbacksOut(Out):
    """The next one first."""

    items: list[MyCallbackOut]
    next_cursor: str | None


class ResponseOut(Out):
    """A standard answer to read to the contact."""

    id: str
    title: str
    text: str
    campaign: str | None = Field(description="Null: for every campaign and call")


class ResponsesOut(Out):
    """In the configured order."""

    items: list[ResponseOut]


@api.get("/agents/<agent_id>/campaigns", operation_id="listAgentCampaigns", responses={200: MyCampaignsOut})
@needs(Scope.AGENTS_READ)
def list_campaigns(path: AgentPath) -> dict[str, Any]:
    """ "My campaigns": those of his team that are loaded, joined or not (CAMP-03, CAMP-06)."""
    agent_id = current().acts_for(path.agent_id)
    world = world_now(is_fresh=True)
    if agent_id not in world.config.agents:
        if agent_id in world.state.agents:  # removed from the configuration: he finishes what he is doing
            return {"items": []}
        raise Problem("agent-unknown", f"there is no agent {agent_id}")
    found = [campaign for _id, campaign in sorted(world.config.campaigns.items()) if _is_his(world, campaign, agent_id)]
    return {"items": [_mine(world, campaign, agent_id) for campaign in found]}


def _is_his(world: World, campaign: Campaign, agent_id: str) -> bool:
    is_loaded = state_of(world, campaign.id).state is not CampaignState.STOPPED
    return is_loaded and may_work_for(world.config, campaign, agent_id)


@api.get("/agents/<agent_id>/planned-callbacks", operation_id="listPlannedCallbacks", responses={200: MyCallbacksOut})
@needs(Scope.INTERACTIONS_READ)
def list_planned_callbacks(path: AgentPath, query: PageQuery) -> dict[str, Any]:
    """Callbacks that he or any agent of his team's campaigns is to make; at their time they come as previews (CBS)."""
    agent_id, config = current().acts_for(path.agent_id), services().front(current().tenant).config()
    if agent_id not in config.agents:
        raise Problem("agent-unknown", f"there is no agent {agent_id}")
    his = [id_ for id_, campaign in sorted(config.campaigns.items()) if may_work_for(config, campaign, agent_id)]
    with reading() as connection:
        page = callbacks_for(connection, current().tenant, agent_id, his, page_of(query))
    return shown_page(page, lambda row: _planned(config, row))


def _planned(config: Config, row: RecordRow) -> dict[str, Any]:
    planned = row.callback or {}
    turn = row.numbers[row.next_number].number if row.next_number < len(row.numbers) else ""
    return {
        "record_id": row.id,
        "campaign": row.campaign,
        "label": config.campaigns[row.campaign].label,
        "name": row.name,
        "number": planned.get("number") or turn,
        "at": rfc3339(planned["at_ms"]),
        "zone": planned.get("zone") or "",
        "personal": bool(planned.get("agent_id")),
    }


@api.post(
    "/agents/<agent_id>/campaigns/<campaign_id>/join", operation_id="joinCampaign", responses={200: MyCampaignOut}
)
@needs(Scope.AGENTS_CONTROL)
def join(path: AgentCampaignPath, body: ControlIn) -> dict[str, Any]:  # noqa: ARG001
    """He is ready for contacts (CAMP-05). Nothing is delivered by that alone: in preview mode he asks for them."""
    agent_id = current().acts_for(path.agent_id)
    obey(JoinCampaign, agent_id=agent_id, campaign=path.campaign_id)
    return _now(path.campaign_id, agent_id)


@api.post(
    "/agents/<agent_id>/campaigns/<campaign_id>/leave", operation_id="leaveCampaign", responses={200: MyCampaignOut}
)
@needs(Scope.AGENTS_CONTROL)
def leave(path: AgentCampaignPath, body: ControlIn) -> dict[str, Any]:  # noqa: ARG001
    """No new contact; what he has in hand stays his."""
    agent_id = current().acts_for(path.agent_id)
    obey(LeaveCampaign, agent_id=agent_id, campaign=path.campaign_id)
    return _now(path.campaign_id, agent_id)


@api.post(
    "/agents/<agent_id>/campaigns/<campaign_id>/records", operation_id="getRecord", responses={201: InteractionOut}
)
@needs(Scope.AGENTS_CONTROL)
@idempotent()
def get_record(path: AgentCampaignPath, body: ControlIn) -> tuple[dict[str, Any], int, dict[str, str]]:  # noqa: ARG001
    """One record, as a preview in which nothing is dialed yet (PREV-01, PREV-03). Only in preview mode."""
    agent_id = current().acts_for(path.agent_id)
    reply = obey(GetRecord, agent_id=agent_id, campaign=path.campaign_id)
    interaction_id = str(reply.values["interaction_id"])
    return shown_now(interaction_id, agent_id), 201, {"Location": f"/v1/interactions/{interaction_id}"}


@api.get("/campaigns/<campaign_id>/responses", operation_id="listCampaignResponses", responses={200: ResponsesOut})
@needs(Scope.INTERACTIONS_READ)
def list_campaign_responses(path: CampaignPath) -> dict[str, Any]:
    """Those of the campaign, then those for every call; agents are shown campaigns of their team (ACT-05)."""
    config = services().front(current().tenant).config()
    campaign, agent_id = configured(config, path.campaign_id), current().agent_id
    if agent_id and not may_work_for(config, campaign, agent_id):
        raise Problem("campaign-unknown", f"there is no campaign {path.campaign_id}")
    own = [_response(one, campaign.id) for one in campaign.responses]
    return {"items": own + [_response(one, None) for one in config.responses]}


@api.get("/responses", operation_id="listResponses", responses={200: ResponsesOut})
@needs(Scope.INTERACTIONS_READ)
def list_responses() -> dict[str, Any]:
    """Standard answers for every call (ACT-05)."""
    config = services().front(current().tenant).config()
    return {"items": [_response(one, None) for one in config.responses]}


def _response(one: Response, campaign: str | None) -> dict[str, Any]:
    return {"id": one.id, "title": one.title, "text": one.text, "campaign": campaign}


def _now(campaign_id: str, agent_id: str) -> dict[str, Any]:
    world = world_now(is_fresh=True)
    return _mine(world, configured(world.config, campaign_id), agent_id)


def _mine(world: World, campaign: Campaign, agent_id: str) -> dict[str, Any]:
    live = state_of(world, campaign.id)
    member, because = live.joined.get(agent_id), not_ready_because(world, campaign.id, agent_id)
    return {
        "id": campaign.id,
        "label": campaign.label,
        "description": campaign.description,
        "mode": campaign.mode.value,
        "state": live.state.value,
        "since": rfc3339(live.since_ms or None),
        "joined_at": rfc3339(member.joined_at_ms) if member else None,
        "ready": not because,
        "unready_because": because or None,
        "gets_records": campaign.mode is DialMode.PREVIEW,
        "waiting": world.hoppers.count_ready(campaign.id),
        "held_back_by": [] if because else _held_back_by(world, campaign.id),
    }


def _held_back_by(world: World, campaign_id: str) -> list[str]:
    """Of the campaign, its records and calls; what concerns its other agents is not his business."""
    found = dial_reasons.why(world, campaign_id, _LOOKED_AT)
    told = {word: count for word, count in found.items() if word not in _NO_HINDRANCE and not word.startswith("agent_")}
    return sorted(told, key=lambda word: (-told[word], word))
