"""The link's life on a clock of the test's own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.link import LINK_TABLE, LinkEvent, LinkMachine, LinkOrder, LinkState, LinkTimes

E, O, S = LinkEvent, LinkOrder, LinkState  # noqa: E741
TIMES = LinkTimes()
UP = (E.STARTED, E.CONNECTED, E.AUTHENTICATED, E.BOOTED, E.SYNCED)


def machine(*events: LinkEvent, chance: float = 0.0) -> LinkMachine:
    it = LinkMachine(TIMES, lambda: chance)
    for event in events:
        it.take(event, 0)
    return it


def test_the_way_up_connects_reads_the_snapshot_and_tells() -> None:
    it = LinkMachine(TIMES, lambda: 0.0)
    orders = [it.take(event, 0) for event in UP]
    assert orders == [(O.CONNECT,), (), (), (O.SYNC,), (O.TELL_UP,)]
    assert it.is_up


@pytest.mark.req("SAFE-02")
def test_a_silent_link_is_given_up_after_interval_and_deadline() -> None:
    it = machine(*UP)
    assert it.expire(TIMES.ping_interval_ms - 1) == ()
    assert it.expire(TIMES.ping_interval_ms) == (O.PING,)
    noticed_ms = TIMES.ping_interval_ms + TIMES.ping_deadline_ms
    assert it.expire(noticed_ms - 1) == ()
    assert it.expire(noticed_ms) == (O.TELL_DOWN, O.CLOSE)
    assert noticed_ms <= 3000


def test_an_answer_to_the_ping_keeps_the_link() -> None:
    it = machine(*UP)
    it.expire(1000)
    assert it.take(E.ALIVE, 1500) == ()
    assert (it.state, it.deadline_ms) == (S.UP, 1500 + TIMES.ping_interval_ms)


def test_back_off_doubles_to_its_limit_and_starts_anew_after_success() -> None:
    it, now_ms, delays = machine(E.STARTED), 0, []
    for _ in range(8):
        it.take(E.LOST, now_ms)
        assert it.deadline_ms is not None
        delays.append(it.deadline_ms - now_ms)
        now_ms = it.deadline_ms
        assert it.expire(now_ms) == (O.CONNECT,)
    assert delays == [200, 400, 800, 1600, 3200, 5000, 5000, 5000]
    for event in UP[1:]:
        it.take(event, now_ms)
    it.take(E.LOST, now_ms)
    assert it.deadline_ms == now_ms + 200


@given(st.floats(0, 0.999))
def test_chance_takes_at_most_half_of_the_back_off(chance: float) -> None:
    it = machine(E.STARTED, E.LOST, chance=chance)
    assert it.deadline_ms is not None
    assert 100 <= it.deadline_ms <= 200


@pytest.mark.req("SAFE-02")
def test_a_refused_login_is_told_and_tried_again_slowly() -> None:
    it = machine(E.STARTED, E.CONNECTED)
    assert it.take(E.DENIED, 0) == (O.TELL_DOWN, O.CLOSE)
    assert it.deadline_ms == TIMES.denied_ms


def test_nothing_is_sent_before_login_and_boot_are_done() -> None:
    assert machine(E.STARTED, E.CONNECTED).take(E.BOOTED, 0) == ()
    assert machine(E.STARTED, E.CONNECTED).take(E.SYNCED, 0) == ()


@pytest.mark.parametrize("state", [s for s in LinkState if s is not S.STOPPED])
def test_stopping_works_in_every_state_and_for_good(state: LinkState) -> None:
    it = LinkMachine(TIMES, lambda: 0.0)
    it.state = state
    assert it.take(E.STOPPED, 0) == (O.CLOSE,)
    assert (it.state, it.deadline_ms) == (S.STOPPED, None)
    assert it.take(E.LOST, 0) == ()


def test_every_state_with_a_deadline_has_a_row_for_its_end() -> None:
    for state in LinkState:
        if state is not S.STOPPED:
            assert (state, E.EXPIRED) in LINK_TABLE


@given(st.lists(st.sampled_from(list(LinkEvent)), max_size=30))
def test_whatever_comes_a_started_link_is_never_without_a_next_moment(events: list[LinkEvent]) -> None:
    it = machine(E.STARTED)
    for now_ms, event in enumerate(events):
        it.take(event, now_ms)
        assert (it.deadline_ms is None) == (it.state is S.STOPPED)
