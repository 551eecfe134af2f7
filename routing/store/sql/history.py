"""What agents, supervisors and CRM systems read of the past: lists of interactions, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, func, select
from sqlalchemy.sql.elements import ColumnElement

from routing.core.config import Numbers
from routing.core.interaction import Role
from routing.store.sql.history_tables import cad_versions, interactions, legs, wrap_ups
from routing.store.sql.meta import row_as
from routing.store.sql.paging import FIRST, Order, Page, PageOf, read_page
from routing.store.sql.search import same_numbers

VOICE = ("inbound", "outdial", "callback", "campaign")


class View(StrEnum):
    """ALL: everything he had a part in, also as the consulted one. CALLS: his own voice calls with the customer."""

    ALL = "all"
    CALLS = "calls"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCall:
    """An agent's part in an interaction. `reason`: of his own wrap-up, None where he had none, as one consulted."""

    interaction_id: str
    leg_id: str
    kind: str
    role: str
    queue: str
    ani: str
    ani_name: str
    dnis: str
    customer_number: str
    joined_at_ms: int
    left_at_ms: int | None
    result: str | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One interaction; what it has not come to yet is None. `kind`: inbound, outdial, ...

    `cad`: the newest values, secure ones masked; `cad_version`: 0 where none are known.
    """

    id: str
    kind: str
    pbx: str | None
    ani: str | None
    ani_name: str | None
    dnis: str | None
    customer_number: str | None
    queue: str | None
    entry_point: str | None
    first_agent: str | None
    last_agent: str | None
    entered_at_ms: int
    answered_at_ms: int | None
    bridged_at_ms: int | None
    ended_at_ms: int | None
    result: str | None
    ended_by: str | None
    waited_ms: int | None
    talked_ms: int | None
    held_ms: int | None
    cad: dict[str, str] = field(default_factory=dict)
    cad_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFilter:
    """What is given must be so. `numbers`: as `search.same_numbers` gives them. `from_ms` included, `until_ms` not."""

    numbers: tuple[str, ...] | None = None
    queue: str | None = None
    agent_id: str | None = None
    kind: str | None = None
    result: str | None = None
    from_ms: int | None = None
    until_ms: int | None = None


def agent_history(
    connection: Connection, tenant: str, agent_id: str, view: View = View.ALL, page: PageOf = FIRST
) -> Page[AgentCall]:
    """His earlier calls (HIST-01): those alone to which a wrap-up reason was applied (HIST-02). Raises BadCursor."""
    order = Order(columns=(legs.c.joined_at_ms, legs.c.id), descending=True)
    return read_page(connection, agent_calls(tenant, agent_id, view), order, page, lambda row: row_as(AgentCall, row))


def number_to_call(connection: Connection, tenant: str, agent_id: str, interaction_id: str) -> str | None:
    """The customer's number as it came, for a call from the history; None where that call is not in his (HIST-02)."""
    query = agent_calls(tenant, agent_id, View.ALL).where(legs.c.interaction_id == interaction_id)
    row = connection.execute(query).mappings().first()
    return customer_of(row["kind"], row["ani"], row["dnis"]) if row else None


def customer_of(kind: str | None, ani: str | None, dnis: str | None) -> str:
    """Whose number is the customer's: who called, or who was called."""
    return (dnis if kind in ("outdial", "campaign") else ani) or ""


def customer_history(
    connection: Connection, tenant: str, number: str, rules: Numbers, page: PageOf = FIRST
) -> Page[Summary]:
    """All interactions with that number, however it is written. Raises BadCursor."""
    return list_interactions(connection, tenant, HistoryFilter(numbers=tuple(same_numbers(number, rules))), page)


def list_interactions(
    connection: Connection, tenant: str, wanted: HistoryFilter | None = None, page: PageOf = FIRST
) -> Page[Summary]:
    """Live ones too, as far as they have come. Raises BadCursor."""
    query = select(interactions).where(interactions.c.tenant == tenant, interactions.c.entered_at_ms.is_not(None))
    query = query.where(*_conditions(wanted or HistoryFilter()))
    order = Order(columns=(interactions.c.entered_at_ms, interactions.c.id), descending=True)
    found = read_page(connection, query, order, page, dict)
    return Page(items=summaries(connection, tenant, found.items), next_cursor=found.next_cursor)


