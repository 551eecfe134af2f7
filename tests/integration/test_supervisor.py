"""`switchroom up` keeps its children, ends them when told, and leaves none behind."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.lab.process import Child, is_alive
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Child]:
    log = tmp_path / "supervisor.log"
    child = Child([sys.executable, "-m", "tests.integration.supervisor_process", str(tmp_path)], log, ROOT)
    yield child
    child.stop()


def pids(directory: Path, name: str) -> list[int]:
    file = directory / name
    return [int(line) for line in file.read_text().split()] if file.exists() else []


@pytest.mark.req("SAFE-01")
def test_a_child_that_ends_is_started_again_and_the_others_are_left_alone(supervisor: Child, tmp_path: Path) -> None:
    wait_until(lambda: len(pids(tmp_path, "brief")) >= 3, within=10)
    first = pids(tmp_path, "sleeper")
    assert len(first) == 1
    os.kill(first[0], signal.SIGKILL)
    wait_until(lambda: len(pids(tmp_path, "sleeper")) == 2, within=10)
    assert is_alive(pids(tmp_path, "sleeper")[1])
    assert supervisor.is_running


def test_told_to_stop_it_ends_its_children_and_itself(supervisor: Child, tmp_path: Path) -> None:
    wait_until(lambda: pids(tmp_path, "sleeper"), within=10)
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(10.0) == 0
    assert not is_alive(pids(tmp_path, "sleeper")[0])


@pytest.mark.req("SAFE-01")
def test_killed_itself_it_leaves_no_child_behind(supervisor: Child, tmp_path: Path) -> None:
    wait_until(lambda: pids(tmp_path, "sleeper"), within=10)
    supervisor.kill()
    wait_until(lambda: not is_alive(pids(tmp_path, "sleeper")[0]), within=5)
