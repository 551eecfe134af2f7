"""A page of docs as a script: its ```sh blocks run one after the other in one shell, and print what the page shows."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.waiting import wait_until

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What is another one in every run: the form stays, so that text which is no id is not taken for one.
_UNSTABLE = (
    (re.compile(r"\bsr_[0-9A-Z]{26}_[0-9A-Za-z_-]{20,}"), "sr_TOKEN"),
    (re.compile(r"\bwhsec_[0-9A-Za-z+/=]{20,}"), "whsec_SECRET"),
    (re.compile(r"\b([a-z]{2,5})_[0-9A-Za-z]{20,}\b"), r"\1_ID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    (re.compile(r"\b\d{13}-\d+\b"), "POSITION"),
    (re.compile(r"\b127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
)


@dataclass(frozen=True, slots=True)
class Block:
    """Commands, and what the page says that they print; None where it says nothing."""

    line: int
    commands: str
    output: str | None


def blocks_of(page: Path) -> list[Block]:
    """A fence of another kind right behind a block of commands is their output."""
    text = page.read_text(encoding="utf-8")
    fences = list(_FENCE.finditer(text))
    found = []
    for fence, following in zip(fences, [*fences[1:], None], strict=True):
        if fence[1] != "sh":
            continue
        is_shown = following and following[1] != "sh" and not text[fence.end() : following.start()].strip()
        line = text.count("\n", 0, fence.start()) + 1
        found.append(Block(line, fence[2], following[2] if following and is_shown else None))
    return found


def stable(text: str) -> str:
    """Without what differs from run to run: ids, times, positions, ports, secrets."""
    for pattern, name in _UNSTABLE:
        text = pattern.sub(name, text)
    return text.strip()


class Shell:
    """A reader's terminal: one bash, in a directory of the repository."""

    def __init__(self, directory: Path, scratch: Path, environment: Mapping[str, str]) -> None:
        self._scratch, self._number = scratch, 0
        self._process = subprocess.Popen(
            ["bash", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=directory,
            env=dict(environment),
            start_new_session=True,
        )

    def run(self, commands: str, within: float = 30.0) -> str:
        """What they print, errors too. AssertionError when the last of them fails or they take too long."""
        self._number += 1
        script, output, code = (self._scratch / f"{self._number}.{end}" for end in ("sh", "out", "code"))
        script.write_text(commands, encoding="utf-8")
        assert self._process.stdin is not None
        self._process.stdin.write(f". {script} >{output} 2>&1; echo $? >{code}.part; mv {code}.part {code}\n")
        self._process.stdin.flush()
        try:
            wait_until(code.exists, within)
        except AssertionError:
            raise AssertionError(f"not over after {within} s:\n{commands}{_read(output)}") from None
        assert code.read_text().strip() == "0", f"failed:\n{commands}{_read(output)}"
        return _read(output)

    def close(self) -> None:
        """End it with all that it left in the background."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()


def _read(file: Path) -> str:
    return file.read_text("utf-8", "replace") if file.exists() else ""
