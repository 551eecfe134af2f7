"""Webhooks: from an event to a receiver, over real SQL and real HTTP on a clock that stands still."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from routing.core.events import EventType
from routing.store.sql import deliveries
from routing.store.sql.audit import audit_list
from routing.store.sql.database import Database
from tests.integration.outbox_site import LOCAL, SECRET, TENANT, OutboxSite
from tests.integration.receiver import Got, Receiver, Reply
from tests.waiting import wait_until

pytestmark = pytest.mark.req("API-06")
OTHER_SECRET = "whsec_b3RoZXIgb3RoZXIgb3RoZXIgb3RoZXIgb3RoZXIh"


@pytest.fixture
def site(database: Database) -> Iterator[OutboxSite]:
    with Receiver() as receiver:
        yield OutboxSite(database, receiver)


def verified(got: Got, secret: str) -> dict[str, object]:
    """The body, when the signature is right by the standard's own library, whatever time it is here."""
    at = datetime.fromtimestamp(int(got.headers["webhook-timestamp"]), UTC)
    wanted = Webhook(secret).sign(got.id, at, got.body.decode())
    assert wanted in got.headers["webhook-signature"].split(" ")
    return json.loads(got.body)  # type: ignore[no-any-return]


def test_an_event_reaches_the_endpoint_signed_and_in_its_public_form(site: OutboxSite) -> None:
    site.endpoint("/hook?x=1")
    [job] = site.happen(EventType.OFFER_RINGING, agent_id="anna", values={"deadline_ms": 1_700_000_000_500})
    with site.sender() as sender:
        assert sender.send(*job)
        assert not sender.send(*job), "it is delivered once, however often the job runs"
    [got] = site.receiver.got
    body = verified(got, SECRET)
    assert (got.path, got.id, got.headers["content-type"]) == ("/hook?x=1", job[1], "application/json")
    assert body["type"] == "offer.ringing"
    assert body["timestamp"] == "2023-11-14T22:13:20.000Z"
    assert body["data"]["agent_id"] == "anna"  # type: ignore[index]
    assert body["data"]["data"] == {"deadline_at": "2023-11-14T22:13:20.500Z"}  # type: ignore[index]
    [row] = site.rows()
    assert (row.state, row.attempts, row.last_status) == ("delivered", 1, 204)


def test_types_and_filters_choose_and_a_disabled_endpoint_gets_nothing(site: OutboxSite) -> None:
    site.endpoint(id_="whk_types", event_types=["interaction.*", "dial.started"])
    site.endpoint(id_="whk_queue", filters={"queue": ["sales"]})
    site.endpoint(id_="whk_off", disabled_at_ms=1)
    made = [e for e, _ in site.happen(EventType.DIAL_STARTED)]
    made += [e for e, _ in site.happen(EventType.AGENT_STATE_CHANGED, queue="sales")]
    made += [e for e, _ in site.happen(EventType.INTERACTION_HELD, queue="help")]
    assert made == ["whk_types", "whk_queue", "whk_types"]


def test_an_event_that_is_too_large_is_sent_without_its_values(site: OutboxSite) -> None:
    site.endpoint()
    site.happen(values={"note": "x" * 30_000})
    site.happen(values={"note": "x" * 1000})
    large, small = (json.loads(row.body) for row in site.rows())
    assert len(json.dumps(large)) < 20_000
    assert (large["data"]["data"], large["data"]["is_thin"]) == ({}, True)
    assert small["data"]["data"] == {"note": "x" * 1000}


def test_attempts_follow_the_schedule_and_after_the_last_the_endpoint_is_disabled(site: OutboxSite) -> None:
    site.settings = replace(LOCAL, schedule_s=(0, 5, 300))
    site.receiver.answer = lambda _got: Reply(500)
    site.endpoint()
    [job] = site.happen()
    with site.sender() as sender:
        for attempt, wait_s in ((1, 5), (2, 300)):
            assert not sender.send(*job)
            [row] = site.rows()
            assert (row.attempts, row.state, row.last_error) == (attempt, "pending", "answered 500")
            assert row.next_attempt_at_ms is not None
            wait_ms = row.next_attempt_at_ms - site.clock.now_ms()
            assert wait_s * 900 <= wait_ms <= wait_s * 1100
            site.clock.advance(wait_ms - 1)
            sender.send(*job)
            assert len(site.receiver.got) == attempt, "not before its time"
            site.clock.advance(1)
        sender.send(*job)
    [row] = site.rows()
    assert (row.attempts, row.state, row.next_attempt_at_ms) == (3, "failed", None)
    assert len({got.id for got in site.receiver.got}) == 1, "the same webhook-id each time"
    assert "3 attempts failed" in site.endpoint_now().disabled_reason
    with site.database.read() as connection:
        [entry] = audit_list(connection, TENANT).items
    assert (entry.actor, entry.action, entry.subject) == ("server", "webhook.disabled", "webhook:whk_1")
    assert site.happen() == []


@pytest.mark.parametrize("status", [301, 302, 304, 400, 500])
def test_nothing_but_2xx_is_success_and_redirects_are_not_followed(site: OutboxSite, status: int) -> None:
    site.receiver.answer = lambda _got: Reply(status, {"Location": site.receiver.url("/elsewhere")})
    site.endpoint()
    [job] = site.happen()
    with site.sender() as sender:
        assert not sender.send(*job)
    assert [got.path for got in site.receiver.got] == ["/"]
    [row] = site.rows()
    assert (row.state, row.last_status) == ("pending", status)


