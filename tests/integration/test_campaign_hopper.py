"""Hoppers filled from SQL, and the sweep: whatever died, no record is handed out twice and none is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from rq import Queue

from deploy.lab.redis import RedisServer
from routing.core.campaign import CampaignState
from routing.core.events import Event, EventType
from routing.core.orders import AddRecords
from routing.store.errors import StoreFull, StoreUnavailable
from routing.store.handover import FenceMoved, Handover
from routing.store.port import Limits
from routing.store.sql.database import Database
from tests.integration.campaign_lists import config
from tests.integration.hopper_site import STALE_MS, HopperSite
from tests.waiting import wait_until
from workers import campaigns
from workers.hopper_ticks import SWEEP_MS, HopperTicks
from workers.jobs import Jobs, queue_name


@pytest.fixture
def site(redis_server: RedisServer, database: Database, tenant: Callable[[], str]) -> HopperSite:
    return HopperSite(redis_server, database, tenant())


class Killed(Exception):
    """The worker is dead from here on."""


class Dying(Handover):
    """Of a worker that is killed between its claim and the sending."""

    def send(self, order: AddRecords, fence: int) -> str:
        raise Killed


class Cut(Handover):
    """The answer gets lost on the way back."""

    def send(self, order: AddRecords, fence: int) -> str:
        super().send(order, fence)
        raise StoreUnavailable(reason="cut")


class Late(Handover):
    """Claims are given up between reading the fence and sending."""

    def send(self, order: AddRecords, fence: int) -> str:
        self.move_fence(order.campaign)
        return super().send(order, fence)


def fill_and_die(site: HopperSite) -> None:
    filler = site.filler(handover=Dying(site.front))
    with pytest.raises(Killed):
        filler.fill("spring")


# ------------------------------------------------------------------ filling


@pytest.mark.req("CAMP-01")
def test_a_hopper_is_filled_to_its_size_in_portions_and_no_further(site: HopperSite) -> None:
    added = site.list.add(9)
    site.apply(config(site.tenant, hopper=5))
    assert site.filler().fill("spring") == 5
    assert [len(order.records) for order in site.waiting()] == [2, 2, 1]
    assert site.filler().fill("spring") == 0  # they are on their way
    assert site.consume() == [(record_id, 1) for record_id in added[:5]]
    assert site.filler().fill("spring") == 0
    site.release(added[0], "done")
    site.record()
    assert site.filler().fill("spring") == 1


def test_orders_for_the_same_claims_have_the_same_id(site: HopperSite) -> None:
    site.list.add(3)
    site.filler().fill("spring")
    first, second = site.waiting()
    assert first.order_id != second.order_id
    assert (first.actor, first.campaign) == ("hopper", "spring")


@pytest.mark.parametrize("state", [CampaignState.PAUSED, CampaignState.STOPPED])
def test_a_campaign_that_is_paused_or_stopped_gets_nothing(site: HopperSite, state: CampaignState) -> None:
    site.list.add(3)
    site.control(state)
    assert site.filler().fill("spring") == 0
    site.control(CampaignState.LOADED)
    assert site.filler().fill("spring") == 3


def test_a_campaign_that_is_configured_no_more_gets_nothing(site: HopperSite) -> None:
    site.list.add(3)
    assert site.filler().fill("autumn") == 0


def test_while_one_worker_fills_another_leaves_it_to_him(site: HopperSite) -> None:
    site.list.add(3)
    site.front.redis.set(site.front.keys("filling", "spring"), "another", px=60_000)
    assert site.filler().fill("spring") == 0
    site.front.redis.delete(site.front.keys("filling", "spring"))
    assert site.filler().fill("spring") == 3


def test_what_the_full_input_stream_refuses_is_open_again_at_once(site: HopperSite) -> None:
    added = site.list.add(3)
    site.front.limits = Limits(inputs=1)
    with pytest.raises(StoreFull):
        site.filler().fill("spring")
    states = site.list.states()
    assert [states[record_id] for record_id in added] == ["claimed", "claimed", "open"]
    assert [card.id for order in site.waiting() for card in order.records] == added[:2]


# ------------------------------------------------------------------ the sweep


@pytest.mark.req("SAFE-01", "PROG-06")
def test_claims_of_a_worker_that_died_before_sending_are_open_again(site: HopperSite) -> None:
    added = site.list.add(3)
    fill_and_die(site)
    assert list(site.list.states().values()) == ["claimed", "claimed", "open"]
    assert site.filler().sweep() == 0  # too fresh: it may still be at it
    site.clock.advance(STALE_MS)
    assert site.filler().sweep() == 2
    assert site.filler().fill("spring") == 3
    assert site.consume() == [(added[0], 2), (added[1], 2), (added[2], 1)]


@pytest.mark.req("SAFE-01", "PROG-06")
def test_what_the_engine_holds_is_never_opened_again(site: HopperSite) -> None:
    site.list.add(2)
    site.filler().fill("spring")
    site.consume()
    site.clock.advance(100 * STALE_MS)
    assert site.filler().sweep() == 0
    assert set(site.list.states().values()) == {"claimed"}


@pytest.mark.req("SAFE-01", "PROG-06")
def test_what_waits_for_an_engine_that_is_down_is_not_opened_again(site: HopperSite) -> None:
    site.list.add(2)
    site.filler().fill("spring")
    site.clock.advance(100 * STALE_MS)
    assert site.filler().sweep() == 0
    assert set(site.list.states().values()) == {"claimed"}
    assert site.filler(pause=lambda _s: site.consume()).sweep() == 0  # it comes while the sweep looks
    assert set(site.list.states().values()) == {"claimed"}


@pytest.mark.req("SAFE-01", "PROG-06")
def test_a_release_that_is_not_recorded_yet_is_waited_for(site: HopperSite) -> None:
    added = site.list.add(2)
    site.filler().fill("spring")
    site.consume()
    site.release(added[0], "done")
    site.release(added[1], "retry", next_at_ms=77)
    site.clock.advance(100 * STALE_MS)
    assert site.filler().sweep() == 0
    assert set(site.list.states().values()) == {"claimed"}
    assert site.filler(pause=lambda _s: site.record()).sweep() == 0
    assert site.list.states() == {added[0]: "closed", added[1]: "open"}
    assert site.list.rows()[added[1]]["due_at_ms"] == 77


@pytest.mark.req("SAFE-01", "PROG-06")
def test_a_record_that_is_claimed_anew_while_the_sweep_waits_is_left_alone(site: HopperSite) -> None:
    (added,) = site.list.add(1)
    site.filler().fill("spring")
    site.consume()
    site.release(added, "retry", next_at_ms=0)
    site.clock.advance(STALE_MS)

    def go_on(_s: float) -> None:
        site.record()
        site.filler().fill("spring")
        site.consume()

    assert site.filler(pause=go_on).sweep() == 0
    assert (site.list.rows()[added]["claim"], site.list.states(), site.held()) == (2, {added: "claimed"}, {added})


@pytest.mark.req("SAFE-01", "PROG-06")
def test_a_worker_that_slept_through_the_sweep_cannot_send_any_more(site: HopperSite) -> None:
    (added,) = site.list.add(1)
    handover = Handover(site.front)
    fence = handover.fence("spring")
    cards = site.list.claim(now_ms=site.clock.now_ms())
    site.clock.advance(STALE_MS)
    assert site.filler().sweep() == 1
    site.filler().fill("spring")
    (order,) = site.waiting()
    assert (order.records[0].id, order.records[0].claim) == (added, 2)
    with pytest.raises(FenceMoved):
        handover.send(replace(order, records=tuple(cards)), fence)
    assert len(site.waiting()) == 1


def test_a_worker_whose_claims_are_refused_by_the_fence_gives_them_back(site: HopperSite) -> None:
    site.list.add(1)
    filler = site.filler(handover=Late(site.front))
    with pytest.raises(FenceMoved):
        filler.fill("spring")
    assert site.list.states() == {"rec_0000": "open"}


def test_an_answer_that_got_lost_leaves_the_claim_to_the_sweep(site: HopperSite) -> None:
    """It may have been appended: only the sweep can tell."""
    (added,) = site.list.add(1)
    filler = site.filler(handover=Cut(site.front))
    with pytest.raises(StoreUnavailable):
        filler.fill("spring")
    assert site.list.states() == {added: "claimed"}
    assert site.consume() == [(added, 1)]


@pytest.mark.req("PROG-06")
def test_a_release_of_an_older_claim_changes_nothing(site: HopperSite) -> None:
    (added,) = site.list.add(1)
    site.filler().fill("spring")
    site.consume()
    site.release(added, "retry", next_at_ms=0)
    site.record()
    site.filler().fill("spring")
    assert site.consume() == [(added, 2)]
    late = {"campaign": "spring", "record_id": added, "claim": 1, "cause": "done", "number": ""}
    site.tell([Event(type=EventType.RECORD_RELEASED, at_ms=1, values=late)])
    site.record()
    assert site.list.states() == {added: "claimed"}


def test_records_of_a_stopped_campaign_that_got_lost_are_opened_too(site: HopperSite) -> None:
    site.list.add(1)
    fill_and_die(site)
    site.control(CampaignState.STOPPED)
    site.clock.advance(STALE_MS)
    assert site.filler().sweep() == 1


def test_a_record_that_was_dialed_before_redis_lost_it_rests_first(site: HopperSite) -> None:
    (added,) = site.list.add(1)
    site.filler().fill("spring")
    site.consume()
    site.list.set(added, last_attempt_at_ms=site.clock.now_ms())
    site.front.redis.delete(site.front.keys("records"))
    site.clock.advance(STALE_MS)
    assert site.filler().sweep() == 1
    row = site.list.rows()[added]
    assert (row["state"], row["due_at_ms"]) == ("open", row["last_attempt_at_ms"] + 3_600_000)


# ------------------------------------------------------------------ jobs


def names(site: HopperSite, queue: str = "hoppers") -> list[str]:
    """What waits for a worker, e.g. `fill spring`; it is gone then."""
    waiting = Queue(queue_name(site.tenant, queue), connection=site.front.redis)
    found = [" ".join((str(job.func_name).rpartition(".")[2], *job.args)) for job in waiting.jobs]
    waiting.empty()  # type: ignore[no-untyped-call]
    return found


def test_the_ticker_asks_for_hoppers_that_are_low_and_once_a_minute_for_a_sweep(site: HopperSite) -> None:
    added = site.list.add(3)
    site.apply(config(site.tenant, hopper=3))
    ticks = HopperTicks(site.front, Jobs(site.front.redis, site.tenant))
    assert ticks(0) == 2
    assert names(site) == ["sweep", "fill spring"]
    site.filler().fill("spring")
    site.consume()
    assert (ticks(SWEEP_MS - 1), names(site)) == (0, [])
    site.release(added[0], "done")
    assert (ticks(SWEEP_MS - 1), names(site)) == (1, ["fill spring"])
    site.control(CampaignState.PAUSED)
    assert (ticks(SWEEP_MS), names(site)) == (1, ["sweep"])


def test_an_exhausted_list_is_not_asked_for_on_every_tick(site: HopperSite) -> None:
    ticks = HopperTicks(site.front, Jobs(site.front.redis, site.tenant))
    assert site.filler().fill("spring") == 0
    assert ticks(0) == 1  # the sweep
    site.front.redis.delete(site.front.keys("dry", "spring"))  # some seconds later
    assert ticks(1) == 1


def test_no_jobs_are_made_while_nobody_takes_them(site: HopperSite) -> None:
    jobs = Jobs(site.front.redis, site.tenant)
    for _ in range(101):
        jobs.sweep()
    assert HopperTicks(site.front, jobs)(0) == 0


def test_a_worker_fills_and_sweeps_beside_its_other_jobs(site: HopperSite) -> None:
    site.list.add(3)
    hoppers = campaigns.Hoppers(site.filler())
    campaigns.employ(hoppers.submit)
    campaigns.sweep()
    campaigns.fill("spring")
    wait_until(lambda: len(site.waiting()) == 2)
    hoppers.stop()
