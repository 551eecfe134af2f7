"""`/v1/agents`: who is there, in which state, and changes of state."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field, model_validator

from routing.api.interactions import found as found_interaction
from routing.api.interactions import shown as shown_interaction
from routing.api.orders import obey
from routing.api.pagination import live_page, shown_page
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.schemas import Body, PageQuery, Path
from routing.api.services import services
from routing.api.times import public, rfc3339
from routing.api.views_models import AgentOut, InteractionOut, OfferCardOut, Out
from routing.app.live.agents import AgentRow, agent_row, agent_rows
from routing.core.orders import GoAvailable, GoIdle, SignIn, SignOut
from routing.core.ringing import offer_card
from routing.core.world import World
from routing.store.front import CallView, Front

api = APIBlueprint("agents", __name__, url_prefix="/v1")

MOST_AGENTS = 2000  # of one page: a list of all is made for every page anew


class AgentPath(Path):
    agent_id: str = Field(max_length=64, json_schema_extra={"example": "anna"})


class AgentQuery(PageQuery):
    limit: int = Field(default=50, ge=1, le=MOST_AGENTS, description="Most agents in one answer")
    team: str = Field(default="", max_length=64)
    queue: str = Field(default="", max_length=64)
    state: str = Field(default="", max_length=32, description="As people see it, e.g. available")
    q: str = Field(default="", max_length=128, description="Part of the name or the id")


class ShownState(StrEnum):
    AVAILABLE = "available"
    IDLE = "idle"


class StateIn(Body):
    state: ShownState
    reason: str | None = Field(default=None, max_length=64, description="One of /v1/idle-reasons; with idle alone")

    @model_validator(mode="after")
    def _reason(self) -> StateIn:
        if (self.state is ShownState.IDLE) != (self.reason is not None):
            raise ValueError("idle needs a reason, available has none")
        return self


class SignInIn(Body):
    idle_reason: str | None = Field(default=None, max_length=64, description="Begin idle; available where not given")


class AgentListOut(Out):
    """By id."""

    items: list[AgentOut]
    next_cursor: str | None


class InteractionsOut(Out):
    items: list[InteractionOut]


class OffersOut(Out):
    """The contact requests before this agent: one, or none."""

    items: list[OfferCardOut]


@api.get("/agents", operation_id="listAgents", responses={200: AgentListOut})
@needs(Scope.AGENTS_READ)
def list_agents(query: AgentQuery) -> dict[str, Any]:
    """Every agent with his presence."""
    now_ms = services().clock.now_ms()
    world = services().live(current().tenant).world(now_ms)
    rows = [row for row in agent_rows(world, now_ms, query.queue) if _is_wanted(row, query)]
    return shown_page(live_page(rows, lambda row: (row.id,), query), agent_view)


def _is_wanted(row: AgentRow, query: AgentQuery) -> bool:
    return query.team in ("", row.team) and query.state in ("", row.state) and is_named(query.q, row.name, row.id)


def is_named(text: str, *names: str) -> bool:
    """Whether one of the names holds the text, however it is written; an empty one is in all."""
    return any(text.strip().casefold() in name.casefold() for name in names)


@api.get("/agents/<agent_id>", operation_id="getAgent", responses={200: AgentOut})
@needs(Scope.AGENTS_READ)
def get_agent(path: AgentPath) -> dict[str, Any]:
    """One agent, as of now."""
    return _now(path.agent_id)


@api.get("/agents/<agent_id>/interactions", operation_id="listAgentInteractions", responses={200: InteractionsOut})
@needs(Scope.INTERACTIONS_READ)
def list_interactions(path: AgentPath) -> dict[str, Any]:
    """What he has a part in now, wrap-up included."""
    agent_id = current().acts_for(path.agent_id)
    row = agent_row(_around(agent_id), agent_id, services().clock.now_ms())
    views, config = [_remembered(id_, agent_id) for id_ in row.interactions], _front().config()
    return {"items": [shown_interaction(view, config, agent_id) for view in views if view]}


def _remembered(interaction_id: str, agent_id: str) -> CallView | None:
    """None for one that ended so long before its wrap-up does that it is not kept any more."""
    try:
        return found_interaction(interaction_id, agent_id)
    except Problem:
        return None


@api.get("/agents/<agent_id>/offer", operation_id="getOffer", responses={200: OffersOut})
@needs(Scope.INTERACTIONS_READ)
def get_offer(path: AgentPath) -> dict[str, Any]:
    """The contact request that is before him, with its timer and the page to open (OFFER-02, API-10)."""
    agent_id = current().acts_for(path.agent_id)
    world = _around(agent_id)
    agent_row(world, agent_id, services().clock.now_ms())  # raises for one who does not exist
    cards = []
    for interaction in world.state.interactions.values():
        if offer := interaction.offer_to(agent_id):
            about = {"interaction_id": interaction.id, "purpose": offer.purpose.value}
            cards.append(public(offer_card(world, interaction, offer)) | about)
    return {"items": cards}


@api.put("/agents/<agent_id>/state", operation_id="setAgentState", responses={200: AgentOut})
@needs(Scope.AGENTS_CONTROL)
def set_state(path: AgentPath, body: StateIn) -> dict[str, Any]:
    """Available or idle; the two ways out of RONA, too (STATE-06)."""
    agent_id = current().acts_for(path.agent_id)
    if body.state is ShownState.AVAILABLE:
        obey(GoAvailable, agent_id=agent_id)
    else:
        obey(GoIdle, agent_id=agent_id, reason=body.reason)
    return _now(agent_id)


@api.post("/agents/<agent_id>/sign-in", operation_id="signInAgent", responses={200: AgentOut})
@needs(Scope.AGENTS_CONTROL)
def sign_in(path: AgentPath, body: SignInIn) -> dict[str, Any]:
    """To work; this is not the session of `/v1/sessions`."""
    agent_id = current().acts_for(path.agent_id)
    obey(SignIn, agent_id=agent_id, idle_reason=body.idle_reason)
    return _now(agent_id)


@api.post("/agents/<agent_id>/sign-out", operation_id="signOutAgent", responses={200: AgentOut})
@needs(Scope.AGENTS_CONTROL)
def sign_out(path: AgentPath) -> dict[str, Any]:
    """From work; refused while he has an interaction."""
    agent_id = current().acts_for(path.agent_id)
    obey(SignOut, agent_id=agent_id)
    return _now(agent_id)


def _front() -> Front:
    return services().front(current().tenant)


def _around(agent_id: str) -> World:
    """He as of now, without the rest of the center."""
    return World(_front().around(agent_id))


def _now(agent_id: str) -> dict[str, Any]:
    """Raises UnknownAgent, which is a problem of its own."""
    return agent_view(agent_row(_around(agent_id), agent_id, services().clock.now_ms()))


def agent_view(row: AgentRow) -> dict[str, Any]:
    """`AgentOut`."""
    same = ("id", "name", "team", "state", "own_state", "reason", "wrap_up_left_s", "phone", "phone_state", "calls")
    return {name: getattr(row, name) for name in same} | {
        "since": rfc3339(row.since_ms or None),
        "is_available": row.is_eligible,
        "unavailable_because": row.not_eligible_because or None,
        "interactions": list(row.interactions),
        "queues": row.queues,
        "skills": row.skills,
    }
