"""Campaigns whose agents are rung first, among everything else that people, PBXs and connectors do."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import example, given

from routing.core.campaign import CampaignTrigger
from routing.core.campaign_rules import Campaign, DialMode, Disposition, MachineRules, PreviewRules, Question
from routing.core.commands import LookUp
from routing.core.config import Config
from routing.core.dial_rights import DialRights
from routing.core.events import EventType
from routing.core.facts import LookedUp, LookUpOutcome
from routing.core.hours import Hours, Span
from routing.core.orders import (
    AcceptRecord,
    AddRecords,
    AnswerGuide,
    CancelOutdial,
    CancelPlannedCallback,
    ControlCampaign,
    DeclineRecord,
    DialRecord,
    Dispose,
    GetRecord,
    JoinCampaign,
    LeaveCampaign,
    MarkDone,
    MarkDoNotCall,
    PlanCallback,
    WithdrawRecords,
)
from routing.core.record import DueCallback, RecordCard, RecordNumber
from telephony.simulated.habits import Answers, Constant
from tests.sim.campaign_laws import RecordLaws
from tests.sim.test_chaos import (
    AGENTS,
    CONTROL,
    EFFORT,
    FAULTS,
    KEYS,
    ORDERS,
    OUTSIDERS,
    PEOPLE,
    Chaos,
    Deed,
    deeds,
    long_day,
    tenant,
)

LISTED = tuple(f"+1201555017{n}" for n in range(8))  # the last one is nobody's telephone
CAMPAIGNS = ("asked", "pushed", "forward")
TRIGGERS = tuple(CampaignTrigger)
CHOICES = ("later", "never", "skip", "perhaps")
# Closed for three minutes of each hour, so that the calling window closes and opens while a plan runs.
OPEN = tuple(Span(from_min=60 * hour, until_min=60 * hour + 57) for hour in range(24))
WORK = (
    *("get", "accept", "accept", "dial_record", "decline", "done", "done", "records", "records", "dispose"),
    *(
        "plan",
        "unplan",
        "guide",
        "join",
        "join",
        "leave",
        "steer",
        "withdraw",
        "mark",
        "answer_worse",
        "cancel_outdial",
    ),
)

QUIET = tuple(what for what in WORK if what not in ("leave", "steer", "withdraw", "mark", "answer_worse"))


def _campaign(name: str, mode: DialMode, **changes: object) -> Campaign:
    base = Campaign(
        id=name,
        label=name.title(),
        mode=mode,
        queue="support" if name == "forward" else "sales",
        entry_point="sales",
        ani="+12015550199",
        teams=("team",),
        dial=DialRights(allowed=("+1",)),
        ring_timeout_s=7,
        hours="minutes",
        default_zone="UTC",
        preview=PreviewRules(timeout_s=15, decline_retry_s=5, cool_off_s=4),
        dispositions=(
            Disposition(code="sale", label="Sale"),
            Disposition(code="again", label="Again", closes=False, retry_s=60),
            Disposition(code="never", label="Never", do_not_call=True),
        ),
        guide=(Question(id="one", text="One?"), Question(id="two", text="Two?", is_optional=True)),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def centre() -> Config:
    base = tenant()
    asked = _campaign(
        "asked",
        DialMode.PREVIEW,
        preview=PreviewRules(dial_on_accept=False, dial_after_s=9, timeout_s=30, cool_off_s=4),
        require_disposition=True,
    )
    pushed = _campaign("pushed", DialMode.PUSH_PREVIEW, machines=MachineRules(is_on=True, deadline_ms=900))
    forward = _campaign("forward", DialMode.PROGRESSIVE, hold_dialing=False)
    rights = {"reschedule": True, "reschedule_personal": True, "reschedule_before_dial": True, "other_number": True}
    return replace(
        base,
        hours={"minutes": Hours(id="minutes", time_zone="UTC", week=(OPEN,) * 7)},
        profiles={name: replace(profile, **rights) for name, profile in base.profiles.items()},  # type: ignore[arg-type]
        campaigns={one.id: one for one in (asked, pushed, forward)},
    )


class CampaignChaos(Chaos):
    def __init__(self, seed: int = 0, configuration: Config | None = None) -> None:
        super().__init__(seed, configuration or centre())
        self.outside += [node.pbx.add_phone(f"OUT/{number}@trunk") for node in self.nodes for number in LISTED[:-1]]
        self.random = Random(seed)
        self.worse = self.claims = 0
        self.hall.outside = self.answer
        self.records = RecordLaws()
        self.hall.observers.append(self.records)
        for name in self.hall.world.config.campaigns:
            self.hall.order(ControlCampaign, campaign=name, action=CampaignTrigger.LOAD)
            self.hall.order(ControlCampaign, campaign=name, action=CampaignTrigger.START)
        for number, agent_id in enumerate(AGENTS):
            self.hall.order(JoinCampaign, agent_id=agent_id, campaign=CAMPAIGNS[number % len(CAMPAIGNS)])

    def answer(self, question: LookUp) -> tuple[LookedUp, int] | None:
        """Mostly yes, sometimes no, late, wrong, or nothing."""
        dice = self.random.random() * (1 + self.worse)
        if dice > 1.2:
            return None
        outcome = LookUpOutcome.FAILED if dice > 1 else LookUpOutcome.DONE
        answer = LookedUp(
            pbx=question.pbx, interaction_id=question.interaction_id, command_id=question.id, outcome=outcome
        )
        return replace(answer, is_blocked=0.9 < dice < 0.95), 7_000 if 0.8 < dice < 0.9 else self.random.randint(0, 300)

    # ------------------------------------------------------------------ deeds

    def _campaign(self, deed: Deed) -> str:
        return (*CAMPAIGNS, "nowhere")[deed.much % 4]

    def do_answer_worse(self, deed: Deed) -> None:
        self.worse = deed.much % 4

    def do_records(self, deed: Deed) -> None:
        """A portion from SQL, due callbacks and personal ones among them; names come again under new claims."""
        name, cards = CAMPAIGNS[deed.much % 3], []
        for n in range(1 + deed.which % 4):
            self.claims += 1
            numbers = (LISTED[(deed.which + n) % 8], LISTED[(deed.much + 2 * n + 1) % 8])
            owner = AGENTS[deed.much % 4] if deed.which % 2 else ""
            callback = DueCallback(at_ms=self.hall.clock.now_ms - n, agent_id=owner) if deed.much > 5 else None
            cards.append(
                RecordCard(
                    id=f"rec_{name}_{self.claims % 9}",
                    campaign=name,
                    claim=self.claims,
                    numbers=tuple(RecordNumber(number=number) for number in dict.fromkeys(numbers)),
                    priority=1 + deed.which,
                    callback=callback,
                )
            )
        self.hall.order(AddRecords, campaign=name, records=tuple(cards))

    def do_get(self, deed: Deed) -> None:
        self._order(GetRecord, deed, campaign="asked")

    def do_accept(self, deed: Deed) -> None:
        self._on_call(AcceptRecord, deed)

    def do_dial_record(self, deed: Deed) -> None:
        self._on_call(DialRecord, deed, number=("", LISTED[deed.much % 8], "+12015550188", "911")[deed.much % 4])

    def do_decline(self, deed: Deed) -> None:
        self._on_call(DeclineRecord, deed, choice=CHOICES[deed.much % 4])

    def do_done(self, deed: Deed) -> None:
        self._on_call(MarkDone, deed, stop=deed.much > 5, wrap_up_reason="done")

    def do_dispose(self, deed: Deed) -> None:
        codes = ((), ("sale",), ("again", "sale"), ("again",), ("never",), ("x",))[deed.much % 6]
        self._on_call(Dispose, deed, codes=codes, do_not_call=deed.much == 7)

    def do_plan(self, deed: Deed) -> None:
        at_ms = self.hall.clock.now_ms + (deed.much - 1) * 9_000
        self._on_call(PlanCallback, deed, at_ms=at_ms, zone="UTC", is_personal=deed.much % 2 == 1)

    def do_unplan(self, deed: Deed) -> None:
        self._on_call(CancelPlannedCallback, deed)

    def do_guide(self, deed: Deed) -> None:
        self._on_call(AnswerGuide, deed, answers={"one": "yes"} if deed.much % 2 else {}, submit=deed.much > 3)

    def do_join(self, deed: Deed) -> None:
        self._order(JoinCampaign, deed, campaign=self._campaign(deed))

    def do_leave(self, deed: Deed) -> None:
        self._order(LeaveCampaign, deed, campaign=self._campaign(deed))

    def do_steer(self, deed: Deed) -> None:
        """Mostly back to work, so that there is some."""
        name, action = self._campaign(deed), TRIGGERS[deed.which % 4]
        for trigger in (action, CampaignTrigger.LOAD, CampaignTrigger.START)[: 3 if deed.which < 6 else 1]:
            self.hall.order(ControlCampaign, campaign=name, action=trigger)

    def do_withdraw(self, deed: Deed) -> None:
        known = sorted(self.hall.world.state.records)[deed.which :][:2]
        self.hall.order(WithdrawRecords, campaign=self._campaign(deed), record_ids=(*known, "nothing"))

    def do_mark(self, deed: Deed) -> None:
        self.hall.order(MarkDoNotCall, number=LISTED[deed.which])

    # ------------------------------------------------------------------ the end

    def close(self) -> None:
        """Campaigns are stopped and everybody says what he has to say of his records; then as ever."""
        hall, self.worse = self.hall, 0
        for name in sorted(hall.world.state.campaigns):
            hall.order(ControlCampaign, campaign=name, action=CampaignTrigger.STOP)
        for member in hall.world.config.agents.values():
            hall.phone_of(member).habit = Answers(Constant(100), Constant(5_000))
        for _ in range(30):
            if not hall.world.state.records:
                break
            for phone in self.outside:
                if phone.live:
                    self._hang_up(phone.live)
            for agent_id in AGENTS:
                for interaction_id in tuple(hall.agent(agent_id).engagements):
                    hall.order(CancelPlannedCallback, agent_id=agent_id, interaction_id=interaction_id)
                    hall.order(Dispose, agent_id=agent_id, interaction_id=interaction_id, codes=("sale",))
                    hall.order(MarkDone, agent_id=agent_id, interaction_id=interaction_id, wrap_up_reason="done")
                    hall.order(CancelOutdial, agent_id=agent_id, interaction_id=interaction_id)
            hall.run(10_000)
        assert not hall.world.state.records, f"left behind: {hall.world.state.records}"
        super().close()
        self.records.check_end()


def run(plan: list[Deed], *, is_calm: bool) -> CampaignChaos:
    chaos = CampaignChaos()
    chaos.carry_out(plan, is_calm=is_calm)
    chaos.mend()
    chaos.close()
    chaos.check_replay()
    return chaos


@pytest.mark.req("PROG-06", "SAFE-01", "PREV-15", "STATE-03")
@given(plan=deeds(*WORK, *WORK, *PEOPLE, *KEYS, *OUTSIDERS, *ORDERS))
@EFFORT
def test_whatever_people_do_each_record_is_in_one_place_and_comes_back_once(plan: list[Deed]) -> None:
    run(plan, is_calm=True)


TO_RING = [Deed("records", 0, 1), Deed("accept", 1), Deed("wait", 0, 500)]


@pytest.mark.req("PROG-06", "SAFE-01", "SAFE-02")
@given(plan=deeds(*WORK, *WORK, *PEOPLE, *OUTSIDERS, *CONTROL, *FAULTS, *FAULTS, "available"))
@example(plan=[*TO_RING, Deed("cut"), Deed("wait", 0, 7_000), Deed("restore"), Deed("wait", 0, 25_000)])
@example(plan=[*TO_RING, Deed("kill"), Deed("wait", 0, 40), Deed("start"), Deed("wait", 0, 25_000)])
@EFFORT
def test_after_any_faults_no_record_is_lost_or_called_twice(plan: list[Deed]) -> None:
    run(plan, is_calm=False)


@pytest.mark.req("SAFE-01", "PREV-18", "PREV-19")
@pytest.mark.parametrize("seed", range(4))
def test_a_long_day_of_campaigns_with_outages_converges(seed: int) -> None:
    random, chaos = Random(seed), CampaignChaos(seed)
    plan: list[Deed] = []
    for deed in long_day(random, 1_000):
        plan.append(deed)
        if random.random() < 0.3:
            kinds = ("sign_in", "available", "join", "records", "get", "accept", *random.choices(QUIET, k=2))
            who = random.randint(0, 3)
            plan += [Deed(what, who, random.randint(0, 7)) for what in kinds]
            plan += [
                Deed("wait", 0, random.choice((300, 3_000))),
                Deed(random.choice(QUIET), who, random.randint(0, 7)),
            ]
    chaos.carry_out([deed for deed in plan if deed.what != "pick_habit" or deed.much != 5])
    chaos.mend()
    chaos.close()
    chaos.check_replay()
    seen = Counter(e.type for e in chaos.hall.events)
    wanted = (EventType.RECORD_SHOWN, EventType.RECORD_RETURNED, EventType.ATTEMPT_STARTED, EventType.RECORD_DISPOSED)
    for type_ in (*wanted, EventType.RECORD_CALLBACK_PLANNED, EventType.GUIDE_ANSWERED):
        assert seen[type_] > 1, f"the day has had too few of {type_}: {seen}"
    assert sum(i.kind == "campaign" and i.answered_at_ms is not None for i in chaos.hall.ended) > 2
