"""The labs over which the PBX contract suite runs."""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

import pytest

from tests.contract.pbx_lab import PbxLab
from tests.waiting import run


@dataclass(frozen=True, slots=True)
class LabKind:
    """A class of a module in this folder, made without arguments.

    A real PBX that is not installed must fail in `start` with the way to install it; `-m "not pbx"` leaves the real
    ones out. Those on FreeSWITCH are left out by themselves where there is none, and the run says so.
    """

    module: str
    name: str
    marks: tuple[pytest.MarkDecorator, ...] = ()


@dataclass(frozen=True, slots=True)
class TapedKind:
    """A module in this folder that plays a test in its own way, knowing its name."""

    module: str
    marks: tuple[pytest.MarkDecorator, ...] = ()


FREESWITCH = (pytest.mark.pbx, pytest.mark.freeswitch)
WITH_PYTHON_ESL = pytest.mark.skipif(find_spec("ESL") is None, reason="python-ESL is not installed")

LABS: dict[str, LabKind | TapedKind] = {
    "simulated": LabKind("simulated_lab", "SimulatedLab"),
    "asterisk": LabKind("asterisk_lab", "AsteriskLab", (pytest.mark.pbx,)),
    "freeswitch": LabKind("freeswitch_lab", "FreeswitchLab", FREESWITCH),
    "freeswitch_python_esl": LabKind("freeswitch_lab", "FreeswitchPythonEslLab", (*FREESWITCH, WITH_PYTHON_ESL)),
    "freeswitch_recorded": TapedKind("recorded_lab"),
}
if os.environ.get("SWITCHROOM_RECORD_WIRE"):
    LABS["freeswitch_recording"] = TapedKind("recording_lab", FREESWITCH)

Scenario = Callable[[PbxLab], Awaitable[None]]
InLab = Callable[[Scenario, Sequence[str]], None]


def _params() -> list[object]:
    return [pytest.param(kind, id=name, marks=kind.marks) for name, kind in LABS.items()]


@pytest.fixture(params=_params())
def in_lab(request: pytest.FixtureRequest) -> InLab:
    """Runs a scenario in a fresh lab with these telephones, and tidies up after it."""

    def play(scenario: Scenario, phones: Sequence[str]) -> None:
        kind = request.param
        if isinstance(kind, TapedKind):
            module = import_module(f"tests.contract.{kind.module}")
            module.play(request.module.__name__.rpartition(".")[2], _without_lab(request.node.name), scenario, phones)
        else:
            run(_play(kind, scenario, phones), within=40.0)

    return play


def _without_lab(name: str) -> str:
    return re.sub(r"freeswitch_record(ed|ing)", "", name)


async def _play(kind: LabKind, scenario: Scenario, phones: Sequence[str]) -> None:
    lab: PbxLab = getattr(import_module(f"tests.contract.{kind.module}"), kind.name)()
    try:
        await lab.start(phones)
        await scenario(lab)
    finally:
        await lab.stop()
