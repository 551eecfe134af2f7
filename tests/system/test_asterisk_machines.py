"""An Asterisk that lacks what campaigns want of it: nobody's call suffers, only verdicts and patience are missing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.lab.asterisk import Asterisk
from routing.core.facts import MachineDetected, MachineVerdict, PromptsEnded
from tests.contract.asterisk_lab import DIALPLAN, AsteriskLab
from tests.contract.pbx_lab import Greeting
from tests.contract.pbx_prompts import detect, play
from tests.contract.pbx_suite import connect
from tests.contract.sip_people import AGENTS
from tests.waiting import run

pytestmark = pytest.mark.pbx


@pytest.fixture
def asterisk() -> Iterator[Asterisk]:
    with Asterisk(agents=AGENTS, dialplan=DIALPLAN) as pbx:
        for module in ("app_amd", "app_waitforsilence"):
            pbx.cli(f"module unload {module}.so")
        yield pbx


@pytest.mark.req("DIALER-09")
def test_without_the_modules_nothing_is_decided_or_waited_for_and_nobody_loses_his_call(asterisk: Asterisk) -> None:
    async def scenario() -> None:
        lab = AsteriskLab(asterisk)
        try:
            await lab.start(["1001"])
            phone = lab.phone("1001")
            phone.greet(Greeting.TALKER)
            leg_id = await connect(lab, phone)
            order = detect(lab, leg_id)
            found = await lab.wait_fact(MachineDetected, within_s=1.0, command_id=order.id)
            assert (found.verdict, found.cause) == (MachineVerdict.UNKNOWN, "NOAPP")
            left = play(lab, leg_id, "short", after_silence_ms=1500)
            await lab.hears_prompt(phone, "short", within_s=1.5)
            await lab.wait_fact(PromptsEnded, command_id=left.id)
            await lab.settle()
            assert await lab.channels() == 1
        finally:
            await lab.stop()

    run(scenario(), within=30.0)


def test_the_detector_loads_only_with_a_file_of_its_own(asterisk: Asterisk) -> None:
    file = asterisk.directory / "etc" / "amd.conf"
    file.unlink()
    asterisk.cli("module load app_amd.so")
    assert "not registered" in asterisk.cli("core show application AMD")
    file.write_text("")
    asterisk.cli("module load app_amd.so")
    assert "not registered" not in asterisk.cli("core show application AMD")
