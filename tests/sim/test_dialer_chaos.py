"""Campaigns that call first among everything that people, PBXs and workers do: no contact is lost nor called twice."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import example, given, settings

from routing.core.campaign import CampaignTrigger
from routing.core.campaign_rules import Blend, DialMode, PacingRules
from routing.core.config import Config
from routing.core.events import EventType
from routing.core.limits import CallLimits
from routing.core.orders import (
    FinishWrapUp,
    JoinCampaign,
    LeaveCampaign,
    MarkDone,
    MarkDoNotCall,
    WithdrawRecords,
)
from telephony.simulated.habits import Answers, Constant, Habit, Human, LogNormal, Rejects, RingsOut
from telephony.simulated.listening import MACHINE, PERSON, SILENCE
from tests.sim.dialer import LISTENS, NUMBERS, Dialer, campaign, with_campaigns
from tests.sim.test_chaos import AGENTS, CONTROL, EFFORT, FAULTS, ORDERS, PEOPLE, Chaos, Deed, deeds, long_day, tenant

CAMPAIGNS = ("ahead", "seated", "one_each")
CONTACTS: tuple[Habit, ...] = (
    Answers(Constant(2_000), Constant(20_000)),
    Answers(Constant(200)),
    RingsOut(),
    Rejects(delay=Constant(500)),
    Human(LogNormal(3_000, 0.8), LogNormal(8_000, 0.6), misses=0.3, rejects=0.1),
    Answers(Constant(1_000), Constant(900)),
)
DIALER = (
    *("fill", "pace") * 4,
    "steer",
    "join",
    "leave",
    "done",
    "mark",
    "withdraw",
    "pick_contact",
    "hang_up_contact",
)
# A step with campaigns costs more here than one without: each law looks at every record.
EFFORT_HERE = settings(EFFORT, max_examples=EFFORT.max_examples // 3)
GREETINGS = (PERSON, PERSON, MACHINE, SILENCE)


def centre() -> Config:
    base = tenant()
    pacing = PacingRules(min_agents=2, message="sorry", lines=6)
    campaigns = (
        campaign("ahead", DialMode.PREDICTIVE, machines=LISTENS, pacing=pacing),
        campaign("seated", DialMode.PREDICTIVE, seize_agents=True, blend=Blend.SERVICE_LEVEL),
        campaign("one_each", DialMode.PROGRESSIVE, seize_agents=True),
    )
    limits = CallLimits(tenant_calls=9, dials_per_minute=20, tenant_dials_per_minute=60)
    return replace(with_campaigns(base, *campaigns), limits=limits)


class DialerChaos(Chaos):
    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed, centre())
        self.contacts = [node.pbx.add_phone(f"OUT/{number}@trunk") for node in self.nodes for number in NUMBERS]
        self.outside += self.contacts
        for place, contact in enumerate(self.contacts):
            contact.habit = CONTACTS[place % len(CONTACTS)]
            contact.greeting = GREETINGS[place * 7 // 3 % len(GREETINGS)]
        self.dialer = Dialer(self.hall, seed=seed)
        self.dialer.start(*AGENTS)

    # ------------------------------------------------------------------ deeds

    def _campaign(self, deed: Deed) -> str:
        return CAMPAIGNS[deed.which % len(CAMPAIGNS)]

    def do_fill(self, deed: Deed) -> None:
        self.dialer.fill(self._campaign(deed), deed.much * 2)

    def do_pace(self, deed: Deed) -> None:
        """Also what is hostile, old, or not for it."""
        self.dialer.pace(
            self._campaign(deed), (0, 1, 2, 3, 5, 1000, 1000, 2)[deed.much], age_ms=(deed.much == 7) * 9_000
        )

    def do_steer(self, deed: Deed) -> None:
        """Mostly back to work."""
        action = (*CampaignTrigger, CampaignTrigger.LOAD, *[CampaignTrigger.START] * 3)[deed.much]
        self.dialer.control(self._campaign(deed), action)

    def do_join(self, deed: Deed) -> None:
        self._order(JoinCampaign, deed, campaign=CAMPAIGNS[deed.much % 3])

    def do_leave(self, deed: Deed) -> None:
        self._order(LeaveCampaign, deed, campaign=CAMPAIGNS[deed.much % 3])

    def do_done(self, deed: Deed) -> None:
        self._on_call(MarkDone, deed)

    def do_mark(self, deed: Deed) -> None:
        self.hall.order(MarkDoNotCall, number=NUMBERS[deed.which * 5 + deed.much % 5])

    def do_withdraw(self, deed: Deed) -> None:
        ids = tuple(self.hall.world.state.records)[: deed.much]
        self.hall.order(WithdrawRecords, campaign=self._campaign(deed), record_ids=ids)

    def do_pick_contact(self, deed: Deed) -> None:
        contact = self.contacts[(deed.which * 8 + deed.much) % len(self.contacts)]
        contact.habit = CONTACTS[deed.much % len(CONTACTS)]

    def do_hang_up_contact(self, deed: Deed) -> None:
        live = [contact.live for contact in self.contacts if contact.live]
        if live:
            self._hang_up(live[deed.which % len(live)])

    # ------------------------------------------------------------------ the end

    def close(self) -> None:
        """Everything is stopped, who talks has talked, and everybody goes home."""
        hall, self.dialer.worse = self.hall, 0
        self.dialer.stop()
        for member in hall.world.config.agents.values():
            self._home(hall.phone_of(member)).register(hall.phone_of(member), True)
        for _ in range(30):
            for contact in self.contacts:
                if contact.live:
                    self._hang_up(contact.live)
            hall.run(5_000)
            for agent_id in AGENTS:
                hall.order(FinishWrapUp, agent_id=agent_id, reason="done")
            if not hall.world.state.records:
                break
        super().close()
        self.dialer.check_over()


def run(plan: list[Deed], *, is_calm: bool, seed: int = 0) -> DialerChaos:
    chaos = DialerChaos(seed)
    chaos.carry_out(plan, is_calm=is_calm)
    chaos.mend()
    chaos.close()
    chaos.check_replay()
    return chaos


@pytest.mark.req("SAFE-01", "PROG-06", "DIALER-04", "DIALER-06")
@given(plan=deeds(*DIALER, *DIALER, *DIALER, *PEOPLE, *ORDERS))
@EFFORT_HERE
def test_whatever_people_do_each_contact_is_called_once_at_a_time(plan: list[Deed]) -> None:
    run(plan, is_calm=True)


TO_RING = [Deed("fill", 0, 3), Deed("pace", 0, 5), Deed("wait", 0, 500)]


@pytest.mark.req("SAFE-01", "SAFE-02", "PROG-06")
@given(plan=deeds(*DIALER, *DIALER, *DIALER, *DIALER, *PEOPLE, *CONTROL, *FAULTS, *FAULTS, "available"))
@example(plan=[*TO_RING, Deed("cut"), Deed("wait", 0, 7_000), Deed("restore"), Deed("wait", 0, 25_000)])
@example(plan=[*TO_RING, Deed("kill"), Deed("wait", 0, 40), Deed("start"), Deed("wait", 0, 25_000)])
@EFFORT_HERE
def test_after_any_faults_each_attempt_has_one_end_and_no_record_is_lost(plan: list[Deed]) -> None:
    run(plan, is_calm=False)


@pytest.mark.req("SAFE-01", "DIALER-05", "DIALER-06", "PROG-06")
@pytest.mark.parametrize("seed", range(3))
def test_a_long_day_of_campaigns_and_outages_converges(seed: int) -> None:
    random, chaos = Random(seed), DialerChaos(seed)
    plan: list[Deed] = []
    for deed in long_day(random, 900):
        plan.append(deed)
        if random.random() < 0.5:
            kinds = (random.choice(DIALER), "fill", "pace", "available", "wrap_up", "sign_in", "join", "end")
            plan += [Deed(what, random.randint(0, 7), random.randint(0, 7)) for what in kinds]
            plan += [Deed("steer", random.randint(0, 7), 7), Deed("wait", 0, random.choice((1, 300, 3_000)))]
    chaos.carry_out(plan)
    chaos.mend()
    chaos.close()
    chaos.check_replay()
    results = chaos.dialer.laws.results
    for result in ("answered", "no_answer", "rejected", "dropped", "machine"):
        assert results[result], f"the day has had none that {result}: {results}"
    assert len(chaos.hall.told(EventType.SEAT_TAKEN)) > 20
