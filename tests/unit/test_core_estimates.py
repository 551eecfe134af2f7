"""Position and estimated wait of callers, by the rules (ROUTE-10); how far off they are is simulated elsewhere."""

from __future__ import annotations

import pytest

from routing.core import estimates
from routing.core.orders import GoIdle, SignIn, SignOut
from routing.core.tallies import QUEUE, Figures, Place
from routing.core.world import World
from routing.store.codec import PLAIN
from tests.unit.core_driver import Driver, agent, config, queue

SHARED = (("sales", 1), ("support", 1))


def busy(agents: int = 2, **changes: object) -> Driver:
    """Everybody is in a call."""
    people = [agent(f"a{n}") for n in range(agents)]
    d = Driver(config(people, [queue(**changes)]))  # type: ignore[arg-type]
    for n in range(agents):
        call = d.call(f"busy{n}")
        d.answer(call, d.offered(call)[0])
    return d


def learned(world: World, queue_id: str, *, handle_s: float, abandoned: float = 0.0, waited_s: float = 0.0) -> None:
    """As if a hundred calls had taken so long."""
    row: list[int | float] = [0] * 36
    row[Place.HANDLED], row[Place.BUSY_MS] = 100.0, 100 * handle_s * 1000
    row[Place.ABANDONED], row[Place.WAITED_MS] = abandoned, waited_s * 1000
    world.state.figures[QUEUE + queue_id] = Figures(row=tuple(row))


def place(d: Driver, call: str) -> int | None:
    return estimates.position(d.world, d.interaction(call))


def wait_s(d: Driver, call: str) -> float | None:
    found = estimates.wait_ms(d.world, d.interaction(call))
    return None if found is None else found / 1000


@pytest.mark.req("ROUTE-10")
def test_the_position_is_the_place_in_the_order_of_matching() -> None:
    d = busy()
    first, second, urgent = d.call("c1"), d.call("c2"), d.call("c3", options={"priority": "9"})
    assert [place(d, call) for call in (urgent, first, second)] == [1, 2, 3]
    d.hang_up("leg_c1")
    assert [place(d, call) for call in (urgent, second)] == [1, 2]


@pytest.mark.req("ROUTE-10")
def test_who_does_not_wait_has_no_position_and_no_wait() -> None:
    d = busy(1)
    call = d.call("c1")
    d.hang_up("leg_busy0")
    assert (place(d, call), wait_s(d, call)) == (None, None)


@pytest.mark.req("ROUTE-10")
def test_the_wait_is_the_calls_before_him_by_the_agents_who_take_calls() -> None:
    d = busy(4)
    calls = [d.call(f"c{n}") for n in range(3)]
    learned(d.world, "sales", handle_s=120)
    handle_s = (100 * 120 + 2 * 180) / 102
    assert [wait_s(d, call) for call in calls] == pytest.approx([n * handle_s / 4 for n in (1, 2, 3)], abs=0.002)
    d.order(GoIdle, agent_id="a0", reason="break")
    assert wait_s(d, calls[2]) == pytest.approx(3 * handle_s / 3, abs=0.002)


@pytest.mark.req("ROUTE-10")
def test_who_gives_up_shortens_the_wait_of_those_behind() -> None:
    d = busy(1)
    calls = [d.call(f"c{n}") for n in range(2)]
    learned(d.world, "sales", handle_s=180, abandoned=10, waited_s=700)
    ending, leaving = 1 / 180, 10 / (700 + 300)
    assert wait_s(d, calls[1]) == pytest.approx(1 / ending + 1 / (ending + leaving), abs=0.002)


@pytest.mark.req("ROUTE-10")
def test_the_integral_behind_the_sum_is_the_sum() -> None:
    for calls in (65, 500, 5000):
        whole = sum(1 / (0.5 + ahead * 0.01) for ahead in range(calls))
        assert estimates.until_left(calls, 0.5, 0.01) == pytest.approx(whole, rel=1e-5)


@pytest.mark.req("ROUTE-10")
def test_nobody_can_say_when_nobody_is_there() -> None:
    d = Driver(config([agent("a0")]), ready=())
    call = d.call("c1")
    assert (place(d, call), wait_s(d, call), estimates.queue_wait_ms(d.world, "sales")) == (1, None, None)
    d.order(SignIn, agent_id="a0", idle_reason="break")
    assert estimates.queue_wait_ms(d.world, "sales") is None
    assert estimates.queue_wait_ms(d.world, "nowhere") is None


@pytest.mark.req("ROUTE-10")
def test_one_who_came_now_waits_behind_all_and_with_a_priority_before_some() -> None:
    d = busy(1)
    call = d.call("c1")
    learned(d.world, "sales", handle_s=180)
    assert estimates.queue_wait_ms(d.world, "sales") == 360_000
    assert estimates.queue_wait_ms(d.world, "sales", 9) == 180_000
    d.hang_up("leg_c1")
    d.hang_up("leg_busy0")
    assert call in d.ended
    assert estimates.queue_wait_ms(d.world, "sales") == 0


@pytest.mark.req("ROUTE-10")
def test_agents_who_lack_the_skills_do_not_count() -> None:
    people = [agent("a0", skills={"es": 5}), agent("a1"), agent("a2")]
    d = Driver(config(people))
    for n in range(3):
        call = d.call(f"busy{n}")
        d.answer(call, d.offered(call)[0])
    spanish = d.call("c1", options={"requires": "es:5"})
    plain = d.call("c2")
    learned(d.world, "sales", handle_s=180)
    assert wait_s(d, spanish) == 180
    assert wait_s(d, plain) == pytest.approx(90, abs=0.002)  # the two others take it before the one is free for it


@pytest.mark.req("ROUTE-10")
def test_older_calls_of_other_queues_count_where_their_agents_are_the_same() -> None:
    people = [agent("a0", queues=SHARED), agent("a1", queues=SHARED)]
    d = Driver(config(people, [queue(), queue("support")]))
    for n in range(2):
        call = d.call(f"busy{n}")
        d.answer(call, d.offered(call)[0])
    for n in range(3):
        d.call(f"s{n}", entry_point="support")
    mine = d.call("c1")
    learned(d.world, "sales", handle_s=60)
    learned(d.world, "support", handle_s=600)
    sales_s, support_s = ((100 * s + 360) / 102 for s in (60, 600))
    assert place(d, mine) == 1
    assert wait_s(d, mine) == pytest.approx((sales_s + 3 * support_s) / 2, abs=0.01)


@pytest.mark.req("ROUTE-10")
def test_what_was_learned_survives_a_restart() -> None:
    d = busy(1)
    for n in range(5):
        d.advance(40 + n)
        following = d.call(f"next{n}")
        d.hang_up(f"leg_next{n - 1}" if n else "leg_busy0")
        d.answer(following, "a0")
    waiting = d.call("c1")
    assert wait_s(d, waiting) is not None
    assert estimates.handle_ms(d.world, "sales") < 180_000
    state = d.world.state
    state.figures = {key: PLAIN.figure(key, PLAIN.encode(value)) for key, value in state.figures.items()}
    again = World(state)
    assert estimates.wait_ms(again, again.interaction(waiting)) == estimates.wait_ms(d.world, d.interaction(waiting))


@pytest.mark.req("ROUTE-10")
def test_the_estimate_follows_who_signs_out() -> None:
    d = busy(2)
    d.hang_up("leg_busy1")
    d.order(SignOut, agent_id="a1")
    call = d.call("c1")
    learned(d.world, "sales", handle_s=180)
    assert wait_s(d, call) == 180
