"""Events that make the connector act by itself."""

from __future__ import annotations

from typing import Any

import pytest

from routing.core.facts import DialFailed, DialOutcome, Fact
from telephony.asterisk.arrivals import Arrivals
from telephony.asterisk.codec import AmiMessage
from telephony.asterisk.commands import Commands
from telephony.asterisk.legs import Leg, LegKind, Legs
from telephony.asterisk.port import AsteriskPort
from telephony.asterisk.reader import EventReader
from telephony.asterisk.session import AmiSession
from telephony.asterisk.settings import AsteriskSettings
from telephony.asterisk.watching import Watching

SETTINGS = AsteriskSettings(pbx="p", username="u", secret="s")


@pytest.mark.req("SAFE-01", "SAFE-02")
def test_a_phone_that_begins_to_ring_only_after_the_link_that_dialled_it_broke_is_hung_up_at_once() -> None:
    legs, sent, told = Legs("p"), list[dict[str, Any]](), list[Fact]()
    commands = Commands(SETTINGS, legs, lambda fields, _: sent.append(fields), told.append, lambda: 0.0)
    watching = Watching("p", AmiSession(SETTINGS, AsteriskPort(SETTINGS), lambda: 0.0), told.append)
    reader = EventReader("p", legs, Arrivals("p"), commands, watching)
    reader.system_name = "lab"

    def channel(uid: str) -> AmiMessage:
        origin = {"event": "Newchannel", "privilege": "call,all", "systemname": "lab"}
        return AmiMessage({**origin, "uniqueid": uid, "channel": "PJSIP/1001-1"})

    reader.disown([Leg(leg_id="leg_x", uid="leg_x", kind=LegKind.DIALED)])
    assert reader.read(channel("somebody else's")) == []
    assert reader.read(channel("leg_x")) == [DialFailed(pbx="p", leg_id="leg_x", outcome=DialOutcome.CANCELLED)]
    assert [(fields["Action"], fields["Channel"]) for fields in sent] == [("Hangup", "leg_x")]
