"""`switchroom erlang`: how many agents by formula."""

from __future__ import annotations

import json

import pytest

from tests.unit.test_cli_check import switchroom


def test_the_fewest_agents_that_are_enough_stand_amid_more_and_less() -> None:
    result = switchroom("erlang", "--calls", "400", "--handle", "180", "--json")
    assert result.exit_code == 0, result.output
    rows = json.loads(result.output)
    assert [(row["agents"], row["is_enough"]) for row in rows] == [
        (22, False),
        (23, False),
        (24, True),
        (25, True),
        (26, True),
    ]
    assert rows[2]["service_level"] == pytest.approx(80.9, abs=0.05)  # 1 - 0.298 e^-0.444
    assert rows[2]["occupancy"] == pytest.approx(100 * 20 / 24)
    assert all(row["abandoned"] == 0 for row in rows)


def test_callers_who_give_up_leave_work_for_fewer_agents() -> None:
    result = switchroom("erlang", "--calls", "400", "--handle", "180", "--patience", "120", "--json")
    rows = json.loads(result.output)
    enough = [row for row in rows if row["is_enough"]]
    assert enough[0]["agents"] < 24
    assert enough[0]["abandoned"] > 0


def test_people_get_a_table() -> None:
    output = switchroom("erlang", "--calls", "400", "--handle", "180").output
    assert "20.0 erlangs, 80 % within 20 s" in output
    assert output.count("too few") == 2


@pytest.mark.parametrize("words", [("0", "180", "80"), ("400", "0", "80"), ("400", "180", "100")])
def test_nonsense_is_refused(words: tuple[str, str, str]) -> None:
    result = switchroom("erlang", "--calls", words[0], "--handle", words[1], "--percent", words[2])
    assert (result.exit_code, "more than 0" in result.output) == (1, True), result.output
