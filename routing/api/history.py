"""`/v1/history`: what was, from SQL; and calling a customer again from there."""

from __future__ import annotations

from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field
from sqlalchemy import Connection

from routing.api.address_book import is_free_to_dial
from routing.api.database import reading
from routing.api.history_models import CadVersionsOut, HistoryListOut, HistoryOut
from routing.api.history_views import agent_call_view, cad_version_view, record_view, secure_names, summary_view
from routing.api.idempotency import idempotent
from routing.api.orders import obey
from routing.api.pagination import page_of, shown_page
from routing.api.principal import Principal, Scope, current, needs
from routing.api.problems import Problem
from routing.api.schemas import Body, Out, Path
from routing.api.services import services
from routing.api.spans import SpanQuery
from routing.core import numbers
from routing.core.config import Config
from routing.core.errors import NumberRefused, OutdialNotAllowed
from routing.core.numbers import NumberForm
from routing.core.orders import StartOutdial
from routing.core.outdial import OutdialSource
from routing.store.sql import agent_view
from routing.store.sql.agent_view import AgentFilter
from routing.store.sql.audit import AuditEntry, AuditFilter, audit_list
from routing.store.sql.history import HistoryFilter, View, list_interactions, number_to_call
from routing.store.sql.interaction_history import Record, interaction_history
from routing.store.sql.paging import MAX_LIMIT, PageOf
from routing.store.sql.search import lookup_number, same_numbers

api = APIBlueprint("history", __name__, url_prefix="/v1")


class HistoryQuery(SpanQuery):
    agent_id: str | None = Field(default=None, max_length=64, description="His wrapped-up calls; an agent: himself")
    view: View = Field(
        default=View.ALL, description="all: everything he had a part in; calls: his own voice calls with the customer"
    )
    number: str | None = Field(default=None, max_length=64, description="Of the customer, however it is written")
    queue: str | None = Field(default=None, max_length=64)


class HistoryPath(Path):
    interaction_id: str = Field(max_length=64, json_schema_extra={"example": "int_01JD3Q8V6M0Z9X7C5B3N1M2K4H"})


class CallAgain(Body):
    """Without `number` the customer's own."""

    agent_id: str | None = Field(default=None, max_length=64, description="Who calls; an agent: himself")
    number: str | None = Field(default=None, max_length=128, description="Edited before the call")
    ani: str | None = Field(default=None, max_length=32, description="Number to show, of his profile's list")


class CallStartedOut(Out):
    """The agent's own telephone is being rung."""

    interaction_id: str
    number: str = Field(description="As it is dialed")
    form: str = Field(description="us, e164 or idd")
    ani: str


@api.get("/history", operation_id="listHistory", responses={200: HistoryListOut})
@needs(Scope.HISTORY_READ)
def list_history(query: HistoryQuery) -> dict[str, Any]:
    """Of an agent (`agent_id`), of a customer (`number`), of both, or all; newest first.

    An agent sees his own wrapped-up calls. With `number` and without `agent_id` he sees all calls with a customer whom
    he has had himself.
    """
    principal, config = current(), services().front(current().tenant).config()
    found = tuple(same_numbers(query.number, config.numbers)) if query.number else None
    wanted = AgentFilter(
        view=query.view, numbers=found, queue=query.queue, from_ms=query.from_ms, until_ms=query.until_ms
    )
    is_own = bool(query.agent_id) or (bool(principal.agent_id) and found is None)
    with reading() as connection:
        if is_own:
            return _of_agent(connection, principal.acts_for(query.agent_id), wanted, page_of(query))
        if principal.agent_id:
            page = agent_view.customer_calls_for(
                connection, principal.tenant, principal.agent_id, wanted, page_of(query)
            )
        else:
            of_all = HistoryFilter(numbers=found, queue=query.queue, from_ms=query.from_ms, until_ms=query.until_ms)
            page = list_interactions(connection, principal.tenant, of_all, page_of(query))
        return shown_page(page, summary_view)


def _of_agent(connection: Connection, agent_id: str, wanted: AgentFilter, page: PageOf) -> dict[str, Any]:
    found = agent_view.calls_of_agent(connection, current().tenant, agent_id, wanted, page)
    return shown_page(found, lambda call: agent_call_view(agent_id, call))


