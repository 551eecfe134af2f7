"""A long day of campaigns in the simulated centre, with lists in SQL: afterwards SQL says what the engine has done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import insert

from routing.core.campaign_rules import AttemptLimits, AttemptResult, RetryRule
from routing.core.config import Config
from routing.core.orders import ApplyConfig
from routing.core.record import RecordCard
from routing.store.port import StoredEvent
from routing.store.sql.campaign_cards import ClaimRules
from routing.store.sql.campaign_claims import claim
from routing.store.sql.campaign_drops import drop_days
from routing.store.sql.campaign_ledger import verify_ledger
from routing.store.sql.campaign_projection import project
from routing.store.sql.campaign_rows import NewRecord, new_row
from routing.store.sql.campaign_tables import attempt_ledger, attempts, records
from routing.store.sql.database import Database
from tests.integration.past import rows_of
from tests.sim.dialer import Lists
from tests.sim.hall import START_MS, Hall
from tests.sim.test_chaos import Deed, long_day
from tests.sim.test_dialer_chaos import DIALER, DialerChaos

EVENTS_AT_ONCE = 100


class SqlLists(Lists):
    """Claims in SQL, and tells it of the events, in order."""

    def __init__(self, cards: dict[str, RecordCard], hall: Hall, database: Database, tenant: str) -> None:
        super().__init__(cards)
        self.hall, self.database, self.tenant = hall, database, tenant
        self.told = 0
        rows = [
            new_row(tenant, NewRecord(id=c.id, campaign=c.campaign, numbers=c.numbers, list_order=n), self.rules, 1)
            for n, c in enumerate(cards.values())
        ]
        with database.begin() as connection:
            connection.execute(insert(records), rows)

    @property
    def rules(self) -> Any:
        return self.hall.world.config.numbers

    def claim(self, campaign_id: str, count: int) -> tuple[RecordCard, ...]:
        self.project()
        rules = ClaimRules.of(self.hall.world.config, campaign_id)
        assert rules is not None
        with self.database.begin() as connection:
            cards = claim(connection, self.tenant, campaign_id, count, self.hall.clock.now_ms, rules)
        for card in cards:
            assert card.id not in self.out, f"handed out twice: {card}"
            self.out[card.id] = card.claim
        return tuple(cards)

    def project(self) -> None:
        events = self.hall.events[self.told :]
        for start in range(0, len(events), EVENTS_AT_ONCE):
            portion = events[start : start + EVENTS_AT_ONCE]
            stored = [StoredEvent(position=f"{self.told + n + 1}-0", event=e) for n, e in enumerate(portion)]
            with self.database.begin() as connection:
                project(connection, self.tenant, stored, self.rules, self.hall.clock.now_ms)
            self.told += len(portion)


def in_a_hurry(config: Config) -> Config:
    """Records come again within the day, often."""
    quick = {result: RetryRule(after_s=(5,), most=30) for result in AttemptResult}
    limits = AttemptLimits(record=60, record_per_day=60, number=60, number_per_day=60)
    changed = {
        id_: replace(campaign, retries=quick, limits=limits, pacing=replace(campaign.pacing, reserve_s=30))
        for id_, campaign in config.campaigns.items()
    }
    return replace(config, campaigns=changed)


def worked(database: Database, tenant: str, deeds: int) -> DialerChaos:
    """A day, until everything is over and recorded."""
    random, chaos = Random(5), DialerChaos(5)
    config = in_a_hurry(chaos.hall.world.config)
    chaos.hall.order(ApplyConfig, config=replace(config, revision=config.revision + 1))
    lists = SqlLists(chaos.dialer.lists.cards, chaos.hall, database, tenant)
    chaos.dialer.lists = chaos.dialer.laws.lists = lists
    plan: list[Deed] = []
    for deed in long_day(random, deeds):
        plan.append(deed)
        kinds = (random.choice(DIALER), "fill", "pace", "available", "wrap_up", "sign_in", "join")
        plan += [Deed(what, random.randint(0, 7), random.randint(0, 7)) for what in kinds]
        plan += [Deed("steer", random.randint(0, 7), 7), Deed("wait", 0, random.choice((300, 3_000)))]
    chaos.carry_out(plan)
    chaos.mend()
    chaos.close()
    lists.project()
    return chaos


@pytest.mark.req("SAFE-01", "DIALER-06", "PROG-06")
@pytest.mark.timeout(300)
def test_sql_says_of_a_long_day_what_the_engine_has_done(database: Database, tenant: Callable[[], str]) -> None:
    name = tenant()
    chaos = worked(database, name, 300)
    laws, found = chaos.dialer.laws, rows_of(database, records, name)
    tried = rows_of(database, attempts, name)
    by_record = Counter(row["record_id"] for row in tried)
    assert len(tried) == sum(laws.results.values()) > 50
    assert Counter(row["result"] for row in tried) == laws.results
    assert {row["id"]: row["attempts"] for row in found} == {row["id"]: by_record[row["id"]] for row in found}
    for row in found:
        numbers = [*row["numbers"], *(row["blocked"] or ())]
        assert sum(number["attempts"] for number in numbers) == row["attempts"]
        assert sum(sum(number["results"].values()) for number in numbers) == row["attempts"]
        assert row["state"] != "claimed", "claimed by nobody"
    assert max(row["claim"] for row in found) > 2, "no record came twice: the test shows little"

    first = datetime.fromtimestamp(START_MS / 1000, UTC).date()
    with database.read() as connection:
        sums = [
            row.sums
            for campaign in chaos.hall.world.config.campaigns.values()
            for row in drop_days(
                connection, name, campaign.id, campaign.pacing, (first, first + timedelta(days=2)), "UTC"
            )
        ]
        breaches = [verify_ledger(connection, name, id_) for id_ in chaos.hall.world.config.campaigns]
    assert sum(each.live for each in sums) == laws.live > 0
    assert sum(each.dropped for each in sums) == laws.dropped > 0
    assert sum(each.hung_up for each in sums) == laws.hung_up
    assert breaches == [None, None, None]
    assert len(rows_of(database, attempt_ledger, name)) == 2 * len(tried)
