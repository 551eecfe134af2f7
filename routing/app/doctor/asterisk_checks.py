"""Whether an Asterisk has what Switchroom needs of it (OPS-01). Nothing is changed there, no call is touched."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import uuid4

from routing.app.clock import Clock
from routing.app.doctor.ami import AmiLook, LoginDenied, NotConnected, look_at
from routing.app.doctor.dialplan_text import Step, shipped, steps_of
from routing.app.doctor.findings import Findings
from routing.app.doctor.redis_checks import compare_clocks
from routing.app.settings import PbxSettings

_MAX_SKEW_MS = 1000
_EVENT_WAIT_S = 1.5
# What the dialplan and the connector use beyond Asterisk's core.
MODULES = (
    "app_confbridge app_controlplayback app_exec app_mixmonitor app_playback app_playtones app_read app_record "
    "app_stack app_userevent app_verbose bridge_simple bridge_softmix format_wav func_callerid func_channel "
    "func_devstate func_dialplan func_global func_logic func_strings func_uri pbx_config "
    "res_manager_devicestate res_musiconhold"
).split()
# What else is wanted, and by what; without it that does with less.
_WANTED = {
    "app_amd": ("campaigns", "nobody tells answering machines from people"),
    "app_waitforsilence": ("campaigns", "messages for answering machines begin in the midst of their greetings"),
    "app_chanspy": ("supervision", "supervisors hear no calls"),
}
# Harmless actions, each of which needs one class of rights: it fails for want of its arguments, not of rights.
_PROBES: dict[str, tuple[str, dict[str, str]]] = {
    "call": ("Hangup", {"Channel": "switchroom-doctor/none"}),
    "originate": ("Originate", {}),
    "reporting": ("CoreSettings", {}),
}
# Events nobody here needs; with the connector's own mask they do not come, unless rights were granted oddly.
_NOISE = frozenset({"VarSet", "Newexten", "RTCPSent", "RTCPReceived", "TestEvent"})


async def examine(findings: Findings, pbx: PbxSettings, phones: Iterable[str], clock: Clock) -> None:
    """Every check of one PBX. A PBX that cannot be reached gives the one finding that says so."""
    if not pbx.secret:
        mend = f"set {pbx.secret_source} where this command and the connector run"
        findings.error("secret", f"{pbx.secret_source} is missing or empty", mend)
        return
    try:
        async with look_at(pbx) as look:
            findings.ok("login", f"{pbx.username} at {pbx.host}:{pbx.port}")
            await _rights(findings, look)
            await _system_name(findings, look, pbx)
            await _clock(findings, look, clock)
            has_dialplan = await _dialplan(findings, look)
            await _modules(findings, look)
            await _phones(findings, look, list(phones))
            await _events(findings, look, has_dialplan)
    except NotConnected as error:
        mend = f"is Asterisk running, and manager.conf enabled there? Does pbx.{pbx.id} name its host and port?"
        findings.error("login", str(error), mend)
    except LoginDenied as error:
        mend = f"compare [{pbx.username}] in manager.conf (secret, permit) with pbx.{pbx.id}; then manager reload"
        findings.error("login", str(error), mend)


async def _rights(findings: Findings, look: AmiLook) -> None:
    denied = []
    for name, (action, fields) in _PROBES.items():
        answer = await look.ask(action, fields)
        if "permission denied" in answer.text.lower():
            denied.append(name)
    if denied:
        mend = "manager.conf: write = call,originate,reporting; then manager reload"
        findings.error("rights", f"write class missing: {', '.join(denied)}", mend)
    else:
        findings.ok("rights", f"write classes {', '.join(_PROBES)}")


async def _system_name(findings: Findings, look: AmiLook, pbx: PbxSettings) -> None:
    answer = await look.ask("CoreSettings")
    name = answer.message.get("systemname") if answer.message else ""
    if not name:
        mend = "asterisk.conf, [options]: systemname = <a name outsiders do not know>; then restart Asterisk"
        findings.error("system_name", "systemname is not set: callers could forge events", mend)
    elif pbx.system_name and name != pbx.system_name:
        mend = f"correct pbx.{pbx.id}.system_name or its host"
        findings.error("system_name", f"this PBX calls itself {name}, not {pbx.system_name}", mend)
    else:
        findings.ok("system_name", "set")


async def _clock(findings: Findings, look: AmiLook, clock: Clock) -> None:
    before_ms = clock.now_ms()
    answer = await look.ask("Ping")
    after_ms = clock.now_ms()
    try:
        there_ms = int(float(answer.message.get("timestamp")) * 1000) if answer.message else None
    except ValueError:
        there_ms = None
    if there_ms is not None:
        compare_clocks(findings, there_ms - (before_ms + after_ms) // 2, _MAX_SKEW_MS)


async def _dialplan(findings: Findings, look: AmiLook) -> bool:
    """Compares what is loaded with the file of this version, step by step."""
    wanted = steps_of(shipped())
    contexts = sorted({context for context, _exten, _priority in wanted})
    loaded: dict[Step, str] = {}
    for context in contexts:
        loaded |= await _loaded(look, context)
    missing = [context for context in contexts if not any(step[0] == context for step in loaded)]
    if missing:
        mend = '#include "switchroom.conf" in extensions.conf; then dialplan reload'
        findings.error("dialplan", f"contexts missing: {', '.join(missing)}", mend)
        return False
    different = sorted({step[0] for step in wanted.keys() | loaded.keys() if wanted.get(step) != loaded.get(step)})
    if different:
        mend = "copy dialplan/asterisk/switchroom.conf of this version to the PBX; then dialplan reload"
        findings.error("dialplan", f"another version of switchroom.conf is loaded: {', '.join(different)} differ", mend)
    else:
        findings.ok("dialplan", f"switchroom.conf of this version, {len(contexts)} contexts")
    return True


async def _loaded(look: AmiLook, context: str) -> dict[Step, str]:
    answer = await look.ask("ShowDialPlan", {"Context": context}, is_list=True)
    steps: dict[Step, str] = {}
    for item in answer.items if answer.is_success else ():
        if item.get("priority").isdigit():
            step = (item.get("context"), item.get("extension"), int(item.get("priority")))
            steps[step] = f"{item.get('application')}({item.get('appdata')})"
    return steps


async def _modules(findings: Findings, look: AmiLook) -> None:
    if await look.value("IFMODULE(pbx_config.so)") != "1":
        findings.warn(
            "modules", "cannot be looked at: func_module is not loaded", "modules.conf: load = func_module.so"
        )
        return
    missing = [name for name in MODULES if await look.value(f"IFMODULE({name}.so)") != "1"]
    if missing:
        mend = "modules.conf: " + ", ".join(f"load = {name}.so" for name in missing)
        findings.error("modules", f"not loaded: {', '.join(missing)}", mend)
    else:
        findings.ok("modules", f"all {len(MODULES)} that are needed")
    for name, (of, lack) in _WANTED.items():
        if await look.value(f"IFMODULE({name}.so)") != "1":
            findings.warn(of, f"{name} is not loaded: {lack}", f"modules.conf: load = {name}.so")
    if await look.value("IFMODULE(bridge_native_rtp.so)") == "1":
        mend = "modules.conf: noload = bridge_native_rtp.so; then restart Asterisk"
        findings.warn("native_rtp", "bridge_native_rtp is loaded: digits of callers go unnoticed", mend)
    else:
        findings.ok("native_rtp", "bridge_native_rtp is not loaded")


async def _phones(findings: Findings, look: AmiLook, phones: list[str]) -> None:
    states = {phone: await look.value(f"DEVICE_STATE({phone})") for phone in phones}
    unknown = [phone for phone, state in states.items() if state == "INVALID"]
    away = [phone for phone, state in states.items() if state == "UNAVAILABLE"]
    if unknown:
        mend = "add the endpoints to pjsip.conf, or correct the agents' phones"
        findings.error("phones", f"the PBX does not know {', '.join(unknown)}", mend)
    elif not any(states.values()) and phones:
        findings.warn(
            "phones", "cannot be looked at: func_devstate is not loaded", "modules.conf: load = func_devstate.so"
        )
    else:
        findings.ok("phones", f"all {len(phones)} are known, {len(phones) - len(away)} of them are registered")


async def _events(findings: Findings, look: AmiLook, has_dialplan: bool) -> None:
    """Classes of events. FullyBooted is of `system`; a channel of our own makes events of `call` and `user`."""
    missing = [] if await look.sees(lambda e: e.event == "FullyBooted", _EVENT_WAIT_S) else ["system"]
    if has_dialplan:
        channel = f"switchroom-doctor-{uuid4().hex[:12]}"
        answer = await look.ask("Originate", _own_channel(channel))
        if answer.is_success:
            if not await look.sees(lambda e: e.event == "Newchannel" and e.get("uniqueid") == channel, _EVENT_WAIT_S):
                missing.append("call")
            if not await look.sees(lambda e: e.event == "UserEvent", _EVENT_WAIT_S):
                missing.append("user")
            await look.ask("Hangup", {"Channel": channel})
    if missing:
        mend = "manager.conf: read = system,call,user, and no eventfilter that hides them; then manager reload"
        findings.error("events", f"none arrive of class {', '.join(missing)}", mend)
    else:
        findings.ok("events", "classes system, call, user" if has_dialplan else "class system")
    if noise := sorted({event.event for event in look.events} & _NOISE):
        mend = "manager.conf: eventfilter(action(exclude),name(NAME)) = for each"
        findings.warn("noise", f"events that nobody needs: {', '.join(noise)}", mend)


def _own_channel(channel: str) -> dict[str, str]:
    """A local channel that says one word in the dialplan and is hung up at once; no telephone rings."""
    return {
        "Channel": "Local/s@switchroom-agent/n",
        "ChannelId": channel,
        "OtherChannelId": f"{channel}-2",
        "Application": "Wait",
        "Data": "1",
        "Async": "true",
        "Timeout": "2000",
    }
