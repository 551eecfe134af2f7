"""A dialplan file as Asterisk lists it: (context, extension, priority) -> application with its data. Pure."""

from __future__ import annotations

import re
from importlib.resources import files

Step = tuple[str, str, int]

_CONTEXT = re.compile(r"\[([^\]]+)\]")
_ENTRY = re.compile(r"(exten|same)\s*=>\s*(.*)")
_PRIORITY = re.compile(r"(\d+|n)(?:\([^)]*\))?")


def shipped() -> str:
    """Text of the dialplan that belongs to this version."""
    return (files("dialplan") / "asterisk" / "switchroom.conf").read_text(encoding="utf-8")


def steps_of(text: str) -> dict[Step, str]:
    """Every priority, e.g. ("switchroom", "s", 1) -> "Set(SR_RESULT=abandoned)"."""
    steps: dict[Step, str] = {}
    context, exten, priority = "", "", 0
    for raw in text.splitlines():
        line = _without_comment(raw).strip()
        if match := _CONTEXT.fullmatch(line):
            context, exten, priority = match.group(1), "", 0
        elif match := _ENTRY.fullmatch(line):
            parts = match.group(2).split(",", 2 if match.group(1) == "exten" else 1)
            if match.group(1) == "exten":
                exten, priority = parts[0].strip(), 0
            priority = _next(parts[-2].strip(), priority)
            steps[context, exten, priority] = parts[-1].strip()
    return steps


def _next(word: str, priority: int) -> int:
    match = _PRIORITY.fullmatch(word)
    return int(match.group(1)) if match and match.group(1) != "n" else priority + 1


def _without_comment(line: str) -> str:
    """Cut at a semicolon that no backslash protects."""
    return re.split(r"(?<!\\);", line, maxsplit=1)[0].replace("\\;", ";")
