"""`switchroom flow` and `switchroom prompts`."""

from __future__ import annotations

import json
import shutil
import subprocess
import wave
from pathlib import Path
from typing import Any

import pytest

from deploy.lab.command_line import run_command

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "deploy" / "example"
# Speaks by giving out the same sound, at a rate that telephones do not take; and notes that it was run.
SPEAKER = """\
#!/bin/sh
echo "$1 $3" >> "$4"
case "$3" in *silence*) echo "I have nothing to say" >&2; exit 3;; esac
cp "$(dirname "$0")/voice.wav" "$2"
"""


def switchroom(*arguments: str | Path, config: Path = EXAMPLE, typed: str = "") -> subprocess.CompletedProcess[str]:
    words = [*map(str, arguments), "--config", str(config)]
    done = run_command(words, {}, typed, 60.0)
    return subprocess.CompletedProcess(words, done.exit_code, done.output, done.complaint)


def as_json(*arguments: str | Path, config: Path = EXAMPLE) -> Any:
    return json.loads(switchroom(*arguments, "--json", config=config).stdout)


@pytest.fixture(name="directory")
def _directory(tmp_path: Path) -> Path:
    """The example, with a program that speaks."""
    directory = tmp_path / "config"
    shutil.copytree(EXAMPLE, directory)
    (directory / "speaker.sh").write_text(SPEAKER)
    with wave.open(str(directory / "voice.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(22_050)
        file.writeframes(b"\0\1" * 6615)
    command = ["sh", str(directory / "speaker.sh"), "{language}", "{file}", "{text}", str(tmp_path / "log")]
    (directory / "speech.toml").write_text(f'[speech]\ncommand = {json.dumps(command)}\ndirectory = "sounds"\n')
    return directory


def spoken(directory: Path) -> list[str]:
    log = directory.parent / "log"
    lines = log.read_text().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return lines


def test_check_says_nothing_of_the_example_and_tells_what_is_wrong_in_a_file(tmp_path: Path) -> None:
    right = switchroom("flow", "check")
    assert (right.returncode, right.stdout) == (0, "0 errors, 0 warnings\n")
    wrong = tmp_path / "new.toml"
    wrong.write_text('[flows.new]\nstart = "a"\n[flows.new.steps.a]\ndo = "queue"\nqueue = "biling"\n')
    told = switchroom("flow", "check", wrong)
    assert told.returncode == 1
    reason = "flows.new.steps.a.queue: there is no queue 'biling'; did you mean 'billing'?"
    assert told.stdout == f"{wrong}:5: error: {reason}\n1 error, 0 warnings\n"
    assert as_json("flow", "check", wrong)["problems"][0]["line"] == 5


def test_draw_shows_a_flow_as_a_diagram() -> None:
    drawn = switchroom("flow", "draw", "reception").stdout
    assert drawn == (
        "flowchart TD\n  start((start)) --> s1\n"
        '  s1["welcome: play<br/>welcome"]\n  s1 -->|"next"| s2\n'
        '  s2["wait: queue<br/>queue general"]\n'
    )
    assert switchroom("flow", "draw", "reception", "--format", "dot").stdout.startswith('digraph "reception" {')
    assert "next -> wait" in switchroom("flow", "draw", "reception", "--format", "text").stdout
    refused = switchroom("flow", "draw", "receptoin")
    assert (refused.returncode, "did you mean 'reception'?" in refused.stderr) == (2, True)


@pytest.mark.req("FLOW-01")
def test_scenarios_are_played_without_a_pbx_and_a_failed_one_is_the_exit_code(tmp_path: Path) -> None:
    file = EXAMPLE / "scenarios" / "service.toml"
    right = as_json("flow", "test", "service", "--scenario", file)
    assert (right["played"], right["failed"]) == (12, 0)
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(file.read_text().replace('agent = "dan"', 'agent = "eva"'))
    told = switchroom("flow", "test", "service", "--scenario", wrong, "--quiet")
    assert told.returncode == 1
    assert "agent: expected 'eva', it was 'dan'" in told.stdout
    assert "12 played, 1 failed" in told.stdout
    only = switchroom("flow", "test", "service", "--scenario", wrong, "--only", "christmas")
    assert (only.returncode, only.stdout.splitlines()[-1]) == (0, "1 played, 0 failed")


def test_a_mistake_in_a_scenario_is_told_with_its_line(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('[scenarios.one]\nkeys.menu = "1"\n\n[scenarios.one.expect]\nresul = "answered"\n')
    told = switchroom("flow", "test", "service", "--scenario", wrong)
    assert told.returncode != 0
    assert f"{wrong}:5: scenarios.one.expect.resul: unknown key; did you mean 'result'?" in told.stderr


@pytest.mark.req("FLOW-01")
def test_without_a_scenario_you_are_the_caller() -> None:
    talk = switchroom("flow", "test", "survey", typed="9\n5\n")
    assert talk.returncode == 0
    lines = [line[16:] for line in talk.stdout.splitlines()]
    assert 'not_a_choice: "Sorry, there is no such choice."' in lines
    assert "how_was_it: no -> good" in lines
    assert "hangs up" in switchroom("flow", "test", "survey", typed="").stdout, "the end of the input"


@pytest.mark.req("FLOW-01")
def test_prompts_are_spoken_only_when_something_changed(directory: Path) -> None:
    texts = (directory / "prompts.toml").read_text().count("\ntext.")
    first = as_json("prompts", "render", config=directory)
    assert (first["rendered"], first["kept"], first["failed"]) == (texts, 0, 0)
    assert "de Willkommen bei Example Telecom." in spoken(directory)
    with wave.open(str(directory / "sounds" / "en" / "thank_you.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        assert file.getnframes() == 2400, "0.3 s"
    assert as_json("prompts", "render", config=directory)["kept"] == texts
    assert spoken(directory) == []
    prompts = directory / "prompts.toml"
    prompts.write_text(prompts.read_text().replace("Thank you. Goodbye.", "Thank you. Good night."))
    (directory / "sounds" / "de" / "menu.wav").unlink()
    again = as_json("prompts", "render", config=directory)
    assert (again["rendered"], again["kept"]) == (2, texts - 2)
    assert [line[:13] for line in spoken(directory)] == ["de Für Fragen", "en Thank you."]
    assert as_json("prompts", "render", "--force", config=directory)["rendered"] == texts


def test_a_prompt_that_cannot_be_spoken_keeps_its_old_file_and_the_others_are_made(directory: Path) -> None:
    switchroom("prompts", "render", config=directory)
    old = (directory / "sounds" / "en" / "thank_you.wav").read_bytes()
    prompts = directory / "prompts.toml"
    text = prompts.read_text().replace("Thank you. Goodbye.", "silence").replace("Welcome back to", "Welcome again to")
    prompts.write_text(text)
    told = switchroom("prompts", "render", config=directory)
    assert told.returncode == 1
    assert "failed thank_you (en)" in told.stdout
    assert "I have nothing to say" in told.stdout
    assert "rendered welcome_back (en)" in told.stdout
    assert (directory / "sounds" / "en" / "thank_you.wav").read_bytes() == old
    assert as_json("prompts", "render", config=directory)["failed"] == 1, "it is tried again"


def test_list_says_which_files_are_missing(directory: Path) -> None:
    switchroom("prompts", "render", config=directory)
    assert switchroom("prompts", "list", config=directory).returncode == 0
    (directory / "sounds" / "de" / "menu.wav").unlink()
    listed = as_json("prompts", "list", config=directory)
    missing = [(row["prompt"], row["language"]) for row in listed["prompts"] if row["missing_in"]]
    assert (listed["missing"], missing) == (1, [("menu", "de")])


def test_rendering_without_a_program_says_what_to_do(tmp_path: Path) -> None:
    told = switchroom("prompts", "render")
    assert told.returncode != 0
    assert "speech.command" in told.stderr
