"""Options and markers for every suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.req_report import RequirementReport

REQUIREMENTS = Path(__file__).parents[1] / "docs" / "requirements.md"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--req-report",
        action="store_true",
        help="collect only, and list the requirements of docs/requirements.md without a test",
    )


def pytest_configure(config: pytest.Config) -> None:
    report = RequirementReport(REQUIREMENTS, bool(config.getoption("--req-report")))
    config.pluginmanager.register(report, "requirements")
