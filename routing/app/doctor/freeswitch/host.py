"""The FreeSWITCH itself: version, name, clock, who gets in, limits, modules."""

from __future__ import annotations

import re

from routing.app.clock import Clock
from routing.app.doctor.findings import Findings
from routing.app.doctor.freeswitch.link import EslLook
from routing.app.doctor.freeswitch.xml import Piece, piece_of
from routing.app.doctor.redis_checks import compare_clocks
from routing.app.settings import PbxSettings
from telephony.freeswitch.connection import SocketWire
from telephony.freeswitch.esl_threads import PythonEslMissing, wire_for
from telephony.freeswitch.settings import TransportKind

_MAX_SKEW_MS = 1000
_OLDEST = (1, 10)
VANILLA_PASSWORD = "ClueCon"  # noqa: S105  # everybody's, which is the point
_OWN_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})
# RFC 5737: nobody's, so a list that lets it in lets everybody in.
_ANYBODY = "203.0.113.1"
_FULL_SHARE = 0.8
_FEW_PER_SECOND = 20
LEGS_PER_AGENT = 4
# What the dialplan and the connector use.
MODULES = (
    "mod_commands mod_conference mod_dialplan_xml mod_dptools mod_expr mod_local_stream mod_sndfile mod_sofia "
    "mod_tone_stream"
).split()
_RELOAD_SOCKET = "reloadxml, and bgapi reload mod_event_socket"


def transport(findings: Findings, pbx: PbxSettings) -> None:
    """Which client the connector would take, were it started here."""
    try:
        is_own = wire_for(TransportKind(pbx.transport.value)) is SocketWire
    except PythonEslMissing as error:
        findings.error("transport", str(error), f"pip install 'switchroom[freeswitch]', or pbx.{pbx.id}.transport")
        return
    findings.ok("transport", "the built-in client" if is_own else "python-ESL")


async def version(findings: Findings, look: EslLook) -> None:
    text = await look.text("version")
    found = re.search(r"Version (\d+)\.(\d+)\S*", text)
    if found is None:
        findings.warn("version", f"it does not tell its version: {text[:80]!r}", "is mod_commands loaded?")
    elif (int(found[1]), int(found[2])) < _OLDEST:
        findings.error("version", f"FreeSWITCH {found[0][8:]}", "install FreeSWITCH 1.10 or newer")
    else:
        findings.ok("version", f"FreeSWITCH {found[0][8:]}")


async def system_name(findings: Findings, look: EslLook, pbx: PbxSettings) -> None:
    name = await look.text("switchname")
    if pbx.system_name and name != pbx.system_name:
        mend = f"correct pbx.{pbx.id}.system_name or its host"
        findings.error("system_name", f"this PBX calls itself {name}, not {pbx.system_name}", mend)
    elif pbx.system_name:
        findings.ok("system_name", name)


async def clock(findings: Findings, look: EslLook, here: Clock) -> int:
    """Its clock, in seconds of the epoch; this machine's where it does not tell."""
    before_ms = here.now_ms()
    text = await look.text("strmicroepoch")
    after_ms = here.now_ms()
    if not text.isdecimal():
        return after_ms // 1000
    there_ms = int(text) // 1000
    compare_clocks(findings, there_ms - (before_ms + after_ms) // 2, _MAX_SKEW_MS)
    return there_ms // 1000


# ---------------------------------------------------------------------- who gets in


def password(findings: Findings, pbx: PbxSettings) -> None:
    if pbx.secret == VANILLA_PASSWORD:
        mend = f"another password in event_socket.conf.xml and in {pbx.secret_source}; then {_RELOAD_SOCKET}"
        findings.error("password", "it is the one of every vanilla configuration", mend)
    else:
        findings.ok("password", "not the vanilla one")


async def listening(findings: Findings, look: EslLook) -> None:
    """As far as the loaded configuration tells; the socket may still run with an earlier one."""
    settings = piece_of(await look.text("xml_locate configuration configuration name event_socket.conf"))
    if settings is None:
        findings.warn("listening", "cannot be looked at: event_socket.conf is not loaded", "see modules.conf.xml")
        return
    address = settings.params().get("listen-ip", "127.0.0.1")
    lists = _access_lists(settings)
    wide = [name for name in lists if await look.text(f"acl {_ANYBODY} {name}") == "true"]
    if address in _OWN_MACHINE:
        findings.ok("listening", f"on {address} alone")
    elif not lists:
        detail = f"on {address} without an access list: older versions let everybody in"
        findings.warn("listening", detail, f"event_socket.conf.xml: apply-inbound-acl; then {_RELOAD_SOCKET}")
    elif len(wide) == len(lists):
        mend = "event_socket.conf.xml: listen-ip 127.0.0.1, or a list of acl.conf.xml that has this machine alone"
        findings.error("listening", f"on {address}, and the list {', '.join(lists)} lets everybody in", mend)
    else:
        findings.ok("listening", f"on {address}, for those of {', '.join(lists)}")


def _access_lists(settings: Piece) -> list[str]:
    """All of them have to let an address in."""
    params = (param.attributes for param in settings.all("param"))
    named = (param.get("value", "") for param in params if param.get("name") == "apply-inbound-acl")
    return [name for name in named if re.fullmatch(r"[A-Za-z0-9_.:/-]+", name)]


# ---------------------------------------------------------------------- room for calls


async def limits(findings: Findings, look: EslLook, agents: int) -> None:
    if await look.text("fsctl pause_check") == "true":
        findings.error("limits", "it is paused and takes no calls", "fs_cli -x 'fsctl resume'")
        return
    used = re.search(r"^(\d+) session\(s\) - peak", await look.text("status"), re.MULTILINE)
    most, per_s = (await _figure(look, "max_sessions"), await _figure(look, "sps"))
    used_now = int(used[1]) if used else 0
    detail = f"{used_now} of {most} legs in use, {per_s} new ones per second"
    if used_now > most * _FULL_SHARE:
        findings.warn("limits", detail, "switch.conf.xml: raise max-sessions; at the limit calls are refused")
    elif most < agents * LEGS_PER_AGENT:
        findings.warn("limits", f"{detail}: few for {agents} agents", "switch.conf.xml: raise max-sessions")
    elif per_s < _FEW_PER_SECOND:
        findings.warn("limits", detail, "switch.conf.xml: raise sessions-per-second; a call takes two at least")
    else:
        findings.ok("limits", detail)


async def _figure(look: EslLook, name: str) -> int:
    found = re.search(r"(\d+)$", await look.text(f"fsctl {name}"))
    return int(found[1]) if found else 0


async def modules(findings: Findings, look: EslLook) -> None:
    missing = [name for name in MODULES if await look.text(f"module_exists {name}") != "true"]
    if missing:
        mend = "modules.conf.xml: " + ", ".join(f'<load module="{name}"/>' for name in missing)
        findings.error("modules", f"not loaded: {', '.join(missing)}", f"{mend}; now: fs_cli -x 'load NAME'")
    else:
        findings.ok("modules", f"all {len(MODULES)} that are needed")
