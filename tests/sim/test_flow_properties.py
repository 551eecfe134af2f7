"""Whatever is told of a call in a flow, in whatever order: it is never lost, and what plays is of the running step."""

from __future__ import annotations

import os
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.core.callback import CallbackRules
from routing.core.commands import LOOKUPS, LookUp, PlayPrompts, RecordMessage
from routing.core.config import Config, EntryPoint, Numbers, Pbx
from routing.core.declarations import CadType, CadVariable
from routing.core.dial_rights import DialRights
from routing.core.effects import Effects
from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    LegAnswered,
    LegArrived,
    LegEnded,
    LegState,
    LinkLost,
    LinkRestored,
    LookedUp,
    LookUpOutcome,
    MessageEnded,
    PhoneState,
    PromptOutcome,
    PromptsEnded,
    SnapshotLeg,
)
from routing.core.flow import Comparison, DigitInput, Flow, LookUpStep, Prompt, Test
from routing.core.interaction import InteractionState
from routing.core.orders import ApplyConfig, EndInteraction, FireTimer, SignIn, Transfer
from routing.core.step import Input
from routing.core.step import step as core_step
from routing.core.world import World, WorldState
from tests.factories import agent, queue
from tests.factories import config as tenant
from tests.sim.flow_laws import hold
from tests.unit.flow_line import WORDS, flow, step

