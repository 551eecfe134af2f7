"""`/v1/interactions`: live calls, and what may be done with them."""

from __future__ import annotations

from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from routing.api.orders import obey
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.services import services
from routing.api.times import rfc3339
from routing.core import cad
from routing.core.guard import allowed_actions
from routing.core.orders import Hold, Resume
from routing.store.front import CallView

api = APIBlueprint("interactions", __name__, url_prefix="/v1")


class InteractionPath(BaseModel):
    interaction_id: str = Field(description="Id of the interaction")


class OfAgent(BaseModel):
    agent_id: str | None = Field(default=None, description="For whom; needed with a key, an agent's own by default")


class InteractionOut(BaseModel):
    """A communication with a customer."""

    id: str
    version: int
    state: str
    queue: str
    allowed_actions: list[str]


@api.get("/interactions/<interaction_id>", operation_id="getInteraction", responses={200: InteractionOut})
@needs(Scope.INTERACTIONS_READ)
def get_interaction(path: InteractionPath) -> dict[str, Any]:
    """A live interaction, or one that ended within the last day."""
    return shown(found(path.interaction_id))


@api.post("/interactions/<interaction_id>/hold", operation_id="holdInteraction", responses={200: InteractionOut})
@needs(Scope.INTERACTIONS_CONTROL)
def hold(path: InteractionPath, body: OfAgent) -> dict[str, Any]:
    """The customer hears music."""
    obey(Hold, agent_id=current().acts_for(body.agent_id), interaction_id=path.interaction_id)
    return shown(found(path.interaction_id))


@api.post("/interactions/<interaction_id>/resume", operation_id="resumeInteraction", responses={200: InteractionOut})
@needs(Scope.INTERACTIONS_CONTROL)
def resume(path: InteractionPath, body: OfAgent) -> dict[str, Any]:
    """Agent and customer hear each other again."""
    obey(Resume, agent_id=current().acts_for(body.agent_id), interaction_id=path.interaction_id)
    return shown(found(path.interaction_id))


def found(interaction_id: str) -> CallView:
    """Raises Problem interaction-unknown."""
    view = services().front(current().tenant).call(interaction_id)
    if view is None:
        raise Problem("interaction-unknown", f"there is no interaction {interaction_id}")
    return view


def shown(view: CallView) -> dict[str, Any]:
    """The interaction for the one who asks, with what he may do (API-05)."""
    config = services().front(current().tenant).config()
    interaction, agent = view.interaction, view.agents.get(current().agent_id)
    engagement = agent.engagements.get(interaction.id) if agent else None
    actions = allowed_actions(config, interaction, agent, engagement) if agent and engagement else frozenset()
    return {
        "id": interaction.id,
        "version": interaction.version,
        "state": interaction.state.value,
        "queue": interaction.queue,
        "entered_at": rfc3339(interaction.entered_at_ms),
        "cad": cad.masked(config.cad_of(interaction.entry_point), interaction.cad),
        "allowed_actions": sorted(action.value for action in actions),
    }
