"""Where the lab's programs are: forced by the environment, on the PATH, or fetched below the cache.

    SWITCHROOM_ASTERISK, SWITCHROOM_REDIS_SERVER, SWITCHROOM_SIPP    a binary to use in any case
    SWITCHROOM_FREESWITCH                                            a binary to use; nothing fetches one
    SWITCHROOM_POSTGRES                                              the directory of initdb and postgres
    SWITCHROOM_CHROMIUM                                              a browser to use, for the tests of the pages

An Asterisk on the PATH is not used unless forced: its version and modules are unknown.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

OLDEST_REDIS = (7, 0)


class ProgramMissing(RuntimeError):
    """A program the lab needs is neither installed nor fetched."""

    def __init__(self, program: str, name: str) -> None:
        advice = f"run deploy/lib/fetch-debs.sh {name}" if name else "there is no such program"
        super().__init__(f"{program} not found: {advice}")


class FreeSwitchNotInstalled(ProgramMissing):
    """There is no FreeSWITCH; no Debian has it, so it cannot be fetched as the others are."""

    def __init__(self) -> None:
        RuntimeError.__init__(
            self, "freeswitch is not installed: put it on the PATH, or its path into SWITCHROOM_FREESWITCH"
        )


def cache_dir() -> Path:
    """Where fetch-debs.sh puts its prefixes."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "switchroom"


def version_of(binary: Path, flag: str) -> tuple[int, int]:
    """(major, minor) as the program prints it; (0, 0) when it prints none."""
    done = subprocess.run([binary, flag], capture_output=True, text=True, timeout=20, check=False)
    found = re.search(r"(\d+)\.(\d+)", done.stdout + done.stderr)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


def find_asterisk(version: str = "22") -> Path:
    """The Asterisk of that major version (or the forced one)."""
    return _forced("SWITCHROOM_ASTERISK") or _fetched("asterisk", f"asterisk-{version}")


def find_chromium() -> Path:
    """The forced Chromium, the one on the PATH, or the fetched one."""
    installed = shutil.which("chromium")
    return _forced("SWITCHROOM_CHROMIUM") or (Path(installed) if installed else _fetched("chromium", "chromium"))


def find_freeswitch() -> Path:
    """The forced FreeSWITCH or the one on the PATH; raises FreeSwitchNotInstalled."""
    installed = shutil.which("freeswitch")
    binary = _forced("SWITCHROOM_FREESWITCH") or (Path(installed) if installed else None)
    if binary is None:
        raise FreeSwitchNotInstalled
    return binary


def find_redis_server() -> Path:
    """A redis-server of version 7 or newer."""
    forced = _forced("SWITCHROOM_REDIS_SERVER")
    if forced:
        return forced
    installed = shutil.which("redis-server")
    if installed and version_of(Path(installed), "--version") >= OLDEST_REDIS:
        return Path(installed)
    return _fetched("redis-server", "redis")


def find_sipp() -> Path:
    """SIPp."""
    installed = shutil.which("sipp")
    return _forced("SWITCHROOM_SIPP") or (Path(installed) if installed else _fetched("sipp", "sipp"))


def find_tool(program: str) -> Path:
    """`curl` or `jq`."""
    installed = shutil.which(program)
    return Path(installed) if installed else _fetched(program, program)


def find_postgres() -> Path:
    """The directory with `initdb` and `postgres`: forced, the newest installed one, or fetched."""
    forced = os.environ.get("SWITCHROOM_POSTGRES")
    if forced:
        if not (Path(forced) / "initdb").exists():
            raise ProgramMissing(f"SWITCHROOM_POSTGRES={forced}: initdb", "")
        return Path(forced).absolute()
    installed = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if installed:
        return max(installed, key=lambda path: float(path.parent.name))
    return _fetched("initdb", "postgres").parent


def _forced(variable: str) -> Path | None:
    value = os.environ.get(variable)
    if not value:
        return None
    found = shutil.which(value)
    if not found:
        raise ProgramMissing(f"{variable}={value}", "")
    return Path(found).absolute()


def _fetched(program: str, name: str) -> Path:
    binary = cache_dir() / name / "bin" / program
    if not binary.exists():
        raise ProgramMissing(program, name)
    return binary
