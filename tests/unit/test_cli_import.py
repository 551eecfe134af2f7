"""`switchroom import`: files, report, exit codes; it never writes over anything."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.app.importing import toml
from tests.unit.import_files import callcenter_xml
from tests.unit.test_cli_check import switchroom

FILES = ["agents.toml", "entry_points.toml", "import-report.json", "import-report.txt", "pbx.toml", "queues.toml"]
SALES = "[sales]\nstrategy = linear\ncontext = out\nmember => PJSIP/1001,0,Anna\nmember => PJSIP/1002,1,Ben\n"


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    file = tmp_path / "queues.conf"
    file.write_text(SALES, encoding="utf-8")
    return file


def test_an_import_writes_a_directory_that_passes_check(conf: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    result = switchroom("import", "queues", str(conf), "--directory", str(new))
    assert result.exit_code == 0, result.output
    assert sorted(file.name for file in new.iterdir()) == FILES
    assert f"{conf}:3: sales: context = out: callers cannot leave by a digit" in result.output
    assert switchroom("check", str(new), "--strict").exit_code == 0
    assert (new / "import-report.txt").read_text().splitlines()[0] == "6 kept, 0 changed, 1 missing, 0 unused"


def test_an_import_of_mod_callcenter_passes_check_as_well(tmp_path: Path) -> None:
    file, new = tmp_path / "callcenter.conf.xml", tmp_path / "new"
    queue: dict[str, object] = {"strategy": "longest-idle-agent"}
    file.write_text(
        callcenter_xml({"support@default": queue}, {"1000@default": {}}, [("1000@default", "support@default", 1, 1)])
    )
    assert switchroom("import", "callcenter", str(file), "-d", str(new)).exit_code == 0
    assert switchroom("check", str(new), "--strict").exit_code == 0


def test_the_report_as_json_has_a_stable_shape(conf: Path, tmp_path: Path) -> None:
    said = json.loads(switchroom("import", "queues", str(conf), "-d", str(tmp_path / "new"), "--json").output)
    assert said["directory"] == str(tmp_path / "new")
    assert sorted(said["files"]) == FILES
    assert said["counts"] == {"kept": 6, "changed": 0, "missing": 1, "unused": 0}
    assert said["problems"] == []
    assert said["findings"][2] == {
        "file": str(conf),
        "line": 3,
        "owner": "sales",
        "key": "context",
        "value": "out",
        "fate": "missing",
        "became": "",
        "advice": "callers cannot leave by a digit: offer the choice before the hand-over",
    }
    assert json.loads((tmp_path / "new" / "import-report.json").read_text()) == said["findings"]


def test_nothing_is_written_where_anything_is(conf: Path, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "agents.toml").write_text("mine")
    result = switchroom("import", "queues", str(conf), "-d", str(full), "--json")
    assert (result.exit_code, json.loads(result.output)["error"]["code"]) == (1, "import-refused")
    assert [(file.name, file.read_text()) for file in full.iterdir()] == [("agents.toml", "mine")]


def test_a_directory_that_is_a_file_is_refused(conf: Path) -> None:
    result = switchroom("import", "queues", str(conf), "-d", str(conf))
    assert (result.exit_code, f"{conf}: cannot be written" in result.output) == (1, True)
    assert conf.read_text() == SALES


def test_a_wrong_file_is_one_line_with_its_place_and_nothing_is_written(conf: Path, tmp_path: Path) -> None:
    conf.write_text("[sales]\ntimeout = soon\n")
    result = switchroom("import", "queues", str(conf), "-d", str(tmp_path / "new"))
    reason = "sales: timeout: must be a whole number, not 'soon'"
    assert (result.exit_code, result.output) == (1, f"import-refused: {conf}:2: {reason}\n")
    assert not (tmp_path / "new").exists()
    error = json.loads(switchroom("import", "queues", str(conf), "-d", str(tmp_path / "new"), "--json").output)["error"]
    assert (error["file"], error["line"]) == (str(conf), 2)


@pytest.mark.parametrize("kind", ["queues", "callcenter"])
def test_a_file_that_is_not_there_is_named(kind: str, tmp_path: Path) -> None:
    result = switchroom("import", kind, str(tmp_path / "none"), "-d", str(tmp_path / "new"))
    assert (result.exit_code, result.output) == (
        1,
        f"import-refused: {tmp_path}/none: cannot be read: No such file or directory\n",
    )


def test_control_characters_of_the_file_do_not_reach_the_terminal(conf: Path, tmp_path: Path) -> None:
    conf.write_text("[sales]\ncontext = \x1b[31mred\n")
    assert "\x1b" not in switchroom("import", "queues", str(conf), "-d", str(tmp_path / "new")).output


VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(-(2**40), 2**40), st.text(max_size=12)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=8,
)


@given(path=st.lists(st.text(max_size=6), min_size=1, max_size=3), keys=st.dictionaries(st.text(max_size=6), VALUES))
def test_a_table_that_is_written_is_read_as_it_was(path: list[str], keys: dict[str, object]) -> None:
    found = tomllib.loads(toml.comment("any\x00\r\u2028thing") + toml.table(tuple(path), keys))
    for name in path:
        found = found[name]
    assert found == keys
