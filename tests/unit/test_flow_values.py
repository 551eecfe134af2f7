"""Values by name, templates, and what the PBX is asked to play for prompts and numbers (FLOW-01, FLOW-02)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from routing.core import playing, spoken
from routing.core.config import Pbx
from routing.core.flow import Prompt, PromptPart
from routing.core.flow_values import NAMES, QUEUE_NAMES, fill, names_in, shown, value
from tests.unit.core_driver import START_MS, queue
from tests.unit.flow_line import ANNA, BEN, Call, centre, flow, step

MENU = step("menu", prompts=["main_menu"], key_1="menu")


def call_with(ready: tuple[str, ...] = (), **changes: Any) -> Call:
    return Call(centre(flow(menu=MENU), queues=[queue(), queue("service")], **changes), ready=ready, cad={"case": "42"})


def of(call: Call, name: str) -> str:
    return value(call.d.world, call.now, name)


@pytest.mark.req("FLOW-01")
def test_values_of_the_call_and_of_its_time() -> None:
    call = call_with(time_zone="Europe/Berlin")
    got = {name: of(call, name) for name in sorted(NAMES)}
    assert got == {
        "ani": "+12015550100",
        "ani_name": "",
        "dnis": "7000",
        "entry_point": "main",
        "ewt_min": "",
        "ewt_s": "",
        "interaction_id": call.id,
        "language": "en",
        "now": "2027-01-15T09:00:00+01:00",
        "position": "",
        "preferred_agent": "",
        "priority": "",
        "queue": "",
        "wait_s": "0",
        "weekday": "friday",
    }
    assert START_MS == 1_800_000_000_000


@pytest.mark.req("ROUTE-10")
def test_place_and_expected_wait_are_values_while_the_call_waits() -> None:
    queued = step("queue", queue="sales")
    call = Call(centre(flow(wait=queued)), ready=(ANNA,))
    other = call.d.call("c2", entry_point="main")
    call.d.call("c3", entry_point="main")
    waiting = call.d.interaction(other)
    assert waiting.state.value == "queued"
    assert value(call.d.world, waiting, "position") == "1"
    assert int(value(call.d.world, waiting, "ewt_s")) > 60
    minutes = -(-int(value(call.d.world, waiting, "ewt_s")) // 60)
    assert value(call.d.world, waiting, "ewt_min") == str(minutes)
    call.d.advance(15)
    call.d.call("c4", entry_point="main")
    assert value(call.d.world, call.d.interaction(other), "wait_s") == "15"


@pytest.mark.req("ROUTE-10")
def test_values_of_a_queue_in_which_the_caller_does_not_wait_yet() -> None:
    call = call_with(ready=(ANNA, BEN))
    assert {name: of(call, f"queue.sales.{name}") for name in sorted(QUEUE_NAMES)} == {
        "agents": "2",
        "available": "2",
        "ewt_min": "0",
        "ewt_s": "0",
        "waiting": "0",
    }
    call.d.call("c2", entry_point="sales")
    assert (of(call, "queue.sales.waiting"), of(call, "queue.sales.available")) == ("1", "1")
    assert (of(call, "queue.service.agents"), of(call, "queue.service.ewt_s")) == ("0", "")
    assert (of(call, "queue.sales.nothing"), of(call, "queue.gone.agents")) == ("", "")


@pytest.mark.req("FLOW-01")
def test_a_template_has_its_values_and_nothing_for_those_that_are_not_there() -> None:
    call = call_with()
    assert fill(call.d.world, call.now, "case {cad.case}, {cad.tier}{what} of {ani}{") == "case 42,  of +12015550100{"
    assert names_in("a {cad.case} {queue.sales.ewt_s} {") == ("cad.case", "queue.sales.ewt_s")


@pytest.mark.req("CAD-05")
def test_a_secure_value_is_masked_where_it_is_shown() -> None:
    call = Call(centre(flow(menu=MENU)), cad={"card": "4111", "case": "42"})
    assert (of(call, "cad.card"), shown(call.d.world, call.now, "cad.card")) == ("4111", "••••")
    assert (shown(call.d.world, call.now, "cad.case"), shown(call.d.world, call.now, "cad.due")) == ("42", "")


@pytest.mark.req("FLOW-02")
@pytest.mark.parametrize(
    ("own", "of_flow", "played"),
    [
        ("", "", "/prompts/hello-en"),
        ("de", "", "/prompts/hello-de"),
        ("", "de", "/prompts/hello-de"),
        ("fr", "de", "/prompts/hello-de"),
        ("fr", "", "/prompts/hello-en"),
    ],
)
def test_a_prompt_is_played_in_the_best_language_there_is(own: str, of_flow: str, played: str) -> None:
    call = Call(centre(replace(flow(menu=MENU), language=of_flow)))
    world = call.d.world
    world.state.config = replace(
        world.config, prompts={"hello": Prompt(id="hello", files={"en": "hello-en", "de": "hello-de"})}
    )
    speaker = replace(call.now, language=own)
    assert playing.sounds(world, speaker, (PromptPart(prompt="hello"),)) == (played,)


@pytest.mark.req("FLOW-02")
def test_sounds_of_the_pbx_and_files_of_the_node_that_has_the_caller() -> None:
    pbx = Pbx(id="a", kind="freeswitch", prompts="/srv/sounds")
    call = Call(centre(flow(menu=MENU), pbxs={"a": pbx}), cad={"case": "42", "tier": "7x3"})
    call.d.world.state.config = replace(
        call.d.world.config,
        prompts={
            "beep": Prompt(id="beep", files={"en": "sound:beep"}),
            "own": Prompt(id="own", files={"fr": "own/fr"}),
        },
    )
    parts = (
        PromptPart(prompt="beep"),
        PromptPart(prompt="own"),
        PromptPart(prompt="not there"),
        PromptPart(number="cad.case"),
        PromptPart(digits="cad.tier"),
        PromptPart(number="cad.due"),
    )
    assert playing.sounds(call.d.world, call.now, parts) == (
        "beep",
        "/srv/sounds/own/fr",
        "digits/40",
        "digits/2",
        "digits/7",
        "digits/3",
    )


@pytest.mark.req("FLOW-02")
@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        ("0", "en", "0"),
        ("7", "en", "7"),
        ("20", "en", "20"),
        ("21", "en", "20 1"),
        ("90", "en-US", "90"),
        ("100", "en", "1 hundred"),
        ("115", "en", "1 hundred 15"),
        ("1000", "en", "1 thousand"),
        ("12034", "en", "12 thousand 30 4"),
        ("999999", "en", "9 hundred 90 9 thousand 9 hundred 90 9"),
        ("1000000", "en", "1 0 0 0 0 0 0"),
        ("42", "de", "42"),
        ("99", "fr", "99"),
        ("142", "de", "1 4 2"),
        ("007", "en", "7"),
        ("3.5", "en", "3 5"),
        ("", "en", ""),
        ("none", "en", ""),
    ],
)
def test_numbers_are_composed_of_sounds_that_both_pbxs_have(text: str, language: str, said: str) -> None:
    assert spoken.number(text, language) == tuple(f"digits/{name}" for name in said.split())


@pytest.mark.req("FLOW-02")
def test_a_number_of_any_length_is_said_digit_by_digit() -> None:
    assert spoken.number("1" * 5000, "en") == ("digits/1",) * 5000


@pytest.mark.req("FLOW-02")
def test_digits_are_said_one_by_one() -> None:
    assert spoken.digits("+1 20*") == ("digits/1", "digits/2", "digits/0")
