"""The guarantees of a campaign under a pacing that always asks for a thousand calls: its cap holds all the same."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from routing.core.campaign_rules import DialMode, Guarantee, PacingRules
from routing.core.commands import LOOKUPS, LookUp
from routing.core.config import Config, Numbers
from routing.core.facts import LookedUp, LookUpOutcome
from routing.core.guarantees import FREE_DROPS
from routing.core.orders import FinishWrapUp, SignIn
from telephony.simulated.habits import Answers, Exponential, Habit, Human
from tests.factories import PBX, agent, config, queue, wrap_up
from tests.sim.dialer import NUMBERS, Dialer, campaign, with_campaigns
from tests.sim.hall import Hall

AGENTS = tuple(f"agt_{n}" for n in range(8))
CAP = 0.05
SHIFT_S = 600


def centre(guarantee: Guarantee, *, seize_agents: bool) -> Config:
    base = config([agent(agent_id) for agent_id in AGENTS], [queue("sales", wrap_up=wrap_up(5))])
    pbx = replace(base.pbxs[PBX], dial="OUT/{number}@trunk")
    pacing = PacingRules(cap=CAP, guarantee=guarantee, min_agents=2, message="")
    rules = campaign("ahead", DialMode.PREDICTIVE, pacing=pacing, seize_agents=seize_agents)
    return with_campaigns(replace(base, pbxs={PBX: pbx}, numbers=Numbers(country="1")), rules)


class Shift:
    """Agents work, contacts answer as often as `share` says, and the pacing wants it all."""

    def __init__(self, guarantee: Guarantee, *, seize_agents: bool, share: float) -> None:
        self.hall = Hall(centre(guarantee, seize_agents=seize_agents), self._habits(), seed=1)
        contact = Human(Exponential(5_000), Exponential(30_000), misses=1 - share)
        self.contacts = [self.hall.pbx.add_phone(f"OUT/{number}@trunk", contact) for number in NUMBERS]
        self.dialer = Dialer(self.hall, records=len(NUMBERS), seed=1)
        self.hall.outside = self.allow
        self.random = Random(2)
        self.hall.sign_in_all()
        self.dialer.start(*AGENTS)
        self.begun = 0

    def _habits(self) -> dict[str, Habit]:
        return {agent_id: Answers(Exponential(300)) for agent_id in AGENTS}

    def allow(self, question: LookUp) -> tuple[LookedUp, int]:
        about: dict[str, Any] = {"interaction_id": question.interaction_id, "command_id": question.id}
        return LookedUp(pbx=LOOKUPS, outcome=LookUpOutcome.DONE, **about), self.random.randint(1, 50)

    def work(self) -> None:
        for _ in range(SHIFT_S):
            self.dialer.lists.cards = {  # who was dropped may be called again: there are few contacts here
                id_: replace(card, reserve_until_ms=0) for id_, card in self.dialer.lists.cards.items()
            }
            self.dialer.fill("ahead", len(NUMBERS))
            self.begun += int(str(self.dialer.pace("ahead", 1000).values.get("begun", 0)))
            self.hall.run(1000)

    @property
    def dropped(self) -> int:
        return self.dialer.laws.dropped

    @property
    def live(self) -> int:
        return self.dialer.laws.live


@pytest.mark.req("DIALER-05")
@pytest.mark.parametrize("seize_agents", [True, False])
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_a_hostile_pacing_cannot_spend_more_than_the_budget(seize_agents: bool, share: float) -> None:
    """The allowance, and one call for each agent beyond it."""
    shift = Shift(Guarantee.BUDGET, seize_agents=seize_agents, share=share)
    shift.work()
    assert shift.live > 60, "they have worked"
    assert shift.begun > 0, "the pacing has had its way, too"
    assert shift.dropped > FREE_DROPS, "and it was hostile"
    assert shift.dropped <= max(FREE_DROPS, CAP * shift.live) + len(AGENTS)


@pytest.mark.req("DIALER-05")
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_in_the_worst_case_the_cap_holds_to_the_call(share: float) -> None:
    shift = Shift(Guarantee.WORST_CASE, seize_agents=True, share=share)
    shift.work()
    assert shift.live > 60, "they have worked"
    assert shift.dropped <= CAP * shift.live


@pytest.mark.req("DIALER-05", "DIALER-10")
def test_with_a_cap_of_zero_nobody_is_dropped() -> None:
    shift = Shift(Guarantee.BUDGET, seize_agents=True, share=1.0)
    rules = shift.hall.world.config.campaigns["ahead"]
    rules = replace(rules, pacing=replace(rules.pacing, cap=0.0))
    shift.hall.world.config.campaigns["ahead"] = rules
    shift.work()
    assert (shift.dropped, shift.begun) == (0, 0)
    assert shift.live > 60
    for agent_id in AGENTS:
        assert shift.hall.order(SignIn, agent_id=agent_id).code != "ok", "nobody has lost his place"
        assert shift.hall.order(FinishWrapUp, agent_id=agent_id, reason="done") is not None
