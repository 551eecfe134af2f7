"""Asterisk's configuration files: sections, templates, additions, includes, comments. As main/config.c reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from routing.app.importing.findings import ImportRefused, Ledger, Setting
from routing.app.importing.text_files import Budget, check_depth, included

_DIRECTIVE = re.compile(r"#(\S+)\s*(.*)")
_HEADER = re.compile(r"\[([^\]]*)\](?:\(([^)]*)\)?)?")
MAX_SETTINGS = 200_000  # of all sections together: templates of templates multiply


@dataclass(slots=True)
class Section:
    """`settings` in their order, those of its templates first."""

    name: str
    file: Path
    line: int
    is_template: bool = False
    settings: list[Setting] = field(default_factory=list)


def read_sections(file: Path, ledger: Ledger) -> list[Section]:
    """Every section that is no template. Raises ImportRefused."""
    reader = _Reader(file.absolute().parent, ledger)
    reader.take(file)
    return [section for section in reader.sections if not section.is_template]


class _Reader:
    def __init__(self, directory: Path, ledger: Ledger) -> None:
        self.sections: list[Section] = []
        self._directory, self._ledger = directory, ledger
        self._budget = Budget()
        self._current: Section | None = None
        self._left = MAX_SETTINGS

    def take(self, file: Path, depth: int = 0) -> None:
        for number, line in _without_comments(self._budget.read(file), file):
            if line.startswith("["):
                self._header(line, (file, number))
            elif line.startswith("#"):
                self._directive(line, (file, number), depth)
            else:
                self._assignment(line, (file, number))

    def _header(self, line: str, place: tuple[Path, int]) -> None:
        match = _HEADER.match(line)
        if match is None or (match.group(2) is not None and ")" not in line):
            raise ImportRefused(*place, f"no closing {']' if match is None else ')'}")
        section = Section(match.group(1), *place)
        options = [option.strip() for option in (match.group(2) or "").split(",")]
        section.is_template = "!" in options
        bases = [option for option in options if option and option != "!"]
        if any(base.startswith("+") for base in bases):
            self._current = self._named(section.name, place)
            self._current.is_template |= section.is_template
            return
        for base in bases:
            self._inherit(section, self._named(base, place))
        self._current = section
        self.sections.append(section)

    def _named(self, name: str, place: tuple[Path, int]) -> Section:
        """The latest section of that name."""
        for section in reversed(self.sections):
            if section.name.lower() == name.lower():
                return section
        raise ImportRefused(*place, f"there is no section [{name}] before it")

    def _inherit(self, section: Section, base: Section) -> None:
        for setting in base.settings:
            self._count(setting)
            owner = section.name
            section.settings.append(
                Setting(file=setting.file, line=setting.line, owner=owner, name=setting.name, value=setting.value)
            )

    def _directive(self, line: str, place: tuple[Path, int], depth: int) -> None:
        match = _DIRECTIVE.match(line)
        word, argument = (match.group(1).lower(), match.group(2).strip()) if match else ("", "")
        argument = argument[1:-1] if len(argument) > 1 and argument[0] + argument[-1] in {'""', "<>"} else argument
        setting = Setting(file=place[0], line=place[1], owner="directive", name=f"#{word}", value=argument)
        if word in {"include", "tryinclude"} and argument:
            check_depth(depth + 1, place)
            files = included(argument, self._directory, place)
            if not files and word == "include":
                raise ImportRefused(*place, f"there is no file {argument}")
            outer = self._current
            for file in files:
                self._current = outer
                self.take(file, depth + 1)
            self._current = outer
        elif word == "exec":
            self._ledger.missing(setting, "was not run: put what it would give into the file")
        else:
            self._ledger.unused(setting, "Asterisk passes it over")

    def _assignment(self, line: str, place: tuple[Path, int]) -> None:
        if self._current is None:
            raise ImportRefused(*place, "stands before the first section")
        line = line.removeprefix("\\")
        name, equals, value = line.partition("=")
        if not equals:
            raise ImportRefused(*place, "neither a section nor a key with '='")
        is_addition = name.endswith("+")
        name, value = name.removesuffix("+").strip(), value.removeprefix(">").strip()
        if not name:
            raise ImportRefused(*place, "no key before '='")
        setting = Setting(file=place[0], line=place[1], owner=self._current.name, name=name, value=value)
        self._count(setting)
        settings = self._current.settings
        before = [index for index, other in enumerate(settings) if other.name == name] if is_addition else []
        if before:
            value = (settings[before[-1]].value + value).strip()
            settings[before[-1]] = Setting(file=place[0], line=place[1], owner=setting.owner, name=name, value=value)
        else:
            settings.append(setting)

    def _count(self, setting: Setting) -> None:
        self._left -= 1
        if self._left < 0:
            raise ImportRefused(setting.file, setting.line, f"more than {MAX_SETTINGS} keys")


def _without_comments(text: str, file: Path) -> Iterator[tuple[int, str]]:
    """Lines that say something, stripped. `;` begins a comment, `;--` and `--;` stand around one and nest."""
    depth, opened = 0, 0
    for number, line in enumerate(text.split("\n"), start=1):
        kept, at = [], 0
        while at < len(line):
            if line.startswith(";--", at) and line[at + 3 : at + 4] != "-":
                depth, opened, at = depth + 1, opened if depth else number, at + 3
            elif depth and line.startswith("--;", at):
                depth, at = depth - 1, at + 3
            elif not depth and line.startswith("\\;", at):
                kept.append(";")
                at += 2
            elif not depth and line[at] == ";":
                break
            else:
                kept.append(line[at] if not depth else "")
                at += 1
        if stripped := "".join(kept).strip():
            yield number, stripped
    if depth:
        raise ImportRefused(file, opened, "the comment that begins here has no end")
