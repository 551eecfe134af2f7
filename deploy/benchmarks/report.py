"""The one shape in which every benchmark reports."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number. `aim`: what it should be, in words, or empty. `samples`: how many measurements."""

    what: str
    value: float
    unit: str
    aim: str = ""
    samples: int = 1


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest-rank percentile; `share` 0-1. Raises ValueError for no values."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def machine() -> str:
    """Processor, core count and Python, for readers who compare figures."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else platform.machine()}, {len(models)} cores, Python {platform.python_version()}"


def run(
    name: str, measure: Callable[[argparse.Namespace], list[Figure]], parser: argparse.ArgumentParser | None = None
) -> None:
    """Command-line entry: measure, print a table, write `--json FILE`."""
    parser = parser or argparse.ArgumentParser(prog=f"deploy/bench {name}")
    parser.add_argument("--json", metavar="FILE", type=Path)
    arguments = parser.parse_args()
    figures = measure(arguments)
    for figure in figures:
        print(f"{figure.what:<70} {figure.value:>12.3f} {figure.unit:<10} {figure.aim}")
    if arguments.json:
        body = {"name": name, "machine": machine(), "figures": [asdict(f) for f in figures]}
        arguments.json.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")
