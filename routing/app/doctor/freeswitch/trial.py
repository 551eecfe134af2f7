"""A call of nobody through our dialplan: it says a word in two places, is recorded for a moment, and ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from routing.app.doctor.findings import Findings
from routing.app.doctor.freeswitch.link import EslLook
from telephony.freeswitch import actions
from telephony.freeswitch.codec import EslEvent
from telephony.freeswitch.snapshot import read_recordings
from telephony.rooms import CONTEXT_AGENT, CONTEXT_ROOM
from telephony.session import SyncFailed

_EVENT_WAIT_S = 1.5
_ENDPOINT = "mod_loopback"
# A recording that short is thrown away by FreeSWITCH itself.
_THROW_AWAY_S = 3600
_AT = "switchroom::at"


async def examine(findings: Findings, look: EslLook, *, has_conference: bool, records: bool) -> None:
    """Only where our dialplan is there."""
    if await look.text(f"module_exists {_ENDPOINT}") != "true":
        mend = f"fs_cli -x 'load {_ENDPOINT}' for as long as you look"
        findings.warn("events", f"no test call can be made: {_ENDPOINT} is not loaded", mend)
        return
    async with _call(look) as uid:
        if await _arrives(findings, look, uid):
            if records:
                await _record(findings, look, uid)
            if has_conference:
                await _confer(findings, look, uid)
            await _end(findings, look, uid)


@asynccontextmanager
async def _call(look: EslLook) -> AsyncIterator[str]:
    """Nobody's channel; the connector knows nothing of it, and lets it be."""
    uid = f"switchroom-doctor-{uuid4().hex}"
    variables = f"origination_uuid={uid},null_enable_auto_answer=true,RECORD_MIN_SEC={_THROW_AWAY_S}"
    await look.job(f"originate {{{variables}}}null/doctor s XML {CONTEXT_AGENT}", uid)
    try:
        yield uid
    finally:
        await look.ask(actions.hang_up(uid, 16).line)


async def _arrives(findings: Findings, look: EslLook, uid: str) -> bool:
    def is_there(event: EslEvent) -> bool:
        return event.subclass == _AT and event.get("Unique-ID") == uid

    def has_failed(event: EslEvent) -> bool:
        return event.get("Job-UUID") == uid and event.body.startswith("-ERR")

    if await look.sees(lambda event: is_there(event) or has_failed(event), _EVENT_WAIT_S) and look.seen(is_there):
        return True
    failed = look.seen(has_failed)
    reason = failed.body.strip() if failed else f"no event {_AT} has come"
    mend = "see FreeSWITCH's log of this moment; dialplan, modules and limits above"
    findings.error("events", f"a test call did not get through our dialplan: {reason}", mend)
    return False


async def _record(findings: Findings, look: EslLook, uid: str) -> None:
    """Into a file of its own, which goes with the call."""
    try:
        folder = await read_recordings(look.ask)
    except SyncFailed as error:
        findings.error("recordings", f"the folder is not known: {error}", "vars.xml: SR_RECORD_DIR")
        return
    answer = await look.ask(actions.record(uid, "start", f"{folder}/{uid}.wav").line)
    if answer.is_success:
        findings.ok("recordings", f"can be written into {folder}")
    else:
        mend = "rights of that folder for FreeSWITCH's user, space on the disk, or SR_RECORD_DIR in vars.xml"
        findings.error("recordings", f"cannot be written into {folder}: {answer.text}", mend)


async def _confer(findings: Findings, look: EslLook, uid: str) -> None:
    await look.ask(actions.transfer([uid], CONTEXT_ROOM, uid).line)
    if not await look.sees(lambda e: e.get("Action") == "add-member" and e.get("Unique-ID") == uid, _EVENT_WAIT_S):
        mend = "conference.conf.xml: the profile switchroom, and <caller-controls>; see FreeSWITCH's log of this moment"
        findings.error("conference", "a test call did not get into a conference", mend)


async def _end(findings: Findings, look: EslLook, uid: str) -> None:
    await look.ask(actions.hang_up(uid, 16).line)
    wanted = ("CHANNEL_CREATE", "CHANNEL_ANSWER", "CHANNEL_HANGUP_COMPLETE")

    def is_last(event: EslEvent) -> bool:
        return event.name == wanted[-1] and event.get("Unique-ID") == uid

    await look.sees(is_last, _EVENT_WAIT_S)
    seen = {event.name for event in look.events if event.get("Unique-ID") == uid}
    if missing := [name for name in wanted if name not in seen]:
        findings.error("events", f"none arrive of {', '.join(missing)}", "see FreeSWITCH's log of this moment")
    else:
        findings.ok("events", "a test call was heard of from its beginning to its end")
