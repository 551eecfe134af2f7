"""Contacts: found, shown with their channels, edited and created (ACT-03, ACT-04)."""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from routing.desk.agent.contact_forms import KINDS, SPARE, ContactForm
from routing.desk.agent.work import panel, sources, with_message
from routing.desk.asking import Refused
from routing.desk.door import person
from routing.desk.language import gettext as _
from routing.desk.site import pages

_CONFLICT, _INVALID, _GONE = "version-conflict", "invalid-request", "not-found"


@pages.get("/agent/work/contacts")
@panel
def contacts_panel() -> str:
    q, cursor = request.args.get("q", "").strip(), request.args.get("cursor", "")
    found = person().api.get("contacts", q=q, cursor=cursor, limit=30)
    return render_template(f"agent/work/{'contact_rows' if cursor else 'contacts'}.html", found=found, q=q)


@pages.get("/agent/work/contacts/<contact_id>")
@panel
def contact_view(contact_id: str) -> str:
    return _shown(person().api.get(f"contacts/{contact_id}"))


@pages.get("/agent/work/contacts/<contact_id>/edit")
@panel
def contact_edit(contact_id: str) -> str:
    return _form(ContactForm.of(person().api.get(f"contacts/{contact_id}")))


@pages.get("/agent/work/contact/new")
def contact_new() -> str:
    """`number`: of who calls, where he is nobody's contact yet."""
    number = request.args.get("number", "").strip()
    channels = [{"kind": "phone", "value": number, "label": ""}] if number else []
    return _form(ContactForm(name=request.args.get("name", "").strip(), channels=channels))


@pages.post("/agent/work/contact/new")
def contact_create() -> str:
    form = ContactForm.typed("", request.form)
    if request.form.get("do") != "save":
        return _form(form, rows=_rows_wanted(), is_typed=True)
    try:
        made = person().api.post("contacts", form.body())
    except Refused as refused:
        return _refused(form, refused)
    return with_message(_shown(made), _("The contact is created."))


@pages.post("/agent/work/contacts/<contact_id>")
def contact_save(contact_id: str) -> str:
    """`do`: save; channel or attribute: another empty row."""
    form = ContactForm.typed(contact_id, request.form)
    if request.form.get("do") != "save":
        return _form(form, rows=_rows_wanted(), is_typed=True)
    try:
        stored = person().api.get(f"contacts/{contact_id}")
        saved = person().api.patch(f"contacts/{contact_id}", form.patch(stored), If_Match=f'"{form.version}"')
    except Refused as refused:
        return _refused(form, refused)
    return with_message(_shown(saved), _("The contact is saved."))


def _refused(form: ContactForm, refused: Refused) -> str:
    """The form with all that was typed, and why. Of a conflict also what is stored now: saving again overwrites it."""
    if refused.code == _CONFLICT:
        stored = person().api.get(f"contacts/{form.id}")
        typed = ContactForm.typed(form.id, request.form)
        newest = ContactForm(
            id=form.id,
            version=stored["version"],
            name=typed.name,
            external_id=typed.external_id,
            channels=typed.channels,
            attributes=typed.attributes,
        )
        return _form(newest, theirs=form.differing(stored), is_typed=True)
    if refused.code != _INVALID:
        raise refused
    errors = refused.problem.get("errors") or [{"pointer": "", "detail": str(refused)}]
    return _form(form, errors=errors, is_typed=True)


def _rows_wanted() -> dict[str, int]:
    wanted = request.form.get("do", "")
    return {"channels": SPARE + (wanted == "channel"), "attributes": SPARE + (wanted == "attribute")}


def _form(form: ContactForm, **about: Any) -> str:
    """`is_typed`: it holds what is not saved, so that leaving the page warns."""
    told: dict[str, Any] = {"theirs": [], "errors": [], "kinds": KINDS, "is_typed": False} | about
    rows = form.spare(**told.pop("rows", {}))
    return render_template("agent/work/contact_form.html", form=form, rows=rows, **told)


def _shown(contact: dict[str, Any]) -> str:
    return render_template("agent/work/contact.html", contact=contact, sources=sources())
