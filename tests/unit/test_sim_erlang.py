"""The formulas against values that are known otherwise: printed tables, special cases, and the chain itself."""

from __future__ import annotations

import math

import pytest

from routing.core import erlang

HANDLE_S = 180.0
WITHIN_S = 20.0


# Values of the usual tables of Erlang B and C.
@pytest.mark.parametrize(
    ("agents", "load", "blocked", "waits"),
    [(1, 0.5, 1 / 3, 0.5), (2, 1.0, 0.2, 1 / 3), (5, 3.0, 0.1101, 0.2362), (10, 8.0, 0.1217, 0.4092)],
)
def test_erlang_b_and_c_are_those_of_the_tables(agents: int, load: float, blocked: float, waits: float) -> None:
    assert erlang.erlang_b(agents, load) == pytest.approx(blocked, abs=5e-5)
    assert erlang.erlang_c(agents, load) == pytest.approx(waits, abs=5e-5)


def test_one_agent_has_the_textbook_queue() -> None:
    found = erlang.patient(1, 0.8, HANDLE_S, 60)
    assert found.mean_wait == pytest.approx(0.8 * HANDLE_S / 0.2)
    assert found.within == pytest.approx(1 - 0.8 * math.exp(-0.2 * 60 / HANDLE_S))


@pytest.mark.parametrize("load", [0.0, 10.0, 12.0])
def test_more_load_than_agents_who_lose_nobody_is_refused(load: float) -> None:
    with pytest.raises(ValueError, match="too much"):
        erlang.patient(10, load, HANDLE_S, WITHIN_S)
    assert load == 0 or erlang.erlang_c(10, load) == 1


def test_endless_patience_is_erlang_c() -> None:
    almost = erlang.impatient(10, 8.0, HANDLE_S, WITHIN_S, patience=1e9)
    exact = erlang.patient(10, 8.0, HANDLE_S, WITHIN_S)
    for name in ("delayed", "mean_wait", "within", "occupancy"):
        assert getattr(almost, name) == pytest.approx(getattr(exact, name), rel=1e-5)
    assert erlang.impatient(10, 8.0, HANDLE_S, WITHIN_S) == exact


def test_where_patience_is_as_long_as_a_call_the_callers_are_a_poisson_number() -> None:
    """With equal rates of ending and giving up the number of callers is that of M/M/infinity."""
    found = erlang.impatient(50, 50.0, 1.0, 0.1, patience=1.0)
    fewer = sum(math.exp(-50 + n * math.log(50) - math.lgamma(n + 1)) for n in range(50))
    assert found.delayed == pytest.approx(1 - fewer)
    assert found.abandoned == pytest.approx(found.mean_wait), "per unit of patience"


def test_who_is_not_answered_in_any_time_has_given_up() -> None:
    found = erlang.impatient(10, 13.0, HANDLE_S, 10 * HANDLE_S, patience=120)
    assert found.within == pytest.approx(1 - found.abandoned, abs=1e-5)
    at_once = erlang.impatient(10, 13.0, HANDLE_S, 0, patience=120)
    assert at_once.within == pytest.approx(1 - at_once.delayed)


def test_without_a_place_to_wait_it_is_erlang_b() -> None:
    found = erlang.impatient(10, 8.0, HANDLE_S, WITHIN_S, places=0)
    assert found.turned_away == pytest.approx(erlang.erlang_b(10, 8.0))
    assert (found.delayed, found.mean_wait, found.abandoned) == (0, 0, 0)


@pytest.mark.parametrize(("agents", "load", "places"), [(4, 3.5, 3), (6, 9.0, 5)])
def test_limited_places_agree_with_the_chain_solved_as_it_is(agents: int, load: float, places: int) -> None:
    weights = [1.0]
    for state in range(1, agents + places + 1):
        ends = min(state, agents) + max(0, state - agents) * HANDLE_S / 90
        weights.append(weights[-1] * load / ends)
    shares = [weight / sum(weights) for weight in weights]
    found = erlang.impatient(agents, load, HANDLE_S, WITHIN_S, patience=90, places=places)
    assert found.turned_away == pytest.approx(shares[-1])
    queue = sum(max(0, state - agents) * share for state, share in enumerate(shares))
    assert found.abandoned == pytest.approx(queue / 90 / (load / HANDLE_S))
    assert found.delayed == pytest.approx(sum(shares[agents:-1]))
    assert found.occupancy == pytest.approx(sum(min(s, agents) * share for s, share in enumerate(shares)) / agents)


def test_waits_by_priority_add_up_to_the_wait_without_them() -> None:
    loads = [2.0, 3.0, 3.0]
    waits = erlang.prioritized(10, loads, HANDLE_S)
    assert waits == sorted(waits)
    mean = sum(load * wait for load, wait in zip(loads, waits, strict=True)) / sum(loads)
    assert mean == pytest.approx(erlang.patient(10, sum(loads), HANDLE_S, WITHIN_S).mean_wait)
    with pytest.raises(ValueError, match="too much"):
        erlang.prioritized(8, loads, HANDLE_S)


def test_one_agent_less_than_needed_is_too_few() -> None:
    for patience in (math.inf, 120.0):
        needed = erlang.agents_needed(20.0, HANDLE_S, WITHIN_S, 0.8, patience=patience)
        assert erlang.impatient(needed, 20.0, HANDLE_S, WITHIN_S, patience=patience).within >= 0.8
        if needed > 21 or patience < math.inf:
            assert erlang.impatient(needed - 1, 20.0, HANDLE_S, WITHIN_S, patience=patience).within < 0.8
    assert erlang.agents_needed(20.0, HANDLE_S, WITHIN_S, 0.8) == 24
    with pytest.raises(ValueError, match="positive"):
        erlang.agents_needed(0, HANDLE_S, WITHIN_S, 0.8)