A = "pbx1"
CALLERS = 4
EFFORT = settings(
    max_examples=int(os.environ.get("SWITCHROOM_SIM_EXAMPLES", "150")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
CAD = (CadVariable(name="case", label="Case", type=CadType.INTEGER), CadVariable(name="pin", label="Pin", secure=True))

MAIN = flow(
    hello=step("play", prompts=["welcome"], next="menu"),
    menu=step(
        "menu",
        prompts=["main_menu"],
        input=DigitInput(attempts=2),
        key_1="wait",
        key_2="number",
        key_3="crm",
        key_4="mail",
        key_5="offer",
        key_6="billing",
        key_7="sub",
        key_8="dial",
        no_input="bye",
        invalid="back",
    ),
    number=step(
        "collect", prompts=["enter_case"], input=DigitInput(max_digits=4), into="pin", next="test", failed="menu"
    ),
    test=step(
        "condition", tests=(Test(value="cad.pin", comparison=Comparison.ABOVE, to=("5",)),), yes="set", no="menu"
    ),
    set=step("set", cad={"case": "1{cad.case}"}, next="menu"),
    crm=step("look_up", look_up=LookUpStep(url="https://crm.example/{ani}"), next="wait", failed="menu"),
    wait=step("queue", queue="sales", timeout="mail", full="offer", no_agents="menu"),
    mail=step("voicemail", prompts=["greeting"], queue="support", recorded="bye", empty="menu"),
    offer=step("callback", prompts=["offer"], queue="support", accepted="bye", declined="wait"),
    billing=step("transfer", entry_point="billing"),
    sub=step("sub_flow", flow="inner", done="menu", other="wait"),
    dial=step("transfer", agent="agt_anna", failed="menu"),
    bye=step("hang_up", prompts=["goodbye"]),
    back=step("return", result="lost"),
    cad=CAD,
)
BILLING = flow(
    "billing", ask=step("menu", prompts=["main_menu"], key_1="wait"), wait=step("queue", queue="support"), cad=CAD
)
INNER = flow(
    "inner",
    ask=step("menu", prompts=["offer"], key_1="done", key_2="other", no_input="other"),
    done=step("end_sub_flow", exit="done"),
    other=step("end_sub_flow", exit="other"),
)
# Steps have gone, and others have become something else.
CHANGED = replace(
    MAIN,
    steps={name: s for name, s in MAIN.steps.items() if name != "number"}
    | {"menu": replace(MAIN.steps["bye"], id="menu")},
)


def centre(*flows: Flow) -> Config:
    return tenant(
        [agent("agt_anna", "sales", "support"), agent("agt_ben", "sales")],
        [queue("sales", max_wait_s=20, max_waiting=1, ring_timeout_s=5), queue("support")],
        pbxs={A: Pbx(id=A, kind="simulated", prompts="/prompts", dial="OUT/{number}")},
        entry_points={f.id: EntryPoint(id=f.id, queue="", flow=f.id) for f in flows},
        flows={f.id: f for f in flows},
        prompts={word: Prompt(id=word, files={"en": word}) for word in WORDS},
        callbacks=CallbackRules(dial=DialRights(allowed=("+1",))),
        numbers=Numbers(country="1"),
    )


class Told:
    """A world that is told things; every step is judged. `legs`: those that live."""

    def __init__(self) -> None:
        self.world = World(WorldState(config=Config(tenant="test")))
        self.now_ms, self.seq = 1_800_000_000_000, 0
        self.asked: list[PlayPrompts | RecordMessage] = []
        self.questions: list[LookUp] = []
        self.legs: set[str] = set()
        self.events: list[Any] = []
        self.log: list[tuple[int, int, Input]] = []
        self.configure(MAIN, BILLING, INNER)
        self.restore()

    def give(self, item: Input) -> Effects:
        self.seq += 1
        self.log.append((self.now_ms, self.seq, item))
        effects = core_step(self.world, item, self.now_ms, self.seq)
        self.asked += [c for c in effects.commands if isinstance(c, PlayPrompts | RecordMessage)]
        self.questions += [c for c in effects.commands if isinstance(c, LookUp)]
        self.events += effects.events
        hold(self.world, effects)
        self._nobody_is_lost()
        return effects

    def _nobody_is_lost(self) -> None:
        for leg_id in self.legs:
            interaction = self.world.interaction_of(leg_id)
            assert interaction is None or interaction.state is not InteractionState.ARRIVED, interaction

    def configure(self, *flows: Flow) -> None:
        self.give(ApplyConfig(order_id=f"cfg{self.seq}", config=centre(*flows)))

    def restore(self) -> None:
        customers = {leg: self.world.interaction_of(leg) for leg in sorted(self.legs)}
        legs = [SnapshotLeg(leg_id=leg, interaction_id=i.id, state=LegState.UP) for leg, i in customers.items() if i]
        for interaction in self.world.interactions_on(A):
            legs += [
                SnapshotLeg(leg_id=p.leg_id, interaction_id=interaction.id, state=LegState.UP)
                for p in interaction.parties
            ]
        phones = {a.phone: PhoneState.FREE for a in self.world.config.agents.values()}
        self.give(LinkRestored(pbx=A, legs=tuple(legs), phones=phones))

    def order(self, kind: type, **fields: Any) -> None:
        self.give(kind(order_id=f"ord{self.seq}", **fields))

    def advance(self, ms: int) -> None:
        end = self.now_ms + ms
        while due := sorted((at, timer) for timer, at in self.world.state.timers.items() if at <= end):
            self.now_ms = max(self.now_ms, due[0][0])
            self.give(FireTimer(key=due[0][1]))
        self.now_ms = end

    # ------------------------------------------------------------------ what may be told

    def act(self, random: Random) -> None:
        random.choice(_ACTS)(self, random)

    def arrive(self, random: Random) -> None:
        leg_id = f"leg_{self.seq}"
        if len(self.world.state.interactions) < CALLERS and self.world.is_linked(A):
            self.legs.add(leg_id)
            self.give(LegArrived(pbx=A, leg_id=leg_id, entry_point="main", ani="+12015550100", cad={"case": "7"}))

    def hear(self, random: Random) -> None:
        """Of any prompts that were ever asked for, mostly of the last ones."""
        if not self.asked:
            return
        asked = random.choice(self.asked[-3:] if random.random() < 0.9 else self.asked)
        outcome = random.choices(list(PromptOutcome), weights=[8, 1, 1])[0]
        about: dict[str, Any] = {"pbx": A, "leg_id": asked.leg_id, "command_id": asked.id, "outcome": outcome}
        if isinstance(asked, RecordMessage):
            self.give(MessageEnded(**about, duration_ms=random.choice((0, 4000))))
        else:
            self.give(PromptsEnded(**about, digits=random.choice(("", *"12345678", "4711", "#", "*"))))

    def fail(self, random: Random) -> None:
        if self.asked:
            outcome = random.choice(list(CommandOutcome))
            self.give(CommandEnded(pbx=A, command_id=random.choice(self.asked[-2:]).id, outcome=outcome))

    def answer(self, random: Random) -> None:
        if self.questions:
            asked = random.choice(self.questions[-2:])
            about: dict[str, Any] = {
                "interaction_id": asked.interaction_id,
                "command_id": asked.id,
                "cad": {"case": "12"},
            }
            outcome = random.choice(list(LookUpOutcome))
            self.give(LookedUp(pbx=LOOKUPS, outcome=outcome, preferred_agent="agt_ben", priority=3, **about))

    def hang_up(self, random: Random) -> None:
        if self.legs:
            leg_id = random.choice(sorted(self.legs))
            self.legs.discard(leg_id)
            self.give(LegEnded(pbx=A, leg_id=leg_id))

    def link(self, random: Random) -> None:
        if self.world.is_linked(A):
            self.give(LinkLost(pbx=A))
            self.advance(random.choice((0, 100, 5000, 400_000)))
        self.restore()

    def pick_up(self, random: Random) -> None:
        offers = [o for i in self.world.state.interactions.values() for o in i.offers]
        if offers:
            self.give(LegAnswered(pbx=A, leg_id=random.choice(offers).leg_id))

    def talk(self, random: Random) -> None:
        for interaction in list(self.world.state.interactions.values()):
            for party in interaction.parties:
                if random.random() < 0.5:
                    self.order(EndInteraction, agent_id=party.agent_id, interaction_id=interaction.id)
                else:
                    about = {"agent_id": party.agent_id, "interaction_id": interaction.id}
                    self.order(Transfer, **about, to_entry_point=random.choice(("main", "billing")))
                return

    def staff(self, random: Random) -> None:
        self.order(SignIn, agent_id=random.choice(("agt_anna", "agt_ben")))

    def change(self, random: Random) -> None:
        self.configure(random.choice((MAIN, CHANGED)), BILLING, INNER)

    def wait(self, random: Random) -> None:
        self.advance(random.choice((200, 2500, 21_000, 301_000)))


_ACTS = (
    *[Told.arrive] * 2,
    *[Told.hear] * 8,
    Told.fail,
    *[Told.answer] * 2,
    Told.hang_up,
    Told.link,
    Told.pick_up,
    Told.talk,
    Told.staff,
    Told.change,
    *[Told.wait] * 2,
)


@pytest.mark.req("FLOW-01", "FLOW-05", "EP-07")
@EFFORT
@given(seed=st.integers(0, 2**32), acts=st.integers(1, 150))
def test_a_call_in_a_flow_is_never_lost_whatever_is_told_and_when(seed: int, acts: int) -> None:
    random, told = Random(seed), Told()
    for _ in range(acts):
        told.act(random)
        told.now_ms += random.choice((0, 10, 700))
    assert "'4711'" not in repr(told.events), "digits for a secure variable are in an event"
    again = World(WorldState(config=Config(tenant="test")))
    for now_ms, seq, item in told.log:
        core_step(again, item, now_ms, seq)
    assert again.state == told.world.state
    for leg_id in sorted(told.legs):
        told.give(LegEnded(pbx=A, leg_id=leg_id))
    assert all(not i.customer_leg for i in told.world.state.interactions.values())
