"""What an examination found, and how to mend it in one line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`subject`: redis, server, or a PBX's id. `check` is a stable word. `mend` is empty where all is well."""

    subject: str
    check: str
    level: Level
    detail: str
    mend: str = ""


class Findings:
    """Findings about one subject, in the order of the examination."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.all: list[Finding] = []

    def ok(self, check: str, detail: str) -> None:
        self._add(check, Level.OK, detail)

    def warn(self, check: str, detail: str, mend: str) -> None:
        self._add(check, Level.WARNING, detail, mend)

    def error(self, check: str, detail: str, mend: str) -> None:
        self._add(check, Level.ERROR, detail, mend)

    def _add(self, check: str, level: Level, detail: str, mend: str = "") -> None:
        self.all.append(Finding(subject=self.subject, check=check, level=level, detail=detail, mend=mend))
