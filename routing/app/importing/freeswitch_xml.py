"""FreeSWITCH's XML: its preprocessor, which works on lines before anything is XML, and elements that know their line.

Nothing outside the named files is read: all text stands within one element, where a DOCTYPE and with it every entity of
one's own is an error; commands that the preprocessor would run are not run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from routing.app.importing.findings import ImportRefused, Ledger, Setting
from routing.app.importing.text_files import Budget, check_depth, included

_PREPROCESS = re.compile(r'<X-PRE-PROCESS\s[^>]*?cmd\s*=\s*"([^"]*)"[^>]*?data\s*=\s*"([^"]*)"', re.IGNORECASE)
_SKIPPED = re.compile(r"</?include>|<\?")
_VARIABLE = re.compile(r"\$\$\{([^{}$]*)\}")
MAX_NESTING = 64


@dataclass(slots=True)
class Element:
    """`line` of its start tag in `file`."""

    tag: str
    attributes: dict[str, str]
    file: Path
    line: int
    children: list[Element] = field(default_factory=list)

    def all(self, tag: str) -> Iterator[Element]:
        return (child for child in self.children if child.tag == tag)

    def setting(self, owner: str, name: str, value: str) -> Setting:
        return Setting(file=self.file, line=self.line, owner=owner, name=name, value=value)


@dataclass(slots=True)
class _Source:
    """Lines after the preprocessor, each with where it came from."""

    ledger: Ledger
    budget: Budget
    variables: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    places: list[tuple[Path, int]] = field(default_factory=list)

    def take(self, file: Path, depth: int = 0) -> None:
        for number, line in enumerate(self.budget.read(file).split("\n"), start=1):
            text = self._expanded(line)
            if _SKIPPED.search(text):
                continue
            if match := _PREPROCESS.search(text):
                self._command(match.group(1).lower(), match.group(2), (file, number), depth)
                continue
            self.lines.append(text)
            self.places.append((file, number))

    def _expanded(self, line: str) -> str:
        """Variables that are not known stay as they stand, so that the report shows them."""
        return _VARIABLE.sub(lambda match: self.variables.get(match.group(1), match.group(0)), line)

    def _command(self, command: str, argument: str, place: tuple[Path, int], depth: int) -> None:
        setting = Setting(file=place[0], line=place[1], owner="X-PRE-PROCESS", name=command, value=argument)
        if command == "set":
            name, _, value = argument.partition("=")
            self.variables[name.strip()] = value.strip(" ")
        elif command == "include":
            check_depth(depth + 1, place)
            files = included(argument, place[0].parent, place)
            for file in files:
                self.take(file, depth + 1)
            if not files:
                self.ledger.unused(setting, "there is no such file")
        else:
            self.ledger.missing(setting, "was not run: put what it would give into the file")


def read_elements(file: Path, variables: Path | None, ledger: Ledger) -> Element:
    """The document below an element without a name. `variables`: a vars.xml, whose own findings are of no interest.

    Raises ImportRefused.
    """
    budget = Budget()
    source = _Source(ledger, budget)
    if variables is not None:
        known = _Source(Ledger(), budget)
        known.take(variables)
        source.variables = known.variables
    source.take(file)
    return _Parser(source, file).parsed()


class _Parser:
    def __init__(self, source: _Source, file: Path) -> None:
        self._source, self._file = source, file
        self._root = Element("", {}, file, 0)
        self._open = [self._root]
        self._expat = expat.ParserCreate()
        self._expat.buffer_text = True
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = self._end

    def parsed(self) -> Element:
        # One element around all, in the first line: included files may hold several side by side.
        text = "<all>" + "\n".join(self._source.lines) + "</all>"
        try:
            self._expat.Parse(text.encode(), True)
        except expat.ExpatError as error:
            raise ImportRefused(*self._place(error.lineno), f"not XML: {expat.ErrorString(error.code)}") from error
        except UnicodeEncodeError as error:
            raise ImportRefused(self._file, 0, "not UTF-8 text") from error
        return self._root.children[0]

    def _place(self, line: int) -> tuple[Path, int]:
        places = self._source.places
        return places[min(line, len(places)) - 1] if places else (self._file, 0)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        file, line = self._place(self._expat.CurrentLineNumber)
        if len(self._open) > MAX_NESTING:
            raise ImportRefused(file, line, "nested too deeply")
        element = Element(tag, attributes, file, line)
        self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, _tag: str) -> None:
        self._open.pop()
