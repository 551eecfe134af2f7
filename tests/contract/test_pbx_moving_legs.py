"""The PBX contract: a leg that was dialled for one interaction and goes on in another, as an agent who waits does."""

from __future__ import annotations

import pytest

from routing.core.facts import LegEnded, LinkRestored, RoomsReached, RoomsRefused
from tests.contract.pbx_lab import Answers, PbxLab
from tests.contract.pbx_suite import connect, hang_up, in_lab_with, new_id, of, reach, room, rooms

CUSTOMER, AGENT, OTHER = "1001", "1002", "1003"


async def waiting_agent(lab: PbxLab, music: str = "") -> tuple[str, str]:
    """His leg, alone in the room of an interaction of its own: leg and interaction."""
    waits_in = new_id("int")
    leg_id = await connect(lab, lab.phone(AGENT), interaction_id=waits_in)
    await reach(lab, waits_in, 1, room("seat", leg_id, music=music))
    return leg_id, waits_in


async def customer(lab: PbxLab, interaction_id: str) -> str:
    return await connect(lab, lab.phone(CUSTOMER), interaction_id=interaction_id)


async def owners(lab: PbxLab) -> dict[str, str]:
    """The interaction of each leg as a new connector reads it."""
    await lab.settle()
    await lab.restart_connector()
    (link,) = of(lab, LinkRestored)
    return {leg.leg_id: leg.interaction_id for leg in link.legs}


async def talk(lab: PbxLab) -> None:
    await lab.hears(lab.phone(CUSTOMER), lab.phone(AGENT))
    await lab.hears(lab.phone(AGENT), lab.phone(CUSTOMER))


@pytest.mark.req("DIALER-06")
@in_lab_with(CUSTOMER, AGENT)
async def test_a_customer_is_joined_with_an_agent_who_waits_in_another_interaction(lab: PbxLab) -> None:
    agent_leg, _ = await waiting_agent(lab)
    call = new_id("int")
    leg_id = await customer(lab, call)
    await reach(lab, call, 1, room("main", leg_id, agent_leg))
    await talk(lab)
    assert await owners(lab) == {leg_id: call, agent_leg: call}
    await talk(lab)


@in_lab_with(CUSTOMER, AGENT)
async def test_he_can_be_taken_out_of_music_too(lab: PbxLab) -> None:
    agent_leg, _ = await waiting_agent(lab, "default")
    await lab.hears_music(lab.phone(AGENT))
    call = new_id("int")
    leg_id = await customer(lab, call)
    await reach(lab, call, 1, room("main", leg_id, agent_leg))
    await talk(lab)


@in_lab_with(CUSTOMER, AGENT)
async def test_whoever_names_a_leg_last_has_it_also_while_it_is_on_its_way(lab: PbxLab) -> None:
    waits_in, call = new_id("int"), new_id("int")
    agent_leg = await connect(lab, lab.phone(AGENT), interaction_id=waits_in)
    leg_id = await customer(lab, call)
    rooms(lab, waits_in, 1, room("seat", agent_leg, music="default"))
    await reach(lab, call, 1, room("main", leg_id, agent_leg))
    await talk(lab)
    await lab.settle()
    assert [f.version for f in of(lab, RoomsReached) if f.interaction_id == waits_in] == [1]
    assert of(lab, RoomsRefused) == []
    await talk(lab)


@in_lab_with(CUSTOMER, AGENT)
async def test_behind_the_call_he_goes_back_to_where_he_waits(lab: PbxLab) -> None:
    agent_leg, waits_in = await waiting_agent(lab, "default")
    call = new_id("int")
    leg_id = await customer(lab, call)
    await reach(lab, call, 1, room("main", leg_id, agent_leg))
    await talk(lab)
    await lab.phone(CUSTOMER).hang_up()
    await lab.wait_fact(LegEnded, leg_id=leg_id)
    await reach(lab, waits_in, 2, room("seat", agent_leg, music="default"))
    await lab.hears_music(lab.phone(AGENT))
    assert await owners(lab) == {agent_leg: waits_in}


@in_lab_with(CUSTOMER, AGENT)
async def test_he_goes_back_while_the_customer_stays_without_him(lab: PbxLab) -> None:
    agent_leg, waits_in = await waiting_agent(lab)
    call = new_id("int")
    leg_id = await customer(lab, call)
    await reach(lab, call, 1, room("main", leg_id, agent_leg))
    await talk(lab)
    rooms(lab, call, 2, room("main", leg_id, music="default"))
    await reach(lab, waits_in, 2, room("seat", agent_leg))
    await lab.hears_music(lab.phone(CUSTOMER))
    await lab.hears(lab.phone(AGENT))
    assert await owners(lab) == {leg_id: call, agent_leg: waits_in}


@in_lab_with(CUSTOMER, AGENT)
async def test_a_leg_that_need_not_be_moved_changes_hands_as_well(lab: PbxLab) -> None:
    agent_leg, _ = await waiting_agent(lab)
    call = new_id("int")
    moves = lab.moves
    await reach(lab, call, 1, room("main", agent_leg))
    assert await owners(lab) == {agent_leg: call}
    assert lab.moves - moves <= 1


@in_lab_with(CUSTOMER, AGENT)
async def test_who_waited_when_the_link_was_lost_is_joined_like_everybody(lab: PbxLab) -> None:
    agent_leg, waits_in = await waiting_agent(lab)
    assert await owners(lab) == {agent_leg: waits_in}
    call = new_id("int")
    leg_id = await customer(lab, call)
    await reach(lab, call, 1, room("main", leg_id, agent_leg))
    await talk(lab)


@in_lab_with(CUSTOMER, AGENT, OTHER)
async def test_call_after_call_of_one_agent(lab: PbxLab) -> None:
    agent_leg, waits_in = await waiting_agent(lab)
    for version in (2, 3):
        call = new_id("int")
        leg_id = await customer(lab, call)
        await reach(lab, call, 1, room("main", leg_id, agent_leg))
        await talk(lab)
        hang_up(lab, leg_id)
        await reach(lab, waits_in, version, room("seat", agent_leg))
        await lab.hears(lab.phone(AGENT))
        lab.phone(CUSTOMER).behave(Answers(after_s=0.3))
