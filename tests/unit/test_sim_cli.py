"""`simulate` and `make-day` as they are typed; `export-day` has its test with a database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from routing.cli.simulate_command import unfinished
from tests.unit.config_dir import replaced, write
from tests.unit.test_cli_check import switchroom

# Less is required of agents, so Ben may help Anna.
ONE_AGENT, TWO_AGENTS = ("english = 5", "english = 5"), ("english = 5", "english = 3")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name, change in {"a": ONE_AGENT, "b": TWO_AGENTS}.items():
        (tmp_path / name).mkdir()
        write(tmp_path / name, queues=replaced("queues", *change))
    made = switchroom(
        "make-day", "--config", str(tmp_path / "a"), "--calls", "sales=150", "--out", str(tmp_path / "day.jsonl")
    )
    assert made.exit_code == 0, made.output
    return tmp_path


def simulate(directory: Path, *words: str) -> tuple[int, str]:
    result = switchroom("simulate", "--day", str(directory / "day.jsonl"), *words)
    return result.exit_code, result.output


@pytest.mark.req("ROUTE-19")
def test_two_configurations_are_compared_in_tables(directory: Path) -> None:
    both = ("--config", str(directory / "a"), "--config", str(directory / "b"))
    code, output = simulate(directory, *both, "--replications", "3")
    assert code == 0, output
    assert f"A: {directory}/a\nB: {directory}/b" in output.replace("\n\n", "\n")
    rows = {line[:22].strip(): line for line in output.partition("in all")[2].partition("queue sales")[0].splitlines()}
    assert rows["mean wait, s"].rstrip().endswith("less")
    assert rows["service level, %"].rstrip().endswith("more")
    assert "±" in rows["mean wait, s"]


@pytest.mark.req("ROUTE-19")
def test_the_comparison_as_json_has_every_figure_with_its_band(directory: Path) -> None:
    both = ("--config", str(directory / "a"), "--config", str(directory / "b"))
    code, output = simulate(directory, *both, "-n", "2", "--seed", "5", "--json")
    assert code == 0, output
    told: dict[str, Any] = json.loads(output)
    assert (told["replications"], told["seed"], told["confidence"], told["warnings"]) == (2, 5, 0.95, [])
    found = {(f["scope"], f["measure"]): f for f in told["figures"]}
    assert {scope for scope, _ in found} == {"in all", "queue sales", "team front"}
    wait = found["queue sales", "mean_wait_s"]
    assert wait["difference"]["mean"] == pytest.approx(wait["b"]["mean"] - wait["a"]["mean"])
    assert wait["difference"]["band"] > 0
    assert json.loads(simulate(directory, *both, "-n", "2", "--seed", "5", "--json")[1]) == told


def test_one_configuration_alone_is_not_compared(directory: Path) -> None:
    code, output = simulate(directory, "--config", str(directory / "a"), "-n", "2", "--json")
    assert code == 0, output
    told = json.loads(output)
    assert told["b"] is None
    assert all(figure["difference"] is None for figure in told["figures"])


def test_what_cannot_be_simulated_is_refused_with_a_reason(directory: Path) -> None:
    a = str(directory / "a")
    for words, code, reason in [
        (("--config", a, "--config", a, "--config", a), 1, "or two are compared"),
        (("--config", str(directory / "none")), 1, "name the directory"),
        (("--config", a, "--shift", "ben"), 1, "not of the form NAME=VALUE"),
        (("--config", a, "--shift", "cleo=ben"), 1, "there is no agent cleo"),
        (("--redis", "redis://127.0.0.1:1/0", "--tenant", "x"), 4, "redis://127.0.0.1:1/0"),
    ]:
        found, output = simulate(directory, *words)
        assert (found, reason in output) == (code, True), output
    (directory / "day.jsonl").write_text("{}")
    code, output = simulate(directory, "--config", a)
    assert (code, "day.jsonl, line 1: the first line" in output.replace("\n", "")) == (1, True)


def test_a_new_agent_may_work_the_shift_of_another_one(directory: Path) -> None:
    write(directory / "b", queues=replaced("queues", *TWO_AGENTS))
    people = (directory / "b" / "people.toml").read_text(encoding="utf-8")
    new = people[people.index("[agents.ben]") :].replace("agents.ben", "agents.cleo").replace("1002", "1003")
    (directory / "b" / "more.toml").write_text(new, encoding="utf-8")
    both = ("--config", str(directory / "a"), "--config", str(directory / "b"), "-n", "2", "--json")
    warned = json.loads(simulate(directory, *both)[1])["warnings"]
    assert warned == ["B: 1 agents of the configuration were not there that day and do not work: cleo"]
    told = json.loads(simulate(directory, *both, "--shift", "cleo=ben")[1])
    hours = next(f for f in told["figures"] if (f["scope"], f["measure"]) == ("in all", "agent_hours"))
    assert hours["b"]["mean"] == pytest.approx(1.5 * hours["a"]["mean"], rel=0.02)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--calls", "sale=10"), "there is no queue sale"),
        (("--calls", "sales=many"), "QUEUE=N"),
        (("--calls", "sales=10", "--hours", "18-8"), "no hours of a day"),
        (("--calls", "sales=10", "--date", "tomorrow"), "tomorrow"),
        (("--calls", "sales=10", "--time-zone", "Mars/Base"), "Mars/Base"),
    ],
)
def test_a_day_that_cannot_be_made_up_is_refused(directory: Path, words: tuple[str, ...], reason: str) -> None:
    out = directory / "other.jsonl"
    result = switchroom("make-day", "--config", str(directory / "a"), "--out", str(out), *words)
    assert (result.exit_code, reason in result.output) == (1, True), result.output
    assert not out.exists()


@pytest.mark.req("ROUTE-19")
def test_a_day_that_is_exported_before_its_end_is_told_of() -> None:
    assert unfinished("2026-03-14", 5000, 4999).startswith("2026-03-14 is not over")
    assert unfinished("2026-03-14", 5000, 5000) == ""
