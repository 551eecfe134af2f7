"""A morning of callbacks on a simulated PBX: in which order, how many at once, how often (CBQ)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.core.callback import CallbackRules
from routing.core.commands import DialLeg, LookUp
from routing.core.config import Config, Numbers, Pbx
from routing.core.dial_rights import DialRights
from routing.core.effects import Effects
from routing.core.events import EventType
from routing.core.facts import DialOutcome, LookedUp, LookUpOutcome
from routing.core.interaction import Interaction, InteractionState
from routing.core.orders import SignIn
from routing.core.step import Input
from telephony.simulated.habits import Answers, Constant, Habit, Rejects, RingsOut
from tests.factories import PBX, agent, config, queue, wrap_up
from tests.sim.hall import Hall
from tests.sim.laws import Laws

AGENTS = ("agt_anna", "agt_ben", "agt_cleo")
RULES = CallbackRules(
    max_attempts=3, retry_s=(60, 120), dial=DialRights(allowed=("+1",)), ring_timeout_s=20, expire_s=7200
)
GONE = 24  # callers who gave up before anybody had signed in


def ani(number: int) -> str:
    return f"+120155502{number:02}"


def centre() -> Config:
    base = config(
        [agent(name) for name in AGENTS],
        [queue(wrap_up=wrap_up(5), callback_after_abandon_s=5, aging_per_min=1.0)],
        pbxs={PBX: Pbx(id=PBX, kind="simulated", dial="OUT/{number}@trunk")},
        numbers=Numbers(country="1"),
    )
    return replace(base, callbacks=RULES)


class Morning:
    """`habits`: of the customers, by number; the others pick up after 3 s and talk for a minute."""

    def __init__(self, habits: dict[int, Habit] | None = None) -> None:
        self.hall = Hall(centre())
        self.hall.outside = lambda question: (allowed(question), 20)
        self.hall.observers += [Laws(), self.watch]
        self.most_at_once = 0
        for number in range(GONE):
            habit = (habits or {}).get(number) or Answers(Constant(3_000), Constant(60_000))
            self.hall.pbx.add_phone(f"OUT/{ani(number)}@trunk", habit)
            self.hall.call(patience_ms=10_000, ani=ani(number))
            self.hall.run(700)
        self.hall.run(20_000)

    def watch(self, hall: Hall, _item: Input, _effects: Effects) -> None:
        calling = (i for i in hall.world.state.interactions.values() if i.state is InteractionState.CALLING_CUSTOMER)
        self.most_at_once = max(self.most_at_once, len(list(calling)))

    def work(self, minutes: int) -> None:
        for name in AGENTS:
            phone = self.hall.phone_of(self.hall.world.config.agents[name])
            phone.habit = Answers(Constant(1_000), Constant(3_600_000))
            self.hall.order(SignIn, agent_id=name)
        self.hall.run(minutes * 60_000)

    def dialed(self) -> list[str]:
        """Customers' numbers, in the order of their dialing."""
        found = (c.phone for c in self.hall.commands if isinstance(c, DialLeg) and "@trunk" in c.phone)
        return [phone.removeprefix("OUT/").removesuffix("@trunk") for phone in found]

    def ended(self) -> list[Interaction]:
        return [i for i in self.hall.ended if i.kind == "callback"]


def allowed(question: LookUp) -> LookedUp:
    asker = question.interaction_id
    return LookedUp(pbx=question.pbx, interaction_id=asker, command_id=question.id, outcome=LookUpOutcome.DONE)


@pytest.mark.req("CBQ-02", "CBQ-03", "CBQ-09")
def test_everybody_who_gave_up_is_called_once_in_the_order_of_arrival_by_no_more_than_there_are_agents() -> None:
    morning = Morning()
    assert not morning.dialed()
    morning.work(40)
    assert morning.dialed() == [ani(number) for number in range(GONE)]
    assert morning.most_at_once <= len(AGENTS)
    assert [i.result for i in morning.ended()] == ["answered"] * GONE
    assert not morning.hall.world.state.interactions
    assert not morning.hall.our_legs()
    assert morning.hall.replay().state == morning.hall.world.state


@pytest.mark.req("CBQ-07", "CBQ-09")
def test_who_is_not_reached_is_tried_again_after_the_spaces_and_no_more_often_than_said() -> None:
    morning = Morning({0: RingsOut(), 1: Rejects(DialOutcome.BUSY, Constant(500))})
    morning.work(60)
    for number in (0, 1):
        missed = [e for e in morning.hall.told(EventType.CALLBACK_DIALED) if e.values["number"] == ani(number)]
        assert len(missed) == RULES.max_attempts
        first, second, third = (e.at_ms for e in missed)
        assert second - first >= 60_000
        assert third - second >= 120_000
    given_up = morning.hall.told(EventType.CALLBACK_GIVEN_UP)
    assert [e.values["cause"] for e in given_up] == ["attempts", "attempts"]
    assert len(morning.dialed()) == GONE - 2 + 2 * RULES.max_attempts
    assert {a.state.value for a in morning.hall.world.state.agents.values()} == {"available"}


@pytest.mark.req("CBQ-09")
def test_callers_who_come_later_wait_behind_and_those_who_waited_longer_go_before() -> None:
    morning = Morning()
    late = morning.hall.call(ani="+12015550299")
    morning.hall.run(100)
    waits = morning.hall.interaction(late).id
    morning.work(1)
    morning.hall.run(40 * 60_000)
    offered = [e.interaction_id for e in morning.hall.told(EventType.OFFER_RESERVED)]
    assert offered.index(waits) == GONE, "behind all who had come before him"
