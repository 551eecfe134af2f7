"""The guide to flows: its examples are one right configuration, its scenarios are played, its tables are complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dialplan.flows.player import play
from dialplan.flows.scenario import mistakes
from dialplan.flows.stage import ScriptedCaller
from routing.app.config import check
from routing.cli.flow_commands import texts_of, with_entry_point
from routing.cli.flow_scenarios import ExpectTable, Scenario, ScenarioTable, read_scenarios
from routing.core.flow import EXITS
from routing.core.flow_values import NAMES, QUEUE_NAMES

GUIDE = (Path(__file__).parents[2] / "docs" / "flows.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```toml\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
PLAYED = {
    found[1]: block for block in BLOCKS if (found := re.match(r"# switchroom flow test (\w+) --scenario FILE\n", block))
}
AROUND = """\
[server]
cad_key_env = "NOBODY_SETS_THIS"
[pbx.ast1]
secret_env = "NOBODY_SETS_THIS"
prompts = "/nowhere/prompts"
dial = "PJSIP/{number}@trunk"
[skills]
loans = "Loans"
[teams.front]
queues = ["sales", "loans"]
[agents.anna]
name = "Anna"
team = "front"
phone = "1001"
[agents.ben]
name = "Ben"
team = "front"
phone = "1002"
skills = { loans = 5 }
"""


@pytest.fixture(scope="module", name="directory")
def _directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All examples of the guide in one directory, a file each."""
    directory = tmp_path_factory.mktemp("guide")
    (directory / "around.toml").write_text(AROUND, encoding="utf-8")
    for number, block in enumerate(block for block in BLOCKS if block not in PLAYED.values()):
        (directory / f"example{number}.toml").write_text(block, encoding="utf-8")
    return directory


def scenarios_of(flow: str, directory: Path) -> list[Scenario]:
    file = directory / f"{flow}.scenario"
    file.write_text(PLAYED[flow], encoding="utf-8")
    return read_scenarios(file)


@pytest.mark.req("FLOW-01")
def test_the_examples_are_right_but_for_files_that_nobody_has_spoken_yet(directory: Path) -> None:
    unspoken = ("run 'switchroom prompts render'", ": record it")
    assert [problem for problem in check(directory).problems if not problem.reason.endswith(unspoken)] == []


@pytest.mark.req("FLOW-01")
@pytest.mark.parametrize("flow", PLAYED)
def test_the_scenarios_of_the_guide_go_as_it_says(directory: Path, flow: str) -> None:
    loaded = check(directory).loaded
    assert loaded is not None
    config, entry_point = with_entry_point(loaded.config, flow, None)
    scenarios = scenarios_of(flow, directory)
    assert scenarios
    for scenario in scenarios:
        table = scenario.table
        answers = {name: answer.value() for name, answer in table.look_ups.items()}
        caller = ScriptedCaller(keys={name: tuple(keys) for name, keys in table.keys.items()}, answers=answers)
        outcome = play(config, texts_of(loaded), table.script(config, entry_point, 1_795_000_000_000), caller)
        assert [*mistakes(table.expect.value(), outcome), *caller.unused()] == [], scenario.name


def test_every_flow_of_the_guide_is_played(directory: Path) -> None:
    flows = set(re.findall(r"^\[flows\.(\w+)\]$", GUIDE, re.MULTILINE))
    assert flows - PLAYED.keys() == {"ask_language"}, "which another one runs"


def test_the_table_of_values_has_every_value_that_flows_know() -> None:
    table = GUIDE.partition("## Values")[2].partition("## What")[0]
    named = set(
        re.findall(r"`([a-z_.A-Z]+)`", "\n".join(line.split("|")[1] for line in table.splitlines() if "|" in line))
    )
    assert named == {*NAMES, "cad.NAME", *(f"queue.ID.{name}" for name in QUEUE_NAMES)}


def test_the_reference_of_steps_has_every_kind() -> None:
    assert set(re.findall(r"^### `(\w+)`$", GUIDE, re.MULTILINE)) == {kind.value for kind in EXITS}


def test_the_table_of_scenarios_has_every_key() -> None:
    table = GUIDE.partition("## Keys of a scenario")[2]
    named = set(re.findall(r"`([a-z_]+)`", "\n".join(line.split("|")[1] for line in table.splitlines() if "|" in line)))
    named |= set(re.findall(r"`expect\.([a-z]+)`", table))
    assert named == {*ScenarioTable.model_fields, *ExpectTable.model_fields} - {"expect"}
