"""Every example is checked and played, and nothing in the language belongs to one kind of PBX."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dialplan.flows.outcome import Outcome
from dialplan.flows.player import play
from dialplan.flows.scenario import mistakes
from dialplan.flows.stage import ScriptedCaller
from dialplan.flows.ways import reachable
from routing.app.config import Loaded, load
from routing.app.config.flow_models import STEP_MODELS
from routing.cli.flow_commands import texts_of, with_entry_point
from routing.cli.flow_scenarios import Scenario, read_scenarios
from routing.core.flow import EXITS, StepKind

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "deploy" / "example"
SCENARIOS = [
    (file.stem, scenario)
    for file in sorted((EXAMPLE / "scenarios").glob("*.toml"))
    for scenario in read_scenarios(file)
]
NAMES = [f"{flow}-{scenario.name}" for flow, scenario in SCENARIOS]


@pytest.fixture(scope="module", name="loaded")
def _loaded() -> Loaded:
    return load(EXAMPLE)


def played(loaded: Loaded, flow: str, scenario: Scenario) -> Outcome:
    config, entry_point = with_entry_point(loaded.config, flow, scenario.table.entry_point)
    answers = {name: answer.value() for name, answer in scenario.table.look_ups.items()}
    caller = ScriptedCaller(keys={n: tuple(k) for n, k in scenario.table.keys.items()}, answers=answers)
    outcome = play(config, texts_of(loaded), scenario.table.script(config, entry_point, 1_795_000_000_000), caller)
    assert list(caller.unused()) == []
    return outcome


@pytest.mark.req("FLOW-01")
@pytest.mark.parametrize(("flow", "scenario"), SCENARIOS, ids=NAMES)
def test_an_example_goes_as_its_scenario_says(loaded: Loaded, flow: str, scenario: Scenario) -> None:
    assert list(mistakes(scenario.table.expect.value(), played(loaded, flow, scenario))) == []


def test_the_scenarios_come_to_every_step_of_the_examples(loaded: Loaded) -> None:
    seen = {(v.flow, v.step) for flow, scenario in SCENARIOS for v in played(loaded, flow, scenario).path}
    steps = {(flow.id, step) for flow in loaded.config.flows.values() for step in reachable(flow)}
    rated = {("survey", step) for step in ("two", "three", "four")}  # as one and five
    assert steps - seen == rated


def test_the_examples_show_every_kind_of_step_but_a_transfer(loaded: Loaded) -> None:
    shown = {step.do for flow in loaded.config.flows.values() for step in flow.steps.values()}
    assert set(StepKind) - shown == {StepKind.TRANSFER}


def test_every_prompt_of_the_examples_is_there_in_both_languages(loaded: Loaded) -> None:
    assert {tuple(sorted(prompt.files)) for prompt in loaded.config.prompts.values()} == {("de", "en")}


@pytest.mark.req("FLOW-02")
def test_the_same_flows_are_right_on_either_kind_of_pbx(tmp_path: Path) -> None:
    for file in EXAMPLE.glob("*.toml"):
        (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    here = load(tmp_path).config
    freeswitch = '[pbx.ast1]\nkind = "freeswitch"\nsecret_env = "X"\ndial = "sofia/gateway/trunk/{number}"\n'
    (tmp_path / "pbx.toml").write_text(f'{freeswitch}prompts = "/var/lib/switchroom/prompts"\n', encoding="utf-8")
    there = load(tmp_path)
    assert there.warnings == ()
    assert (there.config.flows, there.config.prompts) == (here.flows, here.prompts)
    by_pbx: dict[str, Any] = {"pbxs": {}, "agents": {}, "supervisors": {}}  # the telephones have its dial strings
    assert replace(there.config, **by_pbx) == replace(here, **by_pbx)


@pytest.mark.req("FLOW-02")
def test_no_key_of_the_language_names_a_pbx_or_one_of_its_applications() -> None:
    words = [key for model in STEP_MODELS.values() for key in (*model.model_fields, model.__doc__ or "")]
    assert not re.search("asterisk|freeswitch|dialplan app|playback|read\\(|background", " ".join(words), re.IGNORECASE)


def test_every_kind_of_step_of_the_core_has_a_table_and_no_other() -> None:
    assert set(STEP_MODELS) == {kind.value for kind in StepKind} == {kind.value for kind in EXITS}
