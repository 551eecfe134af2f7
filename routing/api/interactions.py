"""`/v1/interactions`: live calls and those of the last day, as the one who asks may see them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from routing.api.pagination import live_page, shown_page
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.schemas import PageQuery, Path, Query
from routing.api.services import services
from routing.api.times import rfc3339
from routing.api.views import Viewer, has_part, interaction_view, owner_of
from routing.api.views_models import At, InteractionOut, Out
from routing.core import estimates
from routing.core.agent import Agent
from routing.core.config import Config
from routing.core.interaction import Interaction, InteractionState
from routing.core.matching_types import Trace
from routing.core.world import World
from routing.store.front import CallView

api = APIBlueprint("interactions", __name__, url_prefix="/v1")


class InteractionPath(Path):
    interaction_id: str = Field(max_length=64, json_schema_extra={"example": "int_01JD3Q8V6M0Z9X7C5B3N1M2K4H"})


class ForAgent(Query):
    agent_id: str = Field(default="", max_length=64, description="Whose actions are told; agent 1's by default")


class InteractionQuery(PageQuery):
    state: InteractionState | None = Field(default=None, description="Only those in this state")
    queue: str = Field(default="", max_length=64, description="Only those of this queue")
    agent_id: str = Field(default="", max_length=64, description="Only those in which this agent has a part")


class InteractionListOut(Out):
    """Oldest first."""

    items: list[InteractionOut]
    next_cursor: str | None


class CandidateOut(Out):
    agent_id: str
    removed_by: str = Field(description="The rule that passed him over; empty for those who were compared")
    sort_key: list[float | int | str]


class DecisionOut(Out):
    """One routing step: who was looked at, whom each rule removed, how the rest compared."""

    at: At
    queue: str
    strategy: str
    requires: dict[str, int]
    config_revision: int
    winners: list[str]
    key_names: list[str]
    candidates: list[CandidateOut]
    removed: dict[str, int] = Field(description="How many agents each rule removed, also those not named")
    call_key: list[float | int | str] = Field(description="The call's place in the order over all queues")
    call_runner_up: str


class ExplanationOut(Out):
    decisions: list[DecisionOut]


@api.get("/interactions", operation_id="listInteractions", responses={200: InteractionListOut})
@needs(Scope.INTERACTIONS_READ)
def list_interactions(query: InteractionQuery) -> dict[str, Any]:
    """Live interactions, oldest first; an agent sees his own and those of his queues."""
    world = services().live(current().tenant).world(services().clock.now_ms())
    wanted = [i for i in world.state.interactions.values() if _is_wanted(i, query, world.state.agents)]
    mine = world.state.agents.get(current().agent_id)
    visible = [i for i in wanted if _may_see(i, mine, lambda: world.config)]
    page = live_page(visible, lambda i: (i.entered_at_ms, i.id), query)

    def show(interaction: Interaction) -> dict[str, Any]:
        return shown(live_view(world, interaction), world.config, query.agent_id)

    return shown_page(page, show)


@api.get("/interactions/<interaction_id>", operation_id="getInteraction", responses={200: InteractionOut})
@needs(Scope.INTERACTIONS_READ)
def get_interaction(path: InteractionPath, query: ForAgent) -> dict[str, Any]:
    """A live interaction, or one that ended within the last day."""
    return shown_now(path.interaction_id, query.agent_id)


@api.get("/interactions/<interaction_id>/explain", operation_id="explainInteraction", responses={200: ExplanationOut})
@needs(Scope.INTERACTIONS_READ)
def explain(path: InteractionPath) -> dict[str, Any]:
    """Why this call went to whom (ROUTE-17)."""
    found(path.interaction_id)
    traces = services().front(current().tenant).traces(path.interaction_id)
    return {"decisions": [decision(trace) for trace in traces]}


def decision(trace: Trace) -> dict[str, Any]:
    """A routing step as DecisionOut."""
    told = asdict(trace) | {"at": rfc3339(trace.at_ms), "requires": dict(trace.requires)}
    return {name: told[name] for name in DecisionOut.model_fields}


def _config() -> Config:
    return services().front(current().tenant).config()


def _is_wanted(interaction: Interaction, query: InteractionQuery, agents: dict[str, Agent]) -> bool:
    return (
        query.state in (None, interaction.state)
        and query.queue in ("", interaction.queue)
        and (not query.agent_id or has_part(interaction, query.agent_id, agents.get(query.agent_id)))
    )


def _may_see(interaction: Interaction, agent: Agent | None, config: Callable[[], Config]) -> bool:
    """An agent: what he has or had a part in, and what waits or is talked about in his queues. A campaign's contact is
    nobody's before he is connected (CAMP-03, PROG-07).

    `config` is asked for only where it matters: it is a round trip to Redis.
    """
    agent_id = current().agent_id
    if not agent_id or has_part(interaction, agent_id, agent):
        return True
    if interaction.campaign:
        return False
    configured = config().agents.get(agent_id)
    return configured is not None and interaction.queue in dict(configured.queues)


def found(interaction_id: str, agent_id: str = "") -> CallView:
    """What the one who asks may see, with the live state of all who have a part in it, and of `agent_id`.

    Raises Problem interaction-unknown, which is also the answer for what he may not see.
    """
    front = services().front(current().tenant)
    view = front.call(interaction_id)
    if view is not None:
        missing = {agent_id, current().agent_id} - {"", *view.agents}
        view.agents.update(front.agents(sorted(missing)))
        if _may_see(view.interaction, view.agents.get(current().agent_id), front.config):
            return view
    raise Problem("interaction-unknown", f"there is no interaction {interaction_id}")


def live_view(world: World, interaction: Interaction) -> CallView:
    """Of one that lives."""
    record = world.state.records.get(interaction.campaign.record_id) if interaction.campaign else None
    return CallView(interaction=interaction, agents=world.state.agents, is_live=True, record=record)


def shown(view: CallView, config: Config, agent_id: str = "") -> dict[str, Any]:
    """The interaction for the one who asks, with what he may do (API-05): of a key, `agent_id` or agent 1."""
    whose = current().agent_id or agent_id or owner_of(view.interaction)
    position, wait_ms = _place(view)
    viewer = Viewer(
        principal=current(),
        agent=view.agents.get(whose),
        now_ms=services().clock.now_ms(),
        position=position,
        estimated_wait_ms=wait_ms,
        record=view.record,
    )
    return interaction_view(config, view, viewer)


def _place(view: CallView) -> tuple[int | None, int | None]:
    """Position and estimated wait; of calls that wait alone, since all others that do have to be looked at."""
    interaction = view.interaction
    if not view.is_live or interaction.state is not InteractionState.QUEUED:
        return None, None
    world = services().live(current().tenant).world(services().clock.now_ms())
    return estimates.position(world, interaction), estimates.wait_ms(world, interaction)


def shown_now(interaction_id: str, agent_id: str = "") -> dict[str, Any]:
    """As it is after an order. Raises Problem interaction-unknown."""
    return shown(found(interaction_id, agent_id), _config(), agent_id)