def test_gone_disables_the_endpoint_at_once(site: OutboxSite) -> None:
    site.receiver.answer = lambda _got: Reply(410)
    site.endpoint()
    first, second = site.happen() + site.happen()
    with site.sender() as sender:
        sender.send(*first)
        sender.send(*second)
    assert len(site.receiver.got) == 1
    assert site.endpoint_now().disabled_reason == "answered 410 Gone"


@pytest.mark.parametrize(("header", "status"), [("120", 429), ("120", 503), ("Tue, 14 Nov 2023 22:15:20 GMT", 502)])
def test_an_endpoint_that_asks_for_a_pause_gets_it(site: OutboxSite, header: str, status: int) -> None:
    site.receiver.answer = lambda _got: Reply(status, {"Retry-After": header})
    site.endpoint()
    first, second = site.happen() + site.happen()
    with site.sender() as sender:
        sender.send(*first)
        is_throttled = status != 503
        waits = [(row.next_attempt_at_ms or 0) - site.clock.now_ms() for row in site.rows()]
        assert [wait >= 120_000 for wait in waits] == [is_throttled, is_throttled]
        sender.send(*second)
    assert len(site.receiver.got) == (1 if is_throttled else 2)


def test_old_and_new_secret_sign_until_the_old_one_is_over(site: OutboxSite) -> None:
    until_ms = site.clock.now_ms() + 1000
    site.endpoint(secret=OTHER_SECRET, previous_secret=SECRET, previous_until_ms=until_ms)
    with site.sender() as sender:
        sender.send(*site.happen()[0])
        site.clock.advance(1000)
        sender.send(*site.happen()[0])
    both, alone = site.receiver.got
    verified(both, SECRET)
    verified(both, OTHER_SECRET)
    verified(alone, OTHER_SECRET)
    assert len(alone.headers["webhook-signature"].split(" ")) == 1


def test_two_workers_do_not_send_the_same_delivery_at_once(site: OutboxSite) -> None:
    go_on = threading.Event()
    site.receiver.answer = lambda _got: Reply(wait=go_on)
    site.endpoint()
    [job] = site.happen()
    with site.sender("one") as one, site.sender("two") as two:
        one.submit(*job)
        wait_until(lambda: site.receiver.got)
        assert not two.send(*job)
        go_on.set()
        wait_until(lambda: site.rows()[0].state == "delivered")
    assert len(site.receiver.got) == 1


def test_what_a_killed_worker_held_is_sent_again_when_its_lease_is_over(site: OutboxSite) -> None:
    site.endpoint()
    [job] = site.happen()
    with site.database.begin() as connection:
        now_ms = site.clock.now_ms()
        assert deliveries.claim(connection, TENANT, job[1], "killed", (now_ms, now_ms + 60_000))
        assert deliveries.take_due(connection, TENANT, now_ms + 60_000, 1, 10) == []
        assert deliveries.take_due(connection, TENANT, now_ms + 60_001, 1, 10) == [job]
    site.clock.advance(60_001)
    with site.sender() as sender:
        assert sender.send(*job)


def test_a_job_that_got_lost_is_made_again_by_the_ticker_and_not_twice(site: OutboxSite) -> None:
    site.endpoint()
    [job] = site.happen()
    with site.database.begin() as connection:
        now_ms = site.clock.now_ms()
        assert not deliveries.has_due(connection, TENANT, now_ms), "its job is under way"
        assert deliveries.take_due(connection, TENANT, now_ms + 10_001, 30_000, 10) == [job]
        assert deliveries.take_due(connection, TENANT, now_ms + 10_002, 30_000, 10) == []


def test_a_backlog_of_one_endpoint_does_not_hide_what_is_due_for_another(site: OutboxSite) -> None:
    site.endpoint(id_="whk_big", event_types=["dial.*"])
    site.endpoint(id_="whk_small", event_types=["agent.*"])
    for _ in range(20):
        site.happen(EventType.DIAL_STARTED)
    site.happen(EventType.AGENT_STATE_CHANGED)
    with site.database.begin() as connection:
        due = deliveries.take_due(connection, TENANT, site.clock.now_ms() + 10_001, 30_000, 4)
    assert "whk_small" in [endpoint for endpoint, _ in due]


def test_a_slow_endpoint_does_not_starve_the_others(site: OutboxSite) -> None:
    go_on = threading.Event()
    site.settings = replace(LOCAL, timeout_s=30.0)
    site.receiver.answer = lambda got: Reply(wait=go_on) if got.path == "/slow" else Reply()
    site.endpoint("/slow", "whk_slow")
    site.endpoint("/quick", "whk_quick")
    with site.sender() as sender:
        for _ in range(60):
            for job in site.happen():
                sender.submit(*job)
        wait_until(lambda: len(site.receiver.ids("/quick")) == 60 and site.receiver.ids("/slow"), 15)
        assert len(site.receiver.ids("/slow")) == 1, "one at a time until it has shown that it answers"
        go_on.set()
        wait_until(lambda: len(site.receiver.ids("/slow")) == 60, 15)


def test_a_transaction_that_fails_leaves_no_delivery_and_a_repeated_one_makes_none_twice(site: OutboxSite) -> None:
    site.endpoint()
    site.happen()
    site._position = 0
    site.happen()
    assert len(site.rows()) == 1
