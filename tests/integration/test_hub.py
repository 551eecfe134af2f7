"""The event hub over a real Redis: nothing missed, nothing twice, nobody held up by another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from deploy.lab.redis import RedisServer
from routing.api.event_filter import EventFilter
from routing.api.hub import EventHub, Subscription, SubscriptionLost
from routing.core.events import EventType
from routing.store.errors import StoreUnavailable
from routing.store.front import Front, connect
from routing.store.port import StoredEvent
from tests.integration.event_stream import emit, put_interaction
from tests.waiting import wait_until

WAIT_S = 5.0


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@contextmanager
def hub_of(redis: RedisServer, tenant: str, queued: int = 1000) -> Iterator[EventHub]:
    hub = EventHub(Front(connect(redis.url), tenant), queued)
    try:
        yield hub
    finally:
        hub.close()
        hub.front.redis.close()


def positions(subscription: Subscription, count: int) -> list[str]:
    found = [subscription.get(WAIT_S) for _ in range(count)]
    return [event.position for event in found if event]


@pytest.mark.req("API-07")
def test_what_is_committed_after_subscribing_is_never_missed(redis: RedisServer) -> None:
    with hub_of(redis, "first") as hub:
        emit(hub.front)
        for _ in range(20):
            with hub.subscribe() as subscription:
                at = emit(hub.front)
                assert positions(subscription, 1) == [at]


@pytest.mark.req("API-07")
def test_a_subscriber_that_resumes_under_load_gets_each_event_once_and_in_order(redis: RedisServer) -> None:
    with hub_of(redis, "resume") as hub, hub.subscribe():
        before = [emit(hub.front) for _ in range(1200)]
        written = list(before)
        writer = threading.Thread(target=lambda: written.extend(emit(hub.front) for _ in range(1200)))
        writer.start()
        with hub.subscribe(after=before[99]) as subscription:
            found = positions(subscription, 2300)
            writer.join()
            assert found == written[100:]
            assert subscription.get(0.05) is None


def test_a_slow_subscriber_is_cut_off_and_the_others_are_not(redis: RedisServer) -> None:
    with hub_of(redis, "slow", queued=10) as hub, hub.subscribe() as slow, hub.subscribe() as quick:
        for _ in range(30):
            at = emit(hub.front)
            assert positions(quick, 1) == [at]
        assert len(positions(slow, 10)) == 10, "what was queued is not lost"
        with pytest.raises(SubscriptionLost):
            slow.get(WAIT_S)
        assert hub.subscribers == 1


@pytest.mark.req("API-07")
def test_events_are_filtered_by_type_agent_interaction_and_queue(redis: RedisServer) -> None:
    with hub_of(redis, "filter") as hub:
        wanted = {
            "type": EventFilter(types=("interaction.*", "dial.started")),
            "agent": EventFilter(agent_id="anna"),
            "interaction": EventFilter(interaction_id="int_2"),
            "queue": EventFilter(queue="sales", types=("agent.*",)),
        }
        subscriptions = {name: hub.subscribe(which) for name, which in wanted.items()}
        sent = [
            emit(hub.front, EventType.INTERACTION_QUEUED, interaction_id="int_1", queue="sales"),
            emit(hub.front, EventType.OFFER_RINGING, interaction_id="int_2", agent_id="anna", queue="help"),
            emit(hub.front, EventType.AGENT_STATE_CHANGED, agent_id="bert", queue="sales"),
            emit(hub.front, EventType.DIAL_STARTED, interaction_id="int_2"),
        ]
        found = {name: positions(s, 1) + [e.position for e in [s.get(0.2)] if e] for name, s in subscriptions.items()}
    assert found == {
        "type": [sent[0], sent[3]],
        "agent": [sent[1]],
        "interaction": [sent[1], sent[3]],
        "queue": [sent[2]],
    }


@pytest.mark.req("API-07")
@pytest.mark.parametrize("is_resumed", [False, True])
def test_an_agent_sees_his_own_and_what_happens_to_his_calls_until_he_has_left(
    redis: RedisServer, is_resumed: bool
) -> None:
    with hub_of(redis, f"agent{is_resumed}") as hub:
        put_interaction(hub.front, "int_old", "anna")
        first = emit(hub.front)
        subscription = None if is_resumed else hub.subscribe(EventFilter(only_for="anna"))
        emit(hub.front, EventType.AGENT_STATE_CHANGED, agent_id="bert")
        mine = [emit(hub.front, EventType.AGENT_STATE_CHANGED, agent_id="anna")]
        mine += [emit(hub.front, EventType.INTERACTION_HELD, interaction_id="int_old")]
        emit(hub.front, EventType.INTERACTION_QUEUED, interaction_id="int_new")
        mine += [emit(hub.front, EventType.OFFER_RINGING, interaction_id="int_new", agent_id="anna")]
        mine += [emit(hub.front, EventType.INTERACTION_RELAXED, interaction_id="int_new")]
        mine += [emit(hub.front, EventType.OFFER_ENDED, interaction_id="int_new", agent_id="anna")]
        emit(hub.front, EventType.INTERACTION_HELD, interaction_id="int_new")
        emit(hub.front, EventType.CONFIG_APPLIED)
        mine += [emit(hub.front, EventType.INTERACTION_ENDED, interaction_id="int_old")]
        subscription = subscription or hub.subscribe(EventFilter(only_for="anna"), after=first)
        with subscription:
            assert positions(subscription, len(mine)) == mine
            assert subscription.get(0.2) is None


@pytest.mark.req("API-07")
def test_a_position_that_is_no_longer_kept_is_told_as_a_gap(redis: RedisServer) -> None:
    with hub_of(redis, "gap") as hub:
        old, *_, oldest, newest = [emit(hub.front, most=2) for _ in range(6)]
        with hub.subscribe(after=old) as subscription:
            told = subscription.get(WAIT_S)
            assert told is not None
            assert told.type == "stream.gap"
            assert told.json == b'{"id":null,"type":"stream.gap","data":{"after":"%b","oldest":"%b"}}' % (
                old.encode(),
                oldest.encode(),
            )
            assert positions(subscription, 2) == [oldest, newest]
        with hub.subscribe(after=oldest) as subscription:
            assert positions(subscription, 1) == [newest], "no gap where nothing is missing"
        with hub.subscribe(after="9999999999999-0") as subscription:
            told = subscription.get(WAIT_S)
            assert told is not None
            assert told.type == "stream.gap"
            at = emit(hub.front)
            assert positions(subscription, 1) == [at]


def test_the_reader_goes_on_after_redis_was_restarted(redis: RedisServer) -> None:
    with hub_of(redis, "restart") as hub, hub.subscribe() as subscription:
        first = emit(hub.front)
        assert positions(subscription, 1) == [first]
        redis.restart()
        wait_until(lambda: redis.command("PING") == b"+PONG")
        hub.front.redis.connection_pool.disconnect(inuse_connections=False)
        second = emit(hub.front)
        assert positions(subscription, 1) == [second]


def test_nobody_can_subscribe_while_redis_is_gone() -> None:
    hub = EventHub(Front(connect("redis://127.0.0.1:1/0"), "gone"))
    with pytest.raises(StoreUnavailable):
        hub.subscribe()
    with pytest.raises(ValueError, match="no position"):
        hub.subscribe(after="yesterday")


class HeldBack(Front):
    """A front whose blocking reads, which are those of the hub, hand nothing out before `go_on` is set."""

    go_on: threading.Event

    def read_events(self, after: str, count: int, block_ms: int = 0) -> list[StoredEvent]:
        found = super().read_events(after, count, block_ms)
        if found and block_ms:
            self.go_on.wait(WAIT_S)
        return found


@pytest.mark.req("API-07")
def test_who_has_read_further_than_the_hub_by_himself_gets_nothing_twice(redis: RedisServer) -> None:
    front = HeldBack(connect(redis.url), "ahead")
    front.go_on = threading.Event()
    hub = EventHub(front)
    with hub.subscribe() as other:
        sent = [emit(front) for _ in range(3)]
        with hub.subscribe(after=sent[0]) as subscription:
            assert positions(subscription, 2) == sent[1:]
            assert subscription.get(0) is None
            front.go_on.set()
            assert positions(other, 3) == sent
            last = emit(front)
            assert positions(subscription, 1) == [last]
    hub.close()
    front.redis.close()


@pytest.mark.req("CAMP-03", "CAMP-04")
def test_an_agent_is_told_of_campaigns_of_his_team_and_of_no_other(redis: RedisServer) -> None:
    with hub_of(redis, "campaigns") as hub, hub.subscribe(EventFilter(only_for="anna", team="floor")) as subscription:

        def tell(type_: EventType, *teams: str, agent_id: str = "") -> str:
            values = {"campaign": "spring", "label": "Spring", "teams": list(teams)}
            return emit(hub.front, type_, agent_id=agent_id, values=values)

        tell(EventType.CAMPAIGN_LOADED, "office")
        tell(EventType.CAMPAIGN_LOADED)
        mine = [tell(EventType.CAMPAIGN_LOADED, "office", "floor"), tell(EventType.CAMPAIGN_STARTED, "floor")]
        tell(EventType.CAMPAIGN_JOINED, "floor", agent_id="bert")
        tell(EventType.RECORD_SHOWN, "floor", agent_id="bert")
        mine += [tell(EventType.CAMPAIGN_STOPPED, "floor"), tell(EventType.CAMPAIGN_LEFT, agent_id="anna")]
        assert positions(subscription, len(mine)) == mine
        assert subscription.get(0.2) is None


@pytest.mark.req("API-07")
def test_events_are_filtered_by_campaign(redis: RedisServer) -> None:
    with hub_of(redis, "filter_campaign") as hub, hub.subscribe(EventFilter(campaign="spring")) as subscription:
        emit(hub.front, EventType.ATTEMPT_ENDED, values={"campaign": "autumn"})
        emit(hub.front, EventType.INTERACTION_QUEUED, queue="sales")
        mine = emit(hub.front, EventType.ATTEMPT_ENDED, values={"campaign": "spring"})
        assert positions(subscription, 1) == [mine]
        assert subscription.get(0.2) is None
