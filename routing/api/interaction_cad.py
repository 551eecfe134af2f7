"""`/v1/interactions/ID/cad`: call data, saved together or not at all; the first save wins (CAD-06, CAD-11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import ConfigDict, RootModel, StringConstraints

from routing.api.etags import check_version, conditional, etag, expected_version
from routing.api.interactions import ForAgent, InteractionPath, found
from routing.api.orders import obey
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.services import services
from routing.api.views import may_see_secure
from routing.api.views_cad import cad_view
from routing.api.views_models import CadOut
from routing.core.cad import MASK
from routing.core.interaction import Interaction
from routing.core.orders import EditCad

api = APIBlueprint("cad", __name__, url_prefix="/v1/interactions/<interaction_id>")
Answer = tuple[dict[str, Any], int, dict[str, str]]
MAX_CHANGES = 200

Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class CadPatch(RootModel[dict[Name, Annotated[str, StringConstraints(max_length=4096)] | None]]):
    """Merge-patch (RFC 7396): new values by name, as text; null clears; what is not named stays."""

    model_config = ConfigDict(
        strict=True, json_schema_extra={"example": {"case_id": "C-1042", "callback_on": None}, "maxProperties": 200}
    )


@api.get("/cad", operation_id="getCad", responses={200: CadOut})
@needs(Scope.INTERACTIONS_READ)
def get_cad(path: InteractionPath) -> Answer:
    """Form and values as saved last; its ETag is needed to change it. Nothing is changed until it is saved."""
    return _answer(path.interaction_id)


@api.patch("/cad", operation_id="editCad", responses={200: CadOut})
@needs(Scope.CAD_WRITE)
@conditional
def edit_cad(path: InteractionPath, query: ForAgent, body: CadPatch) -> Answer:
    """One save of any number of variables. Who comes second is told what the first one has saved.

    A key that names no agent writes as an integration: also where agents may not edit (CAD-17).
    """
    values = {name: value or "" for name, value in body.root.items()}
    if len(values) > MAX_CHANGES:
        raise Problem("invalid-request", f"at most {MAX_CHANGES} variables in one save", errors=[])
    agent_id = current().acts_for(query.agent_id) if query.agent_id or current().agent_id else ""
    interaction, expected = found(path.interaction_id).interaction, expected_version()
    if not values:
        check_version(interaction.cad_version, expected)
        return _answer(path.interaction_id)
    _refuse_masks(interaction, values)
    _save(agent_id=agent_id, interaction_id=path.interaction_id, values=values, expected_version=expected)
    return _answer(path.interaction_id)


def _save(**fields: Any) -> None:
    """Raises Problem; that of a conflict has the ETag which the next save is to be based on."""
    try:
        obey(EditCad, **fields)
    except Problem as problem:
        if problem.code == "cad-conflict":
            problem.headers["ETag"] = etag(problem.extensions["current_version"])
        raise


def _refuse_masks(interaction: Interaction, values: Mapping[str, str]) -> None:
    """Who may not see a secure value must not overwrite it by saving a form as it was shown. Raises Problem."""
    declared = services().front(current().tenant).config().cad_of(interaction.entry_point)
    masks = [name for name, value in values.items() if value == MASK and name in declared and declared[name].secure]
    if masks:
        problems = dict.fromkeys(masks, "the mask that stands for a secure value is no value itself")
        raise Problem("cad-refused", f"CAD refused: {problems}", None, problems=problems)


def _answer(interaction_id: str) -> Answer:
    view = found(interaction_id)
    config = services().front(current().tenant).config()
    shown = cad_view(config, view.interaction, may_see_secure=may_see_secure(current(), view))
    return shown, 200, {"ETag": etag(view.interaction.cad_version)}
