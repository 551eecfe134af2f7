"""Callers in flows over the simulated PBX: keys, links, crashes and answers, told one by one."""

from __future__ import annotations

import pytest

from routing.core.commands import LOOKUPS, LookUp, PlayPrompts
from routing.core.config import Config, EntryPoint, Pbx, Result
from routing.core.declarations import CadType, CadVariable
from routing.core.events import EventType
from routing.core.facts import LookedUp, LookUpOutcome
from routing.core.flow import DigitInput, Flow, LookUpStep, Prompt
from routing.core.interaction import InteractionState
from telephony.simulated.channel import Channel, Place
from telephony.simulated.habits import Answers, Constant, Habit, Press, PressesAt, PressesInTurn, Speech
from tests.factories import PBX, agent, config, queue
from tests.sim.flow_laws import flow_laws
from tests.sim.hall import Hall
from tests.sim.laws import Laws
from tests.unit.flow_line import WORDS, flow, step

S = InteractionState

HELP_LINE = flow(
    hello=step("play", prompts=["welcome"], next="menu"),
    menu=step(
        "menu",
        prompts=["main_menu"],
        invalid_prompts=["wrong"],
        input=DigitInput(timeout_s=3, attempts=2),
        key_1="wait",
        key_2="case",
        no_input="bye",
        invalid="bye",
    ),
    case=step(
        "collect",
        prompts=["enter_case"],
        input=DigitInput(min_digits=4, max_digits=6, attempts=2),
        into="case",
        next="ask",
        failed="bye",
    ),
    ask=step(
        "look_up", look_up=LookUpStep(url="https://crm.example/{cad.case}", default={"tier": "none"}), next="wait"
    ),
    wait=step("queue", queue="sales", timeout="mail", full="mail"),
    mail=step("voicemail", prompts=["greeting"], queue="sales", max_s=60, recorded="bye", empty="bye"),
    bye=step("hang_up", prompts=["goodbye"]),
    cad=(CadVariable(name="case", label="Case", type=CadType.INTEGER), CadVariable(name="tier", label="Tier")),
)


def centre(*names: str, flows: tuple[Flow, ...] = (HELP_LINE,), max_wait_s: int | None = 60) -> Config:
    return config(
        [agent(f"agt_{name}") for name in names],
        [queue(max_wait_s=max_wait_s)],
        pbxs={PBX: Pbx(id=PBX, kind="simulated", prompts="/prompts")},
        entry_points={f.id: EntryPoint(id=f.id, queue="", flow=f.id) for f in flows},
        flows={f.id: f for f in flows},
        prompts={word: Prompt(id=word, files={"en": word}) for word in WORDS},
    )


def hall(*names: str, max_wait_s: int | None = 60) -> Hall:
    habits: dict[str, Habit] = {f"agt_{name}": Answers(Constant(1000), Constant(60_000)) for name in names}
    made = Hall(centre(*names, max_wait_s=max_wait_s), habits)
    made.observers += [Laws(), flow_laws]
    made.sign_in_all()
    return made


def step_of(house: Hall, caller: Channel) -> str:
    position = house.interaction(caller).flow
    return position.step if position else ""


@pytest.mark.req("FLOW-01")
def test_a_caller_presses_his_way_to_an_agent() -> None:
    house = hall("anna")
    caller = house.call("main", listener=PressesInTurn("1"))
    house.run(1000)
    assert (caller.prompt, house.pbx.hears(caller).parties) == ("/prompts/welcome", frozenset())
    house.run(3000)
    phone = house.pbx.phones["SIM/anna"]
    assert house.interaction(caller).state is S.CONNECTED
    assert house.pbx.hears(caller).parties == {"SIM/anna"}
    house.run(61_000)
    assert house.ended_with(caller).result is Result.ANSWERED
    assert phone.live is None


@pytest.mark.req("FLOW-01")
def test_a_caller_who_says_nothing_hears_the_menu_twice_and_a_goodbye() -> None:
    house = hall("anna")
    caller = house.call("main")
    house.run(30_000)
    played = [c.prompts[-1].rpartition("/")[2] for c in house.commands if isinstance(c, PlayPrompts)]
    assert played == ["welcome", "main_menu", "main_menu", "goodbye"]
    assert (house.ended_with(caller).result, caller.is_live) == (Result.FLOW_ENDED, False)


def crm(question: LookUp, **fields: object) -> LookedUp:
    about = {"interaction_id": question.interaction_id, "command_id": question.id}
    return LookedUp(pbx=LOOKUPS, outcome=LookUpOutcome.DONE, **about, **fields)  # type: ignore[arg-type]


