"""What agents said came of a record: dispositions and answers of the call guide, newest first."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from routing.store.sql.campaign_tables import guide_answers, record_dispositions
from routing.store.sql.meta import row_as

MOST = 200  # of one record


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenDisposition:
    """`codes`: the first is the primary one; of one interaction the newest holds. `do_not_call`: 1: flagged."""

    interaction_id: str
    agent_id: str
    codes: list[str]
    do_not_call: int
    number: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAnswers:
    """`answers`: by question; `is_complete`: 1: they were submitted."""

    interaction_id: str
    agent_id: str
    answers: dict[str, str]
    is_complete: int
    at_ms: int


def dispositions_of(connection: Connection, tenant: str, record_id: str) -> tuple[GivenDisposition, ...]:
    column = record_dispositions.c
    query = select(record_dispositions).where(column.tenant == tenant, column.record_id == record_id)
    rows = connection.execute(query.order_by(column.at_ms.desc(), column.id.desc()).limit(MOST)).mappings()
    return tuple(row_as(GivenDisposition, row) for row in rows)


def answers_of(connection: Connection, tenant: str, record_id: str) -> tuple[GivenAnswers, ...]:
    column = guide_answers.c
    query = select(guide_answers).where(column.tenant == tenant, column.record_id == record_id)
    rows = connection.execute(query.order_by(column.at_ms.desc(), column.interaction_id).limit(MOST)).mappings()
    return tuple(row_as(GivenAnswers, row) for row in rows)
