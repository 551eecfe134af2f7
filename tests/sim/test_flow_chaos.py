"""Callers in flows among everything else that people, PBXs and connectors do: the laws hold, and all ends well."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given

from routing.core.commands import LookUp
from routing.core.config import Config, EntryPoint
from routing.core.declarations import CadType, CadVariable
from routing.core.events import EventType
from routing.core.facts import LookedUp, LookUpOutcome
from routing.core.flow import DigitInput, LookUpStep, Prompt
from routing.core.limits import CallLimits
from routing.core.orders import Transfer
from telephony.simulated.habits import Press, PressesInTurn
from tests.sim.flow_laws import flow_laws
from tests.sim.test_chaos import (
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
from tests.unit.flow_line import WORDS, flow, step

CAD = (CadVariable(name="case", label="Case", type=CadType.INTEGER), CadVariable(name="tier", label="Tier"))
IVR = flow(
    "ivr",
    hello=step("play", prompts=["welcome"], next="menu"),
    menu=step(
        "menu",
        prompts=["main_menu"],
        invalid_prompts=["wrong"],
        input=DigitInput(timeout_s=2, attempts=2),
        key_1="sales",
        key_2="case",
        key_3="support",
        key_4="dan",
        key_5="outside",
        key_6="other",
        key_0="menu",
        no_input="bye",
        invalid="back",
    ),
    case=step(
        "collect", prompts=["enter_case"], input=DigitInput(max_digits=3), into="case", next="ask", failed="menu"
    ),
    ask=step("look_up", look_up=LookUpStep(url="https://crm.example/{cad.case}", deadline_ms=900), next="sales"),
    sales=step("queue", queue="sales", full="menu", no_agents="bye"),
    support=step("queue", queue="support", timeout="menu", preferred_agent="agt_cleo", preferred_wait_s=4),
    dan=step("transfer", agent="agt_dan", failed="menu"),
    outside=step("transfer", number="5550", failed="bye"),
    other=step("transfer", entry_point="desk"),
    bye=step("hang_up", prompts=["goodbye"]),
    back=step("return", result="lost"),
    cad=CAD,
)
DESK = flow(
    "desk",
    ask=step("sub_flow", flow="question", yes="team", no="sales"),
    team=step("queue", queue="team", full="sales", no_agents="sales"),
    sales=step("queue", queue="sales"),
    cad=CAD,
)
QUESTION = flow(
    "question",
    ask=step("menu", prompts=["offer"], input=DigitInput(timeout_s=2, attempts=1), key_1="yes", no_input="no"),
    yes=step("end_sub_flow", exit="yes"),
    no=step("end_sub_flow", exit="no"),
)
IN_FLOWS = ("ivr", "ivr", "ivr", "desk", "to_flow", "listen_less")


def centre() -> Config:
    base = tenant()
    points = {name: EntryPoint(id=name, queue="", flow=name) for name in ("ivr", "desk")}
    return replace(
        base,
        entry_points=base.entry_points | points,
        limits=CallLimits(tenant_calls=25, dials_per_minute=20),
        flows={f.id: f for f in (IVR, DESK, QUESTION)},
        prompts={word: Prompt(id=word, files={"en": f"sound:{word}"}) for word in WORDS},
    )


class FlowChaos(Chaos):
    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed, centre())
        self.random = Random(seed)
        self.hall.outside = self.answer
        self.hall.observers.append(flow_laws)

    def answer(self, question: LookUp) -> tuple[LookedUp, int] | None:
        """In time, late, wrong or not at all."""
        dice = self.random.random()
        answer = LookedUp(
            pbx=question.pbx,
            interaction_id=question.interaction_id,
            command_id=question.id,
            outcome=LookUpOutcome.FAILED if dice > 0.8 else LookUpOutcome.DONE,
            cad={"tier": "gold"},
            priority=8,
            preferred_agent="agt_ben",
        )
        return None if dice > 0.9 else (answer, self.random.choice((5, 300, 900, 2_000)))

    # ------------------------------------------------------------------ deeds

    def do_ivr(self, deed: Deed) -> None:
        self._enter("ivr", deed)

    def do_desk(self, deed: Deed) -> None:
        self._enter("desk", deed)

    def _enter(self, entry_point: str, deed: Deed) -> None:
        presses = [self._press() for _ in range(self.random.randint(0, 6))]
        patience_ms = (None, None, 300, 2_100, 9_000, 60_000, None, None)[deed.much]
        self.hall.call(entry_point, patience_ms, pbx=self._node(deed).pbx.name, listener=PressesInTurn(*presses))

    def _press(self) -> Press:
        digits = self.random.choice(("", "0", "1", "2", "3", "4", "5", "6", "9", "123", "12#", "*"))
        return Press(digits=digits, after_ms=self.random.choice((0, 10, 1_999, 2_001, 3_500)), between_ms=400)

    def do_to_flow(self, deed: Deed) -> None:
        self._on_call(Transfer, deed, to_entry_point=("ivr", "desk")[deed.much % 2])

    def do_listen_less(self, deed: Deed) -> None:
        """A file is missing, or is there again."""
        prompts = self._node(deed).pbx.prompts
        prompts.missing ^= {WORDS[deed.much]}


@pytest.mark.req("FLOW-01", "FLOW-05", "EP-02", "ROUTE-05", "ROUTE-06")
@given(plan=deeds(*PEOPLE, *KEYS, *OUTSIDERS, *ORDERS, *IN_FLOWS, *IN_FLOWS))
@EFFORT
def test_callers_in_flows_break_no_law_and_leave_nothing_behind(plan: list[Deed]) -> None:
    chaos = FlowChaos()
    chaos.carry_out(plan, is_calm=True)
    chaos.mend()
    chaos.close()
    chaos.check_replay()


@pytest.mark.req("FLOW-01", "FLOW-05", "EP-02", "SAFE-01", "SAFE-02")
@given(plan=deeds(*PEOPLE, *KEYS, *OUTSIDERS, *ORDERS, *IN_FLOWS, *IN_FLOWS, *IN_FLOWS, *FAULTS, *FAULTS))
@EFFORT
def test_after_any_faults_callers_in_flows_go_on_or_home(plan: list[Deed]) -> None:
    chaos = FlowChaos()
    chaos.carry_out(plan)
    chaos.mend()
    chaos.close()
    chaos.check_replay()


@pytest.mark.req("FLOW-01", "EP-07")
@pytest.mark.parametrize("seed", range(3))
def test_a_long_day_of_flows_ends_well(seed: int) -> None:
    chaos, random = FlowChaos(seed), Random(seed)
    plan = long_day(random, 1_000)
    for place in range(len(plan), 0, -2):
        plan[place:place] = [Deed(random.choice(IN_FLOWS), random.randint(0, 7), random.randint(0, 7))]
    chaos.carry_out(plan)
    chaos.mend()
    chaos.close()
    chaos.check_replay()
    steps = {(event.values["step"], event.values["exit"]) for event in chaos.hall.told(EventType.FLOW_STEP)}
    assert len(chaos.hall.told(EventType.FLOW_ENTERED)) > 100
    assert len(steps) > 15, steps
