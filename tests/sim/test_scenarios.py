"""Calls through the whole core and the simulated PBX, told one by one."""

from __future__ import annotations

from typing import Any

from routing.core.facts import DialOutcome
from telephony.simulated.habits import Answers, Rejects
from tests.factories import agent, config
from tests.sim.hall import Hall
from tests.sim.laws import Laws


def hall(*names: str, **changes: Any) -> Hall:
    made = Hall(config([agent(f"agt_{name}") for name in names], **changes))
    made.observers.append(Laws())
    made.sign_in_all()
    return made


def test_a_busy_phone_is_skipped_for_a_while_and_nothing_of_that_is_left_after_the_answer() -> None:
    house = hall("anna")
    phone = house.pbx.phones["SIM/anna"]
    phone.habit = Rejects(DialOutcome.BUSY)
    caller = house.call()
    house.run(29_000)
    assert phone.rings == 1
    assert len(house.world.state.timers) == 1
    phone.habit = Answers()
    house.run(2_000)
    assert house.interaction(caller).parties
    assert not house.world.state.timers
