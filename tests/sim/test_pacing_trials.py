"""Trials of many shifts, what is drawn of them, the adviser, and the commands."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from routing.sim.pacing import trial
from routing.sim.pacing.adviser import Expected, Mode, Question, advise
from routing.sim.pacing.chart import Panel, Series, draw
from routing.sim.pacing.jump import after_jump
from routing.sim.pacing.ledger import Outcome
from routing.sim.pacing.measured import Measured, MeasuredRefused, read_measured
from routing.sim.pacing.scene import Scene
from routing.sim.pacing.scenes import ALL, scene
from routing.sim.pacing.shift import run_shift
from tests.unit.test_cli_check import switchroom

HOUR = Scene(agents=1, answer_rate=0.3, shift_s=3_600.0)
SVG = "{http://www.w3.org/2000/svg}"

pytestmark = pytest.mark.timeout(240)


def plan(*policies: str, **changes: Any) -> trial.Plan:
    small = trial.Plan(policies=policies, sizes=(6,), rates=(0.4,), scenarios=("stationary",), seeds=(1, 2), base=HOUR)
    return replace(small, **changes)


@pytest.mark.req("DIALER-12")
def test_a_trial_gives_the_same_with_any_number_of_processes() -> None:
    few = plan("one-per-agent", "fixed-ratio")
    alone, together = trial.run(few), trial.run(replace(few, jobs=2))
    assert alone == together
    assert [cell.policy for cell, _ in alone] == ["one-per-agent", "fixed-ratio"]


def test_a_cell_pools_persons_and_not_shares() -> None:
    ((cell, outcomes),) = trial.run(plan("fixed-ratio", seeds=(1, 2, 3)))
    found = trial.pooled(cell, outcomes)
    late, people = (sum(sum(getattr(outcome, name)) for outcome in outcomes) for name in ("late", "people"))
    assert found.abandonment == late / people > 0.03
    assert found.shifts_over == sum(sum(o.late) - 0.03 * sum(o.people) > 2 for o in outcomes) / 3 > 0
    assert min(o.utilization for o in outcomes) < found.utilization < max(o.utilization for o in outcomes)


def test_a_ratio_may_be_named_and_a_higher_one_abandons_more() -> None:
    shares = [trial.pooled(*cell).abandonment for cell in trial.run(plan("fixed-ratio:1.2", "fixed-ratio:3"))]
    assert shares[0] < shares[1]
    for unknown in ("fixed-ratio:much", "one-per-agent:2", "best"):
        with pytest.raises((KeyError, ValueError)):
            trial.policy(unknown)


# After the jump


def shift_with(late: Mapping[int, int]) -> Outcome:
    """Ten persons a minute; so many late ones in each minute."""
    found = run_shift(replace(HOUR, shift_s=14_400.0), trial.policy("clairvoyant"))
    return replace(found, people=[10] * 240, late=[late.get(minute, 0) for minute in range(240)])


def test_the_five_minutes_after_the_jump_and_the_time_until_it_is_settled_are_by_hand() -> None:
    """50 persons in five minutes: 2 late ones are 4 %, settled; 3 are not."""
    shift = shift_with({79: 9, 80: 1, 81: 2, 82: 2, 83: 1, 84: 1, 85: 1})
    found = after_jump([shift])
    assert found.first == 7 / 50
    assert found.settles_min == 4  # minutes 84 to 88; from 83 on there are three
    assert after_jump([shift, shift_with({})]).first == 7 / 100


def test_what_does_not_settle_before_agents_go_away_never_does() -> None:
    assert math.isinf(after_jump([shift_with(dict.fromkeys(range(240), 1))]).settles_min)


@pytest.mark.parametrize("name", ALL)
def test_every_scenario_says_the_policy_no_more_than_the_scene_without_it(name: str) -> None:
    allowed = {"lines", "amd", "amd_false_positive_estimate"}
    told, plain = (scene(which, 20, 0.3, 1).told() for which in (name, "stationary"))
    assert told.keys() == plain.keys()
    assert {key for key in told if told[key] != plain[key]} <= allowed


# Drawings


def test_a_drawing_is_well_formed_and_keeps_within_its_frame() -> None:
    lines = [Series("a < b", [(0, 1), (10, 5)], has_dots=True), Series("other", [(0, 0), (10, 130)])]
    root = ET.fromstring(draw([Panel("share & more", "minutes", lines, level=3, marks=[(5, "now")])]))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    points = [
        tuple(map(float, point.split(",")))
        for line in root.iter(f"{SVG}polyline")
        for point in line.attrib["points"].split()
    ]
    assert all(0 <= x <= width and 0 <= y <= height for x, y in points)
    assert len(list(root.iter(f"{SVG}circle"))) == 2
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"a < b", "share & more", "minutes", "now", "0", "150"} <= set(texts)


def test_a_higher_value_is_drawn_higher() -> None:
    root = ET.fromstring(draw([Panel("", "", [Series("a", [(0, 1), (10, 5)], has_dots=True)])]))
    low, high = root.iter(f"{SVG}circle")
    assert float(high.attrib["cy"]) < float(low.attrib["cy"])
    assert float(high.attrib["cx"]) > float(low.attrib["cx"])


# A campaign's own figures


def test_measured_figures_become_the_traffic() -> None:
    measured = Measured(answer_rate=0.5, results={"busy": 3, "invalid": 1}, talk_s=40, wrap_up_s=5, ring_s=8, lines=9)
    field = measured.scene(30)
    assert (field.rest, field.most_lines, field.agents) == ({"busy": 0.75, "invalid": 0.25}, 9, 30)
    found = run_shift(replace(field, lines=200), trial.policy("one-per-agent"))
    assert found.counters["noanswer"] == found.counters["machine"] == 0
    assert found.counters["busy"] / found.counters["invalid"] == pytest.approx(3, rel=0.2)
    assert sum(found.busy_s) / found.connected_people == pytest.approx(45, rel=0.06)
    assert sum(found.people) / found.counters["dialed"] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    "text",
    [
        '{"answer_rate": 0}',
        '{"answer_rate": 1.5}',
        "{}",
        '{"answer_rate": 0.3, "talk": 9}',
        '{"answer_rate": 0.3, "talk_s": -1}',
        '{"answer_rate": 0.3, "results": {"voicemail": 1}}',
        '{"answer_rate": 0.3, "lines": 0}',
        "no json",
    ],
)
def test_figures_that_make_no_sense_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "measured.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MeasuredRefused):
        read_measured(path)


# The adviser


def question(**changes: Any) -> Question:
    usual = Question(agents=8, measured=Measured(answer_rate=0.3), seeds=2, shift_s=3_600.0)
    return replace(usual, **changes)


def by_mode(expected: tuple[Expected, ...]) -> dict[Mode, Expected]:
    return {found.mode: found for found in expected}


@pytest.mark.req("DIALER-12")
def test_predictive_is_advised_where_it_connects_more_people_within_the_target() -> None:
    advice = advise(question())
    expected = by_mode(advice.expected)
    assert advice.mode is Mode.PREDICTIVE
    gain = expected[Mode.PREDICTIVE].utilization / expected[Mode.PROGRESSIVE].utilization
    assert gain > 1.05
    assert f"{gain - 1:.0%} more calls than progressive" in advice.reasons[0]
    assert expected[Mode.PREVIEW].utilization < expected[Mode.PROGRESSIVE].utilization
    assert expected[Mode.PROGRESSIVE].abandonment == expected[Mode.PREVIEW].abandonment == 0
    assert 0 < expected[Mode.PREDICTIVE].abandonment < 0.05


@pytest.mark.req("DIALER-12")
def test_predictive_is_not_advised_where_nobody_may_be_abandoned() -> None:
    advice = advise(question(target=0.0))
    assert advice.mode is Mode.PROGRESSIVE
    assert not by_mode(advice.expected)[Mode.PREDICTIVE].is_allowed
    assert any("allows no abandoned call" in reason for reason in advice.reasons)


def test_the_gentlest_mode_is_advised_where_faster_dialing_hardly_gives_more() -> None:
    long_talks = Measured(answer_rate=0.9, talk_s=1_500, talk_variation=0.3)
    advice = advise(question(measured=long_talks, preview_s=10.0))
    assert advice.mode is Mode.PREVIEW


# As typed


@pytest.mark.req("DIALER-12")
def test_simulate_prints_a_table_and_writes_figures_and_drawings(tmp_path: Path) -> None:
    files = {option: tmp_path / option for option in ("csv", "curve", "time-line")}
    words = [word for option, path in files.items() for word in (f"--{option}", str(path))]
    small = ("-a", "5", "--rate", "0.4", "--scenario", "shock", "--hours", "1.5", "-n", "2")
    policies = ("--policy", "one-per-agent", "--policy", "fixed-ratio:2", "--policy", "fixed-ratio:1.5")
    result = switchroom("pacing", "simulate", *small, *policies, *words)
    assert result.exit_code == 0, result.output
    rows = {line.split()[3]: line for line in result.output.splitlines() if line.startswith("shock")}
    assert rows.keys() == {"one-per-agent", "fixed-ratio:2", "fixed-ratio:1.5"}
    assert " over" in rows["fixed-ratio:2"]
    assert "0.00%" in rows["one-per-agent"]
    written = list(csv.DictReader(files["csv"].read_text(encoding="utf-8").splitlines()))
    assert {(row["policy"], row["agents"], row["shifts"]) for row in written} == {(name, "5", "2") for name in rows}
    time_line = ET.parse(files["time-line"]).getroot()
    texts = [text.text for text in time_line.iter(f"{SVG}text")]
    assert {"abandoned in five minutes, %", "utilization, %", "answer rate x1.8"} <= set(texts)
    assert "agents go" not in texts  # beyond this shift's end
    assert len(list(ET.parse(files["curve"]).getroot().iter(f"{SVG}circle"))) == 3


def test_simulate_takes_a_campaigns_own_figures(tmp_path: Path) -> None:
    measured = tmp_path / "campaign.json"
    measured.write_text('{"answer_rate": 0.62, "talk_s": 30}', encoding="utf-8")
    small = ("-a", "4", "--scenario", "stationary", "--hours", "1", "--policy", "one-per-agent", "--json")
    result = switchroom("pacing", "simulate", "--measured", str(measured), *small)
    (found,) = json.loads(result.output)
    assert found["cell"]["answer_rate"] == 0.62
    assert found["dialed_per_person"] == pytest.approx(1 / 0.62, rel=0.15)
    assert found["per_agent_hour"] > 40


def test_advise_says_its_mode_in_words_and_as_json() -> None:
    asked = ("pacing", "advise", "-a", "3", "--rate", "0.5", "--target", "0", "-n", "1")
    said = switchroom(*asked)
    assert said.output.startswith(("Progressive fits", "Preview fits")), said.output
    found = json.loads(switchroom(*asked, "--json").output)
    assert found["mode"] in {"progressive", "preview"}
    assert [mode["mode"] for mode in found["expected"]] == ["preview", "progressive", "predictive"]


@pytest.mark.parametrize(
    "words",
    [
        ("simulate", "--policy", "best"),
        ("simulate", "--scenario", "sunshine"),
        ("simulate", "--rate", "1.2"),
        ("simulate", "-a", "0"),
        ("simulate", "--target", "3"),
        ("advise", "-a", "5"),
    ],
)
def test_what_no_shift_can_be_made_of_is_refused_with_a_reason(words: tuple[str, ...]) -> None:
    result = switchroom("pacing", *words, "--json")
    assert result.exit_code == 1, result.output
    error = json.loads(result.output)["error"]
    assert error["code"] in {"pacing-refused", "measured-refused"}
    assert error["detail"]
