"""`doctor` against a scripted event socket: what a FreeSWITCH can say, also one that is hard to come by (OPS-01)."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from importlib.resources import files
from xml.etree import ElementTree as ET

import pytest

from routing.app.clock import SystemClock
from routing.app.doctor import Finding, Level
from routing.app.doctor.findings import Findings
from routing.app.doctor.freeswitch import Needs, examine, host
from routing.app.doctor.freeswitch.xml import piece_of
from routing.app.settings import EslTransport, PbxKind, PbxSettings
from tests.integration.esl_server import SECRET, EslServer, as_json, reply, response, wrapped
from tests.waiting import run

pytestmark = pytest.mark.req("OPS-01")

SHIPPED = files("dialplan") / "freeswitch"
NEEDS = Needs(
    phones=("user/1001", "user/1002@a.example"), dials=("sofia/gateway/trunk/{number}",), music=("moh",), records=True
)
CHECKS = (
    "transport login version clock password listening limits modules dialplan conference settings beat music phones "
    "trunk transfers recordings"
).split()
SOCKET = '<configuration name="event_socket.conf"><settings>{}</settings></configuration>'
LOCAL = '<param name="listen-ip" value="127.0.0.1"/>'
WIDE = '<param name="listen-ip" value="0.0.0.0"/><param name="apply-inbound-acl" value="lan"/>'
SOFIA = '<configuration><profiles><profile name="internal"><settings>{}</settings></profile></profiles></configuration>'
GUARD = '<param name="disable-transfer" value="true"/>'
CONTEXTS = ET.fromstring((SHIPPED / "switchroom.xml").read_text()).findall("context")


def healthy() -> dict[str, str]:
    """What a FreeSWITCH prints, by command."""
    located = {f"xml_locate dialplan context name {c.get('name')}": ET.tostring(c, "unicode") for c in CONTEXTS}
    return {
        **located,
        "xml_locate configuration configuration name event_socket.conf": SOCKET.format(LOCAL),
        "xml_locate configuration configuration name conference.conf": (SHIPPED / "conference.xml").read_text(),
        "xml_locate configuration configuration name sofia.conf": SOFIA.format(GUARD),
        "version": "FreeSWITCH Version 1.10.12-release~64bit (64bit)",
        "strmicroepoch": str(time.time_ns() // 1000),
        "status": "UP 0 years\n3 session(s) since startup\n3 session(s) - peak 4, last 5min 4\n",
        "fsctl max_sessions": "+OK max sessions: 1000",
        "fsctl sps": "+OK sessions per second: 30",
        "fsctl pause_check": "false",
        "global_getvar domain": "a.example",
        "global_getvar SR_BEAT": str(int(time.time())),
        "global_getvar recordings_dir": "/var/recordings",
        "local_stream show": "moh/8000,/usr/share/moh\n",
        "show registrations as json": '{"row_count": 0}',
        "sofia status gateway trunk": "Name    \ttrunk\nState   \tREGED\nStatus  \tUP\n",
        "user_data 1001@a.example param dial-string": "${sofia_contact(x)}",
        "user_data 1002@a.example param dial-string": "${sofia_contact(x)}",
    }


class Script:
    """A server that prints what it is given; `events` are those of a test call that still come."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.server, self.answers, self.failure = EslServer(), answers, ""
        self.events = {"CHANNEL_CREATE", "CHANNEL_ANSWER", "switchroom::at", "add-member", "CHANNEL_HANGUP_COMPLETE"}
        words = {line.split()[0] for line in answers}
        self.server.api |= dict.fromkeys(words | {"module_exists", "user_exists", "switchname"}, self._print)
        self.server.api |= dict.fromkeys(("uuid_transfer", "uuid_kill", "uuid_record", "acl"), self._print)
        self.server.replies["bgapi"] = self._originate

    def _print(self, line: str) -> bytes:
        word, *rest = line.split()
        if word == "uuid_kill":
            self._tell("CHANNEL_HANGUP_COMPLETE", rest[0])
        if word == "uuid_transfer":
            self._tell("add-member", rest[0], Action="add-member")
        usual = "true" if word in ("module_exists", "user_exists") else "-ERR no reply" if "_getvar" in word else "+OK"
        return response(self.answers.get(line, self.answers.get(word, usual)))

    def _originate(self, line: str) -> bytes:
        uid = line.partition("origination_uuid=")[2].partition(",")[0]
        if self.failure:
            event = (
                f"Event-Name: BACKGROUND_JOB\nJob-UUID: {uid}\nContent-Length: {len(self.failure)}\n\n{self.failure}"
            )
            writer = self.server.commands.writer
            asyncio.get_running_loop().call_soon(writer.write, wrapped(event.encode(), "plain"))
        else:
            for name in ("CHANNEL_CREATE", "CHANNEL_ANSWER"):
                self._tell(name, uid)
            self._tell("switchroom::at", uid, **{"Event-Subclass": "switchroom::at"})
        return reply("+OK Job-UUID")

    def _tell(self, name: str, uid: str, **headers: str) -> None:
        if name in self.events:
            event = as_json(name if name.isupper() else "CUSTOM", **{"Unique-ID": uid, **headers})
            asyncio.get_running_loop().call_soon(self.server.say, event)


