"""A supervisor as a process of its own: python -m tests.integration.supervisor_process DIRECTORY.

It keeps three children: one that sleeps, one that ends at once, one that cannot be started. Each start adds a line
with the child's pid to DIRECTORY/NAME.
"""

from __future__ import annotations

import asyncio
import sys

from routing.app.logging import configure
from routing.app.supervisor import ChildSpec, Supervisor, stop_on_signals

_NOTE = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(float(sys.argv[2]))"


async def main(directory: str) -> None:
    configure("info")
    stop = asyncio.Event()
    stop_on_signals(stop)
    python = [sys.executable, "-c", _NOTE]
    children = [
        ChildSpec(name="sleeper", argv=[*python, f"{directory}/sleeper", "600"]),
        ChildSpec(name="brief", argv=[*python, f"{directory}/brief", "0"]),
        ChildSpec(name="absent", argv=["/nowhere/program"]),
    ]
    await Supervisor(children, patience_s=5.0).run(stop)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
