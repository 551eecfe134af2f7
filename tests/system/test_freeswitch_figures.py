"""How long a real FreeSWITCH and the port need, from the port's own sink: no polling in between."""

from __future__ import annotations

import sys
from statistics import median

import pytest

from tests.contract.freeswitch_lab import FreeswitchLab
from tests.system.figures import measured
from tests.waiting import run


def test_an_answer_becomes_a_conversation_within_milliseconds(capsys: pytest.CaptureFixture[str]) -> None:
    """DialLeg submitted to INVITE at the telephone; its 200 to both legs in one bridge. Medians of 20, in ms."""
    to_invite, to_bridge = run(measured(FreeswitchLab()), within=50.0)
    for name, values in (("dial_to_invite_ms", to_invite), ("answer_to_bridge_ms", to_bridge)):
        with capsys.disabled():
            sys.stdout.write(f"\n{name}: median {median(values):.2f}, worst {max(values):.2f}")
    assert median(to_invite) < 25
    assert median(to_bridge) < 25
