"""Exit codes: part of the product, listed in docs/cli.md."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """USAGE is what the command line parser itself exits with."""

    OK = 0
    FOUND = 1
    USAGE = 2
    REFUSED = 3
    UNREACHABLE = 4


MEANINGS = {
    Exit.OK: "done",
    Exit.FOUND: "errors in the configuration files, or in those of an `import`; errors of `doctor`, an unhealthy "
    "`status`, a `replay` that differs",
    Exit.USAGE: "wrong command line",
    Exit.REFUSED: "the server refused: the rules do not allow it, or the thing does not exist",
    Exit.UNREACHABLE: "Redis, the database or the engine does not answer",
}
