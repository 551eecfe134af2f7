"""`/v1/outdials`: an agent calls a customer, with the number that the customer shall see."""

from __future__ import annotations

from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from routing.api.address_book import require_listed
from routing.api.commands import OfAgent
from routing.api.idempotency import idempotent
from routing.api.interactions import shown_now
from routing.api.orders import obey
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.schemas import Query
from routing.api.services import services
from routing.api.views_models import InteractionOut, Out
from routing.core.config import Config, Profile
from routing.core.guard import profile_of
from routing.core.orders import StartOutdial
from routing.core.outdial import OutdialSource

api = APIBlueprint("outdials", __name__, url_prefix="/v1")


class OutdialIn(OfAgent):
    number: str = Field(min_length=1, max_length=128, description="As typed or pasted", examples=["+1 (202) 555-0143"])
    ani: str | None = Field(default=None, max_length=32, description="One of /v1/outdial-anis; null: the default")
    source: OutdialSource = Field(default=OutdialSource.DIAL_PAD, description="Where the number is from")
    name: str = Field(default="", max_length=128, description="Whose number it is")


class OfAgentQuery(Query):
    agent_id: str = Field(default="", max_length=64, description="For whom; an agent's own by default")


class AniOut(Out):
    label: str
    number: str


class AniListOut(Out):
    """By label. `default`: what is shown where none is chosen; empty: what the trunk itself shows."""

    items: list[AniOut]
    default: str
    sources: list[OutdialSource] = Field(
        description="Where numbers may come from by his profile: dial_pad, address_book; empty: he places no calls"
    )


@api.post("/outdials", operation_id="startOutdial", responses={202: InteractionOut})
@needs(Scope.OUTDIAL)
@idempotent()
def start(body: OutdialIn) -> tuple[dict[str, Any], int, dict[str, str]]:
    """His own telephone is rung first, then the customer's (OUT-13); events and the interaction tell how it goes on."""
    agent_id = current().acts_for(body.agent_id)
    if body.source is OutdialSource.HISTORY:
        raise Problem("invalid-request", "call from the history with POST /v1/history/ID/call", errors=[])
    if body.source is OutdialSource.ADDRESS_BOOK:
        require_listed(agent_id, body.number)
    fields = {"number": body.number, "ani": body.ani, "source": body.source, "name": body.name}
    reply = obey(StartOutdial, agent_id=agent_id, **fields)
    interaction_id = str(reply.values["interaction_id"])
    return shown_now(interaction_id, agent_id), 202, {"Location": f"/v1/interactions/{interaction_id}"}


@api.get("/outdial-anis", operation_id="listOutdialAnis", responses={200: AniListOut})
@needs(Scope.OUTDIAL)
def list_anis(query: OfAgentQuery) -> dict[str, Any]:
    """The numbers that this agent may show (OUT-09, OUT-10)."""
    agent_id = current().acts_for(query.agent_id)
    front = services().front(current().tenant)
    config = front.config()
    agent, profile = config.agents.get(agent_id), profile_of(config, agent_id)
    if agent is None:
        if front.agents([agent_id]):  # removed from the configuration: he finishes what he is doing
            return {"items": [], "default": "", "sources": []}
        raise Problem("agent-unknown", f"there is no agent {agent_id}")
    anis = profile.outdial_anis if profile else {}
    pbx = config.pbxs.get(agent.pbx)
    items = sorted(anis.items(), key=lambda item: (item[0].casefold(), item[0]))
    return {
        "items": [{"label": label, "number": number} for label, number in items],
        "default": config.outdial.default_ani or (pbx.dial_caller_id if pbx else ""),
        "sources": _sources(config, profile),
    }


def _sources(config: Config, profile: Profile | None) -> list[str]:
    """PERM-03, PERM-04; none without an entry point that gives such calls their queue."""
    if profile is None or not profile.outdial or config.outdial.entry_point not in config.entry_points:
        return []
    return [name for name in (OutdialSource.DIAL_PAD.value, OutdialSource.ADDRESS_BOOK.value) if getattr(profile, name)]
