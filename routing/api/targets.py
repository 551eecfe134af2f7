"""`/v1/transfer-targets`: whom or what a call can go to, as of this moment (XFER-03..05, CONS-03)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from routing.api.agents import agent_view, is_named
from routing.api.interactions import found
from routing.api.pagination import live_page, shown_page
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.schemas import PageQuery
from routing.api.services import services
from routing.api.views import owner_of
from routing.api.views_models import AgentOut, Out
from routing.app.live.agents import AgentRow, agent_rows
from routing.app.live.queues import queue_rows
from routing.core.config import Config
from routing.core.guard import transfer_targets
from routing.core.interaction import Interaction
from routing.core.reach import is_in_reach
from routing.core.world import World

api = APIBlueprint("targets", __name__, url_prefix="/v1")


class Use(StrEnum):
    TRANSFER = "transfer"
    CONSULT = "consult"


class Kind(StrEnum):
    AGENTS = "agents"
    QUEUES = "queues"
    ENTRY_POINTS = "entry_points"


_TYPES = {Kind.AGENTS: "agent", Kind.QUEUES: "queue", Kind.ENTRY_POINTS: "entry_point"}


class TargetQuery(PageQuery):
    use: Use = Field(alias="for", description="transfer: available agents alone; consult: all, with their presence")
    interaction_id: str = Field(min_length=1, max_length=64, description="The call that is to go there")
    kind: Kind
    q: str = Field(default="", max_length=128, description="Part of the name or the id")


class TargetOut(Out):
    """`id` goes into `to.id`. `agent`: presence, of agents alone; `waiting` and `eligible`: of queues alone."""

    type: str
    id: str
    label: str
    agent: AgentOut | None
    waiting: int | None
    eligible: int | None


class TargetListOut(Out):
    items: list[TargetOut]
    next_cursor: str | None


@api.get("/transfer-targets", operation_id="listTransferTargets", responses={200: TargetListOut})
@needs(Scope.INTERACTIONS_READ, Scope.AGENTS_READ)
def list_targets(query: TargetQuery) -> dict[str, Any]:
    """Never older than the request. Numbers by name: `/v1/address-book`."""
    interaction = found(query.interaction_id).interaction
    if query.use is Use.CONSULT and query.kind is Kind.ENTRY_POINTS:
        raise Problem("target-unknown", "a consult goes to an agent, a queue or a number")
    world = services().live(current().tenant).world(services().clock.now_ms(), is_fresh=True)
    if query.use is Use.TRANSFER and not _may_transfer(world, interaction, query.kind):
        return {"items": [], "next_cursor": None}
    items = [item for item in _items(world, interaction, query) if is_named(query.q, item["label"], item["id"])]
    return shown_page(live_page(items, lambda item: (item["label"].casefold(), item["id"]), query), lambda item: item)


def _may_transfer(world: World, interaction: Interaction, kind: Kind) -> bool:
    """XFER-13."""
    agent_id = current().agent_id or owner_of(interaction)
    return _TYPES[kind] in transfer_targets(world.config, interaction, agent_id)


def _items(world: World, interaction: Interaction, query: TargetQuery) -> list[dict[str, Any]]:
    if query.kind is Kind.AGENTS:
        rows = agent_rows(world, services().clock.now_ms())
        return [
            _item("agent", row.id, row.name, agent=agent_view(row))
            for row in rows
            if _fits(world.config, row, interaction, query)
        ]
    if query.kind is Kind.ENTRY_POINTS:
        return [_item("entry_point", id_, id_) for id_ in world.config.entry_points]
    figures = {row.id: row for row in queue_rows(world, services().clock.now_ms())}
    return [
        _item("queue", id_, queue.label, waiting=figures[id_].waiting, eligible=figures[id_].eligible)
        for id_, queue in world.config.queues.items()
    ]


def _fits(config: Config, row: AgentRow, interaction: Interaction, query: TargetQuery) -> bool:
    """Not those who are in the call; for a transfer only who could take it now (XFER-07)."""
    if any(party.agent_id == row.id for party in interaction.parties):
        return False
    is_reached = is_in_reach(config, interaction.pbx, row.pbx)
    return query.use is Use.CONSULT or (row.is_eligible and is_reached)


def _item(type_: str, id_: str, label: str, **more: Any) -> dict[str, Any]:
    return {"type": type_, "id": id_, "label": label, "agent": None, "waiting": None, "eligible": None} | more
