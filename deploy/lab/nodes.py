"""A PBX of a site, by kind: what differs between them is known here, so that whoever tests a site need not."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from deploy.lab.asterisk import Asterisk
from deploy.lab.freeswitch import FreeSwitch
from deploy.lab.phones import SipPbx
from deploy.lab.recorded import recording_path


class LabPbx(SipPbx, Protocol):
    """A private PBX, as a process."""

    directory: Path

    @property
    def pid(self) -> int: ...

    @property
    def is_running(self) -> bool: ...

    def start(self) -> object: ...

    def kill(self) -> None: ...

    def stop(self) -> None: ...

    def freeze(self) -> None: ...

    def thaw(self) -> None: ...

    def close(self) -> None: ...

    def cli(self, command: str) -> str: ...


class Node(Protocol):
    """A lab's PBX together with what Switchroom is told of it.

    `id`: in the configuration. `dialplan`: of an integrator who hands 7XXX over, 7002 to `help` and all else to
    `main`, puts the caller's number into customer_id, lets agents dial one another, and plays 1209 Hz when the
    server is not available.
    """

    id: ClassVar[str]
    kind: ClassVar[str]
    dialplan: ClassVar[str]

    @property
    def pbx(self) -> LabPbx: ...

    @property
    def link_port(self) -> int:
        """Where the connector connects."""
        ...

    @property
    def environment(self) -> dict[str, str]:
        """The secrets that `table` names."""
        ...

    def table(self, port: int) -> str:
        """Its part of the configuration, reached at this port."""
        ...

    def phone(self, number: str) -> str:
        """An agent's telephone in facts and commands."""
        ...

    def recording(self, file: str) -> Path:
        """Where a recording of that name is put."""
        ...

    def variable(self, name: str) -> str:
        """A global variable of its dialplan, empty when it is not set."""
        ...

    def set_variable(self, name: str, value: str) -> None: ...

    def logged(self, pattern: str) -> list[Any]:
        """What `re.findall` finds in the lines that the dialplan itself wrote into the PBX's log."""
        ...


# How a site's own dialplan looks: one line per entry point, the fall-back behind it.
ASTERISK_DIALPLAN = """
[from-trunk]
exten => _7XXX,1,Set(SR_CAD_customer_id=${CALLERID(num)})
 same => n,Gosub(switchroom,s,1(${IF($["${EXTEN}"="7002"]?help:main)}))
 same => n,Verbose(1,back with ${SR_RESULT})
 same => n,GotoIf($["${SR_RESULT}" = "unavailable"]?fallback,s,1)
 same => n,Hangup()
exten => h,1,Verbose(1,gone with ${SR_RESULT})

[from-agent]
include => switchroom-features
exten => _1XXX,1,Dial(PJSIP/${EXTEN},30)

[fallback]
exten => s,1,Answer()
 same => n,Playtones(1209)
 same => n,Wait(30)
"""
ASTERISK_TABLE = """
[pbx.{id}]
kind = "asterisk"
host = "127.0.0.1"
port = {port}
username = "{user}"
secret_env = "SWITCHROOM_AMI_SECRET"
dial = "PJSIP/{{number}}@trunk"
dial_colon = ""
"""


@dataclass(frozen=True, slots=True)
class AsteriskNode:
    pbx: Asterisk

    id: ClassVar[str] = "ast1"
    kind: ClassVar[str] = "asterisk"
    dialplan: ClassVar[str] = ASTERISK_DIALPLAN

    @property
    def link_port(self) -> int:
        return self.pbx.ami_port

    @property
    def environment(self) -> dict[str, str]:
        return {"SWITCHROOM_AMI_SECRET": self.pbx.ami_secret}

    def table(self, port: int) -> str:
        return ASTERISK_TABLE.format(id=self.id, port=port, user=self.pbx.ami_user)

    def phone(self, number: str) -> str:
        return f"PJSIP/{number}"

    def recording(self, file: str) -> Path:
        return recording_path(self.pbx.directory, file)

    def variable(self, name: str) -> str:
        found = re.search(rf"^ *{re.escape(name)}=(.*)$", self.pbx.cli("dialplan show globals"), re.MULTILINE)
        return found[1] if found else ""

    def set_variable(self, name: str, value: str) -> None:
        self.pbx.cli(f"dialplan set global {name} {value}")

    def logged(self, pattern: str) -> list[Any]:
        # The log also tells that the line is about to be written, with its text as an argument of Verbose(1,...).
        return re.findall(rf"(?<!1,){pattern}", self.pbx.messages)


