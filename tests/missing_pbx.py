"""Tests that need a FreeSWITCH are left out where the machine has none, and the run says how many they are.

`@pytest.mark.freeswitch` marks them. There is no package of it that could be fetched as the other programs are:
SWITCHROOM_FREESWITCH names a binary, or the PATH has one. What the contract suite's tests say of a FreeSWITCH is then
only known from recordings of one, which are played everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest

from deploy.lab.programs import FreeSwitchNotInstalled, ProgramMissing, find_freeswitch

MARK = "freeswitch"
_COUNT = "tests_without_freeswitch"
_RECORDED = "[freeswitch_recorded"


class MissingPbxReport:
    """The hooks; registered by conftest.py. Processes of a parallel run collect all the same: one of them is asked."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.count = 0

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        needy = [item for item in items if item.get_closest_marker(MARK)]
        if not needy or _has_freeswitch():
            return
        self.count = len(needy)
        items[:] = [item for item in items if not item.get_closest_marker(MARK)]
        self._config.hook.pytest_deselected(items=needy)

    def pytest_sessionfinish(self) -> None:
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput[_COUNT] = self.count

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        self.count = max(self.count, getattr(node, "workeroutput", {}).get(_COUNT, 0))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.count and not self._config.option.collectonly:
            reason = "neither SWITCHROOM_FREESWITCH nor the PATH names a freeswitch"
            terminalreporter.write_line(f"NOT RUN: {self.count} tests on a real FreeSWITCH, because {reason}")
            played = Counter(
                how for how in ("passed", "failed") for _ in _recorded(terminalreporter.stats.get(how, ()))
            )
            results = ", ".join(f"{number} {how}" for how, number in played.items()) or "none, they were not selected"
            terminalreporter.write_line(f"Over recorded traffic of a FreeSWITCH instead: {results}")


def _recorded(reports: Iterable[object]) -> list[object]:
    return [report for report in reports if _RECORDED in getattr(report, "nodeid", "")]


def _has_freeswitch() -> bool:
    """False when none is named; a name under which there is nothing is an error."""
    try:
        find_freeswitch()
    except FreeSwitchNotInstalled:
        return False
    except ProgramMissing as missing:
        raise pytest.UsageError(str(missing)) from missing
    return True
