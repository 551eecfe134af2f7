"""The labs over which the PBX contract suite runs: the simulated one, and every other whose module is here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from pathlib import Path

import pytest

from tests.contract.pbx_lab import PbxLab
from tests.waiting import run

# Module in this folder -> its class; made without arguments. A real PBX that is not installed must fail in
# `start` with the way to install it; `-m "not pbx"` leaves the real ones out.
LABS = {
    "simulated_lab": "SimulatedLab",
    "asterisk_lab": "AsteriskLab",
    "freeswitch_lab": "FreeswitchLab",
}

Scenario = Callable[[PbxLab], Awaitable[None]]
InLab = Callable[[Scenario, Sequence[str]], None]


def _params() -> list[object]:
    here = Path(__file__).parent
    found = [name for name in LABS if (here / f"{name}.py").exists()]
    return [
        pytest.param(name, id=name.removesuffix("_lab"), marks=[pytest.mark.pbx] if position else [])
        for position, name in enumerate(found)
    ]


@pytest.fixture(params=_params())
def in_lab(request: pytest.FixtureRequest) -> InLab:
    """Runs a scenario in a fresh lab with these telephones, and tidies up after it."""

    def play(scenario: Scenario, phones: Sequence[str]) -> None:
        run(_play(request.param, scenario, phones), within=40.0)

    return play


async def _play(module: str, scenario: Scenario, phones: Sequence[str]) -> None:
    lab: PbxLab = getattr(import_module(f"tests.contract.{module}"), LABS[module])()
    try:
        await lab.start(phones)
        await scenario(lab)
    finally:
        await lab.stop()
