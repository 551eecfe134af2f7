"""Options and markers for every suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.missing_pbx import MissingPbxReport
from tests.req_report import RequirementReport

REQUIREMENTS = Path(__file__).parents[1] / "docs" / "requirements.md"


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
