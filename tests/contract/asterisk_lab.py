"""The contract suite's lab on a real Asterisk."""

from __future__ import annotations

import atexit
import os
from dataclasses import replace
from functools import cache
from pathlib import Path

from deploy.lab.asterisk import Asterisk
from telephony.asterisk import AsteriskPort, AsteriskSettings
from tests.contract.asterisk_wire import Observer
from tests.contract.sip_lab import SipLab
from tests.contract.sip_people import AGENTS

__all__ = ["AGENTS", "DIALPLAN", "AsteriskLab", "shared_asterisk"]

# The integrator's dialplan. What a caller brings comes in headers of his INVITE, percent-coded.
DIALPLAN = """
[globals]
SR_TAKE_S = 20
[from-trunk]
exten => _X!,1,Set(CALLERID(name)=${URIDECODE(${PJSIP_HEADER(read,X-Name)})})
 same => n,Set(LAB_NAMES=${PJSIP_HEADER(read,X-Cads)})
 same => n,Set(LAB_I=0)
 same => n(more),Set(LAB_I=$[${LAB_I} + 1])
 same => n,Set(LAB_NAME=${CUT(LAB_NAMES,&,${LAB_I})})
 same => n,GotoIf($["${LAB_NAME}" = ""]?over)
 same => n,Set(SR_CAD_${LAB_NAME}=${URIDECODE(${PJSIP_HEADER(read,X-Cad-${LAB_NAME})})})
 same => n,Goto(more)
 same => n(over),UserEvent(LabCall,Token: ${PJSIP_HEADER(read,X-Token)})
 same => n,Gosub(switchroom,s,1(${PJSIP_HEADER(read,X-Entry)},${PJSIP_HEADER(read,X-Options)}))
 same => n,Set(LAB_BACK=1)
 same => n,UserEvent(LabBack,Result: ${SR_RESULT})
 same => n,Answer()
 same => n,Wait(60)
exten => h,1,UserEvent(LabEnd,Result: ${SR_RESULT})
[from-agent]
include => switchroom-features
exten => 7009,1,Answer()
 same => n,Wait(60)
"""


@cache
def shared_asterisk() -> Asterisk:
    """Started once per process, ended with it. Raises, with the way to install it, when there is none.

    SWITCHROOM_LAB_ASTERISK chooses another major version, e.g. 16.
    """
    pbx = Asterisk(agents=AGENTS, dialplan=DIALPLAN, version=os.environ.get("SWITCHROOM_LAB_ASTERISK", "22"))
    atexit.register(pbx.close)
    # With device_state_busy_at a telephone that only rings would be busy already.
    pjsip = pbx.directory / "etc" / "pjsip.conf"
    pjsip.write_text(pjsip.read_text().replace("device_state_busy_at = 1\n", ""))
    return pbx.start()


class AsteriskLab(SipLab):
    """A PbxLab."""

    phone_prefix = "PJSIP/"
    observer: Observer

    def __init__(self, asterisk: Asterisk | None = None) -> None:
        """On the shared Asterisk, or on one of the test's own."""
        self.asterisk = asterisk or shared_asterisk()
        super().__init__(self.asterisk, self.asterisk.ami_port)

    @property
    def own_port(self) -> AsteriskPort:
        """The same port, by its own type."""
        assert isinstance(self.port, AsteriskPort)
        return self.port

    @property
    def is_link_up(self) -> bool:
        return self.own_port.is_up

    def new_port(self) -> AsteriskPort:
        settings = AsteriskSettings(
            pbx=self.pbx,
            host="127.0.0.1",
            port=self.wire.port,
            username=self.asterisk.ami_user,
            secret=self.asterisk.ami_secret,
        )
        return AsteriskPort(replace(settings, **self.settings))

    async def new_observer(self) -> Observer:
        return await Observer.connect(self.asterisk)

    @property
    def directory(self) -> Path:
        return self.asterisk.directory
