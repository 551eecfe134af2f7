"""What became of each key of an imported configuration: nothing is dropped in silence."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from routing.core.errors import ConfigError

_TRUE = {"yes", "on", "true", "t", "y", "enabled", "active", "allow"}
_MAX_SHOWN = 60
MAX_NUMBER = 2_147_483_647  # what both read numbers into is a C integer


class Fate(StrEnum):
    """KEPT: the same with us. CHANGED: taken, but not the same. MISSING: nothing of ours does that.

    UNUSED: it did nothing there either, or names what cannot be otherwise here.
    """

    KEPT = "kept"
    CHANGED = "changed"
    MISSING = "missing"
    UNUSED = "unused"


class ImportRefused(ConfigError):
    """A file that cannot be understood. `line` counts from 1, 0 = the file as a whole."""

    code = "import-refused"
    template = "{place}: {reason}"

    def __init__(self, file: Path, line: int, reason: str) -> None:
        super().__init__(place=f"{file}:{line}" if line else str(file), reason=reason, file=str(file), line=line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key as it was found. `owner`: what it belongs to, e.g. `queue support@default`."""

    file: Path
    line: int
    owner: str
    name: str
    value: str

    def whole(self) -> int:
        """The value as a whole number. Raises ImportRefused."""
        text = self.value.strip()
        if re.fullmatch(r"[+-]?[0-9]{1,10}", text, re.ASCII) is None or abs(int(text)) > MAX_NUMBER:
            raise self.refused("must be a whole number")
        return int(text)

    @property
    def is_on(self) -> bool:
        """As both PBXs read yes and no: what is not one of their words for yes is no."""
        text = self.value.strip().lower()
        return text in _TRUE or (text.lstrip("-").isdecimal() and text.isascii() and int(text) != 0)

    def refused(self, reason: str) -> ImportRefused:
        return ImportRefused(self.file, self.line, f"{self.owner}: {self.name}: {reason}, not {shown(self.value)!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One key and its fate. `became`: where it stands now; `advice`: what differs, and what to do."""

    file: str
    line: int
    owner: str
    key: str
    value: str
    fate: Fate
    became: str = ""
    advice: str = ""


@dataclass(slots=True)
class Ledger:
    """Every key, in the order in which it was judged."""

    findings: list[Finding] = field(default_factory=list)

    def note(self, setting: Setting, fate: Fate, became: str = "", advice: str = "") -> None:
        self.findings.append(
            Finding(
                file=str(setting.file),
                line=setting.line,
                owner=setting.owner,
                key=setting.name,
                value=setting.value,
                fate=fate,
                became=became,
                advice=advice,
            )
        )

    def kept(self, setting: Setting, became: str) -> None:
        self.note(setting, Fate.KEPT, became)

    def changed(self, setting: Setting, became: str, advice: str) -> None:
        self.note(setting, Fate.CHANGED, became, advice)

    def missing(self, setting: Setting, advice: str) -> None:
        self.note(setting, Fate.MISSING, advice=advice)

    def unused(self, setting: Setting, advice: str) -> None:
        self.note(setting, Fate.UNUSED, advice=advice)


def shown(text: str) -> str:
    """A value of a stranger's file as a message may carry it."""
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return clean if len(clean) <= _MAX_SHOWN else clean[: _MAX_SHOWN - 3] + "..."
