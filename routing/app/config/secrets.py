"""Secrets by environment variable, by file, or in the open with a warning.

A secret that this process cannot read is no mistake of the files: checking and routing need none, and may not be
allowed to read it. The connector refuses to start without one, and `doctor` reports it.
"""

from __future__ import annotations

import os
import stat

from routing.app.config.models import PbxTable
from routing.app.config.sources import Sources

_MAX_BYTES = 4096


def resolve(sources: Sources, pbx_id: str, table: PbxTable) -> tuple[str, str]:
    """The secret, empty where it cannot be read, and where it comes from, for messages."""
    if table.secret is not None:
        _warn_if_world_readable(sources, pbx_id)
        return table.secret, str(sources.file_of(("pbx", pbx_id)))
    if table.secret_env is not None:
        return os.environ.get(table.secret_env, ""), f"environment variable {table.secret_env}"
    if table.secret_file is not None:
        file = sources.directory / table.secret_file
        return _first_line(str(file)), f"file {file}"
    return "", ""


def _first_line(file: str) -> str:
    try:
        if not os.path.isfile(file):  # noqa: PTH113 - a pipe or a device would block; takes any text without raising
            return ""
        with open(file, "rb") as stream:  # noqa: PTH123
            return stream.read(_MAX_BYTES).decode().split("\n", 1)[0].strip()
    except (OSError, ValueError):
        return ""


def _warn_if_world_readable(sources: Sources, pbx_id: str) -> None:
    path = ("pbx", pbx_id, "secret")
    try:
        mode = sources.file_of(path).stat().st_mode
    except OSError:
        return
    if mode & stat.S_IROTH:
        sources.warn(path, "everybody on this machine can read this file: chmod o-r, or use secret_env or secret_file")
