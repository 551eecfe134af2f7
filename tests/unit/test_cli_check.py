"""`switchroom check`, and the command line itself."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from routing.app.settings import ServerSettings
from routing.cli.main import app
from routing.cli.output import cell, span
from tests.unit.config_dir import replaced, write


def switchroom(*words: str, **environment: str) -> Result:
    clean: dict[str, str | None] = {f"SWITCHROOM_{name}": None for name in ("REDIS", "TENANT", "CONFIG")}
    return CliRunner().invoke(app, words, env={**clean, "COLUMNS": "200", **environment})


@pytest.mark.req("OPS-02")
def test_check_of_good_files_ends_with_0(tmp_path: Path) -> None:
    result = switchroom("check", str(write(tmp_path)))
    assert (result.exit_code, result.output) == (0, f"0 errors, 0 warnings in {tmp_path}\n")


@pytest.mark.req("OPS-02")
def test_check_prints_file_line_key_and_reason_and_ends_with_1(tmp_path: Path) -> None:
    write(tmp_path, queues=replaced("queues", "english = 5", "english = 50"))
    result = switchroom("check", "--config", str(tmp_path))
    assert result.exit_code == 1
    reason = "queues.sales.requires.english: must be less than or equal to 10, not 50"
    assert f"{tmp_path}/queues.toml:2: error: {reason}" in result.output.replace("\n", "", 1)


@pytest.mark.req("OPS-02")
def test_check_as_json_has_a_stable_shape(tmp_path: Path) -> None:
    write(tmp_path, queues=replaced("queues", "english = 5", "english = 50"))
    result = switchroom("check", "--json", SWITCHROOM_CONFIG=str(tmp_path))
    assert json.loads(result.output) == {
        "errors": 1,
        "warnings": 0,
        "problems": [
            {
                "file": f"{tmp_path}/queues.toml",
                "line": 2,
                "key": "queues.sales.requires.english",
                "severity": "error",
                "reason": "must be less than or equal to 10, not 50",
            }
        ],
    }


def test_warnings_fail_only_when_strict(tmp_path: Path) -> None:
    write(tmp_path, queues=replaced("queues", "[queues.sales]", "[queues.sales]\nring_timeout_s = 3"))
    assert switchroom("check", str(tmp_path)).exit_code == 0
    assert switchroom("check", str(tmp_path), "--strict").exit_code == 1


def test_what_files_say_is_no_markup(tmp_path: Path) -> None:
    write(tmp_path, queues=replaced("queues", 'queue = "sales"', 'queue = "[red]x"'))
    assert "[red]x" in switchroom("check", str(tmp_path)).output


def test_an_unknown_command_or_option_ends_with_2() -> None:
    assert switchroom("dance").exit_code == 2
    assert switchroom("check", "--loudly").exit_code == 2


def test_a_connector_without_a_secret_says_where_it_looked(tmp_path: Path) -> None:
    result = switchroom("connector", "ast1", "--config", str(write(tmp_path)), "--json")
    assert result.exit_code == 1
    error = json.loads(result.output)["error"]
    assert error["code"] == "pbx-secret-missing"
    assert "environment variable NOBODY_SETS_THIS" in error["detail"]


def test_a_connector_of_an_unknown_pbx_names_the_known_ones(tmp_path: Path) -> None:
    result = switchroom("connector", "ast9", "--config", str(write(tmp_path)), "--json")
    assert (result.exit_code, json.loads(result.output)["error"]["code"]) == (1, "pbx-unknown")


def test_mistakes_elsewhere_do_not_keep_a_connector_from_starting(tmp_path: Path) -> None:
    write(tmp_path, queues="[queues", people=replaced("people", "english = 8", "english = 80"))
    (tmp_path / "switchroom.toml").write_text("[server]\n")
    error = json.loads(switchroom("connector", "ast1", "--config", str(tmp_path), "--json").output)["error"]
    assert error["code"] == "pbx-secret-missing"


def test_a_broken_file_that_may_hold_the_server_table_is_not_passed_over(tmp_path: Path) -> None:
    write(tmp_path, switchroom="[server\n")
    result = switchroom("status", "--config", str(tmp_path), "--json")
    assert (result.exit_code, json.loads(result.output)["error"]["code"]) == (1, "config-refused")


@pytest.mark.req("SAFE-03")
def test_control_characters_of_strangers_do_not_reach_the_terminal() -> None:
    assert cell("a\x1b[31mb\r\nc") == "a�[31mb��c"


@pytest.mark.parametrize(("seconds", "text"), [(7.9, "7 s"), (60, "1:00"), (185, "3:05"), (3725, "1:02:05")])
def test_spans_read_like_a_clock(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_the_version_is_told() -> None:
    assert re.fullmatch(r"switchroom \d+\.\d+\.\d+\n", switchroom("--version").output)


def test_where_there_are_no_files_it_says_how_to_name_their_directory(tmp_path: Path) -> None:
    result = switchroom("plan", "--config", str(tmp_path / "none"))
    assert (result.exit_code, "--config DIR or SWITCHROOM_CONFIG" in result.output) == (1, True)


def test_a_file_that_is_not_toml_is_named_before_what_follows_from_it(tmp_path: Path) -> None:
    write(tmp_path, queues="[queues")
    found = json.loads(switchroom("check", str(tmp_path), "--json").output)["problems"]
    assert found[0]["file"].endswith("queues.toml")
    assert [problem["file"] for problem in found[1:]] == [str(tmp_path / "people.toml")]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("redis://:word@host/1", "redis://:***@host/1"),
        ("rediss://user:a:b@host:7000/1", "rediss://user:***@host:7000/1"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
    ],
)
def test_a_password_of_redis_is_not_shown(url: str, shown: str) -> None:
    assert ServerSettings(redis_url=url).shown_redis_url == shown
