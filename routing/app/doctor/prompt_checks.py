"""Whether a PBX finds its prompts, as far as this machine can see its directory (OPS-01)."""

from __future__ import annotations

import stat
import wave
from collections.abc import Iterable
from pathlib import Path

from routing.app.doctor.findings import Findings
from routing.app.settings import PbxSettings
from routing.core.config import Config

_RATE_HZ, _CHANNELS, _BYTES = 8000, 1, 2
_HERE = frozenset({"127.0.0.1", "::1", "localhost"})
_NAMED = 5


def examine(findings: Findings, pbx: PbxSettings, config: Config | None) -> None:
    """One finding where prompts are files at all: `sound:` ones are the PBX's own affair."""
    own = config.pbxs.get(pbx.id) if config else None
    files = sorted({f for p in config.prompts.values() for f in p.files.values()}) if config else []
    files = [file for file in files if not file.startswith("sound:")]
    if own is None or not files:
        return
    if not own.prompts:
        findings.error("prompts", f"{len(files)} files, and no directory", f"give 'prompts' in pbx.{pbx.id}")
        return
    directory = Path(own.prompts)
    if not directory.is_dir():
        _not_here(findings, pbx, directory, len(files))
        return
    _look(findings, directory, files)


def _not_here(findings: Findings, pbx: PbxSettings, directory: Path, count: int) -> None:
    if pbx.host in _HERE:
        mend = "switchroom prompts render; or correct 'prompts' of the PBX"
        findings.error("prompts", f"there is no directory {directory}", mend)
    else:
        findings.ok("prompts", f"{count} files in {directory} of {pbx.host}, which this machine does not see")


def _look(findings: Findings, directory: Path, files: list[str]) -> None:
    paths = [directory / f"{file}.wav" for file in files]
    missing = [path for path in paths if not path.is_file()]
    there = [path for path in paths if path not in missing]
    if missing:
        findings.error("prompts", f"missing: {_named(missing)}", "switchroom prompts render, or record them")
    elif wrong := [path for path in there if not _is_playable(path)]:
        findings.error("prompts", f"not 8 kHz, mono, 16 bit: {_named(wrong)}", "convert them, e.g. with sox")
    elif closed := [path for path in there if not _is_open(path, directory)]:
        mend = f"chmod -R o+rX {directory}, unless the PBX's user owns it"
        findings.warn("prompts", f"not readable for everybody: {_named(closed)}", mend)
    else:
        findings.ok("prompts", f"all {len(files)} files")


def _named(paths: Iterable[Path]) -> str:
    names = [str(path) for path in paths]
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def _is_playable(path: Path) -> bool:
    try:
        with wave.open(str(path)) as file:
            shape = (file.getframerate(), file.getnchannels(), file.getsampwidth())
    except PermissionError:
        return True  # told as not readable
    except (OSError, EOFError, wave.Error):
        return False
    return shape == (_RATE_HZ, _CHANNELS, _BYTES)


def _is_open(path: Path, directory: Path) -> bool:
    """For a PBX that runs as another user. What lies above `directory` is not looked at."""
    folders = [folder for folder in path.parents if folder == directory or directory in folder.parents]
    is_passable = all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)
    return is_passable and bool(path.stat().st_mode & stat.S_IROTH)
