"""Callbacks and voicemails among everything else that people, PBXs and connectors do: the laws hold, all ends well."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import example, given

from routing.core.callback import CallbackRules
from routing.core.commands import DialLeg, LookUp
from routing.core.config import Config, EntryPoint
from routing.core.dial_rights import DialRights
from routing.core.effects import Effects
from routing.core.events import EventType
from routing.core.facts import LookedUp, LookUpOutcome
from routing.core.flow import Flow, FlowStep, StepKind
from routing.core.hours import Hours, Span
from routing.core.interaction import InteractionState
from routing.core.orders import (
    CancelCallback,
    FinishWrapUp,
    GoAvailable,
    MarkDoNotCall,
    ReplayMessage,
    RequestCallback,
    SignIn,
)
from routing.core.step import Input
from telephony.simulated.habits import Answers, Constant, Patient, Speech
from tests.sim.hall import Hall
from tests.sim.test_chaos import (
    AGENTS,
    CONTROL,
    CUSTOMERS,
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

ANIS = tuple(f"+1201555016{n}" for n in range(8))  # of callers who give up; the last one is nobody's telephone
RULES = CallbackRules(
    max_attempts=2,
    retry_s=(5, 9),
    expire_s=600,
    dial=DialRights(allowed=("+1",)),
    ring_timeout_s=7,
    retry_unchecked_s=3,
    hours="minutes",
)
# Open most of each hour, so that the calling window closes and opens while a plan runs.
OPEN = tuple(Span(from_min=60 * hour, until_min=60 * hour + 57) for hour in range(24))
OWED = ("request", "request", "abandon", "abandon", "cancel_callback", "mark", "mail", "mail", "replay", "answer_worse")


def centre() -> Config:
    base = tenant()
    mail = FlowStep(id="mail", do=StepKind.VOICEMAIL, queue="sales", max_s=20, silence_s=3)
    return replace(
        base,
        queues=base.queues | {"sales": replace(base.queues["sales"], callback_after_abandon_s=1)},
        entry_points=base.entry_points | {"mailbox": EntryPoint(id="mailbox", queue="", flow="mail")},
        flows={"mail": Flow(id="mail", start="mail", steps={"mail": mail})},
        hours={"minutes": Hours(id="minutes", time_zone="UTC", week=(OPEN,) * 7)},
        callbacks=RULES,
    )


class Dials:
    """An observer: who is called back was allowed by an answer since the last attempt, and each attempt dials once."""

    def __init__(self) -> None:
        self.allowed: Counter[str] = Counter()
        self.dialed: Counter[str] = Counter()

    def __call__(self, hall: Hall, item: Input, effects: Effects) -> None:
        if isinstance(item, LookedUp) and item.outcome is LookUpOutcome.DONE and not item.is_blocked:
            self.allowed[item.interaction_id] += 1
        for command in effects.commands:
            if isinstance(command, DialLeg) and "@trunk" in command.phone:
                found = hall.world.state.interactions.get(command.interaction_id)
                if found is not None and found.callback is not None and not found.customer_leg:
                    self.dialed[found.id] += 1
                    assert self.dialed[found.id] <= self.allowed[found.id], f"dialed unchecked: {found}"
                    assert found.parties, f"dialed for nobody: {found}"


class OwedChaos(Chaos):
    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed, centre())
        self.outside += [node.pbx.add_phone(f"OUT/{ani}@trunk") for node in self.nodes for ani in ANIS[:-1]]
        self.random = Random(seed)
        self.worse = 0
        self.hall.outside = self.answer
        self.hall.observers.append(Dials())

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

    def do_answer_worse(self, deed: Deed) -> None:
        self.worse = deed.much % 4

    def do_request(self, deed: Deed) -> None:
        queues = ("sales", "support", "team", "nowhere")
        now_ms = self.hall.clock.now_ms
        self.hall.order(
            RequestCallback,
            number=CUSTOMERS[deed.which % 3],
            queue=queues[deed.much % 4],
            not_before_ms=now_ms + 4_000 if deed.much == 5 else 0,
            entered_at_ms=now_ms - 30_000 if deed.much == 6 else 0,
            requires="spanish:3" if deed.much == 2 else "",
            preferred_agent=AGENTS[0] if deed.much == 3 else "",
        )

    def do_abandon(self, deed: Deed) -> None:
        """A caller who gives up soon, and is called back."""
        ani, patience_ms = ANIS[deed.which], 1_500 + 10 * deed.much
        self.hall.call("sales", patience_ms=patience_ms, pbx=self._node(deed).pbx.name, ani=ani)

    def _owed(self) -> list[str]:
        return [i.id for i in self.hall.world.state.interactions.values() if i.kind == "callback"]

    def do_cancel_callback(self, deed: Deed) -> None:
        for interaction_id in self._owed()[deed.which :][:1]:
            self.hall.order(CancelCallback, interaction_id=interaction_id)

    def do_mark(self, deed: Deed) -> None:
        self.hall.order(MarkDoNotCall, number=(*CUSTOMERS, *ANIS[:3], "nobody")[deed.which % 7])

    def do_mail(self, deed: Deed) -> None:
        speech = Speech(says_ms=(300, 2_500, 6_000, 40_000)[deed.much % 4], hangs_up=deed.much > 3)
        self.hall.call("mailbox", pbx=self._node(deed).pbx.name, listener=Patient(speech=speech))

    def do_replay(self, deed: Deed) -> None:
        self._on_call(ReplayMessage, deed)

    # ------------------------------------------------------------------ the end

    def close(self) -> None:
        """Who gave up is not called back, and messages are heard by agents who have time; then as ever."""
        hall = self.hall
        self.worse = 0
        for member in hall.world.config.agents.values():
            phone = hall.phone_of(member)
            self._home(phone).register(phone, True)
            phone.habit = Answers(Constant(100), Constant(5_000))
        for _ in range(90):
            if not hall.world.state.interactions:
                break
            self._send_home()
            for agent_id in AGENTS:
                hall.order(SignIn, agent_id=agent_id)
                hall.order(FinishWrapUp, agent_id=agent_id, reason="done")
                hall.order(GoAvailable, agent_id=agent_id)
            hall.run(10_000)
        super().close()

    def _send_home(self) -> None:
        hall = self.hall
        live = [c for node in self.nodes for c in node.pbx.channels.values() if c.arrival]
        live += [phone.live for phone in self.outside if phone.live]
        for interaction in hall.world.state.interactions.values():
            if interaction.state is InteractionState.LISTENING:
                channels = hall.nodes[interaction.pbx].pbx.channels
                live += [channels[party.leg_id] for party in interaction.parties]
        for channel in live:
            self._hang_up(channel)
        hall.run(500)
        for interaction_id in self._owed():
            hall.order(CancelCallback, interaction_id=interaction_id)


def run(plan: list[Deed], *, is_calm: bool) -> OwedChaos:
    chaos = OwedChaos()
    chaos.carry_out(plan, is_calm=is_calm)
    chaos.mend()
    chaos.close()
    chaos.check_replay()
    return chaos


@pytest.mark.req("CBQ-03", "CBQ-09", "SAFE-01")
@given(plan=deeds(*OWED, *OWED, *PEOPLE, *KEYS, *OUTSIDERS, *ORDERS))
@EFFORT
def test_whatever_people_do_callbacks_and_messages_keep_the_laws(plan: list[Deed]) -> None:
    run(plan, is_calm=True)


TO_RING = [Deed("request"), Deed("wait", 0, 500)]


@pytest.mark.req("CBQ-03", "CBQ-09", "SAFE-01", "SAFE-02")
@given(plan=deeds(*OWED, *OWED, *OWED, *PEOPLE, *OUTSIDERS, *CONTROL, *FAULTS, *FAULTS, "available"))
@example(plan=[*TO_RING, Deed("cut"), Deed("wait", 0, 7_000), Deed("restore"), Deed("wait", 0, 25_000)])
@example(plan=[*TO_RING, Deed("kill"), Deed("wait", 0, 40), Deed("start"), Deed("wait", 0, 25_000)])
@EFFORT
def test_after_any_faults_nobody_is_called_twice_for_one_attempt(plan: list[Deed]) -> None:
    run(plan, is_calm=False)


@pytest.mark.req("CBQ-06", "CBQ-07", "SAFE-01")
@pytest.mark.parametrize("seed", range(4))
def test_a_long_day_with_callbacks_and_outages_converges(seed: int) -> None:
    random, chaos = Random(seed), OwedChaos(seed)
    plan: list[Deed] = []
    for deed in long_day(random, 2_000):
        plan.append(deed)
        if random.random() < 0.2:
            owed = random.choice((*OWED, *("request", "abandon", "mail") * 4))
            kinds = (owed, "available", "available", "wrap_up", "hang_up_phone")
            plan += [Deed(what, random.randint(0, 7), random.randint(0, 7)) for what in kinds]
            plan.append(Deed("wait", 0, random.choice((1, 300, 3_000))))
    chaos.carry_out([deed for deed in plan if deed.what != "pick_habit" or deed.much != 5])  # no phone is dead all day
    chaos.mend()
    chaos.close()
    chaos.check_replay()
    seen = Counter(e.type for e in chaos.hall.events)
    for type_ in (EventType.CALLBACK_DIALED, EventType.CALLBACK_MISSED, EventType.CALLBACK_GIVEN_UP):
        assert seen[type_] > 5, f"the day has had too few of {type_}: {seen}"
    assert seen[EventType.VOICEMAIL_LEFT] > 5
    assert seen[EventType.VOICEMAIL_HEARD] > 5
    talked = [i for i in chaos.hall.ended if i.kind == "callback" and i.answered_at_ms is not None]
    assert len(talked) > 3
