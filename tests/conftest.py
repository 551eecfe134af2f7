"""Options and markers for every suite."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from tests.missing_pbx import MissingPbxReport
from tests.req_report import RequirementReport

REQUIREMENTS = Path(__file__).parents[1] / "docs" / "requirements.md"

# How long an example takes says nothing on a machine that also runs PBXs; the suites have time limits of their own.
settings.register_profile("shared_machine", deadline=None)
settings.load_profile("shared_machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--req-report",
        action="store_true",
        help="collect only, and list the requirements of docs/requirements.md without a test",
    )


def pytest_configure(config: pytest.Config) -> None:
    is_report = bool(config.getoption("--req-report"))
    report = RequirementReport(REQUIREMENTS, is_report, hasattr(config, "workerinput"))
    config.pluginmanager.register(report, "requirements")
    config.pluginmanager.register(MissingPbxReport(config), "missing_pbx")
