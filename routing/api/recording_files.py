"""Files of recordings, which the PBX writes: found by name in one directory, and nowhere else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9_-]{1,200}")
SUFFIX = ".wav"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Why there is no file here, in words for people."""

    reason: str


def locate(directory: str, name: str) -> Path | Missing:
    """The regular file of that recording.

    `name` is looked at again although rows alone lead here: a link that leads out of the directory, or a name with a
    path in it, is no recording.
    """
    if not directory:
        return Missing(reason="the recordings stay with the PBX: this server has no [recordings] directory")
    if not _NAME.fullmatch(name):
        return Missing(reason="it has not the name of a file")
    root = Path(directory).resolve()
    file = (root / f"{name}{SUFFIX}").resolve()
    if file.parent != root or file.name != f"{name}{SUFFIX}" or not file.is_file():
        return Missing(reason="the directory of recordings does not hold it: moved, deleted, or kept by another PBX")
    return file
