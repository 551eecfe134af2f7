"""Mistakes in configuration files: where, what, how bad."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path

from routing.core.errors import ConfigError


class Severity(StrEnum):
    """ERROR: cannot be applied. WARNING: can be, and is most likely not what was meant."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake. `line` counts from 1, 0 = the file or directory as a whole. `key`: dotted path, may be empty."""

    file: Path
    line: int
    key: str
    reason: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.severity}: {self.key + ': ' if self.key else ''}{self.reason}"


class ConfigRefused(ConfigError):
    """The files hold at least one error; `problems` has every mistake that was found."""

    code = "config-refused"
    template = "{errors} mistake{s} in the configuration files, the first: {first}"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        errors = [p for p in problems if p.severity is Severity.ERROR]
        super().__init__(errors=len(errors), s="" if len(errors) == 1 else "s", first=errors[0] if errors else "none")
        self.problems = problems


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the nearest known word, or nothing."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
