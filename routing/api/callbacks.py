"""`/v1/callbacks`: customers who shall be called back as soon as an agent is free (CBQ)."""

from __future__ import annotations

from typing import Annotated, Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field, StringConstraints

from routing.api.database import reading
from routing.api.idempotency import idempotent
from routing.api.interactions import InteractionListOut, InteractionPath, shown, shown_now
from routing.api.orders import obey
from routing.api.pagination import live_page, shown_page
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.schemas import Body, PageQuery
from routing.api.services import services
from routing.api.spans import Instant
from routing.api.views_models import InteractionOut
from routing.core.interaction import Interaction
from routing.core.orders import CancelCallback, RequestCallback
from routing.store.front import CallView
from routing.store.sql.do_not_call import is_marked

api = APIBlueprint("callbacks", __name__, url_prefix="/v1")

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


class CallbackIn(Body):
    """Exactly one of `queue` and `entry_point`."""

    number: str = Field(min_length=1, max_length=128, description="As typed or pasted", examples=["+1 (202) 555-0143"])
    queue: str = Field(default="", max_length=64, description="Queue in which it waits")
    entry_point: str = Field(default="", max_length=64, description="Entry point whose queue and variables it gets")
    name: str = Field(default="", max_length=128, description="Whose number it is")
    cad: dict[str, str] = Field(
        default_factory=dict,
        description="Call-associated data; one value that does not fit its declaration refuses all",
    )
    priority: int | None = Field(default=None, ge=1, le=10)
    requires: dict[Name, Annotated[int, Field(ge=1, le=10)]] = Field(
        default_factory=dict, max_length=16, description="Skills with minimum levels, besides those of the queue"
    )
    not_before: Instant | None = Field(default=None, description="No attempt before")
    entered: Instant | None = Field(
        default=None, description="Since when the customer waits: his place; not given, or to come: from now on"
    )
    preferred_agent: str = Field(default="", max_length=64, description="Who shall have it, if he is there")


class CallbackQuery(PageQuery):
    queue: str = Field(default="", max_length=64, description="Only those of this queue")


@api.post("/callbacks", operation_id="requestCallback", responses={202: InteractionOut})
@needs(Scope.CALLBACKS_WRITE)
@idempotent()
def request(body: CallbackIn) -> tuple[dict[str, Any], int, dict[str, str]]:
    """It waits for an agent like a call, with its place in the queue. A number on the do-not-call list is refused now,
    and looked up again before each attempt.
    """
    rules = services().front(current().tenant).config().numbers
    with reading() as connection:
        if is_marked(connection, current().tenant, body.number, rules):
            raise Problem("do-not-call", "this number is on the do-not-call list")
    fields = body.model_dump(exclude={"requires", "not_before", "entered"})
    reply = obey(
        RequestCallback,
        **fields,
        requires=",".join(f"{skill}:{level}" for skill, level in body.requires.items()),
        not_before_ms=max(0, body.not_before or 0),
        entered_at_ms=max(0, body.entered or 0),
    )
    interaction_id = str(reply.values["interaction_id"])
    return shown_now(interaction_id), 202, {"Location": f"/v1/interactions/{interaction_id}"}


@api.get("/callbacks", operation_id="listCallbacks", responses={200: InteractionListOut})
@needs(Scope.INTERACTIONS_READ)
def list_callbacks(query: CallbackQuery) -> dict[str, Any]:
    """Those that have not reached their customer, by their place; agents see those of their queues."""
    world = services().live(current().tenant).world(services().clock.now_ms())
    mine = world.config.agents.get(current().agent_id)
    queues = dict(mine.queues) if mine else {}

    def is_wanted(interaction: Interaction) -> bool:
        is_visible = not current().agent_id or interaction.queue in queues
        return interaction.is_calling_back and is_visible and query.queue in ("", interaction.queue)

    wanted = [i for i in world.state.interactions.values() if is_wanted(i)]
    page = live_page(wanted, lambda i: (i.entered_at_ms, i.id), query)

    def show(interaction: Interaction) -> dict[str, Any]:
        return shown(CallView(interaction=interaction, agents=world.state.agents, is_live=True), world.config)

    return shown_page(page, show)


@api.delete("/callbacks/<interaction_id>", operation_id="cancelCallback", responses={204: None})
@needs(Scope.CALLBACKS_WRITE)
def cancel(path: InteractionPath) -> tuple[str, int]:
    """Refused while an agent has it, or is rung."""
    view = services().front(current().tenant).call(path.interaction_id)
    if view is None or view.interaction.callback is None:
        raise Problem("interaction-unknown", f"there is no callback {path.interaction_id}")
    obey(CancelCallback, interaction_id=path.interaction_id)
    return "", 204
