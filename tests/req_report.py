"""Which requirement has a test: the marker `req` and the option `--req-report`.

`@pytest.mark.req("CAD-08", "CAD-09")` names rules of docs/requirements.md (lines `- **ID** text`); an id
which is not there ends the run. `pytest --req-report` collects, runs nothing, and lists the rules which no
collected test names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

RULE = re.compile(r"^- \*\*([A-Z]+-?\d+[a-z]?)\*\* (.+)$", re.MULTILINE)


class BadRequirements(ValueError):
    """The requirements name an id twice, or a marker names none that exists."""


def read_rules(text: str) -> dict[str, str]:
    """Id -> text, in the order of the file; raises BadRequirements when an id is there twice."""
    rules: dict[str, str] = {}
    for identifier, rule in RULE.findall(text):
        if identifier in rules:
            raise BadRequirements(f"requirement {identifier} is there twice")
        rules[identifier] = rule
    return rules


def marked_ids(item: pytest.Item, rules: Iterable[str]) -> set[str]:
    """The ids on one test; raises BadRequirements for an unknown one."""
    ids = {identifier for marker in item.iter_markers("req") for identifier in marker.args}
    unknown = ids.difference(rules)
    if unknown:
        raise BadRequirements(f"{item.nodeid}: unknown requirement {', '.join(sorted(map(str, unknown)))}")
    return ids


class RequirementReport:
    """The hooks; registered by conftest.py."""

    def __init__(self, requirements: Path, is_report: bool, is_xdist_worker: bool) -> None:
        self.rules = read_rules(requirements.read_text("utf-8"))
        self.is_report = is_report
        self.is_xdist_worker = is_xdist_worker
        self.tested: set[str] = set()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self.is_xdist_worker:
            return  # an error here would reach nobody: see pytest_runtest_setup
        try:
            for item in items:
                self.tested |= marked_ids(item, self.rules)
        except BadRequirements as error:
            raise pytest.UsageError(str(error)) from error

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        try:
            marked_ids(item, self.rules)
        except BadRequirements as error:
            pytest.fail(str(error), pytrace=False)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if not self.is_report:
            return None
        if session.testsfailed:
            raise session.Interrupted("errors while collecting")
        return True

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.is_report:
            return
        missing = [identifier for identifier in self.rules if identifier not in self.tested]
        terminalreporter.section("requirements without a test")
        for identifier in missing:
            terminalreporter.write_line(f"{identifier:<10} {self.rules[identifier]}")
        tested = len(self.rules) - len(missing)
        terminalreporter.write_line(f"{tested} of {len(self.rules)} requirements have a test")