# What agents dial: feature codes, and one another.
FREESWITCH_AGENTS = """
<context name="from-agent">
  <extension name="feature">
    <condition field="destination_number" expression="^(\\*6[1-5][0-9]*)$">
      <action application="transfer" data="$1 XML switchroom-features"/>
    </condition>
  </extension>
  <extension name="colleague">
    <condition field="destination_number" expression="^(1\\d{3})$">
      <action application="bridge" data="{originate_timeout=30}user/$1"/>
    </condition>
  </extension>
</context>
"""
FREESWITCH_DIALPLAN = (
    """
<context name="from-trunk">
  <extension name="customer" continue="true">
    <condition field="destination_number" expression="^7\\d{3}$"/>
    <condition field="caller_id_number" expression="^([0-9+]+)$">
      <action application="set" data="SR_CAD_customer_id=$1"/>
    </condition>
  </extension>
  <extension name="help">
    <condition field="destination_number" expression="^7002$">
      <action application="execute_extension" data="help XML switchroom"/>
    </condition>
  </extension>
  <extension name="main">
    <condition field="destination_number" expression="^7\\d{3}$">
      <action application="execute_extension" data="main XML switchroom"/>
    </condition>
  </extension>
  <extension name="back">
    <condition field="destination_number" expression="^switchroom-result$"/>
    <condition field="${SR_RESULT}" expression="^unavailable$">
      <action application="answer"/>
      <action application="playback" data="tone_stream://%(30000,0,1209)"/>
      <anti-action application="hangup"/>
    </condition>
  </extension>
</context>
"""
    + FREESWITCH_AGENTS
)
FREESWITCH_TABLE = """
[pbx.{id}]
kind = "freeswitch"
host = "127.0.0.1"
port = {port}
secret_env = "SWITCHROOM_ESL_SECRET"
transport = "{transport}"
dial = "sofia/gateway/trunk/{{number}}"
dial_colon = ""
"""


@dataclass(frozen=True, slots=True)
class FreeswitchNode:
    pbx: FreeSwitch

    id: ClassVar[str] = "fs1"
    kind: ClassVar[str] = "freeswitch"
    dialplan: ClassVar[str] = FREESWITCH_DIALPLAN

    @property
    def link_port(self) -> int:
        return self.pbx.esl_port

    @property
    def environment(self) -> dict[str, str]:
        return {"SWITCHROOM_ESL_SECRET": self.pbx.esl_secret}

    def table(self, port: int) -> str:
        transport = os.environ.get("SWITCHROOM_LAB_TRANSPORT", "auto")
        return FREESWITCH_TABLE.format(id=self.id, port=port, transport=transport)

    def phone(self, number: str) -> str:
        return f"user/{number}"

    def recording(self, file: str) -> Path:
        return self.pbx.recordings / "switchroom" / f"{file}.wav"

    def variable(self, name: str) -> str:
        return self.pbx.cli(f"global_getvar {name}").removeprefix("-ERR")

    def set_variable(self, name: str, value: str) -> None:
        self.pbx.cli(f"global_setvar {name}={value}")

    def logged(self, pattern: str) -> list[Any]:
        # The log also tells of each application that runs, with its argument.
        return re.findall(rf"\.c:\d+ {pattern}", self.pbx.messages)


Options = Mapping[str, Any]  # of the lab's PBX itself


def _asterisk(phones: Sequence[str], dialplan: str, options: Options) -> Node:
    return AsteriskNode(Asterisk(agents=phones, dialplan=dialplan, **options))


def _freeswitch(phones: Sequence[str], dialplan: str, options: Options) -> Node:
    return FreeswitchNode(FreeSwitch(agents=phones, dialplan=dialplan, **options))


KINDS: dict[str, Callable[[Sequence[str], str, Options], Node]] = {"asterisk": _asterisk, "freeswitch": _freeswitch}
DIALPLANS = {AsteriskNode.kind: AsteriskNode.dialplan, FreeswitchNode.kind: FreeswitchNode.dialplan}


def make_node(kind: str, phones: Sequence[str], dialplan: str, options: Options) -> Node:
    """A PBX of that kind, not started. Raises KeyError, and ProgramMissing when the machine has none."""
    return KINDS[kind](phones, dialplan, options)
