"""Scheduled callbacks that wait for their time, as one agent may see them: his own, and any agent's (CBS-04)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, and_, or_, select

from routing.store.sql.campaign_claims import zone_ranks
from routing.store.sql.campaign_listing import RecordRow, record_row
from routing.store.sql.campaign_rows import RowState
from routing.store.sql.campaign_tables import records
from routing.store.sql.paging import FIRST, Order, Page, PageOf, read_page

_RANK = 0  # of callbacks: see `campaign_rows.rank_of`


def callbacks_for(
    connection: Connection, tenant: str, agent_id: str, campaigns: Sequence[str], page: PageOf = FIRST
) -> Page[RecordRow]:
    """By time; those that are in the engine's hands included. Raises BadCursor.

    Open rows are looked for per zone, as claims do it, so that it costs what it finds and not what the lists hold.
    """
    column, ways = records.c, []
    for campaign in campaigns:
        zones = sorted({zone for zone, rank in zone_ranks(connection, tenant, campaign) if rank == _RANK})
        waiting = and_(column.state == RowState.OPEN.value, column.zone.in_(zones), column.rank == _RANK)
        in_hand = column.state == RowState.CLAIMED.value
        ways.append(and_(column.campaign == campaign, or_(waiting, in_hand)))
    if not ways:
        return Page(items=())
    whose = column.callback["agent_id"].as_string()
    query = select(records).where(column.tenant == tenant, or_(*ways), column.callback.is_not(None))
    query = query.where(whose.in_(("", agent_id)))
    return read_page(connection, query, Order(columns=(column.due_at_ms, column.id)), page, record_row)
