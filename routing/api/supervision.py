"""`/v1/interactions/{id}/supervision`: a supervisor hears a live call, speaks to its agent alone, or with all."""

from __future__ import annotations

from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field, model_validator

from routing.api.confirm import obey_confirmed
from routing.api.idempotency import idempotent
from routing.api.interactions import InteractionPath, found, shown_now
from routing.api.orders import obey
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.schemas import Body
from routing.api.services import services
from routing.api.views_models import InteractionOut, Out
from routing.core.orders import ChangeSupervision, StopSupervision, Supervise
from routing.core.supervision import SupervisionMode

api = APIBlueprint("supervision", __name__, url_prefix="/v1")
Answer = tuple[dict[str, Any], int, dict[str, str]]
_USER = "user:"


class ModeIn(Body):
    mode: SupervisionMode = Field(
        description="monitor: he hears, nobody hears him; whisper: the agent alone hears him; barge: all hear him"
    )


class SuperviseIn(ModeIn):
    """Whose telephone is rung. A user who is a supervisor of the configuration himself leaves both out."""

    supervisor: str = Field(default="", max_length=64, description="A supervisor of the configuration")
    agent_id: str = Field(default="", max_length=64, description="Instead: the agent at whose telephone he is")

    @model_validator(mode="after")
    def _one(self) -> SuperviseIn:
        if self.supervisor and self.agent_id:
            raise ValueError("give supervisor or agent_id, not both")
        return self


class SupervisorOut(Out):
    id: str
    name: str
    phone: str
    pbx: str
    teams: list[str] = Field(description="Whose agents' calls he may hear; none: everybody's")
    is_me: bool = Field(description="Who asks signed in under this id, and so is this supervisor")


class SupervisorListOut(Out):
    items: list[SupervisorOut]


def _me() -> str:
    """The supervisor of the configuration that the one who asks is by his name; empty for a key and anybody else."""
    name = current().actor.removeprefix(_USER)
    is_user = current().actor.startswith(_USER)
    return name if is_user and name in services().front(current().tenant).config().supervisors else ""


def _whose(body: SuperviseIn) -> dict[str, str]:
    """Whose telephone it is, as the order says it. Raises Problem forbidden, invalid-request."""
    me = _me()
    if me and (body.agent_id or body.supervisor not in ("", me)):
        raise Problem("forbidden", f"{current().actor} listens at the telephone of supervisor {me} alone")
    supervisor = me or body.supervisor
    if not supervisor and not body.agent_id:
        errors = [{"pointer": "/supervisor", "detail": "needed, since you are no supervisor of the configuration"}]
        raise Problem("invalid-request", "say at whose telephone: supervisor or agent_id is missing", errors=errors)
    return {"supervisor": supervisor, "phone_of": body.agent_id}


@api.get("/supervisors", operation_id="listSupervisors", responses={200: SupervisorListOut})
@needs(Scope.INTERACTIONS_SUPERVISE)
def list_supervisors() -> dict[str, Any]:
    """Those of the configuration, by id."""
    me, supervisors = _me(), services().front(current().tenant).config().supervisors
    return {
        "items": [
            {"id": s.id, "name": s.name, "phone": s.phone, "pbx": s.pbx, "teams": list(s.teams), "is_me": s.id == me}
            for s in sorted(supervisors.values(), key=lambda s: s.id)
        ]
    }


@api.post(
    "/interactions/<interaction_id>/supervision",
    operation_id="superviseInteraction",
    responses={202: InteractionOut},
)
@needs(Scope.INTERACTIONS_SUPERVISE)
@idempotent()
def supervise(path: InteractionPath, body: SuperviseIn) -> Answer:
    """His telephone is rung; `supervision.state` is active when he hears the call. Nothing of the call changes by it.

    He stays with the call when it goes to another agent, and is hung up when it ends.
    """
    whose = _whose(body)
    found(path.interaction_id)
    obey(Supervise, interaction_id=path.interaction_id, mode=body.mode, **whose)
    return shown_now(path.interaction_id), 202, {"Location": f"/v1/interactions/{path.interaction_id}"}


@api.put(
    "/interactions/<interaction_id>/supervision",
    operation_id="changeSupervision",
    responses={200: InteractionOut, 202: InteractionOut},
)
@needs(Scope.INTERACTIONS_SUPERVISE)
def change(path: InteractionPath, body: ModeIn) -> Answer:
    """Another mode of who listens already. 200 when the PBX has confirmed it, else 202."""
    found(path.interaction_id)
    obeyed = obey_confirmed(ChangeSupervision, path.interaction_id, mode=body.mode, supervisor=_me())
    status = 200 if obeyed.is_confirmed else 202
    headers = {"Location": f"/v1/interactions/{path.interaction_id}"} if status == 202 else {}
    return shown_now(path.interaction_id), status, headers


@api.delete(
    "/interactions/<interaction_id>/supervision", operation_id="stopSupervision", responses={200: InteractionOut}
)
@needs(Scope.INTERACTIONS_SUPERVISE)
def stop(path: InteractionPath) -> dict[str, Any]:
    """Nobody listens any more; his telephone is hung up. The call goes on as it was."""
    found(path.interaction_id)
    obey(StopSupervision, interaction_id=path.interaction_id, supervisor=_me())
    return shown_now(path.interaction_id)
