"""SR_POSITION and SR_EWT on the legs of callers who wait (ROUTE-10, SAFE-05)."""

from __future__ import annotations

import pytest

from routing.core.commands import MarkLeg
from routing.core.timers import Due, key
from tests.unit.core_driver import Driver, agent, config


def busy() -> Driver:
    d = Driver(config([agent("anna")]))
    d.answer(d.call("busy"), "anna")
    return d


def marks(d: Driver, name: str) -> list[dict[str, str]]:
    found = [c for c in d.commands if isinstance(c, MarkLeg) and c.leg_id == f"leg_{name}"]
    return [c.variables for c in found if "SR_POSITION" in c.variables]


@pytest.mark.req("ROUTE-10")
def test_a_leg_is_marked_when_it_waits_and_again_when_its_place_has_changed() -> None:
    d = busy()
    d.call("c1")
    d.call("c2")
    assert marks(d, "c2") == [{"SR_POSITION": "2", "SR_EWT": "360"}]
    d.hang_up("leg_c1")
    d.advance(14)
    assert len(marks(d, "c2")) == 1
    d.advance(1)
    assert marks(d, "c2")[1:] == [{"SR_POSITION": "1", "SR_EWT": "180"}]


@pytest.mark.req("ROUTE-10", "SAFE-05")
def test_nothing_is_told_twice_and_nothing_to_one_whose_telephone_is_rung_at_once() -> None:
    d = busy()
    d.call("c1")
    d.advance(120)
    assert len(marks(d, "c1")) == 1
    assert marks(d, "busy") == []


@pytest.mark.req("SAFE-05")
def test_where_many_wait_each_is_told_less_often() -> None:
    d = busy()
    for n in range(400):
        d.call(f"c{n}")
    assert len(marks(d, "c399")) == 1
    d.hang_up("leg_c0")
    d.advance(19)
    assert len(marks(d, "c399")) == 1
    d.advance(2)
    assert len(marks(d, "c399")) == 2


@pytest.mark.req("ROUTE-10")
def test_nobody_is_marked_any_more_when_the_wait_is_over() -> None:
    d = busy()
    call = d.call("c1")
    assert key(Due.MARK, call) in d.world.state.timers
    d.hang_up("leg_busy")
    d.answer(call, "anna")
    assert key(Due.MARK, call) not in d.world.state.timers


@pytest.mark.req("ROUTE-10")
def test_the_wait_is_empty_where_nobody_can_say() -> None:
    d = Driver(config([agent("anna")]), ready=())
    d.call("c1")
    assert marks(d, "c1") == [{"SR_POSITION": "1", "SR_EWT": ""}]
