"""How the command line begins: with what its first word needs, and with all of it where that is not known."""

from __future__ import annotations

import subprocess
import sys

import pytest

BEGIN = """
import sys
from routing.cli.main import run
sys.argv = ["switchroom", *sys.argv[1:]]
try:
    run()
finally:
    print("with SQL" if "sqlalchemy" in sys.modules else "without SQL")
"""


def begun(*words: str) -> str:
    return subprocess.run([sys.executable, "-c", BEGIN, *words], capture_output=True, text=True, check=False).stdout


def test_an_engine_begins_without_what_it_never_needs() -> None:
    told = begun("engine", "--help")
    assert "Run one engine" in told
    assert told.endswith("without SQL\n")


@pytest.mark.parametrize("words", [["--help"], ["--help", "engine"], []])
def test_help_knows_every_command(words: list[str]) -> None:
    told = begun(*words)
    assert all(name in told for name in ("engine", "doctor", "campaign", "do-not-call"))
