"""`/v1/contacts`: persons with their numbers, e-mails and addresses (ACT-03, ACT-04)."""

from __future__ import annotations

from typing import Annotated, Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field, StringConstraints

from routing.api.audit import audit
from routing.api.database import reading, writing
from routing.api.etags import conditional, etag, expected_version
from routing.api.idempotency import idempotent, new_or_same_id
from routing.api.pagination import page_of, shown_page
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.schemas import Body, Out, PageQuery, Path
from routing.api.services import services
from routing.api.times import rfc3339
from routing.api.views_models import At
from routing.store.sql.contacts import (
    Channel,
    Contact,
    ContactFields,
    Save,
    create_contact,
    delete_contact,
    get_contact,
    search_contacts,
    update_contact,
)

api = APIBlueprint("contacts", __name__, url_prefix="/v1")

MAX_CHANNELS = 50
MAX_ATTRIBUTES = 64
Name = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"\S")]
ExternalId = Annotated[str, StringConstraints(max_length=256)]
AttributeName = Annotated[str, StringConstraints(min_length=1, max_length=64)]
AttributeValue = Annotated[str, StringConstraints(max_length=1024)]


class ContactQuery(PageQuery):
    q: str = Field(
        default="",
        max_length=256,
        description="Parts of the name in any order, digits of a number, an e-mail, or the external id as a whole",
    )


class ContactPath(Path):
    contact_id: str = Field(max_length=64, json_schema_extra={"example": "con_01JD3Q8V6M0Z9X7C5B3N1M2K4H"})


class ChannelIn(Body):
    """One way to reach the contact."""

    kind: str = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$", description="phone, email, address, or another word")
    value: str = Field(min_length=1, max_length=320, pattern=r"\S", examples=["+12025550143"])
    label: str = Field(default="", max_length=64, examples=["work"])


Channels = Annotated[list[ChannelIn], Field(max_length=MAX_CHANNELS)]


class ContactIn(Body):
    name: Name
    external_id: ExternalId = Field(default="", description="What the CRM calls this contact")
    attributes: dict[AttributeName, AttributeValue] = Field(default_factory=dict, max_length=MAX_ATTRIBUTES)
    channels: Channels = Field(default_factory=list)


class ContactPatch(Body):
    """Merge-patch (RFC 7396): what is not there stays, an attribute of null goes, `channels` are replaced entirely."""

    name: Name = ""
    external_id: ExternalId = ""
    attributes: dict[AttributeName, AttributeValue | None] = Field(default_factory=dict, max_length=MAX_ATTRIBUTES)
    channels: Channels = Field(default_factory=list)


class ChannelOut(Out):
    kind: str
    value: str
    label: str


class ContactOut(Out):
    id: str
    name: str
    external_id: str
    attributes: dict[str, str]
    channels: list[ChannelOut]
    version: int
    created_at: At
    updated_at: At


class ContactListOut(Out):
    """By name."""

    items: list[ContactOut]
    next_cursor: str | None


Answer = tuple[dict[str, Any], int, dict[str, str]]


@api.get("/contacts", operation_id="listContacts", responses={200: ContactListOut})
@needs(Scope.CONTACTS_READ)
def list_contacts(query: ContactQuery) -> dict[str, Any]:
    """All, or what `q` finds; sorted by name."""
    with reading() as connection:
        return shown_page(search_contacts(connection, current().tenant, query.q, page_of(query)), contact_view)


@api.get("/contacts/<contact_id>", operation_id="getContact", responses={200: ContactOut})
@needs(Scope.CONTACTS_READ)
def get_one_contact(path: ContactPath) -> Answer:
    """One contact; its ETag is needed to change it."""
    with reading() as connection:
        return _answer(get_contact(connection, current().tenant, path.contact_id))


@api.post("/contacts", operation_id="createContact", responses={201: ContactOut})
@needs(Scope.CONTACTS_WRITE)
@idempotent()
def create_one_contact(body: ContactIn) -> Answer:
    """A new contact."""
    fields = ContactFields(
        name=body.name,
        external_id=body.external_id,
        attributes=dict(body.attributes),
        channels=_channels(body.channels),
    )
    with writing() as connection:
        made = create_contact(connection, current().tenant, fields, _now_ms(), new_or_same_id("con"))
        audit(connection, current(), "contact.created", f"contact:{made.id}")
    return _answer(made, 201)


@api.patch("/contacts/<contact_id>", operation_id="updateContact", responses={200: ContactOut})
@needs(Scope.CONTACTS_WRITE)
@conditional
def update_one_contact(path: ContactPath, body: ContactPatch) -> Answer:
    """Change what is given."""
    tenant, save = current().tenant, Save(id=path.contact_id, expected_version=expected_version(), now_ms=_now_ms())
    with writing() as connection:
        fields = _merged(get_contact(connection, tenant, path.contact_id), body)
        saved = update_contact(connection, tenant, save, fields)
        changed = sorted(body.model_fields_set)
        audit(connection, current(), "contact.updated", f"contact:{saved.id}", version=saved.version, fields=changed)
    return _answer(saved)


@api.delete("/contacts/<contact_id>", operation_id="deleteContact", responses={204: None})
@needs(Scope.CONTACTS_WRITE)
@conditional
def delete_one_contact(path: ContactPath) -> tuple[str, int]:
    """The contact is gone; the history of his calls stays."""
    save = Save(id=path.contact_id, expected_version=expected_version(), now_ms=_now_ms())
    with writing() as connection:
        delete_contact(connection, current().tenant, save)
        audit(connection, current(), "contact.deleted", f"contact:{path.contact_id}")
    return "", 204


def _merged(old: Contact, patch: ContactPatch) -> ContactFields:
    given = patch.model_fields_set
    merged = {name: value for name, value in (old.attributes | patch.attributes).items() if value is not None}
    if len(merged) > MAX_ATTRIBUTES:
        errors = [{"pointer": "/attributes", "detail": f"with those there already more than {MAX_ATTRIBUTES}"}]
        raise Problem("invalid-request", "a contact cannot have so many attributes", errors=errors)
    return ContactFields(
        name=patch.name if "name" in given else old.name,
        external_id=patch.external_id if "external_id" in given else old.external_id,
        attributes=merged,
        channels=_channels(patch.channels) if "channels" in given else old.channels,
    )


def _channels(given: list[ChannelIn]) -> tuple[Channel, ...]:
    return tuple(Channel(kind=c.kind, value=c.value, label=c.label) for c in given)


def _now_ms() -> int:
    return services().clock.now_ms()


def _answer(contact: Contact, status: int = 200) -> Answer:
    return contact_view(contact), status, {"ETag": etag(contact.version)}


def contact_view(contact: Contact) -> dict[str, Any]:
    """`ContactOut`."""
    own = {name: getattr(contact, name) for name in ("id", "name", "external_id", "attributes", "version")}
    channels = [{"kind": c.kind, "value": c.value, "label": c.label} for c in contact.channels]
    times = {"created_at": rfc3339(contact.created_at_ms), "updated_at": rfc3339(contact.updated_at_ms)}
    return own | times | {"channels": channels}
