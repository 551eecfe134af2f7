"""Outdials through the whole core and the simulated PBX."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.core.config import Numbers, Pbx, Profile
from routing.core.dial_rights import DialRights
from routing.core.facts import DialOutcome
from routing.core.interaction import Interaction, InteractionState
from routing.core.orders import EndInteraction, Hold, Resume, StartOutdial
from routing.core.outdial import OutdialRules
from routing.core.topology import RINGBACK
from telephony.simulated.channel import Phone
from telephony.simulated.habits import Answers, Constant, Rejects, RingsOut
from tests.factories import PBX, agent, config
from tests.sim.hall import Hall
from tests.sim.laws import Laws

NUMBER, ANI, ANNA = "+12015550150", "+12015550001", "agt_anna"


def hall() -> tuple[Hall, Phone]:
    """Anna, and a customer's telephone behind the trunk."""
    caller = Profile(
        id="default", dial=DialRights(allowed=("+1",)), outdial=True, dial_pad=True, outdial_anis={"Sales": ANI}
    )
    base = config(
        [agent(ANNA)],
        pbxs={PBX: Pbx(id=PBX, kind="simulated", dial="OUT/{number}@trunk")},
        profiles={"default": caller},
        numbers=Numbers(country="1"),
        outdial=OutdialRules(entry_point="sales", agent_ring_timeout_s=10, customer_ring_timeout_s=15),
    )
    made = Hall(replace(base))
    made.observers.append(Laws())
    customer = made.pbx.add_phone(f"OUT/{NUMBER}@trunk")
    customer.habit = Answers(Constant(3_000), Constant(600_000))
    made.sign_in_all()
    made.pbx.phones["SIM/anna"].habit = Answers(Constant(1_000), Constant(600_000))
    return made, customer


def start(house: Hall) -> str:
    reply = house.order(StartOutdial, agent_id=ANNA, number=NUMBER, ani=ANI)
    assert reply.code == "ok", reply
    return str(reply.values["interaction_id"])


def ended(house: Hall, interaction_id: str) -> Interaction:
    (found,) = [i for i in house.ended if i.id == interaction_id]
    return found


@pytest.mark.req("OUT-08", "OUT-13", "OUT-21")
def test_agent_and_customer_hear_each_other_and_the_call_is_one_like_any_other() -> None:
    house, customer = hall()
    mine = house.pbx.phones["SIM/anna"]
    call = start(house)
    house.run(500)
    assert (mine.live is not None, customer.live) == (True, None)
    house.run(1_000)
    assert mine.live is not None
    assert customer.live is not None
    assert house.pbx.hears(mine.live).parties == set()
    assert house.pbx.hears(mine.live).music == RINGBACK
    house.run(3_000)
    assert house.pbx.hears(mine.live).parties == {customer.address}
    assert house.pbx.hears(customer.live).parties == {mine.address}
    house.order(Hold, agent_id=ANNA, interaction_id=call)
    house.run(100)
    assert house.pbx.hears(customer.live).music == "default"
    house.order(Resume, agent_id=ANNA, interaction_id=call)
    house.run(100)
    house.order(EndInteraction, agent_id=ANNA, interaction_id=call)
    house.run(100)
    assert not any(phone.live for phone in (mine, customer))
    assert house.agent(ANNA).shown_state == "available"


@pytest.mark.req("OUT-17", "OUT-18", "OUT-19")
def test_each_failure_ends_both_legs() -> None:
    house, customer = hall()
    mine = house.pbx.phones["SIM/anna"]
    for failure in ("agent_declined", "customer_rejected", "customer_no_answer"):
        if failure == "agent_declined":
            mine.habit = Rejects(DialOutcome.REJECTED)
        elif failure == "customer_rejected":
            mine.habit, customer.habit = Answers(Constant(500), Constant(600_000)), Rejects(DialOutcome.BUSY)
        else:
            customer.habit = RingsOut()
        call = start(house)
        house.run(30_000)
        found = ended(house, call).outdial
        assert found is not None
        assert found.failure == failure
        assert not any(phone.live for phone in (mine, customer))
        assert house.agent(ANNA).shown_state == "available"


@pytest.mark.req("OUT-20", "OUT-01", "A24")
def test_whenever_an_inbound_call_comes_the_agent_has_one_call_and_it_is_the_inbound_one_or_it_waits() -> None:
    """The race at each millisecond around the moment in which the agent's own telephone begins to ring."""
    outcomes = set()
    for delay_ms in range(12):
        house, _ = hall()
        mine = house.pbx.phones["SIM/anna"]
        outdial = start(house)
        house.run(delay_ms)
        caller = house.call()
        house.run(50)
        inbound = house.interaction(caller)
        (engaged,) = house.agent(ANNA).engagements
        assert mine.live is not None
        assert mine.live.leg_id in {o.leg_id for o in house.world.interaction(engaged).offers}
        if engaged == inbound.id:
            lost = ended(house, outdial).outdial
            assert lost is not None
            assert lost.failure == "lost_to_inbound"
            house.run(5_000)
            assert house.interaction(caller).state is InteractionState.CONNECTED
        else:
            assert engaged == outdial
            assert inbound.state is InteractionState.QUEUED
        outcomes.add(engaged == inbound.id)
    assert outcomes == {True, False}
