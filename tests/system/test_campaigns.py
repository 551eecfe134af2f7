"""A predictive campaign over a real PBX: each number once, each record one outcome, the cap held, whatever dies."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterator

import pytest

from deploy.lab.answerers import AnswererProcess
from deploy.lab.campaign import CAMPAIGN, CampaignSite, campaign_files, expected
from routing.core.campaign_rules import AttemptResult
from routing.store.sql.campaign_tables import records
from tests.system.campaign_site import staffed
from tests.waiting import run

RECORDS = int(os.environ.get("SWITCHROOM_CAMPAIGN_RECORDS", "50"))
AGENTS = [str(1001 + n) for n in range(int(os.environ.get("SWITCHROOM_CAMPAIGN_AGENTS", "8")))]
# Of ten customers: four who talk, two who do not come, one each busy, a machine, silent, and slow to answer.
KINDS = "0002013402"
# Who is killed once that share of the list is done.
DEATHS = (
    (0.2, ("worker", "ticker")),
    (0.4, ("engine",)),
    (0.6, ("worker", "connector")),
    (0.7, ("lookups", "recorder")),
)


def numbers(count: int) -> list[str]:
    """Each another one; the last four digits say what becomes of the call."""
    return [f"+1{201 + at // 100}555{KINDS[at % len(KINDS)]}{at % 100:03}" for at in range(count)]


@pytest.fixture
def site(pbx: str) -> Iterator[CampaignSite]:
    with CampaignSite(AGENTS, campaign_files(AGENTS), pbx=pbx) as running:
        yield running


@pytest.mark.timeout(600)
@pytest.mark.req("DIALER-01", "DIALER-05", "SAFE-01", "PROG-06", "CAMP-01")
def test_each_number_is_dialed_once_and_each_record_has_one_outcome_whatever_dies(site: CampaignSite) -> None:
    wanted = numbers(RECORDS)
    site.add_records(wanted)

    async def play() -> None:
        async with staffed(site, AGENTS) as (_center, desks):
            killed: list[str] = []
            deadline = asyncio.get_running_loop().time() + 540
            while (done := len(site.results())) < len(wanted):
                assert asyncio.get_running_loop().time() < deadline, (done, killed, site.switchroom("status"))
                if len(killed) < len(DEATHS) and done >= DEATHS[len(killed)][0] * len(wanted):
                    victims = DEATHS[len(killed)][1]
                    killed.append(",".join(victims))
                    for name in victims:
                        site.kill(name)
                        site.start_process(name)
                await asyncio.sleep(1)

            assert len(killed) == len(DEATHS)
            assert desks.talks > 0

    with AnswererProcess(site.pbx) as people:
        run(play(), within=590)
        calls = Counter(call.number.removeprefix("+") for call in people.calls())
    results = site.results()
    assert set(results) == set(wanted)
    wrong = {number: result for number, result in results.items() if AttemptResult(result) not in expected(number)}
    # Dialed when its connector died: what became of it nobody knows.
    assert set(wrong.values()) <= {AttemptResult.UNKNOWN.value}, wrong
    assert len(wrong) <= len(AGENTS)
    assert max(calls.values()) == 1, "a number was dialed twice"
    rows = site.rows(records)
    assert {row["campaign"] for row in rows} == {CAMPAIGN}
    assert Counter(row["state"] for row in rows) == {"closed": len(wanted)}
