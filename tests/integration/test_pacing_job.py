"""The pacing job on a real Redis, with a real engine: one order per tick, from whichever worker, whatever got lost."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from deploy.lab.redis import RedisServer
from routing.app.clock import SystemClock
from routing.core.campaign_rules import PacingRules
from routing.core.events import EventType
from tests.integration.campaign_config import PREDICTIVE, campaign_configuration, card
from tests.integration.campaign_site import DEED_S, campaign_center, fill
from tests.integration.control_site import Site
from tests.waiting import wait_until
from workers import pacing
from workers.jobs import Jobs
from workers.pacing import Pacer
from workers.pacing_ticks import PacingTicks

CAMPAIGN = PREDICTIVE.id
_numbers = count(1)


@pytest.fixture
def site(redis_server: RedisServer, tmp_path: Path) -> Iterator[Site]:
    tenant = f"pacing{next(_numbers)}"
    base = campaign_configuration(tenant)
    paced = replace(PREDICTIVE, seize_agents=True, pacing=PacingRules(message="sorry", lines=5, min_agents=1))
    config = replace(base, campaigns={CAMPAIGN: paced})
    with campaign_center(redis_server, tenant, tmp_path, config) as running:
        yield running


def pacer(site: Site) -> Pacer:
    return Pacer(site.front, site.front.redis, SystemClock())


def run_campaign(site: Site, records: int = 3) -> None:
    for action in ("load", "start"):
        site.post(f"campaigns/{CAMPAIGN}/{action}")
    site.post(f"agents/anna/campaigns/{CAMPAIGN}/join", {}, "anna")
    fill(site, *(card(n, campaign=CAMPAIGN) for n in range(records)))
    wait_until(lambda: site.front.agents(["anna"])["anna"].shown_state == "seated", DEED_S)


def ticks(site: Site) -> int:
    return site.front.campaigns()[CAMPAIGN].tick


@pytest.mark.req("DIALER-05", "DIALER-12")
def test_a_job_asks_the_policy_and_the_engine_dials_and_says_what_it_was_asked(site: Site) -> None:
    run_campaign(site)
    asked = pacer(site).pace(CAMPAIGN)
    assert asked is not None
    assert asked >= 1
    live = site.front.campaigns()[CAMPAIGN]
    assert (live.tick, live.pacing["asked"]) == (1, float(asked))
    assert live.pacing["took_ms"] > 0
    wait_until(lambda: site.events(EventType.ATTEMPT_STARTED), DEED_S)


@pytest.mark.req("SAFE-01", "DIALER-12")
def test_what_one_worker_has_learned_the_next_one_goes_on_with(site: Site) -> None:
    run_campaign(site)
    pacer(site).pace(CAMPAIGN)
    wait_until(lambda: site.events(EventType.ATTEMPT_ENDED), DEED_S)
    other = pacer(site)
    other.pace(CAMPAIGN)
    memory = other.memory_of(CAMPAIGN)
    assert memory is not None
    assert memory.counted.counters["dialed"] >= 1
    assert memory.counted.counters["resolved"] >= 1
    assert ticks(site) == 2


@pytest.mark.req("SAFE-01")
def test_where_its_memory_is_lost_or_cannot_be_read_it_begins_anew(site: Site) -> None:
    run_campaign(site)
    key = site.front.keys("pacing", CAMPAIGN)
    for tick, left in enumerate((b"", b"not what it was", b'{"run": 1}'), start=1):
        if left:
            site.front.redis.set(key, left)
        assert pacer(site).pace(CAMPAIGN) is not None
        assert ticks(site) == tick


@pytest.mark.req("SAFE-01")
def test_two_jobs_at_once_are_one_tick_or_two_one_after_the_other(site: Site) -> None:
    run_campaign(site)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: pacer(site).pace(CAMPAIGN), range(4)))
    obeyed = [calls for calls in found if calls is not None]
    assert 1 <= len(obeyed) == ticks(site)


@pytest.mark.req("CAMP-04")
def test_nothing_is_asked_of_a_campaign_that_does_not_run_or_is_not_predictive(site: Site) -> None:
    assert pacer(site).pace(CAMPAIGN) is None, "not loaded"
    run_campaign(site)
    site.post(f"campaigns/{CAMPAIGN}/pause")
    assert pacer(site).pace(CAMPAIGN) is None
    assert pacer(site).pace("unknown") is None
    assert ticks(site) == 0


@pytest.mark.req("DIALER-05")
def test_the_ticker_asks_once_in_a_period_for_campaigns_that_run_and_have_agents(site: Site) -> None:
    asked: list[list[str]] = []

    class Noted(Jobs):
        def pace(self, campaign_ids: object) -> bool:
            asked.append(list(campaign_ids))  # type: ignore[call-overload]
            return True

    due = PacingTicks(site.front, Noted(site.front.redis, site.front.tenant))
    assert due(0) == 0
    run_campaign(site)
    assert [due(at_ms) for at_ms in (1000, 1500, 1950, 2000, 3000)] == [1, 0, 1, 0, 1]
    assert asked[0] == [CAMPAIGN]
    site.post(f"agents/anna/campaigns/{CAMPAIGN}/leave", {}, "anna")
    assert due(9000) == 0


def test_a_job_in_a_process_that_is_no_worker_is_an_error_and_in_one_that_is_runs(site: Site) -> None:
    paced: list[str] = []
    pacing.employ(paced.append)
    pacing.pace(CAMPAIGN)
    assert paced == [CAMPAIGN]
