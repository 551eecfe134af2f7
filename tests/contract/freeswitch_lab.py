"""The contract suite's lab on a real FreeSWITCH."""

from __future__ import annotations

import atexit
from dataclasses import replace
from functools import cache
from pathlib import Path

from deploy.lab.freeswitch import FreeSwitch
from telephony.freeswitch import FreeswitchPort, FreeswitchSettings, TransportKind
from tests.contract.freeswitch_wire import Observer
from tests.contract.sip_lab import CAD_NAMES, SipLab
from tests.contract.sip_people import AGENTS, PRIVATE_NUMBER

__all__ = ["AGENTS", "DIALPLAN", "FreeswitchLab", "FreeswitchPythonEslLab", "shared_freeswitch"]

# What a caller brings comes in headers of his INVITE, percent-coded. `set` expands what `${...}` there is in its value,
# and so does the execution of every application before; a value of a stranger would run as a dialplan of his own. Hence
# decoding is left to the one expansion of `set`, which looks at no result of an API function again.
SET_CAD = """
  <extension name="cad-{name}" continue="true">
    <condition field="${{sip_h_X-Cad-{name}}}" expression="^.+$">
      <action application="set" data="app_disable_expand_variables=true"/>
      <action application="set" data="SR_CAD_{name}=${{url_decode(${{sip_h_X-Cad-{name}}})}}"/>
      <action application="set" data="app_disable_expand_variables=false"/>
    </condition>
  </extension>
"""

# The integrator's dialplan.
DIALPLAN = """
<X-PRE-PROCESS cmd="set" data="SR_TAKE_S=20"/>
<context name="from-trunk">
  <extension name="back">
    <condition field="destination_number" expression="^switchroom-result$">
      <action application="event" data="Event-Subclass=lab::back,Event-Name=CUSTOM,Result=${SR_RESULT}"/>
      <action application="answer"/>
      <action application="park"/>
    </condition>
  </extension>
  <extension name="who" continue="true">
    <condition>
      <action application="set_profile_var" data="caller_id_name=${url_decode(${sip_h_X-Name})}"/>
      <action application="event" data="Event-Subclass=lab::call,Event-Name=CUSTOM,Token=${sip_h_X-Token}"/>
    </condition>
  </extension>
  CADS
  <extension name="hand-over">
    <condition>
      <action application="execute_extension" data="${sip_h_X-Entry},${sip_h_X-Options} XML switchroom"/>
    </condition>
  </extension>
</context>
<context name="from-agent">
  <extension name="features">
    <condition field="destination_number" expression="^(\\*6[1-5][0-9]*)$">
      <action application="transfer" data="$1 XML switchroom-features"/>
    </condition>
  </extension>
  <extension name="somebody">
    <condition field="destination_number" expression="^PRIVATE$">
      <action application="set" data="hangup_after_bridge=true"/>
      <action application="bridge" data="sofia/gateway/trunk/PRIVATE"/>
    </condition>
  </extension>
</context>
"""
DIALPLAN = DIALPLAN.replace("PRIVATE", PRIVATE_NUMBER).replace(
    "CADS", "".join(SET_CAD.format(name=name) for name in CAD_NAMES)
)


@cache
def shared_freeswitch() -> FreeSwitch:
    """Started once per process, ended with it. Raises when there is none."""
    pbx = FreeSwitch(agents=AGENTS, dialplan=DIALPLAN)
    atexit.register(pbx.close)
    return pbx.start()


class FreeswitchLab(SipLab):
    """A PbxLab."""

    phone_prefix = "user/"
    option_separator = ","
    transport = TransportKind.SOCKET
    observer: Observer

    def __init__(self, freeswitch: FreeSwitch | None = None) -> None:
        """On the shared FreeSWITCH, or on one of the test's own."""
        self.freeswitch = freeswitch or shared_freeswitch()
        super().__init__(self.freeswitch, self.freeswitch.esl_port)

    async def open(self) -> None:
        """Whom agents call past Switchroom is a person: FreeSWITCH joins callers with nothing else by a REFER."""
        await super().open()
        await self.lines.carrier()

    @property
    def own_port(self) -> FreeswitchPort:
        """The same port, by its own type."""
        assert isinstance(self.port, FreeswitchPort)
        return self.port

    @property
    def is_link_up(self) -> bool:
        return self.own_port.is_up

    def new_port(self) -> FreeswitchPort:
        settings = FreeswitchSettings(
            pbx=self.pbx,
            host="127.0.0.1",
            port=self.wire.port,
            secret=self.freeswitch.esl_secret,
            transport=self.transport,
        )
        return FreeswitchPort(replace(settings, **self.settings))

    async def new_observer(self) -> Observer:
        return await Observer.connect(self.freeswitch)

    @property
    def directory(self) -> Path:
        return self.freeswitch.directory

    def recording(self, file: str) -> Path:
        return self.freeswitch.recordings / "switchroom" / f"{file}.wav"


class FreeswitchPythonEslLab(FreeswitchLab):
    """The same over python-ESL."""

    transport = TransportKind.PYTHON_ESL
