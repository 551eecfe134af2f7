"""`/v1/queues` with live figures, and what the configuration offers to choose from."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.schemas import Path, Query
from routing.api.services import services
from routing.api.times import rfc3339
from routing.api.views_cad import declaration
from routing.api.views_models import At, Out, QueueOut
from routing.app.live.queues import queue_rows
from routing.core.cad import shown
from routing.core.world import World

api = APIBlueprint("queues", __name__, url_prefix="/v1")


class QueuePath(Path):
    queue_id: str = Field(max_length=64, json_schema_extra={"example": "billing"})


class CadQuery(Query):
    entry_point: str = Field(default="", max_length=64, description="With its own variables; else the common ones")


class QueueNowOut(QueueOut):
    """With its aim, and since when the one waits who has waited longest; null where nobody waits, or it has no aim."""

    waiting_since: At | None
    target_percent: int | None = Field(description="Of the service level: so many percent of the calls are answered")
    target_within_s: int | None = Field(description="within so many seconds")


class QueueListOut(Out):
    items: list[QueueNowOut]


class EntryPointOut(Out):
    """One of `queue` and `flow` is empty."""

    id: str
    queue: str
    flow: str
    numbers: list[str]


class EntryPointListOut(Out):
    items: list[EntryPointOut]


class TeamOut(Out):
    id: str
    label: str


class TeamListOut(Out):
    """By id."""

    items: list[TeamOut]


class ReasonsOut(Out):
    items: list[str]


class CadDeclarationOut(Out):
    name: str
    label: str
    type: str
    format: str | None
    editable: bool
    secure: bool


class CadDeclarationsOut(Out):
    """The first 30 that agents are shown, in the configured order."""

    items: list[CadDeclarationOut]


@api.get("/queues", operation_id="listQueues", responses={200: QueueListOut})
@needs(Scope.AGENTS_READ)
def list_queues() -> dict[str, Any]:
    """Every queue with its figures of now."""
    return {"items": _rows(_world())}


@api.get("/queues/<queue_id>", operation_id="getQueue", responses={200: QueueNowOut})
@needs(Scope.AGENTS_READ)
def get_queue(path: QueuePath) -> dict[str, Any]:
    """One queue."""
    for row in _rows(_world()):
        if row["id"] == path.queue_id:
            return row
    raise Problem("not-found", f"there is no queue {path.queue_id}")


@api.get("/entry-points", operation_id="listEntryPoints", responses={200: EntryPointListOut})
@needs(Scope.AGENTS_READ)
def list_entry_points() -> dict[str, Any]:
    """Where calls come in; also targets of transfers."""
    points = services().front(current().tenant).config().entry_points
    rows = [
        {"id": p.id, "queue": p.queue, "flow": p.flow, "numbers": list(p.numbers)} for _, p in sorted(points.items())
    ]
    return {"items": rows}


@api.get("/teams", operation_id="listTeams", responses={200: TeamListOut})
@needs(Scope.AGENTS_READ)
def list_teams() -> dict[str, Any]:
    """What the teams are called that agents, campaigns and reports name by id."""
    teams = services().front(current().tenant).config().teams
    return {"items": [{"id": one.id, "label": one.label} for _, one in sorted(teams.items())]}


@api.get("/idle-reasons", operation_id="listIdleReasons", responses={200: ReasonsOut})
@needs(Scope.AGENTS_READ)
def list_idle_reasons() -> dict[str, Any]:
    """Why an agent can be idle."""
    return {"items": list(services().front(current().tenant).config().idle_reasons)}


@api.get("/wrap-up-reasons", operation_id="listWrapUpReasons", responses={200: ReasonsOut})
@needs(Scope.AGENTS_READ)
def list_wrap_up_reasons() -> dict[str, Any]:
    """What a wrap-up can end with."""
    return {"items": list(services().front(current().tenant).config().wrap_up_reasons)}


@api.get("/cad-variables", operation_id="listCadVariables", responses={200: CadDeclarationsOut})
@needs(Scope.AGENTS_READ)
def list_cad_variables(query: CadQuery) -> dict[str, Any]:
    """Declarations of call data: what a form needs."""
    declared = services().front(current().tenant).config().cad_of(query.entry_point)
    return {"items": [declaration(variable) for variable in shown(declared)]}


def _world() -> World:
    return services().live(current().tenant).world(services().clock.now_ms())


def _rows(world: World) -> list[dict[str, Any]]:
    staff: dict[str, Counter[str]] = {}
    for agent_id, configured in world.config.agents.items():
        agent = world.state.agents.get(agent_id)
        for queue, _rank in configured.queues:
            staff.setdefault(queue, Counter())[agent.shown_state if agent else "logged_out"] += 1
    rows = queue_rows(world, services().clock.now_ms())
    return [_row(asdict(row)) | {"staff": dict(staff.get(row.id, {}))} for row in rows]


def _row(told: dict[str, Any]) -> dict[str, Any]:
    since_ms = told.pop("waiting_since_ms")
    return told | {"waiting_since": rfc3339(since_ms)}
