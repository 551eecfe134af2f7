"""Secrets by environment variable, by file, or in the open with a warning.

A secret or key that this process cannot read is no mistake of the files: checking and routing need none, and may not be
allowed to read it. The processes that need it refuse to start without, and `doctor` reports it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from routing.app.config.api_models import FrameKeyTable, OidcTable
from routing.app.config.models import ServerTable
from routing.app.config.pbx_models import PbxTable
from routing.app.config.positions import KeyPath
from routing.app.config.sources import Sources
from routing.app.settings import PbxKind
from routing.store.sealing import NO_KEYS, SealKeys, parse_keys

_MAX_BYTES = 4096
_SHIPPED = "ClueCon"  # with which every FreeSWITCH comes


def resolve(sources: Sources, pbx_id: str, table: PbxTable) -> tuple[str, str]:
    """The secret, empty where it cannot be read, and where it comes from, for messages."""
    secret, source = _found(sources, pbx_id, table)
    if secret == _SHIPPED and table.kind is PbxKind.FREESWITCH:
        sources.warn(("pbx", pbx_id), "its password is the one that everybody knows: change event_socket.conf.xml")
    return secret, source


def _found(sources: Sources, pbx_id: str, table: PbxTable) -> tuple[str, str]:
    if table.secret is not None:
        _warn_if_world_readable(sources, ("pbx", pbx_id, "secret"), "secret_env or secret_file")
        return table.secret, str(sources.file_of(("pbx", pbx_id)))
    if table.secret_env is not None:
        return os.environ.get(table.secret_env, ""), f"environment variable {table.secret_env}"
    if table.secret_file is not None:
        file = sources.directory / table.secret_file
        return _first_line(str(file)), f"file {file}"
    return "", ""


def client_secret(sources: Sources, table: OidcTable) -> tuple[str, str]:
    """Of the client at the OpenID provider, as `resolve`; both empty for a public client."""
    if table.client_secret is not None:
        _warn_if_world_readable(sources, ("api", "oidc", "client_secret"), "client_secret_env or client_secret_file")
        return table.client_secret, str(sources.file_of(("api", "oidc")))
    if table.client_secret_env is not None:
        return os.environ.get(table.client_secret_env, ""), f"environment variable {table.client_secret_env}"
    if table.client_secret_file is not None:
        file = sources.directory / table.client_secret_file
        return _first_line(str(file)), f"file {file}"
    return "", ""


def frame_key(sources: Sources, table: FrameKeyTable) -> tuple[str, str]:
    """The secret or the public key, as `resolve`."""
    if table.secret_env is not None:
        return os.environ.get(table.secret_env, ""), f"environment variable {table.secret_env}"
    if table.secret_file is not None:
        file = sources.directory / table.secret_file
        return _first_line(str(file)), f"file {file}"
    file = sources.directory / (table.public_key_file or "")
    return _text(str(file)), f"file {file}"


def cad_keys(sources: Sources, table: ServerTable) -> SealKeys:
    """The keys that seal CAD; those that cannot be read or understood are the result's `problem`."""
    if table.cad_key_env is not None:
        source, text = f"environment variable {table.cad_key_env}", os.environ.get(table.cad_key_env, "")
        lines = text.split()
    elif table.cad_key_file is not None:
        file = sources.directory / table.cad_key_file
        source, text = f"file {file}", _text(str(file))
        lines = text.splitlines()
        _warn_if_others_read(sources, file)
    else:
        return NO_KEYS
    try:
        return SealKeys(keys=parse_keys(lines), source=source)
    except ValueError as error:
        return SealKeys(source=source, problem=str(error) if text else "it is missing or empty")


def _warn_if_others_read(sources: Sources, file: Path) -> None:
    try:
        mode = file.stat().st_mode
    except (OSError, ValueError):
        return
    if mode & stat.S_IROTH:
        sources.warn(("server", "cad_key_file"), "everybody on this machine can read the key: chmod o-r")


def _first_line(file: str) -> str:
    return _text(file).split("\n", 1)[0].strip()


def _text(file: str) -> str:
    """The beginning of a file, empty where it cannot be read."""
    try:
        if not os.path.isfile(file):  # noqa: PTH113 - a pipe or a device would block; takes any text without raising
            return ""
        with open(file, "rb") as stream:  # noqa: PTH123
            return stream.read(_MAX_BYTES).decode()
    except (OSError, ValueError):
        return ""


def _warn_if_world_readable(sources: Sources, path: KeyPath, instead: str) -> None:
    try:
        mode = sources.file_of(path).stat().st_mode
    except OSError:
        return
    if mode & stat.S_IROTH:
        sources.warn(path, f"everybody on this machine can read this file: chmod o-r, or use {instead}")
