"""What a FreeSWITCH was given for Switchroom: dialplan, conference profile, settings, sign of life, music."""

from __future__ import annotations

import re

from routing.app.doctor.findings import Findings
from routing.app.doctor.freeswitch.link import EslLook
from routing.app.doctor.freeswitch.xml import Piece, piece_of, shipped_contexts, shipped_profile

DEAD_S = 60
# The server's signs come every 5 s.
_HASTY_DEAD_S = 15
_USUAL = {"SR_TAKE_S": (3, 1), "SR_DEAD_S": (DEAD_S, _HASTY_DEAD_S), "SR_CHECK_S": (20, 2)}  # default, least


async def dialplan(findings: Findings, look: EslLook) -> bool:
    """Compares what is loaded with the file of this version. Whether all of it is there, whatever its version."""
    wanted = shipped_contexts()
    loaded = {name: piece_of(await look.text(f"xml_locate dialplan context name {name}")) for name in wanted}
    missing = [name for name, piece in loaded.items() if piece is None]
    if missing:
        mend = "copy dialplan/freeswitch/switchroom.xml to where the dialplan's files are; then reloadxml"
        findings.error("dialplan", f"contexts missing: {', '.join(missing)}", mend)
        return False
    different = [name for name, piece in wanted.items() if loaded[name] != piece]
    if different:
        mend = "copy dialplan/freeswitch/switchroom.xml of this version to the PBX; then reloadxml"
        findings.error("dialplan", f"another version of switchroom.xml is loaded: {', '.join(different)} differ", mend)
    else:
        findings.ok("dialplan", f"switchroom.xml of this version, {len(wanted)} contexts")
    return True


async def conference(findings: Findings, look: EslLook) -> bool:
    """Whether there is a profile for three and more in a call."""
    settings = piece_of(await look.text("xml_locate configuration configuration name conference.conf"))
    wanted = shipped_profile()
    name = wanted.attributes["name"]
    profile = _profile(settings, name) if settings else None
    mend = "include dialplan/freeswitch/conference.xml below <profiles> of conference.conf.xml; then reloadxml"
    if profile is None:
        findings.error("conference", f"the profile {name} is missing: three in a call cannot be", mend)
        return False
    changed = sorted(key for key, value in wanted.params().items() if profile.params().get(key) != value)
    if changed:
        findings.warn("conference", f"the profile {name} is another one in {', '.join(changed)}", mend)
    else:
        findings.ok("conference", f"profile {name}")
    return True


def _profile(settings: Piece, name: str) -> Piece | None:
    return next((piece for piece in settings.all("profile") if piece.attributes.get("name") == name), None)


async def settings(findings: Findings, look: EslLook) -> None:
    """The dialplan's times; one that is no number makes a silence of no length, or a call that never comes back."""
    texts = {name: await look.text(f"global_getvar {name}") for name in _USUAL}
    strange = [f"{name}={text[:20]}" for name, text in texts.items() if not re.fullmatch(r"\d{0,5}", text)]
    if strange:
        mend = "vars.xml: whole seconds, such as SR_TAKE_S=3; then reloadxml"
        findings.error("settings", f"no numbers of seconds: {', '.join(strange)}", mend)
        return
    values = {name: int(text or _USUAL[name][0]) for name, text in texts.items()}
    low = [f"{name}={value}" for name, value in values.items() if value < _USUAL[name][1]]
    shown = ", ".join(f"{name}={value}" for name, value in values.items())
    if low:
        least = ", ".join(f"{name} {least}" for name, (_, least) in _USUAL.items())
        findings.warn("settings", f"too short: {', '.join(low)}", f"vars.xml: at least {least}; then reloadxml")
    elif values["SR_CHECK_S"] > values["SR_DEAD_S"]:
        findings.warn("settings", f"{shown}: callers look too seldom", "vars.xml: SR_CHECK_S below SR_DEAD_S")
    else:
        findings.ok("settings", shown)


async def beat(findings: Findings, look: EslLook, now_s: int, pbx_id: str) -> None:
    """The server's last sign of life, without which callers go back to the dialplan."""
    text = await look.text("global_getvar SR_BEAT")
    dead = await look.text("global_getvar SR_DEAD_S")
    dead_s = int(dead) if re.fullmatch(r"[1-9]\d{0,4}", dead) else DEAD_S
    mend = f"start it: switchroom up, or switchroom connector {pbx_id} and an engine; then see its log"
    if not text.isdecimal():
        findings.error("beat", "no sign of life of the server has come yet", mend)
    elif now_s - int(text) >= dead_s:
        findings.error("beat", f"the last sign of life came {now_s - int(text)} s ago: callers go back", mend)
    else:
        findings.ok("beat", f"the last sign of life came {max(0, now_s - int(text))} s ago")


async def music(findings: Findings, look: EslLook, wanted: tuple[str, ...]) -> None:
    listed = {line.partition(",")[0] for line in (await look.text("local_stream show")).splitlines()}
    there = listed | {name.partition("/")[0] for name in listed}
    missing = [name for name in wanted if name not in there]
    instead = "`default` is played instead" if "default" in there else "callers hear silence"
    if missing:
        mend = "local_stream.conf.xml: a <directory> of that name, or correct queues.*.music; reload mod_local_stream"
        findings.warn("music", f"there is no local_stream {', '.join(missing)}: {instead}", mend)
    elif wanted:
        findings.ok("music", ", ".join(wanted))
