"""`/v1/status`: the server at a glance."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from routing.api.principal import Scope, current, needs
from routing.api.services import services
from routing.api.views_models import Out
from routing.app.live.status import loaded_campaigns

api = APIBlueprint("status", __name__, url_prefix="/v1")


class StatusOut(Out):
    """`is_healthy`: an engine runs, a configuration is applied and every PBX link is up."""

    tenant: str
    is_healthy: bool
    is_served: bool = Field(description="Whether an engine runs")
    config_revision: int
    pbx_links: dict[str, bool]
    agents: dict[str, int] = Field(description="Count by the state that people see")
    interactions: dict[str, int] = Field(description="Count of live ones by state")
    campaigns: dict[str, int] = Field(description="Count of those that are loaded, by state")


@api.get("/status", operation_id="getStatus", responses={200: StatusOut})
@needs(Scope.AGENTS_READ)
def get_status() -> dict[str, Any]:
    """Whether calls are served, and how many there are."""
    tenant = current().tenant
    is_served = services().front(tenant).is_served()
    state = services().live(tenant).world(services().clock.now_ms()).state
    links = {pbx: state.links.get(pbx, False) for pbx in sorted(state.config.pbxs)}
    return {
        "tenant": tenant,
        "is_healthy": is_served and state.config.revision > 0 and all(links.values()),
        "is_served": is_served,
        "config_revision": state.config.revision,
        "pbx_links": links,
        "agents": dict(sorted(Counter(agent.shown_state for agent in state.agents.values()).items())),
        "interactions": dict(sorted(Counter(i.state.value for i in state.interactions.values()).items())),
        "campaigns": loaded_campaigns(state),
    }
