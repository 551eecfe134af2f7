"""What one agent may read of the past: his own calls, and those with customers whom he has spoken with."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, exists, select

from routing.store.sql.history import AgentCall, Summary, View, agent_calls, summaries
from routing.store.sql.history_tables import interactions, legs, wrap_ups
from routing.store.sql.meta import row_as
from routing.store.sql.paging import FIRST, Order, Page, PageOf, read_page
from routing.store.sql.search import digits_of

MIN_DIGITS = 3  # "anonymous" and the like are nobody's number


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFilter:
    """What is given must be so. `numbers`: as `search.same_numbers` gives them. `from_ms` included, `until_ms` not."""

    view: View = View.ALL
    numbers: tuple[str, ...] | None = None
    queue: str | None = None
    from_ms: int | None = None
    until_ms: int | None = None


def calls_of_agent(
    connection: Connection, tenant: str, agent_id: str, wanted: AgentFilter, page: PageOf = FIRST
) -> Page[AgentCall]:
    """As `history.agent_history`, narrowed. Times are those of his joining. Raises BadCursor."""
    query = agent_calls(tenant, agent_id, wanted.view).where(*_conditions(wanted, legs.c.joined_at_ms))
    order = Order(columns=(legs.c.joined_at_ms, legs.c.id), descending=True)
    return read_page(connection, query, order, page, lambda row: row_as(AgentCall, row))


def customer_calls_for(
    connection: Connection, tenant: str, agent_id: str, wanted: AgentFilter, page: PageOf = FIRST
) -> Page[Summary]:
    """All wrapped-up calls with `numbers`, whoever had them; none to an agent who never had one. Raises BadCursor."""
    query = select(interactions).where(interactions.c.tenant == tenant, interactions.c.entered_at_ms.is_not(None))
    query = query.where(*_conditions(wanted, interactions.c.entered_at_ms), _is_wrapped_up())
    if not knows(connection, tenant, agent_id, wanted.numbers or ()):
        return Page(items=())
    order = Order(columns=(interactions.c.entered_at_ms, interactions.c.id), descending=True)
    found = read_page(connection, query, order, page, dict)
    return Page(items=summaries(connection, tenant, found.items), next_cursor=found.next_cursor)


def may_see(connection: Connection, tenant: str, agent_id: str, interaction_id: str) -> bool:
    """Whether he had a part in it, or in another one with the same customer."""
    if had_part(connection, tenant, agent_id, interaction_id):
        return True
    query = select(interactions.c.customer_number).where(
        interactions.c.tenant == tenant, interactions.c.id == interaction_id
    )
    number = connection.scalar(query)
    return bool(number) and knows(connection, tenant, agent_id, (str(number),))


def had_part(connection: Connection, tenant: str, agent_id: str, interaction_id: str) -> bool:
    query = _parts(tenant, agent_id).where(legs.c.interaction_id == interaction_id)
    return connection.execute(query.limit(1)).first() is not None


def knows(connection: Connection, tenant: str, agent_id: str, numbers: tuple[str, ...]) -> bool:
    """Whether he had a part in a call with one of these numbers of a customer.

    Looked up from the customer's side, who has fewer calls than an agent.
    """
    real = [number for number in numbers if len(digits_of(number)) >= MIN_DIGITS]
    call = interactions.c
    query = select(call.id).where(call.tenant == tenant, call.customer_number.in_(real))
    query = query.where(_parts(tenant, agent_id).where(legs.c.interaction_id == call.id).exists())
    return bool(real) and connection.execute(query.limit(1)).first() is not None


def _parts(tenant: str, agent_id: str) -> Select[tuple[str]]:
    mine = (legs.c.tenant == tenant, legs.c.agent_id == agent_id, legs.c.joined_at_ms.is_not(None))
    return select(legs.c.id).where(*mine)


def _conditions(wanted: AgentFilter, at: ColumnElement[int | None]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.numbers is not None:
        found.append(interactions.c.customer_number.in_(wanted.numbers))
    if wanted.queue is not None:
        found.append(interactions.c.queue == wanted.queue)
    if wanted.from_ms is not None:
        found.append(at >= wanted.from_ms)
    if wanted.until_ms is not None:
        found.append(at < wanted.until_ms)
    return found


def _is_wrapped_up() -> ColumnElement[bool]:
    same = (wrap_ups.c.tenant == interactions.c.tenant, wrap_ups.c.interaction_id == interactions.c.id)
    return exists().where(*same, wrap_ups.c.reason.is_not(None))
