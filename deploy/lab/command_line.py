"""`switchroom` in this process: one of its own would take a second to begin."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from typer.testing import CliRunner

_one_at_a_time = threading.Lock()  # a command has the process's output and environment to itself


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and what it wrote."""

    exit_code: int
    output: str
    complaint: str


def run_command(words: Sequence[str], environment: Mapping[str, str], typed: str, timeout_s: float) -> Done:
    """In a thread, since the caller's may have an event loop. Raises TimeoutError."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_invoke, words, environment, typed).result(timeout_s)


def _invoke(words: Sequence[str], environment: Mapping[str, str], typed: str) -> Done:
    from routing.cli.main import app

    with _one_at_a_time:
        result = CliRunner().invoke(app, list(words), input=typed, env=dict(environment))
    complaint = result.stderr
    if result.exception and not isinstance(result.exception, SystemExit):
        complaint += "".join(traceback.format_exception(result.exception))
    return Done(result.exit_code, result.stdout, complaint)
