"""What a campaign's own attempts say about people and talks, for advice on its mode (DIALER-12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, select

from routing.core.campaign_rules import AttemptResult
from routing.store.sql.campaign_tables import attempts
from routing.store.sql.history_tables import interactions


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """`persons`: attempts that one answered; `results`: of the others, by result. Means, None: of nothing."""

    attempts: int
    persons: int
    results: Mapping[str, int]
    ring_s: float | None
    talk_s: float | None


def measures(connection: Connection, tenant: str, campaign: str, since_ms: int) -> Measures:
    """Of attempts that ended since then."""
    column = attempts.c
    ours = and_(column.tenant == tenant, column.campaign == campaign, column.ended_at_ms >= since_ms)
    sums = select(column.result, column.is_live, func.count()).where(ours).group_by(column.result, column.is_live)
    rows = [(str(result or "unknown"), bool(live), int(count)) for result, live, count in connection.execute(sums)]
    results: dict[str, int] = {}
    for result, is_live, count in rows:
        if not is_live:
            results[result] = results.get(result, 0) + count
    ring = connection.scalar(select(func.avg(column.ring_ms)).where(ours, column.is_live == 1))
    is_same = and_(interactions.c.tenant == column.tenant, interactions.c.id == column.interaction_id)
    talks = select(func.avg(interactions.c.talked_ms)).select_from(attempts.join(interactions, is_same))
    talk = connection.scalar(talks.where(ours, column.result == AttemptResult.ANSWERED.value))
    return Measures(
        attempts=sum(count for _result, _live, count in rows),
        persons=sum(count for _result, is_live, count in rows if is_live),
        results=results,
        ring_s=float(ring) / 1000 if ring else None,
        talk_s=float(talk) / 1000 if talk else None,
    )
