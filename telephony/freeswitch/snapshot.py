"""What lives on the PBX, read after every connect. The reading is I/O, the building is pure."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from telephony.answers import Answer
from telephony.freeswitch.codec import EslEvent
from telephony.freeswitch.legs import Legs
from telephony.freeswitch.phones import Phones
from telephony.legs import Leg, LegKind, arrived_leg_id
from telephony.rooms import CONTEXT_EAR, PROMPTING
from telephony.session import SyncFailed

LIST_CHANNELS = "show channels as json"
# FreeSWITCH writes its lists behind the calls: a new channel is in them after 0.3 s. Those which come later are told
# by events.
LAG_S = 0.35
OUR_CONTEXTS = "switchroom-"
JOINED = frozenset({"CS_EXCHANGE_MEDIA", "CS_SOFT_EXECUTE", "CS_HIBERNATE", "CS_CONSUME_MEDIA"})
DUMPS_AT_ONCE = 50

Ask = Callable[[str], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Listing:
    """Every live channel by its id, as `uuid_dump` tells it; members of conferences; (user, domain) registered."""

    channels: dict[str, EslEvent]
    conferences: tuple[tuple[str, str], ...]
    registrations: tuple[tuple[str, str], ...]


def rows(text: str) -> list[dict[str, str]]:
    """Of `show ... as json`; without any row the list is missing altogether. Raises SyncFailed."""
    found = _json(text)
    listed = found.get("rows", []) if isinstance(found, dict) else []
    if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
        raise SyncFailed("the PBX sent a list that has no rows")
    return listed


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise SyncFailed(f"the PBX sent a list that is none: {error}") from error


async def read_listing(ask: Ask) -> Listing:
    """Raises SyncFailed."""
    await asyncio.sleep(LAG_S)
    listed = rows(await _demand(ask, LIST_CHANNELS))
    uids = [row["uuid"] for row in listed if row.get("uuid")]
    channels: dict[str, EslEvent] = {}
    for first in range(0, len(uids), DUMPS_AT_ONCE):
        part = uids[first : first + DUMPS_AT_ONCE]
        answers = await asyncio.gather(*(ask(f"uuid_dump {uid} json") for uid in part))
        for dumped, answer in zip(part, answers, strict=True):
            if answer.is_success:  # else it is gone meanwhile
                channels[dumped] = EslEvent(_flat(_json(answer.text)))
    conferences = _members(await _conferences(ask))
    registered = rows(await _demand(ask, "show registrations as json"))
    users = tuple((row.get("reg_user", ""), row.get("realm", "")) for row in registered)
    return Listing(channels, conferences, users)


async def _demand(ask: Ask, line: str) -> str:
    answer = await ask(line)
    if not answer.is_success:
        raise SyncFailed(f"{line}: {answer.text or answer.how.value}")
    return answer.text


async def _conferences(ask: Ask) -> Any:
    answer = await ask("conference json_list")
    if answer.text.startswith("-ERR") or not answer.is_success:
        return []  # none runs, or the module is not there
    return _json(answer.text) if answer.text.startswith("[") else []


def _members(conferences: Any) -> tuple[tuple[str, str], ...]:
    return tuple(
        (str(conference.get("conference_name", "")), str(member.get("uuid", "")))
        for conference in conferences
        for member in conference.get("members", ())
        if member.get("uuid")
    )


def _flat(dump: Mapping[str, Any]) -> dict[str, str]:
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in dump.items()}


async def read_recordings(ask: Ask) -> str:
    """The folder for recordings: SR_RECORD_DIR, below the PBX's own folder for them unless it is absolute."""
    own = await ask("global_getvar SR_RECORD_DIR")
    folder = own.text.strip() if own.is_success and own.text.strip() else "switchroom"
    if folder.startswith("/"):
        return folder.rstrip("/")
    base = await _demand(ask, "global_getvar recordings_dir")
    return f"{base.strip().rstrip('/')}/{folder.rstrip('/')}"


async def read_settings(ask: Ask, names: Iterable[str]) -> dict[str, str]:
    """Global variables of the PBX, those that are set."""
    answers = {name: await ask(f"global_getvar {name}") for name in names}
    return {name: answer.text.strip() for name, answer in answers.items() if answer.is_success and answer.text.strip()}


async def read_missing(ask: Ask) -> frozenset[str]:
    """Contexts for which the dialplan there is not new enough: a channel that is sent to one which is not there is hung
    up.
    """
    answers = {name: await ask(f"xml_locate dialplan context name {name}") for name in (*PROMPTING, CONTEXT_EAR)}
    return frozenset(name for name, answer in answers.items() if answer.text.startswith("can't find"))


# ---------------------------------------------------------------------- building


def build(legs: Legs, phones: Phones, listing: Listing, now_s: float) -> None:
    """Replace everything in `legs` and `phones` by what was read."""
    legs.clear()
    phones.clear()
    for user, domain in listing.registrations:
        phones.registered(user, domain)
    for uid, channel in listing.channels.items():
        leg = leg_of(uid, channel)
        if leg is not None:
            leg.known_since = now_s
            legs.add(leg)
        if there := user_of(channel):
            phones.call(uid, *there, is_busy=is_busy(channel))
    for conference, uid in listing.conferences:
        legs.joined(conference, uid)
    for uid, channel in listing.channels.items():
        if (other := _partner(uid, channel, listing)) and legs.bridges.of(uid) is None:
            legs.bridged(uid, other)
    for leg in legs.all():
        if leg.kind is LegKind.DIALED and legs.bridges.of(leg.uid) is not None:
            leg.is_up = True
    legs.changed.clear()


def leg_of(uid: str, channel: EslEvent) -> Leg | None:
    """The leg on that channel; None when it is not ours."""
    leg_id = channel.get("variable_SR_LEG")
    kind = {uid: LegKind.DIALED, arrived_leg_id(uid): LegKind.ARRIVED}.get(leg_id)
    if kind is None:
        return None
    context = channel.get("Caller-Context")
    return Leg(
        leg_id=leg_id,
        uid=uid,
        kind=kind,
        interaction_id=channel.get("variable_SR_IID"),
        channel=channel.get("Channel-Name"),
        context=context,
        exten=channel.get("Caller-Destination-Number"),
        recording=channel.get("variable_SR_RECORD"),
        is_up=kind is LegKind.ARRIVED or (is_answered(channel) and context.startswith(OUR_CONTEXTS)),
        is_ringing=channel.get("Answer-State") in ("ringing", "early"),
    )


def _partner(uid: str, channel: EslEvent, listing: Listing) -> str:
    """With whom the channel is joined now: each names the other, and one of them is where joined channels are."""
    other_uid = channel.get("variable_bridge_uuid")
    other = listing.channels.get(other_uid)
    if other is None or other.get("variable_bridge_uuid") != uid:
        return ""
    states = {channel.get("Channel-State"), other.get("Channel-State")}
    return other_uid if states & JOINED else ""


def is_answered(channel: EslEvent) -> bool:
    return channel.get("Answer-State") == "answered"


def is_busy(channel: EslEvent) -> bool:
    """Its user talks, or dials."""
    return is_answered(channel) or channel.get("Call-Direction") == "inbound"


def user_of(channel: EslEvent) -> tuple[str, str] | None:
    """The (user, domain) whose telephone is at the far end: who was dialled, or who has proved who he is."""
    if channel.get("Call-Direction") == "outbound":
        user, domain = channel.get("variable_dialed_user"), channel.get("variable_dialed_domain")
    else:
        user, domain = channel.get("variable_user_name"), channel.get("variable_domain_name")
    return (user, domain) if user else None
