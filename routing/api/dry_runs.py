"""`/v1/dry-runs`: what would happen to a call that came now, by the routing itself and without effect (ROUTE-18)."""

from __future__ import annotations

from typing import Annotated, Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from routing.api.callbacks import Name
from routing.api.interactions import DecisionOut, decision
from routing.api.principal import Scope, current, needs
from routing.api.schemas import Body
from routing.api.services import services
from routing.api.views_models import Out
from routing.app.live.dry_run import Outcome, Question, dry_run

api = APIBlueprint("dry_runs", __name__, url_prefix="/v1")


class DryRunIn(Body):
    """Exactly one of `queue` and `entry_point`."""

    queue: str = Field(default="", max_length=64, description="Queue that the call enters", examples=["sales"])
    entry_point: str = Field(default="", max_length=64, description="Entry point that it comes to")
    requires: dict[Name, Annotated[int, Field(ge=1, le=10)]] = Field(
        default_factory=dict, max_length=16, description="Skills with minimum levels, besides those of the queue"
    )
    priority: int | None = Field(default=None, ge=1, le=10, description="By default that of entry point or queue")
    preferred_agent: str = Field(default="", max_length=64, description="The agent whom it waits for")
    pbx: str = Field(default="", max_length=64, description="Where it comes in; by default where a link is up")


class DryRunOut(Out):
    """`offered`: telephones of `agents` would ring. `waiting`: at `position`. `in_flow`: at `flow_step`. `returned`:
    back to the dialplan with `result`.
    """

    outcome: Outcome
    result: str
    queue: str
    flow_step: str
    priority: int | None
    requires: dict[str, int]
    agents: list[str]
    position: int | None
    estimated_wait_s: float | None = Field(description="null: it would not wait, or nobody can say")
    config_revision: int
    decision: DecisionOut | None = Field(description="Every member of the queue and why he would (not) get the call")


@api.post("/dry-runs", operation_id="dryRun", responses={200: DryRunOut})
@needs(Scope.INTERACTIONS_READ)
def make(body: DryRunIn) -> dict[str, Any]:
    """Nothing is changed or sent; the answer is that of this moment."""
    now_ms = services().clock.now_ms()
    state = services().live(current().tenant).world(now_ms, is_fresh=True).state
    fields = body.model_dump(exclude={"requires"})
    found = dry_run(state, Question(**fields, requires=tuple(sorted(body.requires.items()))), now_ms)
    told = {name: getattr(found, name) for name in DryRunOut.model_fields if name != "decision"}
    shown = {"outcome": found.outcome.value, "agents": list(found.agents)}
    return told | shown | {"decision": decision(found.trace) if found.trace else None}