@pytest.mark.req("FLOW-05")
@pytest.mark.parametrize(("after_ms", "tier"), [(300, "gold"), (2500, "none")])
def test_digits_go_to_the_crm_and_its_answer_counts_when_it_comes_in_time(after_ms: int, tier: str) -> None:
    house = hall("anna")
    asked: list[LookUp] = []

    def outside(question: LookUp) -> tuple[LookedUp, int]:
        asked.append(question)
        return crm(question, cad={"tier": "gold"}), after_ms

    house.outside = outside
    listener = PressesAt({"main_menu": Press(digits="2"), "enter_case": Press(digits="4711#")})
    caller = house.call("main", listener=listener)
    house.run(12_000)
    assert len(asked) == 1
    connected = house.interaction(caller)
    assert (connected.state, connected.cad) == (S.CONNECTED, {"case": "4711", "tier": tier})


@pytest.mark.req("FLOW-01")
def test_nobody_comes_and_the_caller_leaves_a_message() -> None:
    house = hall()
    speaks = PressesAt({"main_menu": Press(digits="1")}, speech=Speech(says_ms=8000))
    caller = house.call("main", listener=speaks)
    house.run(4000)
    assert house.pbx.hears(caller).music == "default"
    house.run(90_000)
    assert house.ended_with(caller).result is Result.VOICEMAIL
    (message,) = [i for i in house.world.state.interactions.values() if i.kind == "voicemail"]
    assert message.message is not None
    assert 8000 <= message.message.duration_ms < 14_000


@pytest.mark.req("FLOW-01")
def test_a_message_counts_that_ends_with_the_hanging_up() -> None:
    house = hall()
    speaks = PressesAt({"main_menu": Press(digits="1")}, speech=Speech(says_ms=8000, hangs_up=True))
    caller = house.call("main", listener=speaks)
    house.run(90_000)
    assert house.ended_with(caller).result is Result.VOICEMAIL
    assert [i.kind for i in house.world.state.interactions.values()] == ["voicemail"]


@pytest.mark.req("FLOW-01")
@pytest.mark.parametrize("at_ms", [500, 2500, 5000, 8500])
def test_a_caller_hangs_up_anywhere_and_nothing_is_left(at_ms: int) -> None:
    house = hall()
    caller = house.call("main", at_ms, listener=PressesAt({"main_menu": Press(digits="2", after_ms=2500)}))
    house.run(60_000)
    assert house.ended_with(caller).result is Result.ABANDONED
    assert (house.world.state.interactions, house.world.state.timers, house.our_legs()) == ({}, {}, [])


@pytest.mark.req("FLOW-01")
@pytest.mark.parametrize("at_ms", [500, 2500, 3600, 6500])
def test_a_lost_link_only_makes_the_caller_hear_the_step_once_more(at_ms: int) -> None:
    house = hall("anna")
    caller = house.call("main", listener=PressesAt({"main_menu": Press(digits="1", after_ms=1700)}))
    house.run(at_ms)
    house.port.cut()
    house.run(5000)
    house.port.restore()
    house.run(30_000)
    assert house.interaction(caller).state is S.CONNECTED


@pytest.mark.req("FLOW-01")
@pytest.mark.parametrize("at_ms", [500, 2500, 3600])
def test_a_connector_that_is_killed_only_makes_the_caller_hear_the_step_once_more(at_ms: int) -> None:
    house = hall("anna")
    caller = house.call("main", listener=PressesAt({"main_menu": Press(digits="1", after_ms=1700)}))
    house.run(at_ms)
    house.kill_connector()
    house.run(5000)
    house.start_connector()
    house.run(30_000)
    assert house.interaction(caller).state is S.CONNECTED


@pytest.mark.req("FLOW-02")
def test_a_missing_file_does_not_keep_the_caller() -> None:
    house = hall("anna")
    house.pbx.prompts.missing |= {"/prompts/welcome"}
    caller = house.call("main", listener=PressesInTurn("1"))
    house.run(3000)
    assert house.interaction(caller).state is S.CONNECTED


@pytest.mark.req("FLOW-01")
def test_a_replay_of_callers_in_flows_gives_the_same_state() -> None:
    house = hall("anna")
    for n in range(6):
        house.call("main", listener=PressesInTurn(*["12"[n % 2], "4711"]))
        house.run(1700)
    assert house.replay().state == house.world.state
    house.run(120_000)
    assert house.replay().state == house.world.state
    assert len(house.told(EventType.FLOW_ENTERED)) == 6
    assert not [c for c in house.our_legs() if c.place is Place.HANDED_OVER]
