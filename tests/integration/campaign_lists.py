"""A campaign's list in a database, for tests: records that anybody may call at any time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import insert, select, update

from routing.core.campaign_rules import Campaign, DialMode
from routing.core.config import Config, Numbers
from routing.core.hours import Hours, Span
from routing.core.record import RecordCard, RecordNumber
from routing.store.sql.campaign_cards import ClaimRules
from routing.store.sql.campaign_claims import claim
from routing.store.sql.campaign_rows import NewRecord, new_row
from routing.store.sql.campaign_tables import records
from routing.store.sql.database import Database
from tests import factories

ALWAYS = Hours(id="always", time_zone="UTC", week=((Span(from_min=0, until_min=1440),),) * 7)
CAMPAIGN = Campaign(
    id="spring", label="Spring", mode=DialMode.PROGRESSIVE, queue="sales", ani="+12015550100", hours="always"
)
HOME = Numbers(country="1")
NOW_MS = 1_795_000_000_000


def config(tenant: str, **changes: Any) -> Config:
    """With the campaign."""
    campaign = replace(CAMPAIGN, **changes)
    base = factories.config(campaigns={campaign.id: campaign}, hours={"always": ALWAYS}, numbers=HOME)
    return replace(base, tenant=tenant)


class CampaignList:
    """Of one tenant and campaign."""

    def __init__(self, database: Database, tenant: str, campaign: Campaign = CAMPAIGN) -> None:
        self.database, self.tenant, self.campaign = database, tenant, campaign
        self.rules = ClaimRules(campaign=campaign, hours=ALWAYS, numbers=HOME)

    def add(self, count: int = 1, first: int = 0, **changes: Any) -> list[str]:
        """So many records `rec_0000`, ..., each with one number; `changes` of their rows. Their ids."""
        rows = []
        for order in range(first, first + count):
            number = RecordNumber(number=f"+1201555{order:04}", kind="mobile", zone="America/New_York")
            given = NewRecord(id=f"rec_{order:04}", campaign=self.campaign.id, numbers=(number,), list_order=order)
            rows.append(new_row(self.tenant, given, HOME, NOW_MS) | changes)
        with self.database.begin() as connection:
            connection.execute(insert(records), rows)
        return [row["id"] for row in rows]

    def add_one(self, order: int, numbers: Sequence[RecordNumber], **changes: Any) -> str:
        given = NewRecord(id=f"rec_{order:04}", campaign=self.campaign.id, numbers=tuple(numbers), list_order=order)
        row = new_row(self.tenant, replace(given, **changes), HOME, NOW_MS)
        with self.database.begin() as connection:
            connection.execute(insert(records), [row])
        return given.id

    def set(self, record_id: str, **values: Any) -> None:
        column = records.c
        with self.database.begin() as connection:
            change = update(records).where(column.tenant == self.tenant, column.id == record_id)
            connection.execute(change.values(**values))

    def claim(self, count: int = 100, now_ms: int = NOW_MS, **rules: Any) -> list[RecordCard]:
        with self.database.begin() as connection:
            chosen = replace(self.rules, **rules)
            return claim(connection, self.tenant, self.campaign.id, count, now_ms, chosen)

    def rows(self) -> dict[str, dict[str, Any]]:
        """By id, in their order."""
        query = select(records).where(records.c.tenant == self.tenant).order_by(records.c.id)
        with self.database.read() as connection:
            found = connection.execute(query).mappings()
            return {row["id"]: dict(row) for row in found}

    def states(self) -> dict[str, str]:
        return {record_id: row["state"] for record_id, row in self.rows().items()}