@api.get("/history/<interaction_id>", operation_id="getHistory", responses={200: HistoryOut})
@needs(Scope.HISTORY_READ)
def get_history(path: HistoryPath) -> dict[str, Any]:
    """The whole story of one interaction, also of a live one as far as it has come.

    An agent sees his own calls, and those with customers whom he has had himself.
    """
    config = services().front(current().tenant).config()
    with reading() as connection:
        record = found(connection, current(), path.interaction_id)
        return record_view(record, _transfers(connection, path.interaction_id), config)


@api.get("/history/<interaction_id>/cad/versions", operation_id="listCadVersions", responses={200: CadVersionsOut})
@needs(Scope.HISTORY_READ)
def list_cad_versions(path: HistoryPath) -> dict[str, Any]:
    """Every save of call data: who wrote what. A form that reverts takes its values from here (CAD-16)."""
    secure = secure_names(services().front(current().tenant).config())
    with reading() as connection:
        record = found(connection, current(), path.interaction_id)
    return {"items": [cad_version_view(version, secure) for version in record.cad_versions]}


def found(connection: Connection, principal: Principal, interaction_id: str) -> Record:
    """What the one who asks may see. Raises UnknownRow, or Problem not-found where he may not: both look the same.

    An agent: he had a part in it, or in another one with the same customer.
    """
    record = interaction_history(connection, principal.tenant, interaction_id)
    agent_id = principal.agent_id
    if agent_id and not agent_view.may_see(connection, principal.tenant, agent_id, interaction_id):
        raise Problem("not-found", f"there is no interaction {interaction_id}")
    return record


def _transfers(connection: Connection, interaction_id: str) -> tuple[AuditEntry, ...]:
    """Oldest first."""
    wanted = AuditFilter(action="Transfer", interaction_id=interaction_id)
    return audit_list(connection, current().tenant, wanted, PageOf(limit=MAX_LIMIT)).items[::-1]


@api.post("/history/<interaction_id>/call", operation_id="callFromHistory", responses={202: CallStartedOut})
@needs(Scope.HISTORY_READ, Scope.OUTDIAL)
@idempotent()
def call_again(path: HistoryPath, body: CallAgain) -> tuple[dict[str, Any], int]:
    """Call the customer of a wrapped-up call. All rules of outdials hold; an event tells how it goes on."""
    agent_id = current().acts_for(body.agent_id)
    config = services().front(current().tenant).config()
    with reading() as connection:
        record = found(connection, current(), path.interaction_id)
        original = number_to_call(connection, current().tenant, agent_id, path.interaction_id)
        if original is None:
            raise _not_callable(connection, agent_id, path.interaction_id)
        edited = (body.number or "").strip()
        if edited:
            _require_dial_pad(connection, config, agent_id, (original, edited))
    number = edited or dialable(original, config)
    name = record.interaction.ani_name or ""
    source = OutdialSource.HISTORY
    reply = obey(StartOutdial, agent_id=agent_id, number=number, ani=body.ani, source=source, name=name)
    told = {"number": reply.values["to_number"]} | {n: reply.values[n] for n in ("interaction_id", "form", "ani")}
    return told, 202


def _not_callable(connection: Connection, agent_id: str, interaction_id: str) -> Problem:
    """HIST-02."""
    if agent_view.had_part(connection, current().tenant, agent_id, interaction_id):
        return Problem("not-wrapped-up", "a call can be called again once it has a wrap-up reason")
    return Problem("not-in-history", f"agent {agent_id} had no part in this call")


def _require_dial_pad(connection: Connection, config: Config, agent_id: str, change: tuple[str, str]) -> None:
    """An edited number is one that he enters freely, which is a right of its own (PERM-04). Raises Problem.

    `change`: the number as it came, and what he made of it.
    """
    original, edited = change
    is_same = bool(set(same_numbers(original, config.numbers)) & set(same_numbers(edited, config.numbers)))
    if is_same or is_free_to_dial(connection, config, agent_id, edited):
        return
    raise Problem.of(OutdialNotAllowed(agent_id=agent_id, rule="dial_pad"))


def dialable(original: str, config: Config) -> str:
    """The customer's number as it came, or with the home country where it came in the national form.

    A trunk shows callers as they are written at home, but an outdial wants one of the external forms (A2).
    """
    try:
        form = numbers.parse(original, config.numbers).form
    except NumberRefused:
        return original
    normal = lookup_number(original, config.numbers)
    return normal if form is NumberForm.PLAIN and normal.startswith("+") else original
