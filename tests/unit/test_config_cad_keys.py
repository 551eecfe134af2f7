"""Where the keys of call data come from, and who says so when they are missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from routing.app.cad_keys import CadKeyUnreadable, codecs_of, generated_key, lenient_codecs_of
from routing.app.config import check, load, load_settings
from routing.app.doctor.findings import Findings, Level
from routing.app.doctor.server_checks import cad_key
from routing.cli.main import app
from routing.core.orders import EditCad
from routing.store.errors import SealKeyMissing
from routing.store.sealing import NO_KEYS, SealKeys, new_key
from tests.unit.config_dir import GOOD, write

FILE = '[server]\ncad_key_file = "cad.key"\n'
ENV = '[server]\ncad_key_env = "TEST_CAD_KEYS"\n'
SECURE = GOOD["queues.toml"].replace('label = "Customer"', 'label = "Customer"\nsecure = true')
ORDER = EditCad(order_id="o", agent_id="a", interaction_id="i", values={"customer": "S3CR3T"})
ONE, TWO = new_key("k1"), new_key("k2")


def key_file(directory: Path, text: str, mode: int = 0o600) -> None:
    file = directory / "cad.key"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)


def keys_of(directory: Path) -> SealKeys:
    return load_settings(directory).server.cad_keys


@pytest.mark.req("SAFE-06")
def test_the_file_named_in_the_server_table_holds_the_keys(tmp_path: Path) -> None:
    key_file(tmp_path, f"{TWO.line}\n{ONE.line}\n")
    server = load_settings(write(tmp_path, server=FILE)).server
    assert server.cad_keys.keys == (TWO, ONE)
    assert b"S3CR3T" not in codecs_of(server).tagged(ORDER)
    assert str(tmp_path / "cad.key") in server.cad_keys.source
    assert check(tmp_path).problems == ()


def test_an_environment_variable_can_hold_the_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_CAD_KEYS", f"{TWO.line} {ONE.line}")
    assert keys_of(write(tmp_path, server=ENV)).keys == (TWO, ONE)


@pytest.mark.req("SAFE-06")
@pytest.mark.parametrize(
    ("text", "problem"), [(None, "missing or empty"), ("", "missing or empty"), ("nonsense", "line 1 is not")]
)
def test_a_key_that_cannot_be_used_lets_files_be_checked_but_no_process_start(
    tmp_path: Path, text: str | None, problem: str
) -> None:
    if text is not None:
        key_file(tmp_path, text)
    server = load_settings(write(tmp_path, server=FILE, queues=SECURE)).server
    assert check(tmp_path).problems == ()
    with pytest.raises(CadKeyUnreadable, match=rf"cad\.key.*{problem}"):
        codecs_of(server)
    with pytest.raises(SealKeyMissing, match=r"cad\.key"):
        lenient_codecs_of(server).tagged(ORDER)


def test_a_variable_that_is_not_set_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_CAD_KEYS", raising=False)
    with pytest.raises(CadKeyUnreadable, match="environment variable TEST_CAD_KEYS: it is missing or empty"):
        codecs_of(load_settings(write(tmp_path, server=ENV)).server)


def test_only_one_place_can_be_named(tmp_path: Path) -> None:
    (problem,) = check(write(tmp_path, server=FILE + 'cad_key_env = "X"\n')).problems
    assert "give one of cad_key_file, cad_key_env" in problem.reason


def test_a_key_that_everybody_can_read_is_warned_of(tmp_path: Path) -> None:
    key_file(tmp_path, ONE.line, 0o644)
    (problem,) = check(write(tmp_path, server=FILE)).problems
    assert (problem.key, "everybody" in problem.reason) == ("server.cad_key_file", True)


@pytest.mark.req("SAFE-06")
@pytest.mark.parametrize("place", ["[cad.ssn]", "[entry_points.main.cad.ssn]"])
def test_a_secure_variable_without_any_key_works_and_is_warned_of(tmp_path: Path, place: str) -> None:
    table = f'{place}\nlabel = "Number"\nsecure = true\n'
    text = GOOD["queues.toml"].replace("[reasons]", f"{table}\n[reasons]")
    (problem,) = check(write(tmp_path, queues=text)).problems
    assert (problem.key, "cad-key" in problem.reason) == (f"{place[1:-1]}.secure", True)
    loaded = load(tmp_path)
    assert codecs_of(loaded.server).items.read(codecs_of(loaded.server).tagged(ORDER)) == ORDER


def test_no_key_and_no_secure_variable_is_nothing_to_speak_of(tmp_path: Path) -> None:
    assert check(write(tmp_path)).problems == ()
    assert keys_of(tmp_path) == NO_KEYS


@pytest.mark.req("SAFE-06", "OPS-01")
@pytest.mark.parametrize(
    ("keys", "level"),
    [
        (NO_KEYS, Level.WARNING),
        (SealKeys(keys=(ONE,), source="file x"), Level.OK),
        (SealKeys(source="file x", problem="it is missing or empty"), Level.ERROR),
    ],
)
def test_doctor_says_whether_secure_variables_are_encrypted(tmp_path: Path, keys: SealKeys, level: Level) -> None:
    findings = Findings("server")
    cad_key(findings, keys, load(write(tmp_path, queues=SECURE)).config)
    (found,) = findings.all
    assert (found.check, found.level) == ("cad_key", level)


def test_a_generated_key_is_new_each_time_and_named_after_its_day() -> None:
    keys = [generated_key(1_795_200_000_000) for _ in range(2)]
    assert keys[0].id.startswith("k20261120-")
    assert keys[0].secret != keys[1].secret


@pytest.mark.req("CAD-05")
@pytest.mark.parametrize(
    ("here", "warns"), [("secure = false", True), ("secure = true", False), ('type = "date"', False)]
)
def test_a_variable_that_is_secure_only_elsewhere_is_warned_of(tmp_path: Path, here: str, warns: bool) -> None:
    key_file(tmp_path, ONE.line)
    other = f'[entry_points.other]\nqueue = "sales"\n[entry_points.other.cad.customer]\n{here}\n'
    problems = check(write(tmp_path, server=FILE, queues=SECURE.replace("[reasons]", f"{other}\n[reasons]"))).problems
    assert [p.key for p in problems] == ["entry_points.other.cad.customer"] * warns


@pytest.mark.req("SAFE-06")
def test_the_command_makes_a_line_that_the_file_takes(tmp_path: Path) -> None:
    made = CliRunner().invoke(app, ["cad-key"])
    key_file(tmp_path, made.stdout)
    (key,) = keys_of(write(tmp_path, server=FILE)).keys
    assert key.line == made.stdout.strip()
