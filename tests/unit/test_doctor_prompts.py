"""What `doctor` says about the files of prompts."""

from __future__ import annotations

import wave
from dataclasses import replace
from pathlib import Path

import pytest

from routing.app.doctor.findings import Finding, Findings, Level
from routing.app.doctor.prompt_checks import examine
from routing.app.settings import PbxKind, PbxSettings
from routing.core.config import Config, Pbx
from routing.core.flow import Prompt

pytestmark = pytest.mark.req("OPS-01")
PBX = PbxSettings(id="ast1", kind=PbxKind.ASTERISK, host="127.0.0.1")


def write(path: Path, rate: int = 8000, channels: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"\0\0" * 800 * channels)
    path.chmod(0o644)
    return path


def found(directory: Path | str, *files: str, pbx: PbxSettings = PBX) -> list[Finding]:
    prompts = {"welcome": Prompt(id="welcome", files={str(n): file for n, file in enumerate(files)})}
    own = Pbx(id="ast1", kind="asterisk", prompts=str(directory))
    findings = Findings("ast1")
    examine(findings, pbx, Config(revision=1, tenant="t", pbxs={"ast1": own}, prompts=prompts))
    return findings.all


def test_files_that_are_there_as_both_pbxs_play_them_are_no_complaint(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    write(tmp_path / "de" / "welcome.wav")
    write(tmp_path / "en" / "welcome.wav")
    (finding,) = found(tmp_path, "de/welcome", "en/welcome", "sound:digits/1")
    assert (finding.check, finding.level, finding.detail) == ("prompts", Level.OK, "all 2 files")


def test_without_files_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert found("", "sound:vm-goodbye") == []
    findings = Findings("ast1")
    examine(findings, PBX, None)
    assert findings.all == []


def test_missing_files_are_named(tmp_path: Path) -> None:
    write(tmp_path / "a.wav")
    (finding,) = found(tmp_path, "a", *(f"b{n}" for n in range(7)))
    assert finding.level is Level.ERROR
    assert str(tmp_path / "b0.wav") in finding.detail
    assert "and 2 more" in finding.detail
    assert finding.mend


@pytest.mark.parametrize("shape", [{"rate": 16000}, {"channels": 2}, None])
def test_a_file_of_another_shape_is_named(tmp_path: Path, shape: dict[str, int] | None) -> None:
    write(tmp_path / "good.wav")
    if shape is None:
        (tmp_path / "bad.wav").write_bytes(b"ID3 an MP3 under another name")
    else:
        write(tmp_path / "bad.wav", **shape)
    (finding,) = found(tmp_path, "good", "bad")
    assert (finding.level, str(tmp_path / "good.wav") in finding.detail) == (Level.ERROR, False)
    assert str(tmp_path / "bad.wav") in finding.detail


@pytest.mark.parametrize("closed", ["file", "folder"])
def test_files_that_another_user_cannot_read_are_a_warning(tmp_path: Path, closed: str) -> None:
    tmp_path.chmod(0o755)
    path = write(tmp_path / "de" / "welcome.wav")
    (path if closed == "file" else path.parent).chmod(0o750)
    (finding,) = found(tmp_path, "de/welcome")
    assert finding.level is Level.WARNING
    path.parent.chmod(0o755)


def test_a_directory_that_is_not_here_is_an_error_only_where_the_pbx_is(tmp_path: Path) -> None:
    (finding,) = found(tmp_path / "none", "a")
    assert finding.level is Level.ERROR
    (finding,) = found(tmp_path / "none", "a", pbx=replace(PBX, host="192.0.2.7"))
    assert finding.level is Level.OK
    assert "192.0.2.7" in finding.detail
    (finding,) = found("", "a")
    assert finding.level is Level.ERROR
