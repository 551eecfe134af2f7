"""Saving call data: all of a form or nothing, based on the version that was shown (CAD-06, CAD-11..18)."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, render_template, request

from routing.api.problems import Problem
from routing.desk.agent.cad_form import CadForm, Typed
from routing.desk.asking import Refused
from routing.desk.door import person
from routing.desk.language import gettext as _
from routing.desk.site import pages, said


@pages.post("/agent/calls/<call_id>/cad")
def save_cad(call_id: str) -> Response:
    """What is wrong stands at its field; who comes second sees both values."""
    try:
        typed = Typed.of(request.form)
    except ValueError as error:
        raise Problem("version-needed", "the form says no version") from error
    if not typed.changes:
        return said(_("Nothing was changed."))
    try:
        saved = person().api.patch(f"interactions/{call_id}/cad", typed.changes, If_Match=f'"{typed.version}"')
    except Refused as refused:
        return _refused(call_id, typed, refused)
    answer = said(_("Call data saved."))
    answer.headers["X-Desk-Version"] = str(saved["version"])
    return answer


def _refused(call_id: str, typed: Typed, refused: Refused) -> Response:
    """The form again, where it can show what is wrong."""
    if refused.code not in ("cad-conflict", "cad-refused"):
        raise refused
    call = person().api.get(f"interactions/{call_id}")
    names = {party["agent_id"]: party["name"] for party in call["parties"]}
    now = CadForm.of(call_id, call["cad"], names)
    if refused.code == "cad-conflict":
        shown = now.after_conflict(typed)
    else:
        errors = errors_of(refused.problem)
        if errors.keys() - {row.name for row in now.rows}:
            raise refused
        shown = now.with_errors(typed, errors)
    answer = make_response(render_template("agent/cad.html", form=shown))
    answer.headers.update({"HX-Retarget": f"#{shown.id}", "HX-Reswap": "outerHTML", "X-Desk-Problem": refused.code})
    return answer


def errors_of(problem: dict[str, Any]) -> dict[str, str]:
    """By name of the variable, from the pointers of the API."""
    return {error["pointer"].lstrip("/"): error["detail"] for error in problem.get("errors", ())}
