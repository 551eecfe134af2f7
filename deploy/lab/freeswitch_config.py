"""The configuration files of a private FreeSWITCH, as text. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

# What Switchroom's dialplan and its connector may want, and no more.
MODULES = """
logfile event_socket commands dptools dialplan_xml expr hash sndfile native_file tone_stream local_stream
loopback conference sofia
""".split()

DOMAIN = "127.0.0.1"
PROFILE = "internal"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the files are written for."""

    directory: Path
    system_name: str
    sip_port: int
    esl_port: int
    carrier_port: int
    rtp: tuple[int, int]
    esl_secret: str
    agents: dict[str, str]  # number -> SIP password
    trunk_context: str
    agent_context: str
    project_dialplan: Path
    modules: tuple[str, ...] = ()  # beside MODULES
    profile: dict[str, str] = field(default_factory=dict)  # settings of the SIP profile beside the usual ones
    overrides: dict[str, str] = field(default_factory=dict)  # file name -> text


def render(plan: Plan) -> dict[str, str]:
    """File name -> text of the whole conf directory, but for the integrator's dialplan."""
    files = {
        "freeswitch.xml": _root(plan),
        "switch.conf.xml": _switch(plan),
        "modules.conf.xml": _modules(plan),
        "event_socket.conf.xml": _event_socket(plan),
        "logfile.conf.xml": _logfile(plan),
        "local_stream.conf.xml": _local_stream(plan),
        "conference.conf.xml": _conference(plan),
        "sofia.conf.xml": _sofia(plan),
        "directory.xml": _directory(plan),
        "trunk.xml": _trunk(plan),
    }
    return files | plan.overrides


def _root(plan: Plan) -> str:
    # Each instruction has a line of its own, or FreeSWITCH does not see it.
    return f"""<?xml version="1.0"?>
<document type="freeswitch/xml">
  <X-PRE-PROCESS cmd="set" data="domain={DOMAIN}"/>
  <X-PRE-PROCESS cmd="set" data="hold_music=local_stream://moh"/>
  <X-PRE-PROCESS cmd="set" data="default_password={plan.esl_secret}"/>
  <section name="configuration">
    <X-PRE-PROCESS cmd="include" data="*.conf.xml"/>
  </section>
  <section name="dialplan">
    <X-PRE-PROCESS cmd="include" data="trunk.xml"/>
    <X-PRE-PROCESS cmd="include" data="{plan.project_dialplan}"/>
    <X-PRE-PROCESS cmd="include" data="integrator.xml"/>
  </section>
  <section name="directory">
    <X-PRE-PROCESS cmd="include" data="directory.xml"/>
  </section>
</document>
"""


def _configuration(name: str, *lines: str) -> str:
    return f'<configuration name="{name}.conf">\n' + "\n".join(lines) + "\n</configuration>\n"


def _params(values: dict[str, object]) -> str:
    return "\n".join(f"    <param name={quoteattr(n)} value={quoteattr(str(v))}/>" for n, v in values.items())


def _switch(plan: Plan) -> str:
    values: dict[str, object] = {
        "max-sessions": 5000,
        "sessions-per-second": 1000,
        "loglevel": "info",
        "dump-cores": "no",
        "max-db-handles": 50,
        "rtp-start-port": plan.rtp[0],
        "rtp-end-port": plan.rtp[1],
        "switchname": plan.system_name,
    }
    return _configuration("switch", "  <settings>", _params(values), "  </settings>")


def _modules(plan: Plan) -> str:
    loaded = [f'    <load module="mod_{name}"/>' for name in (*MODULES, *plan.modules)]
    return _configuration("modules", "  <modules>", *loaded, "  </modules>")


def _event_socket(plan: Plan) -> str:
    values: dict[str, object] = {
        "nat-map": "false",
        "listen-ip": "127.0.0.1",
        "listen-port": plan.esl_port,
        "password": plan.esl_secret,
        "apply-inbound-acl": "loopback.auto",
        "stop-on-bind-error": "true",
    }
    return _configuration("event_socket", "  <settings>", _params(values), "  </settings>")


def _logfile(plan: Plan) -> str:
    values: dict[str, object] = {"logfile": plan.directory / "log" / "messages.log", "rollover": 0, "uuid": "true"}
    return _configuration(
        "logfile",
        '  <profiles><profile name="default"><settings>',
        _params(values),
        '  </settings><mappings><map name="all" value="info,notice,warning,err,crit,alert"/></mappings>',
        "  </profile></profiles>",
    )


