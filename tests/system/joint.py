"""An Asterisk and a FreeSWITCH behind one queue, joined by a SIP trunk as docs/several-pbxs.md says."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from deploy.lab.freeswitch import FreeSwitch
from deploy.lab.nodes import ASTERISK_DIALPLAN, FREESWITCH_DIALPLAN, AsteriskNode, FreeswitchNode, Node
from deploy.lab.process import Child
from deploy.lab.site import Site, center
from tests.system.center import Center

# Everything is on 127.0.0.1, so that calls of the other PBX are known by the number that they dial.
_FROM_FREESWITCH = """
[from-trunk](+)
exten => _1XXX,1,Goto(switchroom-trunk,${EXTEN},1)
"""
_FROM_ASTERISK = """
<context name="from-trunk">
  <extension name="from-ast1">
    <condition field="destination_number" expression="^(1[0-9]{3})$">
      <action application="transfer" data="$1 XML switchroom-trunk"/>
    </condition>
  </extension>
"""
_TO_FREESWITCH = """
[to-fs1]
type = endpoint
aors = to-fs1
context = switchroom-trunk
disallow = all
allow = alaw,ulaw
direct_media = no
allow_transfer = no
[to-fs1]
type = aor
contact = sip:127.0.0.1:{port}
qualify_frequency = 0
"""


_TO_ASTERISK = """
<gateways>
  <gateway name="to-ast1">
    <param name="proxy" value="127.0.0.1:{port}"/>
    <param name="realm" value="127.0.0.1"/>
    <param name="register" value="false"/>
    <param name="caller-id-in-from" value="true"/>
    <param name="ping" value="15"/>
  </gateway>
"""


class JoinedAsterisk(AsteriskNode):
    """With its trunk, and with the configuration of the other PBX behind its own."""

    __slots__ = ("other",)
    other: FreeswitchNode

    def table(self, port: int) -> str:
        """As Node."""
        fs = self.other
        own = super().table(port) + 'trunks = { fs1 = "PJSIP/{number}@to-fs1" }\n'
        back = 'trunks = { ast1 = "sofia/gateway/to-ast1/{number}" }\n'
        return own + fs.table(fs.link_port) + back

    @property
    def environment(self) -> dict[str, str]:
        """As Node."""
        return super().environment | self.other.environment


def agents_of(site: Sequence[str], other: Sequence[str]) -> dict[str, str]:
    """A plain centre whose agents are on either PBX and recorded."""
    files = center([*site, *other], ring_timeout_s=6)
    files["floor.toml"] = files["floor.toml"].replace("[profiles.default]", "[profiles.default]\nrecord = true", 1)
    files["floor.toml"] += "[calls]\nrecording_pause_s = 60\n"
    for numbers, pbx in ((site, "ast1"), (other, "fs1")):
        for number in numbers:
            line = f'phone = "{number}"\n'
            files["agents.toml"] = files["agents.toml"].replace(line, f'{line}pbx = "{pbx}"\n')
    return files


class JointSite(Site):
    """The site of the Asterisk, with a FreeSWITCH and its connector beside it."""

    def __init__(self, site: Sequence[str], other: Sequence[str]) -> None:
        super().__init__(site, agents_of(site, other), dialplan=ASTERISK_DIALPLAN + _FROM_FREESWITCH)
        text = FREESWITCH_DIALPLAN.replace('<context name="from-trunk">', _FROM_ASTERISK.strip(), 1)
        self.other = FreeswitchNode(FreeSwitch(agents=other, dialplan=text))
        own = JoinedAsterisk(self.node.pbx)  # type: ignore[arg-type]
        object.__setattr__(own, "other", self.other)
        self.node = own
        with (self.pbx.directory / "etc" / "pjsip.conf").open("a") as file:
            file.write(_TO_FREESWITCH.format(port=self.other.pbx.sip_port))
        sofia = self.other.pbx.directory / "conf" / "sofia.conf.xml"
        gateway = _TO_ASTERISK.format(port=own.pbx.sip_port)
        sofia.write_text(sofia.read_text().replace("<gateways>", gateway.strip(), 1))

    def start_process(self, name: str) -> Child:
        """As Site, where the connector brings the other one with it."""
        if name == "connector":
            self.other.pbx.start()
            self.start_far_connector()
        return super().start_process(name)

    def start_far_connector(self) -> None:
        """Also again, after it was killed."""
        command = [sys.executable, "-m", "routing.cli.main", "connector", self.other.id]
        log = self.directory / "connector-fs1.log"
        self.children["connector-fs1"] = Child(command, log, self.directory, self.environment)

    def close(self) -> None:
        super().close()
        self.other.pbx.close()


class JointCenter(Center):
    """`far`: numbers of the telephones on the other PBX."""

    def __init__(self, site: JointSite, far: Sequence[str]) -> None:
        super().__init__(site)
        self.other, self.far = site.other, far

    def node_of(self, number: str) -> Node:
        return self.other if number in self.far else self.site.node
