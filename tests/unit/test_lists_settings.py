"""The table `lists` of the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from routing.app.config import ConfigRefused, load_settings
from routing.app.settings import ListSettings
from tests.unit.config_dir import write


def test_settings_of_lists_are_read_and_have_defaults(tmp_path: Path) -> None:
    assert load_settings(write(tmp_path)).lists == ListSettings()
    text = "[lists]\nupload_mb = 5\nreport_rows = 7\nkeep_days = 2\n"
    assert load_settings(write(tmp_path, lists=text)).lists == ListSettings(upload_mb=5, report_rows=7, keep_days=2)


@pytest.mark.parametrize("line", ["upload_mb = 0", "report_rows = -1", "keep_days = 0", 'upload_mb = "5"', "other = 1"])
def test_mistakes_in_settings_of_lists_are_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigRefused):
        load_settings(write(tmp_path, lists=f"[lists]\n{line}\n"))
