"""Calls through the whole core and the simulated PBX, told one by one."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from routing.core.agent import AgentState
from routing.core.commands import DialLeg, ReturnLeg
from routing.core.config import Queue, Result, Strategy
from routing.core.facts import DialOutcome
from routing.core.interaction import Interaction, InteractionState
from routing.core.orders import GoAvailable, Hold, Resume, SignIn
from telephony.simulated.habits import Answers, Constant, Rejects, RingsOut
from tests.factories import agent, config, queue, wrap_up
from tests.sim.hall import Hall
from tests.sim.laws import Laws


def hall(*names: str, queues: Iterable[Queue] = (), is_staffed: bool = True) -> Hall:
    made = Hall(config([agent(f"agt_{name}") for name in names], queues))
    made.observers.append(Laws())
    if is_staffed:
        made.sign_in_all()
    return made


def talks_to(house: Hall, interaction: Interaction) -> list[str]:
    return [party.agent_id for party in house.world.interaction(interaction.id).parties]


@pytest.mark.req("ROUTE-05")
def test_a_call_rings_a_free_agent_at_once_and_both_hear_each_other() -> None:
    house = hall("anna")
    phone = house.pbx.phones["SIM/anna"]
    caller = house.call()
    house.run(20)
    assert talks_to(house, house.interaction(caller)) == ["agt_anna"]
    assert phone.live is not None
    assert house.pbx.hears(caller).parties == {"SIM/anna"}
    assert house.pbx.hears(phone.live).parties == {caller.party}


@pytest.mark.req("ROUTE-05")
def test_a_waiting_call_rings_the_agent_who_signs_in_at_once() -> None:
    house = hall("anna", is_staffed=False)
    caller = house.call()
    house.run(60_000)
    assert house.pbx.hears(caller).music == "default"
    house.order(SignIn, agent_id="agt_anna")
    house.run(20)
    assert talks_to(house, house.interaction(caller)) == ["agt_anna"]


@pytest.mark.req("STATE-05", "STATE-07", "STATE-08", "STATE-09", "ROUTE-07")
def test_a_phone_that_rings_out_makes_its_agent_rona_and_the_call_keeps_its_place() -> None:
    house = hall("anna", queues=[queue(ring_timeout_s=20)])
    house.pbx.phones["SIM/anna"].habit = RingsOut()
    first = house.call()
    house.run(1_000)
    second = house.call()
    entered = house.interaction(first).entered_at_ms
    house.run(120_000)
    assert house.agent("agt_anna").state is AgentState.RONA
    assert house.interaction(first).entered_at_ms == entered
    assert house.pbx.phones["SIM/anna"].rings == 1
    house.pbx.phones["SIM/anna"].habit = Answers()
    house.order(GoAvailable, agent_id="agt_anna")
    house.run(20)
    assert talks_to(house, house.interaction(second)) == ["agt_anna"], "the first call skips who missed it"
    assert house.interaction(first).state is InteractionState.QUEUED


@pytest.mark.req("ROUTE-03", "ROUTE-06")
def test_ring_all_rings_everybody_and_the_first_answer_silences_the_others() -> None:
    house = hall("anna", "ben", "cleo", queues=[queue(strategy=Strategy.RING_ALL)])
    for name, answer_ms in (("anna", 900), ("ben", 500), ("cleo", 700)):
        house.pbx.phones[f"SIM/{name}"].habit = Answers(Constant(answer_ms))
    caller = house.call()
    house.run(100)
    assert [phone.rings for phone in house.pbx.phones.values()] == [1, 1, 1]
    house.run(450)
    assert talks_to(house, house.interaction(caller)) == ["agt_ben"]
    assert [c.party for c in house.our_legs()] == [caller.party, "SIM/ben"]
    assert all(not house.agent(name).engagements for name in ("agt_anna", "agt_cleo"))


@pytest.mark.req("ROUTE-06")
def test_a_caller_who_gives_up_stops_the_ringing_phone_within_milliseconds() -> None:
    house = hall("anna")
    house.pbx.phones["SIM/anna"].habit = RingsOut()
    caller = house.call(patience_ms=3_000)
    house.run(3_010)
    assert not house.our_legs()
    assert house.ended_with(caller).result is Result.ABANDONED
    assert house.agent("agt_anna").state is AgentState.AVAILABLE


@pytest.mark.req("STATE-10", "ROUTE-15")
def test_an_agent_on_a_private_call_gets_nothing_until_he_hangs_up() -> None:
    house = hall("anna")
    private = house.pbx.private_call(house.pbx.phones["SIM/anna"])
    house.run(10)
    caller = house.call()
    house.run(60_000)
    assert house.pbx.phones["SIM/anna"].rings == 0
    house.pbx.hang_up(private)
    house.run(20)
    assert talks_to(house, house.interaction(caller)) == ["agt_anna"]


@pytest.mark.req("STATE-10", "END-02")
def test_the_next_call_waits_until_the_hard_phone_is_hung_up() -> None:
    house = hall("anna")
    phone = house.pbx.phones["SIM/anna"]
    first, second = house.call(), house.call()
    house.run(20)
    house.pbx.hang_up(first)
    house.run(20)
    assert house.ended_with(first).result is Result.ANSWERED
    assert phone.rings == 2
    assert talks_to(house, house.interaction(second)) == ["agt_anna"]


@pytest.mark.req("HOLD-02", "HOLD-03")
def test_on_hold_the_caller_hears_music_and_the_agent_nothing() -> None:
    house = hall("anna")
    caller = house.call()
    house.run(20)
    interaction_id = house.interaction(caller).id
    house.order(Hold, agent_id="agt_anna", interaction_id=interaction_id)
    house.run(10)
    agents_leg = house.pbx.phones["SIM/anna"].live
    assert agents_leg is not None
    assert house.pbx.hears(caller).music == "default"
    assert not house.pbx.hears(agents_leg).parties
    house.order(Resume, agent_id="agt_anna", interaction_id=interaction_id)
    house.run(10)
    assert house.pbx.hears(caller).parties == {"SIM/anna"}


def test_a_busy_phone_is_skipped_for_a_while_and_nothing_of_that_is_left_after_the_answer() -> None:
    house = hall("anna")
    phone = house.pbx.phones["SIM/anna"]
    phone.habit = Rejects(DialOutcome.BUSY)
    caller = house.call()
    house.run(29_000)
    assert phone.rings == 1
    assert {name.partition(":")[0] for name in house.world.state.timers} == {"skip", "mark"}
    phone.habit = Answers()
    house.run(2_000)
    assert house.interaction(caller).parties
    assert not house.world.state.timers


@pytest.mark.req("SAFE-01", "SAFE-02")
def test_an_answer_during_a_cut_becomes_a_conversation_when_the_link_is_back() -> None:
    house = hall("anna")
    house.pbx.phones["SIM/anna"].habit = Answers(Constant(2_000))
    caller = house.call()
    house.run(1_000)
    house.port.cut()
    house.run(4_000)
    assert house.interaction(caller).state is InteractionState.OFFERED
    house.port.restore()
    house.run(20)
    assert talks_to(house, house.interaction(caller)) == ["agt_anna"]
    assert house.pbx.hears(caller).parties == {"SIM/anna"}
    assert house.pbx.phones["SIM/anna"].rings == 1


@pytest.mark.req("SAFE-01", "SAFE-02")
def test_calls_and_conversations_outlive_a_killed_connector_without_a_break() -> None:
    house = hall("anna", queues=[queue(wrap_up=wrap_up(5))])
    talking, waiting = house.call(), house.call()
    house.run(20)
    entered = house.interaction(waiting).entered_at_ms
    moves = house.pbx.rooms.moves
    house.kill_connector()
    late = house.call()
    house.run(10_000)
    house.start_connector()
    house.run(50)
    assert house.pbx.rooms.moves == moves + 1, "only the new call moves, into its waiting room"
    assert house.pbx.hears(talking).parties == {"SIM/anna"}
    assert house.interaction(waiting).entered_at_ms == entered
    assert house.interaction(late).state is InteractionState.QUEUED
    house.pbx.hang_up(talking)
    house.run(5_020)
    assert talks_to(house, house.interaction(waiting)) == ["agt_anna"], "the order is as it was"


@pytest.mark.req("SAFE-01")
def test_a_caller_who_left_during_a_cut_is_found_gone_and_his_agent_is_freed() -> None:
    house = hall("anna")
    caller = house.call()
    house.run(20)
    house.port.cut()
    house.pbx.hang_up(caller)
    house.run(5_000)
    assert house.agent("agt_anna").engagements
    house.port.restore()
    house.run(20)
    assert not house.agent("agt_anna").engagements
    assert not house.our_legs()
    assert len(house.ended) == 1


@pytest.mark.req("SAFE-02")
def test_a_dial_of_unknown_fate_is_taken_back_and_the_phone_does_not_ring_on() -> None:
    house = hall("anna")
    house.port.lose = 2  # the rooms of the waiting call, and the dial
    caller = house.call()
    house.run(20_000)
    dials = [c for c in house.commands if isinstance(c, DialLeg)]
    assert len(dials) == 2
    assert talks_to(house, house.interaction(caller)) == ["agt_anna"]
    assert house.pbx.phones["SIM/anna"].rings == 1


@pytest.mark.req("SAFE-01", "ROUTE-07")
def test_a_pbx_that_refuses_to_dial_makes_nobody_rona_and_is_not_asked_without_end() -> None:
    house = hall("anna")
    house.port.refuse = 4
    caller = house.call()
    house.run(1_900)
    assert house.agent("agt_anna").state is AgentState.AVAILABLE
    assert len([c for c in house.commands if isinstance(c, DialLeg)]) == 1
    house.run(10_000)
    assert house.agent("agt_anna").state is AgentState.AVAILABLE
    assert talks_to(house, house.interaction(caller)) == ["agt_anna"]


@pytest.mark.req("SAFE-01", "STATE-05")
def test_an_offer_whose_deadline_passes_during_a_cut_is_taken_back_without_blame() -> None:
    house = hall("anna", queues=[queue(ring_timeout_s=10)])
    phone = house.pbx.phones["SIM/anna"]
    phone.habit = Answers(Constant(5_000))
    caller = house.call()
    house.run(1_000)
    house.port.cut()
    house.run(20_000)
    assert house.agent("agt_anna").state is AgentState.AVAILABLE
    assert not house.agent("agt_anna").engagements
    house.port.restore()
    house.run(6_000)
    assert talks_to(house, house.interaction(caller)) == ["agt_anna"]
    assert len(house.our_legs()) == 2


@pytest.mark.req("SAFE-01")
def test_a_call_let_in_after_a_restart_ends_when_the_earlier_refusal_still_takes_effect() -> None:
    house = hall("anna", queues=[queue(max_waiting=1)], is_staffed=False)
    first = house.call()
    house.let_pass()
    second = house.call()
    while not any(isinstance(c, ReturnLeg) for c in house.commands):
        house.clock.step()
    house.kill_connector()
    house.pbx.hang_up(first)
    house.start_connector()
    house.run(1_000)
    assert second.variables["SR_RESULT"] == "full"
    assert house.world.state.interactions == {}
