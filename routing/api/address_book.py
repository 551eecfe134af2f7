"""`/v1/address-book`: names with numbers, provisioned by the administrator (DIAL-14, OUT-07)."""

from __future__ import annotations

from typing import Annotated, Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field, StringConstraints
from sqlalchemy import Connection

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
from routing.core import numbers
from routing.core.config import Config, Profile
from routing.core.errors import NumberRefused
from routing.store.sql.address_book import (
    Entry,
    EntryFields,
    create_entry,
    delete_entry,
    get_entry,
    is_listed,
    search_address_book,
    update_entry,
)
from routing.store.sql.contacts import Save
from routing.store.sql.paging import PageOf

api = APIBlueprint("address_book", __name__, url_prefix="/v1")

MAX_CANDIDATES = 10
Name = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"\S")]
DialText = Annotated[str, StringConstraints(min_length=1, max_length=numbers.MAX_TYPED)]


class BookQuery(PageQuery):
    q: str = Field(default="", max_length=128, description="Parts of the name in any order, or digits of the number")


class EntryPath(Path):
    entry_id: str = Field(max_length=64, json_schema_extra={"example": "adr_01JD3Q8V6M0Z9X7C5B3N1M2K4H"})


class EntryIn(Body):
    name: Name
    number: DialText = Field(
        description="3 to 14 digits, + # * : and what stands between them", examples=["+12025550143"]
    )


class EntryPatch(Body):
    """Merge-patch: what is not there stays, and nothing can be taken away."""

    name: Name = ""
    number: DialText = ""


class EntryOut(Out):
    id: str
    name: str
    number: str
    version: int
    updated_at: At


class EntryListOut(Out):
    """By name."""

    items: list[EntryOut]
    next_cursor: str | None


@api.get("/address-book", operation_id="listAddressBook", responses={200: EntryListOut})
@needs(Scope.CONTACTS_READ)
def list_address_book(query: BookQuery) -> dict[str, Any]:
    """All of it, or what `q` finds; sorted by name. An agent needs the switch `address_book` of his profile."""
    _require_reader()
    with reading() as connection:
        return shown_page(search_address_book(connection, current().tenant, query.q, page_of(query)), entry_view)


@api.get("/address-book/<entry_id>", operation_id="getAddressBookEntry", responses={200: EntryOut})
@needs(Scope.CONTACTS_READ)
def get_address_book_entry(path: EntryPath) -> tuple[dict[str, Any], int, dict[str, str]]:
    """One entry; its ETag is needed to change it."""
    _require_reader()
    with reading() as connection:
        return _answer(get_entry(connection, current().tenant, path.entry_id))


@api.post("/address-book", operation_id="createAddressBookEntry", responses={201: EntryOut})
@needs(Scope.CONTACTS_WRITE)
@idempotent()
def create_address_book_entry(body: EntryIn) -> tuple[dict[str, Any], int, dict[str, str]]:
    """For administrators: an agent may not."""
    _require_administrator()
    fields = EntryFields(name=body.name, number=_number(body.number))
    with writing() as connection:
        made = create_entry(connection, current().tenant, fields, _now_ms(), new_or_same_id("adr"))
        audit(connection, current(), "address_book.created", f"address_book:{made.id}")
    return _answer(made, 201)


@api.patch("/address-book/<entry_id>", operation_id="updateAddressBookEntry", responses={200: EntryOut})
@needs(Scope.CONTACTS_WRITE)
@conditional
def update_address_book_entry(path: EntryPath, body: EntryPatch) -> tuple[dict[str, Any], int, dict[str, str]]:
    """For administrators."""
    _require_administrator()
    tenant, save = current().tenant, Save(id=path.entry_id, expected_version=expected_version(), now_ms=_now_ms())
    number = _number(body.number) if body.number else ""
    with writing() as connection:
        old = get_entry(connection, tenant, path.entry_id)
        fields = EntryFields(name=body.name or old.name, number=number or old.number)
        saved = update_entry(connection, tenant, save, fields)
        audit(connection, current(), "address_book.updated", f"address_book:{saved.id}", version=saved.version)
    return _answer(saved)


@api.delete("/address-book/<entry_id>", operation_id="deleteAddressBookEntry", responses={204: None})
@needs(Scope.CONTACTS_WRITE)
@conditional
def delete_address_book_entry(path: EntryPath) -> tuple[str, int]:
    """For administrators."""
    _require_administrator()
    save = Save(id=path.entry_id, expected_version=expected_version(), now_ms=_now_ms())
    with writing() as connection:
        delete_entry(connection, current().tenant, save)
        audit(connection, current(), "address_book.deleted", f"address_book:{path.entry_id}")
    return "", 204


# ---------------------------------------------------------------------- for other modules


def candidates(tenant: str, text: str) -> list[dict[str, Any]]:
    """Whom a text that is a name may mean (DIAL-10): at most 10 entries by name. Raises Problem as `reading`."""
    with reading() as connection:
        found = search_address_book(connection, tenant, text, PageOf(limit=MAX_CANDIDATES))
    return [{"id": entry.id, "name": entry.name, "number": entry.number} for entry in found.items]


def may_read_book(config: Config, agent_id: str) -> bool:
    """Whether his profile has the address book (PERM-04)."""
    profile = _profile(config, agent_id)
    return profile is not None and profile.address_book


def is_free_to_dial(connection: Connection, config: Config, agent_id: str, number: str) -> bool:
    """Whether an agent may enter this number: he has the dial pad, or it stands in his address book (PERM-04).

    Who is no agent, and what is a name or no number at all, is told so by the engine.
    """
    profile = _profile(config, agent_id)
    if profile is None or profile.dial_pad:
        return True
    try:
        numbers.parse(number, config.numbers)
    except NumberRefused:
        return True
    return profile.address_book and is_listed(connection, current().tenant, number, config.numbers)


def require_listed(agent_id: str, number: str) -> None:
    """Of a number that is said to come from the address book. Raises Problem number-refused, rule `not_listed`.

    Without this the source would let an agent without the dial pad call any number (PERM-04).
    """
    config = services().front(current().tenant).config()
    with reading() as connection:
        if is_free_to_dial(connection, config, agent_id, number):
            return
    detail = f"number {number!r} is not in the address book, and agent {agent_id} has no dial pad"
    raise Problem("number-refused", detail, None, number=number, rule="not_listed")


def _profile(config: Config, agent_id: str) -> Profile | None:
    agent = config.agents.get(agent_id)
    return config.profiles.get(agent.profile) if agent else None


def _require_reader() -> None:
    agent_id = current().agent_id
    if agent_id and not may_read_book(services().front(current().tenant).config(), agent_id):
        raise Problem("forbidden", f"the profile of agent {agent_id} has no address book", None, rule="address_book")


def _require_administrator() -> None:
    if current().agent_id:
        raise Problem("forbidden", "the address book is kept by administrators")


def _number(text: str) -> str:
    """As it will be dialed: an entry that cannot be dialed helps nobody. Raises Problem number-refused."""
    try:
        return numbers.parse(text, services().front(current().tenant).config().numbers).text
    except NumberRefused as error:
        raise Problem.of(error) from error


def _now_ms() -> int:
    return services().clock.now_ms()


def _answer(entry: Entry, status: int = 200) -> tuple[dict[str, Any], int, dict[str, str]]:
    return entry_view(entry), status, {"ETag": etag(entry.version)}


def entry_view(entry: Entry) -> dict[str, Any]:
    """`EntryOut`."""
    own = {name: getattr(entry, name) for name in ("id", "name", "number", "version")}
    return own | {"updated_at": rfc3339(entry.updated_at_ms)}