def summaries(connection: Connection, tenant: str, rows: Sequence[Mapping[str, Any]]) -> tuple[Summary, ...]:
    """Rows of the table `interactions` with their call data."""
    version = cad_versions.c
    query = select(version.interaction_id, version.version, version.changes).where(version.tenant == tenant)
    query = query.where(version.interaction_id.in_([row["id"] for row in rows]))
    cad: dict[str, dict[str, str]] = {}
    newest: dict[str, int] = {}
    for interaction_id, number, changes in connection.execute(query.order_by(version.version)):
        cad.setdefault(interaction_id, {}).update(changes or {})
        newest[interaction_id] = number
    names = [f.name for f in fields(Summary) if f.name not in ("cad", "cad_version")]
    return tuple(
        Summary(**{n: row[n] for n in names}, cad=cad.get(row["id"], {}), cad_version=newest.get(row["id"], 0))
        for row in rows
    )


def _conditions(wanted: HistoryFilter) -> list[ColumnElement[bool]]:
    column = interactions.c
    found: list[ColumnElement[bool]] = []
    if wanted.numbers is not None:
        found.append(column.customer_number.in_(wanted.numbers))
    exact = {name: getattr(wanted, name) for name in ("queue", "kind", "result")}
    found += [column[name] == value for name, value in exact.items() if value is not None]
    if wanted.agent_id is not None:
        mine = (legs.c.tenant == column.tenant, legs.c.interaction_id == column.id)
        found.append(exists().where(*mine, legs.c.agent_id == wanted.agent_id))
    if wanted.from_ms is not None:
        found.append(column.entered_at_ms >= wanted.from_ms)
    if wanted.until_ms is not None:
        found.append(column.entered_at_ms < wanted.until_ms)
    return found


def agent_calls(tenant: str, agent_id: str, view: View) -> Select[Any]:
    """The query behind `agent_history`: his newest leg in each interaction that is wrapped up."""
    call, own = interactions.c, wrap_ups.alias("own")
    later = legs.alias("later")
    is_mine = and_(legs.c.tenant == tenant, legs.c.agent_id == agent_id, legs.c.joined_at_ms.is_not(None))
    has_later = exists().where(
        later.c.tenant == tenant,
        later.c.interaction_id == legs.c.interaction_id,
        # Not the bare column: SQLite would go through all later legs of the agent for each of his legs.
        func.coalesce(later.c.agent_id, "") == agent_id,
        later.c.joined_at_ms > legs.c.joined_at_ms,
    )
    joined = legs.join(interactions, and_(call.tenant == legs.c.tenant, call.id == legs.c.interaction_id))
    joined = joined.outerjoin(own, and_(own.c.tenant == legs.c.tenant, own.c.leg_id == legs.c.id))
    query = select(*_AGENT_CALL, own.c.reason).select_from(joined).where(is_mine, ~has_later)
    if view is View.CALLS:
        return query.where(legs.c.role == Role.OWNER.value, call.kind.in_(VOICE), own.c.reason.is_not(None))
    return query.where(_is_wrapped_up())


def _is_wrapped_up() -> ColumnElement[bool]:
    """He who answers for the call has given a reason: himself, or for one consulted the owner."""
    done = wrap_ups.alias("done")
    same_call = and_(done.c.tenant == legs.c.tenant, done.c.interaction_id == legs.c.interaction_id)
    is_his = (done.c.leg_id == legs.c.id) | (legs.c.role != Role.OWNER.value)
    return exists().where(same_call, is_his, done.c.reason.is_not(None))


_AGENT_CALL: tuple[ColumnElement[Any], ...] = (
    legs.c.interaction_id,
    legs.c.id,
    legs.c.id.label("leg_id"),
    legs.c.role,
    legs.c.joined_at_ms,
    legs.c.left_at_ms,
    func.coalesce(interactions.c.kind, "").label("kind"),
    func.coalesce(interactions.c.queue, "").label("queue"),
    func.coalesce(interactions.c.ani, "").label("ani"),
    func.coalesce(interactions.c.ani_name, "").label("ani_name"),
    func.coalesce(interactions.c.dnis, "").label("dnis"),
    func.coalesce(interactions.c.customer_number, "").label("customer_number"),
    interactions.c.result,
)