def _local_stream(plan: Plan) -> str:
    values: dict[str, object] = {"rate": 8000, "channels": 1, "interval": 20, "timer-name": "soft"}
    folders = [
        f'  <directory name="{name}" path="{plan.directory}/moh">\n{_params(values)}\n  </directory>'
        for name in ("default", "moh")
    ]
    return _configuration("local_stream", *folders)


def _sofia(plan: Plan) -> str:
    values: dict[str, object] = {
        "context": plan.trunk_context,
        "dialplan": "XML",
        "sip-ip": "127.0.0.1",
        "sip-port": plan.sip_port,
        "rtp-ip": "127.0.0.1",
        "rtp-timer-name": "soft",
        "rfc2833-pt": 101,
        "dtmf-type": "rfc2833",
        "liberal-dtmf": "true",
        "inbound-codec-prefs": "PCMU,PCMA",
        "outbound-codec-prefs": "PCMU,PCMA",
        "inbound-late-negotiation": "true",
        "hold-music": "local_stream://moh",
        # Telephones are challenged in the dialplan: callers of the trunk come from the same address.
        "auth-calls": "false",
        "accept-blind-reg": "false",
        "auth-all-packets": "false",
        "nonce-ttl": 60,
        "force-register-domain": DOMAIN,
        "force-register-db-domain": DOMAIN,
        "force-subscription-domain": DOMAIN,
        "inbound-reg-force-matching-username": "true",
        "manage-presence": "false",
        "enable-timer": "false",
        "timer-T1": 500,
    }
    gateway = {"proxy": f"127.0.0.1:{plan.carrier_port}", "register": "false", "caller-id-in-from": "true"}
    return _configuration(
        "sofia",
        f'  <profiles><profile name="{PROFILE}">',
        f'  <domains><domain name="{DOMAIN}" alias="true" parse="false"/></domains>',
        f'  <gateways><gateway name="trunk">\n{_params(dict(gateway))}\n  </gateway></gateways>',
        f"  <settings>\n{_params(values | plan.profile)}\n  </settings>",
        "  </profile></profiles>",
    )


def _directory(plan: Plan) -> str:
    users = "\n".join(
        f'    <user id="{number}"><params><param name="password" value="{password}"/></params><variables>\n'
        f'      <variable name="user_context" value="{plan.agent_context}"/>\n'
        f'      <variable name="effective_caller_id_number" value="{number}"/>\n'
        f'      <variable name="effective_caller_id_name" value="Agent {number}"/>\n'
        "    </variables></user>"
        for number, password in plan.agents.items()
    )
    dial = "{presence_id=${dialed_user}@${dialed_domain}}${sofia_contact(*/${dialed_user}@${dialed_domain})}"
    return f"""<domain name="{DOMAIN}">
  <params><param name="dial-string" value="{dial}"/></params>
  <groups><group name="agents"><users>
{users}
  </users></group></groups>
</domain>
"""


def _trunk(plan: Plan) -> str:
    """Telephones have to say their password, everybody else is a caller of the trunk.

    Only numbers of fixed form go on: what a stranger writes there would become arguments of an application.
    """
    numbers = "|".join(plan.agents) or "none"
    return f"""<include>
<context name="lab-trunk">
  <extension name="telephone">
    <condition field="${{sip_from_user}}" expression="^({numbers})$"/>
    <condition field="${{sip_authorized}}" expression="^true$" break="never">
      <anti-action application="respond" data="407"/>
    </condition>
  </extension>
  <extension name="caller">
    <condition field="destination_number" expression="^(\\+?[0-9]{{2,15}})$">
      <action application="transfer" data="$1 XML from-trunk"/>
    </condition>
  </extension>
</context>
</include>
"""


def _conference(plan: Plan) -> str:
    included = f'  <X-PRE-PROCESS cmd="include" data="{plan.project_dialplan.parent}/conference.xml"/>'
    return _configuration(
        "conference",
        '  <caller-controls><group name="none"/></caller-controls>',
        "  <profiles>",
        '  <profile name="default"><param name="rate" value="8000"/><param name="energy-level" value="0"/></profile>',
        included,
        "  </profiles>",
    )