Break = Callable[[Script], object]


def findings_of(broken: Break = lambda _: None, needs: Needs = NEEDS, secret: str = SECRET) -> dict[str, Finding]:
    async def play() -> dict[str, Finding]:
        script = Script(healthy())
        broken(script)
        listening = await asyncio.start_server(script.server.serve, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        pbx = PbxSettings(id="fs1", kind=PbxKind.FREESWITCH, port=port, secret=secret, secret_source="the test")
        findings = Findings("fs1")
        await examine(findings, pbx, needs, SystemClock())
        listening.close()
        assert [line for line in script.server.sent("bgapi") if "originate" not in line] == []
        return {f.check: f for f in findings.all if f.check != "events" or f.level is not Level.OK}

    return run(play())


def wrong(found: dict[str, Finding]) -> dict[str, str]:
    complaints = {check: f.level.value for check, f in found.items() if f.level is not Level.OK}
    assert all(found[check].mend for check in complaints)
    return complaints


def test_a_healthy_one_has_no_complaint() -> None:
    found = findings_of()
    assert wrong(found) == {}
    assert found.keys() == set(CHECKS)
    assert found["limits"].detail == "3 of 1000 legs in use, 30 new ones per second"
    assert found["recordings"].detail == "can be written into /var/recordings/switchroom"


def says(line: str, text: str) -> Break:
    return lambda script: script.answers.update({line: text})


@pytest.mark.parametrize(
    ("broken", "complaints", "words"),
    [
        (says("version", "FreeSWITCH Version 1.8.7-release"), {"version": "error"}, "1.8.7"),
        (says("version", "-ERR"), {"version": "warning"}, "does not tell"),
        (says("strmicroepoch", "1000000000000000"), {"clock": "error", "beat": "ok"}, "differs"),
        (says("fsctl pause_check", "true"), {"limits": "error"}, "paused"),
        (says("status", "9 session(s) since startup\n801 session(s) - peak 9\n"), {"limits": "warning"}, "801 of 1000"),
        (says("fsctl max_sessions", "+OK max sessions: 7"), {"limits": "warning"}, "few for 2 agents"),
        (says("fsctl sps", "+OK sessions per second: 19"), {"limits": "warning"}, "19 new ones"),
        (says("module_exists mod_expr", "false"), {"modules": "error"}, "not loaded: mod_expr"),
        (says("module_exists mod_loopback", "false"), {"events": "warning"}, "mod_loopback is not loaded"),
        (
            says("xml_locate dialplan context name switchroom-room", "can't find anything"),
            {"dialplan": "error"},
            "-room",
        ),
        (says("xml_locate dialplan context name switchroom-room", "<context/>"), {"dialplan": "error"}, "-room differ"),
        (
            says("xml_locate configuration configuration name conference.conf", "<x/>"),
            {"conference": "error"},
            "profile switchroom is missing",
        ),
        (says("global_getvar SR_TAKE_S", "soon"), {"settings": "error"}, "SR_TAKE_S=soon"),
        (says("global_getvar SR_CHECK_S", "1"), {"settings": "warning"}, "SR_CHECK_S=1"),
        (says("global_getvar SR_BEAT", ""), {"beat": "error"}, "no sign of life"),
        (says("local_stream show", "default,/x\n"), {"music": "warning"}, "moh: `default` is played"),
        (says("local_stream show", ""), {"music": "warning"}, "silence"),
        (says("global_getvar domain", ""), {"phones": "error"}, "domain is not set"),
        (says("user_exists id 1002 a.example", "false"), {"phones": "error"}, "user/1002@a.example"),
        (says("user_data 1002@a.example attr type", "pointer"), {"phones": "error"}, "user/1002@a.example"),
        (says("user_data 1001@a.example param dial-string", "-ERR no reply"), {"phones": "error"}, "no dial-string"),
        (says("sofia status gateway trunk", "Invalid Gateway!"), {"trunk": "error"}, "there is no gateway trunk"),
        (says("sofia status gateway trunk", "State   \tREGED\nStatus  \tDOWN"), {"trunk": "error"}, "is down"),
        (says("sofia status gateway trunk", "State   \tFAIL_WAIT\nStatus  \tDOWN"), {"trunk": "error"}, "FAIL_WAIT"),
        (
            says("xml_locate configuration configuration name sofia.conf", SOFIA.format("")),
            {"transfers": "warning"},
            "telephones of internal may transfer",
        ),
        (says("uuid_record", "-ERR Cannot record session!"), {"recordings": "error"}, "Cannot record"),
        (says("global_getvar recordings_dir", "-ERR no reply"), {"recordings": "error"}, "the folder is not known"),
        (lambda script: script.events.discard("switchroom::at"), {"events": "error"}, "no event switchroom::at"),
        (lambda script: script.events.discard("CHANNEL_ANSWER"), {"events": "error"}, "none arrive of CHANNEL_ANSWER"),
        (lambda script: script.events.discard("add-member"), {"conference": "error"}, "did not get into a conference"),
        (lambda script: setattr(script, "failure", "-ERR GATEWAY_DOWN\n"), {"events": "error"}, "-ERR GATEWAY_DOWN"),
    ],
)
def test_what_is_broken_is_named_and_nothing_else(broken: Break, complaints: dict[str, str], words: str) -> None:
    found = findings_of(broken)
    assert wrong(found) == {check: level for check, level in complaints.items() if level != "ok"}
    assert words in found[next(iter(complaints))].detail


@pytest.mark.parametrize(
    ("params", "lets_in", "level"),
    [
        (WIDE, "true", "error"),
        (WIDE, "false", "ok"),
        ('<param name="listen-ip" value="::"/>', "true", "warning"),
        ("", "true", "ok"),  # FreeSWITCH's own default
    ],
)
def test_a_socket_that_the_world_can_reach_is_told(params: str, lets_in: str, level: str) -> None:
    def broken(script: Script) -> None:
        script.answers["xml_locate configuration configuration name event_socket.conf"] = SOCKET.format(params)
        script.answers["acl 203.0.113.1 lan"] = lets_in

    found = findings_of(broken)
    assert found["listening"].level == level
    assert wrong(found) == ({} if level == "ok" else {"listening": level})


@pytest.mark.parametrize(
    ("dial", "complaints", "words"),
    [
        ("sofia/internal/{number}@192.0.2.1", {}, "internal up"),
        ("sofia/elsewhere/{number}@192.0.2.1", {"trunk": "error"}, "there is no SIP profile elsewhere"),
    ],
)
def test_a_profile_that_calls_leave_by_has_to_run(dial: str, complaints: dict[str, str], words: str) -> None:
    def broken(script: Script) -> None:
        script.answers["sofia status profile internal"] = "Name\tinternal\nContext\tpublic\n"
        script.answers["sofia status profile elsewhere"] = "Invalid Profile!"

    found = findings_of(broken, Needs(phones=NEEDS.phones, dials=(dial,)))
    assert wrong(found) == complaints
    assert words in found["trunk"].detail


def test_who_is_turned_away_learns_that_it_was_the_access_list() -> None:
    rejection = b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n"
    found = findings_of(lambda script: setattr(script.server, "greeting", rejection))
    assert wrong(found) == {"login": "error"}
    assert "apply-inbound-acl" in found["login"].mend


def test_a_password_that_is_not_there_is_looked_for_nowhere() -> None:
    found = findings_of(secret="")
    assert wrong(found) == {"secret": "error"}
    assert found["secret"].detail == "the test is missing or empty"


def test_where_nobody_listens_the_address_is_named() -> None:
    async def play() -> list[Finding]:
        listening = await asyncio.start_server(EslServer().serve, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        listening.close()
        findings = Findings("fs1")
        pbx = PbxSettings(id="fs1", kind=PbxKind.FREESWITCH, port=port, secret=SECRET)
        await examine(findings, pbx, NEEDS, SystemClock())
        assert f"127.0.0.1:{port}: cannot connect" in findings.all[-1].detail
        return findings.all

    assert wrong({f.check: f for f in run(play())}) == {"login": "error"}


@pytest.mark.parametrize("text", ["", "can't find anything", "<x>", "<x/><y/>", '<!DOCTYPE x [<!ENTITY a "b">]><x/>'])
def test_what_is_no_xml_or_brings_entities_of_its_own_is_none(text: str) -> None:
    assert piece_of(text) is None


def test_a_wrong_password_and_one_of_two_lines_are_told_apart() -> None:
    assert "refuses the password" in findings_of(secret="another")["login"].detail
    assert wrong(findings_of(secret="two\nlines")) == {"secret": "error"}


@pytest.mark.parametrize(
    ("value", "level"), [("yes", "ok"), ("TRUE", "ok"), ("1", "ok"), ("no", "warning"), ("", "warning")]
)
def test_what_freeswitch_takes_for_true_forbids_transfers(value: str, level: str) -> None:
    sofia = SOFIA.format(f'<param name="Disable-Transfer" value="{value}"/>')
    found = findings_of(says("xml_locate configuration configuration name sofia.conf", sofia))
    assert found["transfers"].level == level


@pytest.mark.parametrize(("transport", "complaints"), [("python-esl", {"transport": "error"}), ("auto", {})])
def test_a_client_that_cannot_be_imported_is_an_error_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, transport: str, complaints: dict[str, str]
) -> None:
    monkeypatch.setitem(sys.modules, "ESL", None)
    findings = Findings("fs1")
    host.transport(findings, PbxSettings(id="fs1", kind=PbxKind.FREESWITCH, transport=EslTransport(transport)))
    assert wrong({f.check: f for f in findings.all}) == complaints


def test_the_password_of_everybody_is_an_error() -> None:
    findings = Findings("fs1")
    host.password(findings, PbxSettings(id="fs1", kind=PbxKind.FREESWITCH, secret="ClueCon", secret_source="here"))
    assert wrong({f.check: f for f in findings.all}) == {"password": "error"}


def test_a_registered_profile_counts_for_transfers_and_not_those_where_nobody_is() -> None:
    two = "<configuration><profiles>{}</profiles></configuration>".format(
        f'<profile name="internal"><settings>{GUARD}</settings></profile><profile name="external"/>'
    )
    row = '{"row_count": 1, "rows": [{"reg_user": "1001", "realm": "a.example", "url": "sofia/internal/sip:1001@x"}]}'

    def broken(script: Script) -> None:
        script.answers["xml_locate configuration configuration name sofia.conf"] = two

    def registered(script: Script) -> None:
        broken(script)
        script.answers["show registrations as json"] = row

    assert wrong(findings_of(broken)) == {"transfers": "warning"}
    found = findings_of(registered)
    assert wrong(found) == {}
    assert found["phones"].detail == "all 2 are known, 1 of them are registered"
